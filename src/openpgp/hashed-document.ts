/** A document and its digests. Signatures over one index need the same ones, and so does who remembers it: 50 MB are hashed once. */
import { createHash, type Hash } from "node:crypto";
import type { RawSignature } from "./raw-signature.ts";
import { documentDigest } from "./signed-digest.ts";

export class HashedDocument {
  readonly bytes: Uint8Array;
  readonly #prefixes = new Map<string, Hash>();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** What a signature over the document signs. @throws Error for a hash that can't be computed here */
  signedDigest(raw: RawSignature): Uint8Array {
    return documentDigest(raw, this.#prefix(raw.hash, raw.salt).copy());
  }

  /** Lower-case hex. */
  get sha256(): string {
    return this.#prefix("sha256", new Uint8Array()).copy().digest("hex");
  }

  #prefix(hash: string, salt: Uint8Array): Hash {
    const name = `${hash} ${Buffer.from(salt).toString("hex")}`;
    const known = this.#prefixes.get(name);
    if (known !== undefined) return known;
    const made = createHash(hash).update(salt).update(this.bytes);
    this.#prefixes.set(name, made);
    return made;
  }
}
