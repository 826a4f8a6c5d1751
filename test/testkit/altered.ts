/** Signature packets with something in them changed. */
import type { Packet } from "./framing.ts";

/** A version 4 signature with other bytes in the unhashed area, which nothing protects. */
export function withUnhashed({ tag, body }: Packet, area: Uint8Array): Packet {
  const start = 6 + (body[4] ?? 0) * 256 + (body[5] ?? 0);
  const end = start + 2 + (body[start] ?? 0) * 256 + (body[start + 1] ?? 0);
  const length = Uint8Array.of(area.length >> 8, area.length & 0xff);
  return { tag, body: Buffer.concat([body.subarray(0, start), length, area, body.subarray(end)]) };
}

/** A signature whose value does not fit any more; all else is as it was, the first octets of the digest too. */
export function broken({ tag, body }: Packet): Packet {
  const bytes = Uint8Array.from(body);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return { tag, body: bytes };
}
