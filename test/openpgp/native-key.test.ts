/** The mathematics by Node's own cryptography beside the library's, which is the slower one: both must say the same. */

import { createHash, getHashes } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { isMadeBy } from "../../src/openpgp/check/check-signature.ts";
import { HashedDocument } from "../../src/openpgp/packet/hashed-document.ts";
import { type LoadedKey, loadKey } from "../../src/openpgp/packet/key-packet.ts";
import { libraryFacts } from "../../src/openpgp/packet/library-key.ts";
import { readInteger } from "../../src/openpgp/packet/mpi.ts";
import { parseSignature, type RawSignature } from "../../src/openpgp/packet/raw-signature.ts";
import { documentDigest } from "../../src/openpgp/packet/signed-digest.ts";
import { archiveId } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { libraryAgrees } from "../testkit/library-check.ts";
import { certification, dataSignature, keyRevocation, subkeySignature } from "../testkit/signature.ts";

const keys: Readonly<Record<string, TestKey>> = {
  RSA: rsaKey("rsa-a"),
  "Ed25519 legacy": ed25519Key("native"),
  Ed25519: ed25519Key("native", { native: true }),
  "version 6": ed25519Key("native", { version: 6 }),
};
const data = Buffer.from("some data");

async function load(key: TestKey): Promise<LoadedKey> {
  const loaded = await loadKey(key.body, key.fingerprint);
  if (loaded === undefined) throw new Error("the key can't be loaded");
  return loaded;
}

/** Both opinions on a signature's body. */
async function opinions(body: Uint8Array, maker: LoadedKey, of: LoadedKey, bind: LoadedKey, userId: Uint8Array) {
  const raw: RawSignature | string = parseSignature(body);
  if (typeof raw === "string" || !getHashes().includes(raw.hash)) return undefined;
  const isData = raw.type === 0;
  const parts = { key: of, bind, userId };
  const over = isData ? documentDigest(raw, createHash(raw.hash).update(raw.salt).update(data)) : parts;
  return {
    ours: await isMadeBy(raw, maker, isData ? new HashedDocument(data) : parts),
    library: await libraryAgrees(raw, maker, over),
  };
}

describe("openpgp/native-key", () => {
  for (const [name, key] of Object.entries(keys)) {
    const other = ed25519Key("native other");
    const bodies = {
      data: dataSignature({ by: key, at: day(1), data }).body,
      certification: certification({ by: key, of: other, userId: archiveId, at: day(1) }).body,
      binding: subkeySignature(0x18, { by: key, primary: other, subkey: other, at: day(1) }).body,
      revocation: keyRevocation({ by: key, of: other, at: day(1) }).body,
    };

    it(`reads the same facts as the library: ${name}`, async () => {
      const { facts, check } = await load(key);
      expect(check).to.not.equal(undefined);
      expect(facts).to.include((await libraryFacts(key.body, key.fingerprint)) ?? {});
    });

    for (const [what, body] of Object.entries(bodies)) {
      it(`agrees with the library on a good signature and on damaged ones: ${name}, ${what}`, async () => {
        const maker = await load(key);
        const of = await load(other);
        const userId = Buffer.from(archiveId);
        expect(await opinions(body, maker, of, of, userId)).to.deep.equal({ ours: true, library: true });
        await fc.assert(
          fc.asyncProperty(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
            const damaged = Uint8Array.from(body);
            damaged[at] = (damaged[at] ?? 0) ^ change;
            const both = await opinions(damaged, maker, of, of, userId);
            // The library reads on behind the end of the unhashed area; here what does not fit into it is malformed.
            if (unhashedLength(body).includes(at)) {
              if (both !== undefined) expect(both.ours, `octet ${at}`).to.equal(false);
              return;
            }
            // What the library can't parse outside of what is signed does not make a signature worse.
            if (both !== undefined && both.ours !== both.library)
              expect(both, `octet ${at}`).to.deep.equal({ ours: true, library: false });
            if (both?.ours === true) expect(signedPart(damaged)).to.deep.equal(signedPart(body));
          }),
          { numRuns: 60 },
        );
      });
    }
  }

  /** The octets that give the length of the unhashed area (RFC 9580, section 5.2.3). */
  function unhashedLength(body: Uint8Array): number[] {
    const bytes = Buffer.from(body);
    const width = bytes[0] === 6 ? 4 : 2;
    const at = 4 + width + bytes.readUIntBE(4, width);
    return Array.from({ length: width }, (_, index) => at + index);
  }

  /** The octets that a signature proves: the hashed part, and the numbers themselves. */
  function signedPart(body: Uint8Array): unknown {
    const raw = parseSignature(body);
    return typeof raw === "string" ? raw : { hashed: Buffer.from(raw.hashedPart), numbers: significant(raw.numbers) };
  }

  /** The count of bits before an integer may be off by some within its last octet. Native numbers have no such counts. */
  function significant(numbers: Uint8Array): Buffer {
    const integers: Uint8Array[] = [];
    let at = 0;
    for (let next = readInteger(numbers, at, "any"); next !== undefined; next = readInteger(numbers, at, "any")) {
      integers.push(next.bytes);
      at = next.end;
    }
    return Buffer.concat(at === numbers.length ? integers : [numbers]);
  }
});
