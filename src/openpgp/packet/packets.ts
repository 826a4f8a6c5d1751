/**
 * Splits bytes into packets and joins packets into bytes (RFC 9580 section 4.2). The bodies stay unchanged. feedkey keeps
 * certificates as packets, so that merging and storing lose nothing. feedkey parses a body only when it needs the contents.
 */
import { limits } from "./limits.ts";

export interface Packet {
  readonly tag: number;
  readonly body: Uint8Array;
}

export const tags = {
  signature: 2,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  marker: 10,
  trust: 12,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
  padding: 21,
} as const;

export class PacketError extends Error {}

function lengthNew(bytes: Uint8Array, at: number): { length: number; start: number } {
  const first = bytes[at];
  const second = bytes[at + 1];
  if (first === undefined) throw new PacketError("a packet ends within its header");
  if (first < 192) return { length: first, start: at + 1 };
  if (first < 224) {
    if (second === undefined) throw new PacketError("a packet ends within its header");
    return { length: ((first - 192) << 8) + second + 192, start: at + 2 };
  }
  // feedkey refuses partial lengths, because they are for streamed data (section 4.2.1.4), not for keys and signatures.
  if (first < 255) throw new PacketError("a packet of unknown length");
  return { length: bigEndian(bytes, at + 1, 4), start: at + 5 };
}

function bigEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw new PacketError("a packet ends within its header");
    value = value * 256 + byte;
  }
  return value;
}

function header(bytes: Uint8Array, at: number): { tag: number; length: number; start: number } {
  const first = bytes[at] ?? 0;
  if ((first & 0x80) === 0) throw new PacketError(`there is no OpenPGP packet at byte ${at}`);
  if ((first & 0x40) !== 0) return { tag: first & 0x3f, ...lengthNew(bytes, at + 1) };
  const lengthType = first & 3;
  if (lengthType === 3) throw new PacketError("a packet of unknown length");
  const octets = 1 << lengthType;
  return { tag: (first >> 2) & 0xf, length: bigEndian(bytes, at + 1, octets), start: at + 1 + octets };
}

function* cut(bytes: Uint8Array): Generator<Packet> {
  let at = 0;
  while (at < bytes.length) {
    const { tag, length, start } = header(bytes, at);
    if (start + length > bytes.length) throw new PacketError("the last packet is cut off");
    yield { tag, body: bytes.subarray(start, start + length) };
    at = start + length;
  }
}

function overLimit(length: number): string {
  return `a packet of ${length} bytes, over the limit`;
}

/**
 * Splits a sequence of packets. The bodies share the memory of `bytes`.
 * @throws PacketError if the framing is broken or a packet exceeds the size limit
 */
export function* readPackets(bytes: Uint8Array): Generator<Packet> {
  for (const packet of cut(bytes)) {
    if (packet.body.length > limits.packetBytes) throw new PacketError(overLimit(packet.body.length));
    yield packet;
  }
}

/**
 * Splits a sequence of packets like `readPackets`, but for keyrings and server answers, in which one bad part must not affect the
 * other parts. Skips packets that are too large, because anyone can upload a huge picture before a revocation. Ends at broken
 * framing.
 * @param problems receives descriptions of the unreadable parts
 */
export function* readPacketsLeniently(bytes: Uint8Array, problems: Set<string>): Generator<Packet> {
  try {
    for (const packet of cut(bytes)) {
      if (packet.body.length > limits.packetBytes) problems.add(overLimit(packet.body.length));
      else yield packet;
    }
  } catch (error) {
    if (!(error instanceof PacketError)) throw error;
    problems.add(error.message);
  }
}

/** Whether the bytes consist only of complete packets. */
export function isWhole(bytes: Uint8Array): boolean {
  try {
    for (const _ of cut(bytes));
    return true;
  } catch (error) {
    if (error instanceof PacketError) return false;
    throw error;
  }
}

/** Writes one packet with a header in the current OpenPGP format. */
export function writePacket({ tag, body }: Packet): Uint8Array {
  const { length } = body;
  const head =
    length < 192
      ? [length]
      : length < 8384
        ? [((length - 192) >> 8) + 192, (length - 192) & 0xff]
        : [255, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from([0xc0 | tag, ...head]), body]);
}

/** Writes packets one after another, each with a header in the current OpenPGP format (RFC 9580 section 4.2.1). */
export function writePackets(packets: Iterable<Packet>): Uint8Array {
  return new Uint8Array(Buffer.concat([...packets].map(writePacket)));
}
