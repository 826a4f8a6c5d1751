import { damaged, exceeds, trailing } from "./undecodable.ts";

/** The decompressed beginning of a file. */
interface Bzip2Head {
  readonly content: Uint8Array;
  /** Whether the content is complete. */
  readonly whole: boolean;
}

/**
 * Decompresses a .bz2 file with one or more streams, and verifies the checksums.
 * @throws Undecodable if the content exceeds `limit` bytes, if bytes follow the last stream, or for damage; the pieces' errors
 */
export async function unbzip2(pieces: Iterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const { content, whole } = await unbzip2Head(pieces, limit);
  if (!whole) throw exceeds(limit);
  return content;
}

/**
 * Decompresses at most `most` bytes of the content, and reads only as much of the file as needed. Verifies the checksums of streams
 * and blocks that were decompressed to their end. A block has at most 900,000 bytes.
 * @throws Undecodable if bytes follow the last stream, or for damage; the pieces' errors
 */
export async function unbzip2Head(pieces: Iterable<Uint8Array>, most: number): Promise<Bzip2Head> {
  // feedkey loads the library only when it decompresses a .bz2 file.
  const Bunzip = (await import("seek-bzip")).default;
  const input = new Input(pieces);
  const output = new Output(most);
  const reader = Object.assign(new Bunzip.Stream(), { readByte: () => input.readByte() });
  const writer = Object.assign(new Bunzip.Stream(), { writeByte: (byte: number) => output.writeByte(byte) });
  try {
    // The library does not distinguish the end of its input from the end of a stream. So feedkey decodes one stream at a time.
    do Bunzip.decode(reader, writer);
    while (input.startsAnotherStream());
    return { content: output.content(), whole: true };
  } catch (error) {
    if (error === full) return { content: output.content(), whole: false };
    throw input.failure ?? damaged(error);
  }
}

/** Thrown to make the library stop. */
const full = new Error("enough was decompressed");

const firstLetter = 0x42;

class Input {
  /** The error that the pieces threw, or the error for bytes after the last stream. */
  failure: unknown;
  readonly #pieces: Iterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();
  #position = 0;

  constructor(pieces: Iterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.iterator]();
  }

  readByte(): number {
    const byte = this.#peek();
    if (byte === undefined) throw damaged(undefined);
    this.#position += 1;
    return byte;
  }

  /** Whether another stream follows. @throws Undecodable if other bytes follow */
  startsAnotherStream(): boolean {
    const byte = this.#peek();
    if (byte !== undefined && byte !== firstLetter) {
      this.failure = trailing();
      throw this.failure;
    }
    return byte !== undefined;
  }

  #peek(): number | undefined {
    while (this.#position >= this.#piece.length) {
      const { done, value } = this.#next();
      if (done === true) return undefined;
      this.#piece = value;
      this.#position = 0;
    }
    return this.#piece[this.#position];
  }

  #next(): IteratorResult<Uint8Array> {
    try {
      return this.#pieces.next();
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}

class Output {
  readonly #most: number;
  readonly #parts: Uint8Array[] = [];
  #part: Uint8Array = new Uint8Array();
  #filled = 0;
  #total = 0;

  constructor(most: number) {
    this.#most = most;
  }

  writeByte(byte: number): void {
    if (this.#total === this.#most) throw full;
    if (this.#filled === this.#part.length) {
      this.#part = new Uint8Array(256 * 1024);
      this.#parts.push(this.#part);
      this.#filled = 0;
    }
    this.#part[this.#filled] = byte;
    this.#filled += 1;
    this.#total += 1;
  }

  content(): Uint8Array {
    return Buffer.concat(this.#parts, this.#total);
  }
}
