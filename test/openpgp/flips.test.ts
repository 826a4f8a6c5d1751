/** One bit changed, anywhere that matters: never accepted. */
import { expect } from "chai";
import { FeedkeyError } from "../../src/error.ts";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { checkSignatures, readSignatureFile } from "../../src/openpgp/check/detached.ts";
import { KeyIndex } from "../../src/openpgp/check/key-index.ts";
import { certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { armored, framed } from "../testkit/framing.ts";
import { ed25519Key, rsaKey } from "../testkit/keys.ts";
import { dataSignature } from "../testkit/signature.ts";

const data = Buffer.from("Package: a\nVersion: 1\n");

function* flips(bytes: Uint8Array, from = 0, to = bytes.length): Generator<Uint8Array> {
  for (let bit = from * 8; bit < to * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}

async function accepts(keys: KeyIndex, file: Uint8Array, bytes: Uint8Array): Promise<boolean> {
  try {
    const results = await checkSignatures(readSignatureFile(file, "x"), bytes, keys);
    return results.some(({ status }) => status === "good");
  } catch (error) {
    if (error instanceof FeedkeyError) return false;
    throw error;
  }
}

// Ed25519 with numbers of fewer bits than octets allow: there the length of a number has a second spelling.
const shortNumbers = (() => {
  const key = ed25519Key("flips");
  for (let n = 0; ; n++) {
    const packet = dataSignature({ by: key, at: day(1) + n * 1000, data });
    const r = packet.body.subarray(-68);
    const bits = [(r[0] ?? 0) * 256 + (r[1] ?? 0), (r[34] ?? 0) * 256 + (r[35] ?? 0)];
    if (bits[0] === 253 && packet.body.at(-69) !== undefined) return { key, packet };
  }
})();

describe("one bit changed", () => {
  for (const [name, key, packet] of [
    ["Ed25519 legacy", shortNumbers.key, shortNumbers.packet],
    ["Ed25519", ed25519Key("flips", { native: true }), undefined],
    ["Ed25519 version 6", ed25519Key("flips", { version: 6 }), undefined],
    ["RSA", rsaKey("rsa-a"), undefined],
  ] as const) {
    describe(name, () => {
      const signature = packet ?? dataSignature({ by: key, at: day(1), data, feed: "base" });
      const file = framed(signature);
      const start = file.length - signature.body.length;
      const { body } = signature;
      const octets = key.version === 6 ? 4 : 2;
      const view = new DataView(body.buffer, body.byteOffset);
      const size = (at: number) => (octets === 4 ? view.getUint32(at) : view.getUint16(at));
      const hashedEnd = 4 + octets + size(4);
      const unhashedEnd = hashedEnd + octets + size(hashedEnd);
      let keys: KeyIndex;
      before(async () => {
        keys = await KeyIndex.of(readKeyring(certificate({ key }).bytes).certificates);
        expect(await accepts(keys, file, data)).to.equal(true);
      });

      it("in the index is refused", async () => {
        for (const flipped of flips(data)) expect(await accepts(keys, file, flipped)).to.equal(false);
      }).timeout(60_000);

      it("in the signed part, digest hint, salt or value of the .sig is refused", async () => {
        for (const [from, to] of [
          [0, start + hashedEnd],
          [start + unhashedEnd, file.length],
        ] as const) {
          for (const flipped of flips(file, from, to)) {
            expect(await accepts(keys, flipped, data), Buffer.from(flipped).toString("hex")).to.equal(false);
          }
        }
      }).timeout(60_000);

      it("in the .asc is refused, unless the signature stays the same bytes", async () => {
        const text = Buffer.from(armored("SIGNATURE", file));
        const body = text.indexOf("\n\n") + 2;
        const end = text.indexOf("\n-----END");
        let spared = 0;
        for (const flipped of flips(text)) {
          if (!(await accepts(keys, flipped, data))) continue;
          // What was accepted says the same, or differs where nothing is signed: in the unhashed area.
          const base64 = flipped.subarray(body, end);
          const said = Buffer.from(Buffer.from(base64).toString("latin1"), "base64");
          const same = [said.subarray(0, start + hashedEnd), said.subarray(start + unhashedEnd)];
          expect(Buffer.concat(same)).to.deep.equal(
            Buffer.concat([file.subarray(0, start + hashedEnd), file.subarray(start + unhashedEnd)]),
          );
          spared++;
        }
        expect(spared).to.be.lessThan(text.length);
      }).timeout(60_000);
    });
  }
});
