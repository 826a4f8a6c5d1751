/** Packets grouped into certificates (RFC 9580 section 10.1), every packet kept as it came. */
import type { Fingerprint } from "../trust/facts.ts";
import { fingerprintOf } from "./key-packet.ts";
import { limits } from "./limits.ts";
import { type Packet, readPacketsLeniently, tags, writePackets } from "./packets.ts";

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
  /** Signatures before any key: key servers send bare revocations so. */
  readonly loose: readonly Packet[];
  /** How many secret keys stood there: a keyring of certificates must have none. */
  readonly secretKeys: number;
  /** What could not be read, in words. */
  readonly problems: readonly string[];
}

interface Draft {
  fingerprint: Fingerprint;
  primary: Packet;
  signatures: Packet[];
  userIds: { packet: Packet; signatures: Packet[] }[];
  subkeys: { packet: Packet; signatures: Packet[] }[];
}

/** Types of signatures that are about the primary key itself, wherever in a certificate they were put. */
const aboutPrimary = new Set([0x1f, 0x20]);

function signatureType({ body }: Packet): number | undefined {
  return body[0] === 3 ? body[2] : body[1];
}

/**
 * Reads a sequence of certificates. A bad one is passed over and named in `problems`; the rest is read.
 * @param bytes binary packets
 */
export function readKeyring(bytes: Uint8Array): Keyring {
  const problems: string[] = [];
  if (bytes.length > limits.keyringBytes) problems.push(`more than ${limits.keyringBytes} bytes`);
  const drafts: Draft[] = [];
  const loose: Packet[] = [];
  let secretKeys = 0;
  let current: Draft | undefined;
  let sink: Packet[] | undefined = loose;
  for (const packet of readPacketsLeniently(bytes.subarray(0, limits.keyringBytes), problems)) {
    if (packet.tag === tags.publicKey || packet.tag === tags.secretKey) {
      current = undefined;
      sink = undefined;
      if (packet.tag === tags.secretKey) {
        secretKeys++;
        continue;
      }
      const fingerprint = fingerprintOf(packet.body);
      if (fingerprint === undefined) problems.push(`a key of version ${packet.body[0] ?? "?"}`);
      else if (drafts.length >= limits.certificatesPerKeyring) problems.push("too many certificates");
      else {
        current = { fingerprint, primary: packet, signatures: [], userIds: [], subkeys: [] };
        sink = current.signatures;
        drafts.push(current);
      }
    } else if (packet.tag === tags.signature) {
      if (current !== undefined && aboutPrimary.has(signatureType(packet) ?? -1)) current.signatures.push(packet);
      else sink?.push(packet);
    } else sink = startComponent(current, packet, sink);
  }
  return { certificates: drafts, loose, secretKeys, problems };
}

function startComponent(current: Draft | undefined, packet: Packet, sink: Packet[] | undefined): Packet[] | undefined {
  // Trust packets are GnuPG's private notes, markers and padding mean nothing (RFC 9580 sections 5.8, 5.10, 5.14).
  if (packet.tag === tags.trust || packet.tag === tags.marker || packet.tag === tags.padding) return sink;
  const kind = packet.tag === tags.userId ? "userIds" : packet.tag === tags.publicSubkey ? "subkeys" : undefined;
  // User attributes (pictures) and unknown packets: they and the signatures over them bear on no rule.
  if (current === undefined || kind === undefined) return undefined;
  if (current.userIds.length + current.subkeys.length >= limits.componentsPerCertificate) return undefined;
  const component = { packet, signatures: [] };
  current[kind].push(component);
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
