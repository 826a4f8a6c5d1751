/** Groups packets into certificates (RFC 9580 section 10.1) and keeps every packet unchanged. */

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
   * Signatures before the first key, and revocations whose named maker is not the key before them. Key servers send both kinds.
   */
  readonly loose: readonly Packet[];
  /** The number of secret keys in the input. A keyring of certificates must have no secret key. */
  readonly secretKeys: number;
  /** Descriptions of the parts of the input that feedkey could not read. */
  readonly problems: readonly string[];
  /** Whether feedkey read the whole keyring. If so, the input was complete and within the size limit. */
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
   * The user IDs and subkeys by packet tag and body. Copies share one entry, so a revocation over one copy covers all copies.
   * Undefined before the first user ID or subkey.
   */
  components?: Map<string, MutableComponent>;
  /** Drops the last user ID or subkey if no signature follows it. */
  dropLast?: () => void;
}

/** Types of signatures that cover the primary key itself, at any place in a certificate. */
const aboutPrimary = new Set([0x1f, 0x20]);

// The size of the shortest signature: version 4 without a date, with two short numbers. feedkey drops shorter signatures. So the
// size limit for a keyring also limits the number of signed user IDs and subkeys, to at most three hundred thousand. feedkey
// can read that many. A limit on the number itself could hide a revoked subkey or a withdrawn certification.
const shortestSignature = 48;

/**
 * Whether a revocation names a maker other than the key before it. The maker may be a revoker that this key designated. Or a
 * server's answer contains a bare revocation without its key, among several other keys, as Hockeypuck's answers do.
 */
function isForeignRevocation({ body }: Packet, fingerprint: Fingerprint | undefined): boolean {
  const raw = signatureType(body) === 0x20 ? readSignature(body) : undefined;
  if (raw === undefined) return false;
  // The revocation follows a key that feedkey can't read.
  if (fingerprint === undefined) return true;
  return makerOf(raw) !== undefined && !namesIssuer(raw, fingerprint);
}

/** Earlier results by input bytes, so that feedkey parses each answer only once. The packets are views of these bytes. */
const keyrings = new WeakMap<Uint8Array, Keyring>();

/**
 * Reads a sequence of certificates. Parses the same bytes only once. Skips each bad certificate, but lists it in `problems`.
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
  // feedkey ignores trust packets, which are private to GnuPG. It also ignores markers and padding, which have no meaning
  // (RFC 9580 sections 5.8, 5.10, 5.14).
  if (tag === tags.trust || tag === tags.marker || tag === tags.padding) return sink;
  // No trust rule needs user attributes (pictures), unknown packets, or the signatures over them.
  if (current === undefined || (tag !== tags.userId && tag !== tags.publicSubkey)) return undefined;
  // Each signature over a user ID hashes the whole user ID. Thousands of signatures over a huge user ID would take a long
  // time. GnuPG has the same size limit.
  if (tag === tags.userId && body.length > limits.userIdBytes) return undefined;
  if (tag === tags.publicSubkey && body.length < limits.shortestKey) return undefined;
  const { certificate } = current;
  current.components ??= new Map();
  const { components } = current;
  const name = `${tag} ${Buffer.from(body).toString("latin1")}`;
  const known = components.get(name);
  if (known !== undefined) return known.signatures;
  // A user ID or subkey without a signature has no effect, and a server's answer could contain millions of them.
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
