/** Writes signatures about keys in a form that distributions' versions of rpm can read. */
import { SignaturePacket } from "openpgp";

/**
 * The octets of the subpackets Signature Expiration Time, Key Expiration Time and Embedded Signature (RFC 9580 section
 * 5.2.3.7), marked as critical.
 */
const relaxed: ReadonlySet<number | undefined> = new Set([3, 9, 32].map((type) => type | 0x80));

interface Writer {
  writeHashedSubPackets(): Uint8Array;
}

/**
 * A self-signature, a certification or another signature about a key. As in GnuPG, the expiry subpackets and the embedded signature
 * are not critical, because rpm 4.18 can't store a certificate in which they are critical. Programs that support these subpackets
 * apply them in both cases.
 */
export class KeySignaturePacket extends SignaturePacket {
  writeHashedSubPackets(): Uint8Array {
    const area = (SignaturePacket.prototype as unknown as Writer).writeHashedSubPackets.call(this);
    // The loop starts after the area's length field, which has four octets in version 6, and two in version 4.
    for (let at = this.version === 6 ? 4 : 2; at < area.length; ) {
      const { length, head } = lengthAt(area, at);
      const type = at + head;
      if (relaxed.has(area[type])) area[type] = (area[type] ?? 0) & 0x7f;
      at = type + length;
    }
    return area;
  }
}

/** Returns the length of a subpacket, and the size of its length field (RFC 9580 section 5.2.3.7). */
function lengthAt(area: Uint8Array, at: number): { readonly length: number; readonly head: number } {
  const [first = 0, second = 0] = area.subarray(at);
  if (first < 192) return { length: first, head: 1 };
  if (first < 255) return { length: ((first - 192) << 8) + second + 192, head: 2 };
  return { length: new DataView(area.buffer, area.byteOffset).getUint32(at + 1), head: 5 };
}
