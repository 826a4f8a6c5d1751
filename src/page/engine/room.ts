import { exceeds } from "../../packages/compression/undecodable.ts";

/** Collects at most so many bytes. */
export class Room {
  readonly #limit: number;
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws Undecodable over the limit */
  add(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#length > this.#limit) throw exceeds(this.#limit);
    this.#pieces.push(piece);
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#pieces, this.#length);
  }
}
