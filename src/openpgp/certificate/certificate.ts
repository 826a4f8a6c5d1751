/** Groups packets into certificates (RFC 9580 section 10.1); every packet is kept unchanged. */

import type { Fingerprint } from "../../trust/facts.ts";
import { armor } from "../packet/armor.ts";
import { fingerprintOf } from "../packet/key-packet.ts";
import { limits } from "../packet/limits.ts";
import { isWhole, type Packet, readPacketsLeniently, tags, writePackets } from "../packet/packets.ts";
import { makerOf, namesIssuer, readSignature, signatureType } from "../packet/raw-signature.ts";

/** A user ID or subkey with the signatures that follow it. */
export interface Component {
  readonly packet: Packet;
  readonly signatures: readonly Packet[];
}

export interface RawCertificate {
  readonly fingerprint: Fingerprint;
  readonly primary: Packet;
  /** Direct-key signatures and key revocations. */
  readonly signatures: readonly Packet[];
  readonly userIds: readonly Component[];
  readonly subkeys: readonly Component[];
}

export interface Keyring {
  readonly certificates: readonly RawCertificate[];
  /**
   * Signatures before any key, and revocations that name a different key from the one before them. Key servers send both
   * kinds.
   */
  readonly loose: readonly Packet[];
  /** How many secret keys the input contained: a keyring of certificates must have none. */
  readonly secretKeys: number;
  /** Descriptions of what could not be read. */
  readonly problems: readonly string[];
  /** Whether the keyring was read to its end: the input was not cut off, and was within the size limit. */
  readonly isWhole: boolean;
}

interface MutableComponent {
  readonly packet: Packet;
  readonly signatures: Packet[];
}

interface Draft {
  readonly certificate: {
    readonly fingerprint: Fingerprint;
    readonly primary: Packet;
    readonly signatures: Packet[];
    readonly userIds: MutableComponent[];
    readonly subkeys: MutableComponent[];
  };
  /**
   * Components by tag and body: copies count as one component, and a revocation over one copy covers all copies. Made on
   * demand.
   */
  components?: Map<string, MutableComponent>;
  /** Drops the last component if it has no signature. */
  dropLast?: () => void;
}

/** Types of signatures that are about the primary key itself, at any place in a certificate. */
const aboutPrimary = new Set([0x1f, 0x20]);

// The shortest possible signature: version 4 without a date, with two short numbers; shorter signatures are dropped. So the size
// limit for a keyring also limits its signed user IDs and subkeys, to three hundred thousand, and feedkey can read them all. A
// limit on their number could hide a revoked subkey or a withdrawn certification.
const shortestSignature = 48;

/**
 * Whether a revocation names another key as its maker. The other key may be a revoker that this key designated. Or, in a
 * server's answer with several keys, it is the bare revocation of a key that is not included (Hockeypuck).
 */
function isForeignRevocation({ body }: Packet, fingerprint: Fingerprint | undefined): boolean {
  const raw = signatureType(body) === 0x20 ? readSignature(body) : undefined;
  if (raw === undefined) return false;
  // The revocation follows a key that can't be read.
  if (fingerprint === undefined) return true;
  return makerOf(raw) !== undefined && !namesIssuer(raw, fingerprint);
}

/** Results by input bytes, so that an answer is parsed only once. The packets are views on these bytes. */
const keyrings = new WeakMap<Uint8Array, Keyring>();

/**
 * Reads a sequence of certificates, only once for the same bytes. A bad certificate is skipped and listed in
 * `problems`; the others are read.
 * @param bytes binary packets
 */
export function readKeyring(bytes: Uint8Array): Keyring {
  const known = keyrings.get(bytes);
  if (known !== undefined) return known;
  const made = read(bytes);
  keyrings.set(bytes, made);
  return made;
}

