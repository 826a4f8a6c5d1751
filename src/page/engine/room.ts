import { exceeds } from "../../packages/compression/undecodable.ts";

/** Collects bytes, up to a size limit. */
export class Room {
  readonly #limit: number;
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Adds a piece.
   * @throws Undecodable if the bytes then exceed the size limit
   */
  add(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#length > this.#limit) throw exceeds(this.#limit);
    this.#pieces.push(piece);
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#pieces, this.#length);
  }
}
