/** Groups packets into certificates (RFC 9580 section 10.1); every packet is kept unchanged. */
import type { Fingerprint } from "../../trust/facts.ts";
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
  /** Signatures before any key, and revocations that name a different key from the one before them: key servers send both. */
  readonly loose: readonly Packet[];
  /** How many secret keys it contained: a keyring of certificates must have none. */
  readonly secretKeys: number;
  /** What could not be read, in words. */
  readonly problems: readonly string[];
  /** Whether it was read to its end: not cut off, and within the limit. */
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
  /** Components by tag and body: copies count as one, and a revocation over one copy covers the other too. Made on demand. */
  components?: Map<string, MutableComponent>;
  /** Drops the last component. */
  dropLast?: () => void;
}

/** Types of signatures that are about the primary key itself, wherever they are in a certificate. */
const aboutPrimary = new Set([0x1f, 0x20]);

// The shortest possible signature: version 4 without a date, with two short numbers; shorter ones are dropped. So the size of a
// keyring limits its signed user IDs and subkeys to three hundred thousand, and all can be read. A limit on their number could
// hide a revoked subkey or a withdrawn certification.
const shortestSignature = 48;

/**
 * Whether a revocation names another key as its maker. It may be by a revoker that this key designated; or, in an answer with
 * several keys, the bare revocation of a key that is not included (Hockeypuck).
 */
function isForeignRevocation({ body }: Packet, fingerprint: Fingerprint | undefined): boolean {
  const raw = signatureType(body) === 0x20 ? readSignature(body) : undefined;
  if (raw === undefined) return false;
  // After a key that can't be read.
  if (fingerprint === undefined) return true;
  return makerOf(raw) !== undefined && !namesIssuer(raw, fingerprint);
}

/** Results by input bytes (the packets are views on them), so that an answer is parsed only once. */
const keyrings = new WeakMap<Uint8Array, Keyring>();

/**
 * Reads a sequence of certificates, once. A bad one is skipped and listed in `problems`; the rest is read.
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
  // Trust packets are GnuPG's private notes, markers and padding mean nothing (RFC 9580 sections 5.8, 5.10, 5.14).
  if (tag === tags.trust || tag === tags.marker || tag === tags.padding) return sink;
  // User attributes (pictures) and unknown packets: no rule needs them or the signatures over them.
  if (current === undefined || (tag !== tags.userId && tag !== tags.publicSubkey)) return undefined;
  // Thousands of signatures over a huge user ID would each hash it again; GnuPG has the same limit.
  if (tag === tags.userId && body.length > limits.userIdBytes) return undefined;
  if (tag === tags.publicSubkey && body.length < limits.shortestKey) return undefined;
  const { certificate } = current;
  current.components ??= new Map();
  const { components } = current;
  const name = `${tag} ${Buffer.from(body).toString("latin1")}`;
  const known = components.get(name);
  if (known !== undefined) return known.signatures;
  // A component without a signature means nothing, and an answer could contain millions.
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

/** A certificate as a sequence of packets, in the order of RFC 9580 section 10.1.1. */
export function packetsOf(certificate: RawCertificate): Packet[] {
  return [
    certificate.primary,
    ...certificate.signatures,
    ...certificate.userIds.flatMap(({ packet, signatures }) => [packet, ...signatures]),
    ...certificate.subkeys.flatMap(({ packet, signatures }) => [packet, ...signatures]),
  ];
}

/** A certificate's binary form. */
export function writeCertificate(certificate: RawCertificate): Uint8Array {
  return writePackets(packetsOf(certificate));
}
