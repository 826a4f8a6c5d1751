/**
 * The part of `node:crypto` that the OpenPGP code uses, for browsers, because their own cryptography is only asynchronous. The build of the
 * trust page replaces `node:crypto` by this module; `test/page/engine.test.ts` compares both.
 */
import { md5, ripemd160, sha1 } from "@noble/hashes/legacy.js";
import { sha224, sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { sha3_256, sha3_512 } from "@noble/hashes/sha3.js";
import { type PublicKey, publicKeyOf } from "./public-keys.ts";

const makers = {
  md5,
  sha1,
  ripemd160,
  sha224,
  sha256,
  sha384,
  sha512,
  "sha3-256": sha3_256,
  "sha3-512": sha3_512,
} as const;

type Running = ReturnType<(typeof makers)[keyof typeof makers]["create"]>;

function isHash(name: string): name is keyof typeof makers {
  return name in makers;
}

/** A hash over data that comes in pieces. */
export class Hash {
  readonly #running: Pick<Running, "update" | "digest" | "clone">;

  constructor(running: Pick<Running, "update" | "digest" | "clone">) {
    this.#running = running;
  }

  update(bytes: Uint8Array): this {
    this.#running.update(bytes);
    return this;
  }

  copy(): Hash {
    return new Hash(this.#running.clone());
  }

  digest(): Buffer;
  digest(encoding: "hex"): string;
  digest(encoding?: "hex"): Buffer | string {
    const bytes = Buffer.from(this.#running.digest());
    return encoding === undefined ? bytes : bytes.toString(encoding);
  }
}

/** Returns the names of the supported hashes, as Node writes them. */
export function getHashes(): string[] {
  return Object.keys(makers);
}

/** Starts a hash. @throws Error if the hash is unknown */
export function createHash(name: string): Hash {
  if (!isHash(name)) throw new Error(`no hash ${name}`);
  return new Hash(makers[name].create());
}

/**
 * Returns the digest of bytes.
 * @throws Error if the hash is unknown
 */
export function hash(name: string, bytes: Uint8Array, _encoding: "buffer"): Buffer {
  return createHash(name).update(bytes).digest();
}

/**
 * Makes a public key and checks the key's numbers at once, as OpenSSL does.
 * @throws Error if the key can't be used
 */
export const createPublicKey = publicKeyOf;

interface Input {
  readonly key: PublicKey;
}

/**
 * Starts to verify a signature over data that comes in pieces.
 * @throws Error if the hash is unknown
 */
export function createVerify(name: string) {
  const running = createHash(name);
  return {
    update: (piece: Uint8Array) => void running.update(piece),
    verify: ({ key }: Input, value: Uint8Array): boolean => key.verify(name, running.digest(), value),
  };
}

/** Verifies a signature over data. If the name is `null`, the signature algorithm hashes the data itself. */
export function verify(
  name: string | null,
  data: Uint8Array,
  input: PublicKey | Input,
  value: Uint8Array,
  callback?: (error: null, made: boolean) => void,
): boolean {
  const key = "key" in input ? input.key : input;
  const made = key.verify(name, name === null ? data : hash(name, data, "buffer"), value);
  callback?.(null, made);
  return made;
}
