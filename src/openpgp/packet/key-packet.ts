/** Reads the facts in public key packets, and loads the keys for checking signatures. */
import { createHash } from "node:crypto";
import type { Fingerprint, KeyFacts } from "../../trust/facts.ts";
import { type Check, nativeKey, rareCheck } from "./native-key.ts";
import { hex } from "./subpackets.ts";

/** A primary key or subkey that can check signatures. */
export interface LoadedKey {
  readonly facts: KeyFacts;
  /** The fingerprint of the certificate that contains the key. For a primary key, this is the key's own fingerprint. */
  readonly certificate: Fingerprint;
  /** The body of the key's packet. */
  readonly body: Uint8Array;
  /** The octet of the key's algorithm (RFC 9580 section 9.1). */
  readonly algorithm: number;
  /** Checks a signature by this key. Undefined for an encryption key, or a key that Node refuses. */
  readonly check: Check | undefined;
}

/**
 * Returns the fingerprint of the key in a public key packet's body (RFC 9580 section 5.5.4); undefined for versions
 * other than 4 and 6.
 */
export function fingerprintOf(body: Uint8Array): Fingerprint | undefined {
  const { length } = body;
  if (body[0] === 4 && length <= 0xffff) {
    const head = Buffer.from([0x99, length >> 8, length & 0xff]);
    return hex(createHash("sha1").update(head).update(body).digest());
  }
  if (body[0] !== 6) return undefined;
  const head = Buffer.alloc(5, 0x9b);
  head.writeUInt32BE(length, 1);
  return hex(createHash("sha256").update(head).update(body).digest());
}

/**
 * Returns the 64-bit key ID for a fingerprint (RFC 9580 section 5.5.4). feedkey uses key IDs only to find keys, never to
 * identify a key.
 */
export function keyIdOf(fingerprint: Fingerprint): string {
  return fingerprint.length === 64 ? fingerprint.slice(0, 16) : fingerprint.slice(-16);
}

/**
 * Loaded keys by packet body and certificate. feedkey reuses loaded keys, because one run judges several times, and each key
 * remembers the results of its checks.
 */
const loaded = new WeakMap<Uint8Array, Map<Fingerprint, Promise<LoadedKey | undefined>>>();

/**
 * Loads a public key or subkey packet.
 * @param body the packet's body
 * @param certificate the fingerprint of the certificate that lists the key
 * @returns undefined if feedkey can't use the key, because its version or algorithm is unknown, or the key is damaged or too large
 */
export async function loadKey(body: Uint8Array, certificate: Fingerprint): Promise<LoadedKey | undefined> {
  const known = loaded.get(body) ?? new Map<Fingerprint, Promise<LoadedKey | undefined>>();
  loaded.set(body, known);
  const loading = known.get(certificate) ?? load(body, certificate);
  known.set(certificate, loading);
  return await loading;
}

async function load(body: Uint8Array, certificate: Fingerprint): Promise<LoadedKey | undefined> {
  const fingerprint = fingerprintOf(body);
  // The head contains the version, the creation date and the algorithm. In version 6, it also has the length of the key material.
  const version = body[0] ?? 0;
  const head = version === 6 ? 10 : 6;
  if (fingerprint === undefined || body.length <= head) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const algorithm = body[5] ?? 0;
  const identity = { fingerprint, keyId: keyIdOf(fingerprint), version };
  const createdAt = bytes.readUInt32BE(1) * 1000;
  const whole = version !== 6 || bytes.readUInt32BE(6) === body.length - head;
  const native = whole ? nativeKey(version, algorithm, body.subarray(head)) : undefined;
  if (native === undefined) {
    const { libraryFacts } = await import("./library-key.ts");
    const facts = await libraryFacts(body, fingerprint);
    const check = facts && rareCheck(algorithm, body.subarray(head));
    return facts && { facts: { ...identity, ...facts, createdAt }, certificate, body, algorithm, check };
  }
  const { name, bits, curve } = native;
  const facts: KeyFacts = {
    ...identity,
    algorithm: name,
    bits,
    ...(curve === undefined ? {} : { curve }),
    createdAt,
  };
  return { facts, certificate, body, algorithm, check: native.isSignature };
}
