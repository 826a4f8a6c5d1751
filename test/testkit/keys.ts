/** Keys for tests, made fast and always the same: Ed25519 from a name, RSA and DSA from the files under `keys/`. */
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import type { Instant } from "../../src/time.ts";
import { day } from "./dates.ts";
import { dsaSigner } from "./dsa.ts";
import { concat, mpi, octets } from "./framing.ts";
import { keyNumbers } from "./key-file.ts";

export interface TestKey {
  readonly version: 4 | 6;
  /** Public-key algorithm octet. */
  readonly algorithm: number;
  readonly createdAt: Instant;
  /** Body of its public key packet. */
  readonly body: Uint8Array;
  /** Its secret numbers, as in an unlocked secret key packet. */
  readonly secret: Uint8Array;
  readonly fingerprint: string;
  readonly keyId: string;
  /**
   * The algorithm-specific fields of a signature.
   * @param hash node's name of the hash
   * @param bytes everything that is hashed
   */
  readonly sign: (hash: string, bytes: Uint8Array) => Uint8Array;
}

interface Material extends Pick<TestKey, "version" | "algorithm" | "secret" | "sign"> {
  readonly open: Uint8Array;
}

function make({ version, algorithm, open, secret, sign }: Material, createdAt: Instant): TestKey {
  const size = version === 6 ? octets(open.length, 4) : new Uint8Array();
  const body = concat(Uint8Array.of(version), octets(createdAt / 1000, 4), Uint8Array.of(algorithm), size, open);
  const fingerprint =
    version === 6
      ? createHash("sha256").update(Uint8Array.of(0x9b)).update(octets(body.length, 4))
      : createHash("sha1").update(Uint8Array.of(0x99)).update(octets(body.length, 2));
  const digits = fingerprint.update(body).digest("hex").toUpperCase();
  const keyId = version === 6 ? digits.slice(0, 16) : digits.slice(-16);
  return { version, algorithm, createdAt, body, secret, fingerprint: digits, keyId, sign };
}

const pkcs8Ed25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const oidEd25519Legacy = Uint8Array.of(9, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01);

/**
 * An Ed25519 key that its name determines; version 4 is the legacy kind (22) that every OpenPGP program reads.
 * `native` makes a version 4 key of the newer kind (27).
 */
export function ed25519Key(
  name: string,
  options: { readonly createdAt?: Instant; readonly version?: 4 | 6; readonly native?: boolean } = {},
): TestKey {
  const { createdAt = day(0), version = 4, native = version === 6 } = options;
  const seed = createHash("sha256").update(`feedkey test key ${name}`).digest();
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Ed25519, seed]), format: "der", type: "pkcs8" });
  const point = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  // EdDSA signs the digest, not the data (RFC 9580 section 5.2.3.3).
  const raw = (hash: string, bytes: Uint8Array) => sign(null, createHash(hash).update(bytes).digest(), key);
  if (native) return make({ version, algorithm: 27, open: point, secret: seed, sign: raw }, createdAt);
  return make(
    {
      version,
      algorithm: 22,
      open: concat(oidEd25519Legacy, mpi(concat(Uint8Array.of(0x40), point))),
      secret: mpi(seed),
      sign: (hash, bytes) => {
        const signature = raw(hash, bytes);
        return concat(mpi(signature.subarray(0, 32)), mpi(signature.subarray(32)));
      },
    },
    createdAt,
  );
}

const toBigInt = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
const toBase64url = (value: bigint) => {
  const digits = value.toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex").toString("base64url");
};

/** An RSA key of `test/testkit/keys/`. */
export function rsaKey(name: "rsa-a" | "rsa-b" | "rsa1024", options: { readonly createdAt?: Instant } = {}): TestKey {
  const { open, secret } = keyNumbers(name, { open: 2, secret: 4 });
  const [n = 0n, e = 0n] = open.map(toBigInt);
  // OpenPGP's u is p^-1 mod q; with the primes exchanged it is the coefficient that JWK wants.
  const [d = 0n, q = 0n, p = 0n, qi = 0n] = secret.map(toBigInt);
  const numbers = { n, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi };
  const jwk = Object.fromEntries(Object.entries(numbers).map(([part, value]) => [part, toBase64url(value)]));
  const key = createPrivateKey({ key: { kty: "RSA", ...jwk }, format: "jwk" });
  return make(
    {
      version: 4,
      algorithm: 1,
      open: concat(...open.map(mpi)),
      secret: concat(...secret.map(mpi)),
      sign: (hash, bytes) => mpi(sign(hash, bytes, key)),
    },
    options.createdAt ?? day(0),
  );
}

/** The DSA key of `test/testkit/keys/`: an algorithm that must be refused. */
export function dsaKey(options: { readonly createdAt?: Instant } = {}): TestKey {
  const { open, secret } = keyNumbers("dsa2048", { open: 4, secret: 1 });
  const fields = { open: concat(...open.map(mpi)), secret: concat(...secret.map(mpi)) };
  return make({ version: 4, algorithm: 17, ...fields, sign: dsaSigner(open, secret) }, options.createdAt ?? day(0));
}
