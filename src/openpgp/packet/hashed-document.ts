/** A document and its digests. Signatures over one index need the same ones, and so does who remembers it: 50 MB are hashed once. */
import { createHash, type Hash } from "node:crypto";
import type { Message } from "./native-key.ts";
import type { RawSignature } from "./raw-signature.ts";
import { documentDigest, trailerOf } from "./signed-digest.ts";

const noSalt = new Uint8Array();
const nameOf = (hash: string, salt: Uint8Array) => `${hash} ${Buffer.from(salt).toString("hex")}`;

export class HashedDocument {
  readonly bytes: Uint8Array;
  readonly #prefixes = new Map<string, Hash>();

  /** @param sha256 a hash that has taken in the bytes already */
  constructor(bytes: Uint8Array, sha256?: Hash) {
    this.bytes = bytes;
    if (sha256 !== undefined) this.#prefixes.set(nameOf("sha256", noSalt), sha256);
  }

  /** What a signature over the document signs. @throws Error for a hash that can't be computed here */
  signedDigest(raw: RawSignature): Uint8Array {
    return documentDigest(raw, this.#prefix(raw.hash, raw.salt).copy());
  }

  /** All that a signature over the document signs. @throws Error for a hash that can't be computed here */
  signed(raw: RawSignature): Message {
    const parts = () => [raw.salt, this.bytes, raw.hashedPart, trailerOf(raw)];
    return { hash: raw.hash, digest: this.signedDigest(raw), parts };
  }

  /** Lower-case hex. */
  get sha256(): string {
    return this.#prefix("sha256", noSalt).copy().digest("hex");
  }

  #prefix(hash: string, salt: Uint8Array): Hash {
    const name = nameOf(hash, salt);
    const known = this.#prefixes.get(name);
    if (known !== undefined) return known;
    const made = createHash(hash).update(salt).update(this.bytes);
    this.#prefixes.set(name, made);
    return made;
  }
}
