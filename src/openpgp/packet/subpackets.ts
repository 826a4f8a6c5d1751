/**
 * Reads the hashed area of a signature strictly (RFC 9580 section 5.2.3). Every subpacket that a rule uses must appear only once and
 * have the right size. The OpenPGP library is less strict: it also uses the unhashed area, and if a subpacket appears twice, it
 * uses the last.
 */
import type { KeyFlags, Notation } from "../../trust/facts.ts";

export interface HashedArea {
  readonly createdAt: number | undefined;
  /** Seconds from the signature's creation to its expiry. */
  readonly signatureLifetime: number | undefined;
  /** Seconds from the key's creation to its expiry. */
  readonly keyLifetime: number | undefined;
  readonly flags: KeyFlags | undefined;
  readonly exportable: boolean;
  readonly trust: { readonly level: number; readonly amount: number };
  readonly notations: readonly Notation[];
  readonly reason: { readonly code: number; readonly text: string } | undefined;
  readonly issuerFingerprint: string | undefined;
  readonly issuerKeyId: string | undefined;
  readonly designatedRevokers: readonly string[];
  readonly embeddedSignature: Uint8Array | undefined;
  /** The reasons why the signature is void: unknown critical subpackets and notations, and subpackets that appear twice. */
  readonly unknownCritical: readonly string[];
}

const type = {
  created: 2,
  signatureLifetime: 3,
  exportable: 4,
  trust: 5,
  regex: 6,
  revocable: 7,
  keyLifetime: 9,
  revoker: 12,
  issuerKeyId: 16,
  notation: 20,
  flags: 27,
  reason: 29,
  embedded: 32,
  issuerFingerprint: 33,
} as const;

// Known subpackets that no rule uses: preferences, features, primary user ID, policy URI, signer's user ID and others.
const harmless = new Set([type.revocable, 11, 21, 22, 23, 24, 25, 26, 28, 30, 34, 39]);

// Subpackets that may appear only once. With two subpackets of one type, two programs could interpret a signature differently.
const single = new Set<number>([
  type.created,
  type.signatureLifetime,
  type.exportable,
  type.trust,
  type.keyLifetime,
  type.flags,
  type.reason,
  type.issuerFingerprint,
  type.embedded,
]);

export class SubpacketError extends Error {}

interface Subpacket {
  readonly type: number;
  readonly critical: boolean;
  readonly body: Uint8Array;
}

/** Returns bytes in upper-case hex. feedkey always writes fingerprints and key IDs in this form. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").toUpperCase();
}

/** Returns bytes as a string with one character for each byte, for use as an identifier or for ASCII text. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function number(body: Uint8Array, octets: number): number {
  if (body.length !== octets) throw new SubpacketError("a subpacket has a wrong length");
  return body.reduce((value, byte) => value * 256 + byte, 0);
}

/** Splits an area (without its length field) into subpackets. @throws SubpacketError if the area is malformed */
export function readSubpackets(area: Uint8Array): Subpacket[] {
  return [...cut(area)];
}

/** Returns the subpackets in an area. If the area is malformed, returns only the subpackets before the malformed place. */
export function readSubpacketsLeniently(area: Uint8Array): Subpacket[] {
  const found: Subpacket[] = [];
  try {
    for (const subpacket of cut(area)) found.push(subpacket);
  } catch (error) {
    if (!(error instanceof SubpacketError)) throw error;
  }
  return found;
}

function* cut(area: Uint8Array): Generator<Subpacket> {
  let at = 0;
  while (at < area.length) {
    const first = area[at] ?? 0;
    let length = first;
    let start = at + 1;
    if (first >= 192 && first < 255) {
      length = ((first - 192) << 8) + (area[at + 1] ?? 0) + 192;
      start = at + 2;
    } else if (first === 255) {
      length = number(area.subarray(at + 1, at + 5), 4);
      start = at + 5;
    }
    if (length < 1 || start + length > area.length) throw new SubpacketError("a subpacket goes past its area");
    const kind = area[start] ?? 0;
    yield { type: kind & 0x7f, critical: (kind & 0x80) !== 0, body: area.subarray(start + 1, start + length) };
    at = start + length;
  }
}

