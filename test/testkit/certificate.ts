/** Certificates for tests: sound ones by default, and with whatever else a test puts into them. */
import type { Instant } from "../../src/time.ts";
import { allFramed, armored, concat, octets, type Packet } from "./framing.ts";
import type { TestKey } from "./keys.ts";
import { certification, directSignature, type Hash, subkeySignature, type UserId, userIdBytes } from "./signature.ts";
import { embedded, type Flag, flags, keyExpiresAfter, type Subpacket } from "./subpackets.ts";

export const archiveId = "Example Archive Signing Key <archive@example.org>";

/** What a self-signature or binding says; by default that of a key which lives for ever. */
export interface SelfOptions {
  /** Of the signature; the key's own date by default. */
  readonly at?: Instant;
  /** Seconds after the key's creation. */
  readonly keyExpiresAfter?: number;
  /** `[]` means no flags at all are allowed; undefined in a primary: certify and sign, in a subkey: sign. */
  readonly flags?: readonly Flag[];
  readonly hash?: Hash;
  readonly hashed?: readonly Subpacket[];
  /** Seconds after the signature's date. */
  readonly expiresAfter?: number;
}

export interface UserIdOptions extends SelfOptions {
  readonly userId: UserId;
  /** False: no self-certification. */
  readonly self?: boolean;
  /** Further signatures over it: certifications, withdrawals, junk. */
  readonly signatures?: readonly Packet[];
}

export interface SubkeyOptions extends SelfOptions {
  readonly key: TestKey;
  /** The subkey's own 0x19: a good one, none, or whatever a test makes. */
  readonly backSignature?: Packet | "none";
  /** False: no binding. */
  readonly bound?: boolean;
  readonly signatures?: readonly Packet[];
}

export interface CertificateOptions extends SelfOptions {
  readonly key: TestKey;
  /** The archive's user ID by default. What they don't say themselves they take from the certificate's options. */
  readonly userIds?: readonly (UserId | UserIdOptions)[];
  /** Direct-key signatures and key revocations. */
  readonly signatures?: readonly Packet[];
  /** Certifications and more over the first user ID: the short way. */
  readonly certifiedBy?: readonly Packet[];
  readonly subkeys?: readonly (TestKey | SubkeyOptions)[];
}

export interface TestCertificate {
  readonly key: TestKey;
  readonly fingerprint: string;
  readonly packets: readonly Packet[];
  readonly bytes: Uint8Array;
  readonly armored: string;
}

function selfSubpackets(options: SelfOptions, usual: readonly Flag[]): Subpacket[] {
  const lifetime = options.keyExpiresAfter === undefined ? [] : [keyExpiresAfter(options.keyExpiresAfter)];
  return [flags(...(options.flags ?? usual)), ...lifetime, ...(options.hashed ?? [])];
}

function signing(key: TestKey, options: SelfOptions) {
  const { at = key.createdAt, hash = "sha256", expiresAfter } = options;
  return { by: key, at, hash, ...(expiresAfter === undefined ? {} : { expiresAfter }) };
}

/** A self-certification of a user ID (0x13), for certificates that need more than one. */
export function selfSignature(options: SelfOptions & { readonly key: TestKey; readonly userId?: UserId }): Packet {
  const { key, userId = archiveId } = options;
  const hashed = selfSubpackets(options, ["certify", "sign"]);
  return certification({ ...signing(key, options), of: key, userId, type: 0x13, hashed });
}

/** A subkey binding (0x18) with the subkey's back-signature in the hashed area. */
export function binding(primary: TestKey, options: SubkeyOptions): Packet {
  const { key: subkey, backSignature } = options;
  const dated = { ...signing(primary, options), at: options.at ?? subkey.createdAt };
  const back =
    backSignature ??
    subkeySignature(0x19, { by: subkey, at: dated.at, primary, subkey, hash: options.hash ?? "sha256" });
  const hashed = [...selfSubpackets(options, ["sign"]), ...(back === "none" ? [] : [embedded(back.body)])];
  return subkeySignature(0x18, { ...dated, primary, subkey, hashed });
}

function userIdPackets(key: TestKey, options: UserIdOptions): Packet[] {
  const self = options.self === false ? [] : [selfSignature({ ...options, key })];
  return [{ tag: 13, body: userIdBytes(options.userId) }, ...self, ...(options.signatures ?? [])];
}

function subkeyPackets(primary: TestKey, options: SubkeyOptions): Packet[] {
  const bound = options.bound === false ? [] : [binding(primary, options)];
  return [{ tag: 14, body: options.key.body }, ...bound, ...(options.signatures ?? [])];
}

/** Makes a certificate. */
export function certificate(options: CertificateOptions): TestCertificate {
  const { key, userIds = [archiveId], signatures = [], certifiedBy = [], subkeys = [] } = options;
  const { at, keyExpiresAfter, flags, hash, hashed, expiresAfter } = options;
  const given = { at, keyExpiresAfter, flags, hash, hashed, expiresAfter };
  const shared: SelfOptions = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const ids = userIds.map((id): UserIdOptions => {
    return typeof id === "string" || id instanceof Uint8Array ? { ...shared, userId: id } : { ...shared, ...id };
  });
  // Where version 6 keys say what they are for (RFC 9580 section 10.1.1).
  const direct = directSignature({
    ...signing(key, shared),
    of: key,
    hashed: selfSubpackets(shared, ["certify", "sign"]),
  });
  const packets = [
    { tag: 6, body: key.body },
    ...(key.version === 6 ? [direct] : []),
    ...signatures,
    ...ids.flatMap((id, index) => [...userIdPackets(key, id), ...(index === 0 ? certifiedBy : [])]),
    ...subkeys.flatMap((subkey) => subkeyPackets(key, "body" in subkey ? { key: subkey } : subkey)),
  ];
  return asCertificate(key, packets);
}

/** Any packets as a certificate of that key. */
export function asCertificate(key: TestKey, packets: readonly Packet[]): TestCertificate {
  const bytes = allFramed(packets);
  return { key, fingerprint: key.fingerprint, packets, bytes, armored: armored("PUBLIC KEY BLOCK", bytes) };
}

/** The certificate with its secrets, unlocked, for the programs that sign (RFC 9580 section 5.5.3). */
export function secretKeyBlock({ key, packets }: TestCertificate, subkeys: readonly TestKey[] = []): string {
  const all = new Map([key, ...subkeys].map((one) => [Buffer.from(one.body).toString("hex"), one]));
  const secret = packets.map((packet): Packet => {
    const owner = all.get(Buffer.from(packet.body).toString("hex"));
    if (owner === undefined || (packet.tag !== 6 && packet.tag !== 14)) return packet;
    const checksum = octets(
      owner.secret.reduce((sum, byte) => (sum + byte) & 0xffff, 0),
      2,
    );
    const end = owner.version === 6 ? new Uint8Array() : checksum;
    return { tag: packet.tag === 6 ? 5 : 7, body: concat(owner.body, Uint8Array.of(0), owner.secret, end) };
  });
  return armored("PRIVATE KEY BLOCK", allFramed(secret));
}
