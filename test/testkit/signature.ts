/**
 * Signatures packet by packet: everything that the program must accept, and everything that it must refuse.
 * Nothing of the program or its library takes part: digests and keys are node's own.
 */
import { createHash } from "node:crypto";
import type { Instant } from "../../src/time.ts";
import { concat, octets, type Packet } from "./framing.ts";
import type { TestKey } from "./keys.ts";
import { area, created, expiresAfter, issuerFingerprint, issuerKeyId, notation, type Subpacket } from "./subpackets.ts";

/** Hash octets by node's names (RFC 9580 section 9.5). */
const hashOctets = {
  md5: 1,
  sha1: 2,
  ripemd160: 3,
  sha256: 8,
  sha384: 9,
  sha512: 10,
  sha224: 11,
  "sha3-256": 12,
  "sha3-512": 14,
} as const;
export type Hash = keyof typeof hashOctets;

/** What every signature can be told. Whatever is left out is as a good signature has it. */
export interface SignatureOptions {
  readonly by: TestKey;
  readonly at: Instant;
  readonly hash?: Hash;
  /** Seconds. */
  readonly expiresAfter?: number;
  /** Added to the hashed area. */
  readonly hashed?: readonly Subpacket[];
  /** Instead of the whole hashed area: then even the date has to be in it. */
  readonly hashedArea?: Uint8Array;
  /** Instead of the issuer's key ID, which stands alone in the unhashed area, as GnuPG writes it. */
  readonly unhashed?: readonly Subpacket[];
  /** Of the signature; the key's by default. */
  readonly version?: 4 | 6;
  /** Version 6 only; zeros by default, so that the same input gives the same bytes. */
  readonly salt?: Uint8Array;
}

const saltSizes: Readonly<Record<string, number>> = { sha384: 24, sha512: 32, "sha3-512": 32 };

/**
 * Makes a signature.
 * @param type signature type octet
 * @param over the bytes that it stands for, see `over...` below
 */
export function signature(type: number, over: Uint8Array, options: SignatureOptions): Packet {
  const { by, at, hash = "sha256", version = by.version } = options;
  const lifetime = options.expiresAfter === undefined ? [] : [expiresAfter(options.expiresAfter)];
  const hashedArea =
    options.hashedArea ?? area([issuerFingerprint(by), created(at), ...lifetime, ...(options.hashed ?? [])]);
  const unhashedArea = area(options.unhashed ?? (version === 4 ? [issuerKeyId(by)] : []));
  const sizeOctets = version === 6 ? 4 : 2;
  const hashedPart = concat(
    Uint8Array.of(version, type, by.algorithm, hashOctets[hash]),
    octets(hashedArea.length, sizeOctets),
    hashedArea,
  );
  const salt = version === 6 ? (options.salt ?? new Uint8Array(saltSizes[hash] ?? 16)) : new Uint8Array();
  const trailer = concat(Uint8Array.of(version, 0xff), octets(hashedPart.length, 4));
  const bytes = concat(salt, over, hashedPart, trailer);
  const body = concat(
    hashedPart,
    octets(unhashedArea.length, sizeOctets),
    unhashedArea,
    createHash(hash).update(bytes).digest().subarray(0, 2),
    version === 6 ? concat(Uint8Array.of(salt.length), salt) : salt,
    by.sign(hash, bytes),
  );
  return { tag: 2, body };
}

/** A key as signatures of that version hash it. */
export function overKey({ body }: Pick<TestKey, "body">, version = 4): Uint8Array {
  const size = version === 6 ? octets(body.length, 4) : octets(body.length, 2);
  return concat(Uint8Array.of(version === 6 ? 0x9b : 0x99), size, body);
}

export type UserId = string | Uint8Array;

export function userIdBytes(userId: UserId): Uint8Array {
  return typeof userId === "string" ? new TextEncoder().encode(userId) : userId;
}

export function overUserId(key: TestKey, userId: UserId, version = 4): Uint8Array {
  const bytes = userIdBytes(userId);
  return concat(overKey(key, version), Uint8Array.of(0xb4), octets(bytes.length, 4), bytes);
}

export function overSubkey(primary: TestKey, subkey: TestKey, version = 4): Uint8Array {
  return concat(overKey(primary, version), overKey(subkey, version));
}

/** A detached signature over a document (0x00), with the feed's name as the program notes it, if one is given. */
export function dataSignature(
  options: SignatureOptions & { readonly data: Uint8Array; readonly feed?: string; readonly type?: number },
): Packet {
  const { data, feed, type = 0x00, hashed = [] } = options;
  const named = feed === undefined ? [] : [notation("feed@example.org", feed)];
  return signature(type, data, { ...options, hashed: [...named, ...hashed] });
}

type OverUserId = SignatureOptions & { readonly of: TestKey; readonly userId: UserId };

/** `by` certifies a user ID of `of` (0x10). */
export function certification({
  of,
  userId,
  type = 0x10,
  ...options
}: OverUserId & { readonly type?: number }): Packet {
  return signature(type, overUserId(of, userId, options.version ?? options.by.version), options);
}

/** `by` takes a certification back (0x30). */
export function withdrawal(options: OverUserId): Packet {
  return certification({ ...options, type: 0x30 });
}

/** A revocation of the key `of` (0x20), by itself or whoever else; the reason goes into `hashed`. */
export function keyRevocation({ of, ...options }: SignatureOptions & { readonly of: TestKey }): Packet {
  return signature(0x20, overKey(of, options.version ?? options.by.version), options);
}

/** A signature directly over the key `of` (0x1F). */
export function directSignature({ of, ...options }: SignatureOptions & { readonly of: TestKey }): Packet {
  return signature(0x1f, overKey(of, options.version ?? options.by.version), options);
}

type OverSubkey = SignatureOptions & { readonly primary: TestKey; readonly subkey: TestKey };

/** A signature over a primary and a subkey: binding 0x18, back-signature 0x19, revocation 0x28. */
export function subkeySignature(type: 0x18 | 0x19 | 0x28, { primary, subkey, ...options }: OverSubkey): Packet {
  return signature(type, overSubkey(primary, subkey, options.version ?? options.by.version), options);
}