function readNotation(body: Uint8Array, critical: boolean): Notation {
  const view = Buffer.from(body);
  if (view.length < 8) throw new SubpacketError("a notation is cut off");
  const nameLength = view.readUInt16BE(4);
  if (view.length !== 8 + nameLength + view.readUInt16BE(6)) throw new SubpacketError("a notation has a wrong length");
  return {
    name: view.subarray(8, 8 + nameLength).toString("utf8"),
    value: view.subarray(8 + nameLength).toString("utf8"),
    critical,
  };
}

function keyFlags(body: Uint8Array): KeyFlags {
  const first = body[0] ?? 0;
  return { certify: (first & 1) !== 0, sign: (first & 2) !== 0 };
}

/**
 * Reads the hashed area of a signature.
 * @param area the area without its length field
 * @throws SubpacketError if the area is malformed
 */
export function readHashedArea(area: Uint8Array): HashedArea {
  const subpackets = readSubpackets(area);
  // A set contains each reason only once, so that thousands of equal subpackets do not fill the memory.
  const voids = new Set<string>();
  const one = (wanted: number): Uint8Array | undefined => subpackets.find((s) => s.type === wanted)?.body;
  const notations: Notation[] = [];
  const seen = new Set<number>();
  for (const subpacket of subpackets) {
    if (seen.has(subpacket.type) && single.has(subpacket.type)) voids.add(`subpacket ${subpacket.type} given twice`);
    seen.add(subpacket.type);
    if (subpacket.type === type.notation) notations.push(readNotation(subpacket.body, subpacket.critical));
    else if (subpacket.critical && !isKnown(subpacket.type)) voids.add(`critical subpacket ${subpacket.type}`);
  }
  for (const { name, critical } of notations) if (critical) voids.add(`critical notation ${name}`);
  const time = (wanted: number): number | undefined => {
    const body = one(wanted);
    return body && number(body, 4);
  };
  const created = time(type.created);
  const exportable = one(type.exportable);
  const trust = one(type.trust);
  const flags = one(type.flags);
  const reason = one(type.reason);
  const issuer = one(type.issuerFingerprint);
  const keyId = one(type.issuerKeyId);
  return {
    createdAt: created === undefined ? undefined : created * 1000,
    // Zero means "never" (sections 5.2.3.18 and 5.2.3.13).
    signatureLifetime: time(type.signatureLifetime) || undefined,
    keyLifetime: time(type.keyLifetime) || undefined,
    flags: flags && keyFlags(flags),
    exportable: exportable === undefined || number(exportable, 1) !== 0,
    trust: { level: trust?.[0] ?? 0, amount: trust?.[1] ?? 0 },
    notations,
    reason: reason && { code: reason[0] ?? 0, text: Buffer.from(reason.subarray(1)).toString("utf8") },
    issuerFingerprint: issuer && hex(issuer.subarray(1)),
    issuerKeyId: keyId && hex(keyId),
    designatedRevokers: subpackets.filter((s) => s.type === type.revoker).map((s) => hex(s.body.subarray(2))),
    embeddedSignature: one(type.embedded),
    unknownCritical: [...voids],
  };
}

/**
 * Returns a hashed area that contains only the signature's maker. Used for a revocation of version 3, or with a malformed area
 * (T4). The area has no reason, so the revocation counts as hard.
 */
export function areaOfRevocation(area: Uint8Array): HashedArea {
  const found = readSubpacketsLeniently(area);
  const maker = found.find((subpacket) => subpacket.type === type.issuerFingerprint)?.body;
  const keyId = found.find((subpacket) => subpacket.type === type.issuerKeyId)?.body;
  const nothing = readHashedArea(new Uint8Array());
  return { ...nothing, issuerFingerprint: maker && hex(maker.subarray(1)), issuerKeyId: keyId && hex(keyId) };
}

// A regular expression restricts a trust signature to some user IDs. feedkey does not support this restriction. So a signature with
// a critical regular expression is void.
function isKnown(kind: number): boolean {
  return (kind !== type.regex && (Object.values(type) as number[]).includes(kind)) || harmless.has(kind);
}