function read(bytes: Uint8Array): Keyring {
  const problems = new Set<string>();
  if (bytes.length > limits.keyringBytes) problems.add(`more than ${limits.keyringBytes} bytes`);
  const drafts = new Map<Fingerprint, Draft>();
  const loose: Packet[] = [];
  let secretKeys = 0;
  let current: Draft | undefined;
  let sink: Packet[] | undefined = loose;
  for (const packet of readPacketsLeniently(bytes.subarray(0, limits.keyringBytes), problems)) {
    if (packet.tag === tags.secretKey || packet.tag === tags.secretSubkey) secretKeys++;
    if (packet.tag === tags.publicKey || packet.tag === tags.secretKey) {
      current = packet.tag === tags.publicKey ? startCertificate(drafts, packet, problems) : undefined;
      sink = current?.certificate.signatures;
    } else if (packet.tag === tags.signature) {
      if (packet.body.length < shortestSignature) continue;
      const isAboutPrimary = current !== undefined && aboutPrimary.has(signatureType(packet.body) ?? -1);
      (isAboutPrimary ? current?.certificate.signatures : sink)?.push(packet);
      if (sink !== loose && isForeignRevocation(packet, current?.certificate.fingerprint)) loose.push(packet);
    } else sink = startComponent(current, packet, sink);
  }
  const certificates = [...drafts.values()].map(({ certificate }) => certificate);
  const isComplete = bytes.length <= limits.keyringBytes && isWhole(bytes);
  return { certificates, loose, secretKeys, problems: [...problems], isWhole: isComplete };
}

function startCertificate(drafts: Map<Fingerprint, Draft>, primary: Packet, problems: Set<string>): Draft | undefined {
  const fingerprint = fingerprintOf(primary.body);
  if (fingerprint === undefined) {
    problems.add(`a key of version ${primary.body[0] ?? "?"}`);
    return undefined;
  }
  if (primary.body.length < limits.shortestKey) {
    problems.add(`a key of ${primary.body.length} bytes`);
    return undefined;
  }
  const known = drafts.get(fingerprint);
  if (known !== undefined) return known;
  const certificate = { fingerprint, primary, signatures: [], userIds: [], subkeys: [] };
  const draft = { certificate };
  drafts.set(fingerprint, draft);
  return draft;
}

function startComponent(current: Draft | undefined, packet: Packet, sink: Packet[] | undefined): Packet[] | undefined {
  const { tag, body } = packet;
  // Trust packets are GnuPG's private notes; markers and padding mean nothing (RFC 9580 sections 5.8, 5.10, 5.14).
  if (tag === tags.trust || tag === tags.marker || tag === tags.padding) return sink;
  // No rule needs user attributes (pictures) or unknown packets, or the signatures over them.
  if (current === undefined || (tag !== tags.userId && tag !== tags.publicSubkey)) return undefined;
  // Thousands of signatures over a huge user ID would each hash the user ID again; GnuPG has the same limit.
  if (tag === tags.userId && body.length > limits.userIdBytes) return undefined;
  if (tag === tags.publicSubkey && body.length < limits.shortestKey) return undefined;
  const { certificate } = current;
  current.components ??= new Map();
  const { components } = current;
  const name = `${tag} ${Buffer.from(body).toString("latin1")}`;
  const known = components.get(name);
  if (known !== undefined) return known.signatures;
  // A component without a signature means nothing, and a server's answer could contain millions of such components.
  if (components.size >= limits.bareComponents) current.dropLast?.();
  const component: MutableComponent = { packet, signatures: [] };
  const list = certificate[tag === tags.userId ? "userIds" : "subkeys"];
  components.set(name, component);
  list.push(component);
  current.dropLast = () => {
    if (component.signatures.length > 0 || list.at(-1) !== component) return;
    components.delete(name);
    list.pop();
  };
  return component.signatures;
}

/** Returns a certificate as a sequence of packets, in the order of RFC 9580 section 10.1.1. */
export function packetsOf(certificate: RawCertificate): Packet[] {
  return [
    certificate.primary,
    ...certificate.signatures,
    ...certificate.userIds.flatMap(({ packet, signatures }) => [packet, ...signatures]),
    ...certificate.subkeys.flatMap(({ packet, signatures }) => [packet, ...signatures]),
  ];
}

/** Returns the binary form of several certificates. */
export function writeCertificates(certificates: Iterable<RawCertificate>): Buffer {
  return Buffer.concat([...certificates].map(writeCertificate));
}

/** Returns certificates in ASCII armor, in one block. */
export function armorCertificates(certificates: Iterable<RawCertificate>): string {
  return armor(writeCertificates(certificates), "PUBLIC KEY BLOCK");
}

/** Returns the binary form of a certificate. */
export function writeCertificate(certificate: RawCertificate): Uint8Array {
  return writePackets(packetsOf(certificate));
}
