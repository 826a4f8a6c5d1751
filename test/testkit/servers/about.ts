/** For tests: what a block of an answer is about. */
import type { Recognise } from "../../../src/keyserver/answer.ts";
import { fingerprintOf } from "../../../src/openpgp/packet/key-packet.ts";
import { readPackets, tags } from "../../../src/openpgp/packet/packets.ts";
import { parseSignature } from "../../../src/openpgp/packet/raw-signature.ts";

export const keyA = "1E63CB4AB5294FA394DE13AC6FB3FEF047D24263";
export const keyB = "D63D153537F63DDE97AE10A503210D05C18EFA80";
export const keyC = "EF8595AF2CAA2BF0BEA15810EC1991BBB11EC69B";

/** Fingerprints of the primary keys in a block, and `revocation of FPR` for a revocation that stands before any key. */
export function subjects(block: Uint8Array): string[] {
  const found: string[] = [];
  for (const { tag, body } of readPackets(block)) {
    if (tag === tags.publicKey) found.push(fingerprintOf(body) ?? "unreadable");
    else if (tag === tags.signature && found.length === 0) {
      const signature = parseSignature(body);
      found.push(typeof signature === "string" ? "unreadable" : `revocation of ${signature.issuer.fingerprint}`);
    }
  }
  return found;
}

/** Recognises blocks about one key. */
export function about(fingerprint: string): Recognise {
  return (block) => subjects(block).some((subject) => subject.endsWith(fingerprint));
}
