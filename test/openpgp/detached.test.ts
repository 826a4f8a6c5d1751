import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { checkSignatures, readSignatureFile } from "../../src/openpgp/check/detached.ts";
import { KeyIndex } from "../../src/openpgp/check/key-index.ts";
import { limits } from "../../src/openpgp/packet/limits.ts";
import type { DataSignature } from "../../src/trust/facts.ts";
import { certificate, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { allFramed, armored, concat, framed, type Packet } from "../testkit/framing.ts";
import { dsaKey, ed25519Key, rsaKey } from "../testkit/keys.ts";
import { refusal } from "../testkit/refusal.ts";
import { certification, dataSignature, type Hash, signature } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const [a, b] = [ed25519Key("a"), ed25519Key("b")];
const data = Buffer.from("Package: a\nVersion: 1\n");
const by = (key = a, more = {}) => dataSignature({ by: key, at: day(1), data, ...more });
const readFile = (bytes: Uint8Array | string) => readSignatureFile(Buffer.from(bytes), "index.sig");

async function check(
  packets: readonly Packet[],
  certificates: readonly TestCertificate[],
  bytes: Uint8Array = data,
): Promise<DataSignature[]> {
  const keys = await KeyIndex.of(readKeyring(concat(...certificates.map((c) => c.bytes))).certificates);
  return await checkSignatures(readFile(allFramed(packets)), bytes, keys);
}

const statuses = (results: readonly DataSignature[]) => results.map(({ status }) => status);

describe("openpgp/detached", () => {
  describe("reads a signature file", () => {
    it("binary, armored, and every block of several", () => {
      const one = framed(by(a));
      const two = framed(by(b));
      expect(readFile(one)).to.have.length(1);
      expect(readFile(concat(one, two))).to.have.length(2);
      expect(readFile(armored("SIGNATURE", concat(one, two)))).to.deep.equal(readFile(concat(one, two)));
      expect(readFile(`${armored("SIGNATURE", one)}\n${armored("SIGNATURE", two)}`)).to.deep.equal(
        readFile(concat(one, two)),
      );
    });

    it("with markers and padding, which mean nothing", () => {
      const noise = framed({ tag: 10, body: Buffer.from("PGP") });
      expect(readFile(concat(noise, framed(by()), framed({ tag: 21, body: new Uint8Array(5) })))).to.have.length(1);
    });

    it("with signatures of versions that it does not know, which say so", () => {
      const old = { tag: 2, body: Uint8Array.of(3, 5, 0) };
      expect(readFile(allFramed([old, by()]))[0]).to.deep.equal({ problem: "a signature of version 3" });
    });

    for (const [what, bytes] of [
      ["an empty file", ""],
      ["white space", " \n\n"],
      ["markers alone", framed({ tag: 10, body: Buffer.from("PGP") })],
    ] as const) {
      it(`but none in ${what}: no_signature`, () => {
        const said = refusal(() => readFile(bytes));
        expect(said.code).to.equal("no_signature");
        expect(said.message).to.equal("index.sig has no signature");
        expect(said.hint).to.match(/have signed the index/);
      });
    }

    const good = framed(by());
    for (const [what, bytes, message] of [
      ["a web page", "<html><body>404 Not Found</body></html>", /text outside the armor/],
      ["text before the armor", `x\n${armored("SIGNATURE", good)}`, /line 1: text outside the armor/],
      ["text after the armor", `${armored("SIGNATURE", good)}x`, /text outside the armor/],
      ["a literal packet", concat(good, framed({ tag: 11, body: Uint8Array.of(98, 0, 0, 0, 0, 0) })), /type 11$/],
      ["a compressed packet", concat(framed({ tag: 8, body: Uint8Array.of(0) }), good), /type 8$/],
      ["a one-pass signature", concat(framed({ tag: 4, body: new Uint8Array(13) }), good), /type 4$/],
      ["a certificate", certificate({ key: a }).bytes, /type 6$/],
      ["an armored certificate", certificate({ key: a }).armored, /text outside the armor/],
      ["a literal packet in the armor", armored("SIGNATURE", framed({ tag: 11, body: Uint8Array.of(98) })), /type 11$/],
      ["bytes after the last packet", concat(good, Uint8Array.of(0)), /no OpenPGP packet at byte/],
      ["a signature that is cut off", good.subarray(0, -1), /the last packet is cut off/],
      ["a byte order mark", concat(Uint8Array.of(0xef, 0xbb, 0xbf), Buffer.from(armored("SIGNATURE", good))), /./],
      ["too many signatures", allFramed(Array.from({ length: limits.signaturesPerFile + 1 }, () => by())), /65 sig/],
      ["too many bytes", new Uint8Array(limits.signatureFileBytes + 1).fill(10), /262145 bytes/],
    ] as const) {
      it(`but not ${what}: bad_signature_data`, () => {
        const said = refusal(() => readFile(bytes));
        expect(said.code).to.equal("bad_signature_data");
        expect(said.message)
          .to.match(message)
          .and.to.match(/^index\.sig/);
        expect(said.hint).to.be.a("string");
      });
    }

    it("or says why not, whatever bytes it meets", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (noise, behind) => {
          try {
            readSignatureFile(behind ? concat(good, noise) : noise, "x");
          } catch (error) {
            expect(error).to.be.instanceOf(FeedkeyError);
            expect((error as FeedkeyError).code).to.be.oneOf(["no_signature", "bad_signature_data"]);
          }
        }),
        { numRuns: 1000 },
      );
    });
  });

  describe("checks signatures", () => {
    const own = certificate({ key: a });
    it("and tells who made a good one, with what and when", async () => {
      const [result] = await check([by(a, { expiresAfter: 60, feed: "base" })], [own, certificate({ key: b })]);
      if (result?.status !== "good") throw new Error("expected a good one");
      const [maker] = result.makers;
      expect(result.makers).to.have.length(1);
      expect(maker).to.include({ type: 0, certificate: a.fingerprint, key: a.fingerprint, createdAt: day(1) });
      expect(maker).to.include({ expiresAt: day(1) + 60_000, hash: "sha256" });
      expect(maker?.notations).to.deep.equal([{ name: "feed@example.org", value: "base", critical: false }]);
    });

    it("with every algorithm, hash and version, weak ones too: judging those is for the rules", async () => {
      const six = ed25519Key("a", { version: 6 });
      const cases: readonly (readonly [typeof a, readonly Hash[]])[] = [
        [a, ["md5", "sha1", "ripemd160", "sha224", "sha256", "sha384", "sha512"]],
        [rsaKey("rsa-a"), ["md5", "sha1", "ripemd160", "sha224", "sha256", "sha384", "sha512"]],
        [rsaKey("rsa1024"), ["sha256"]],
        [dsaKey(), ["sha1", "sha256"]],
        [six, ["sha256", "sha512", "sha3-256"]],
      ];
      for (const [key, hashes] of cases) {
        const packets = hashes.map((hash) => by(key, { hash }));
        expect(statuses(await check(packets, [certificate({ key })]))).to.deep.equal(hashes.map(() => "good"));
        expect(statuses(await check(packets, [certificate({ key })], Buffer.from("other")))).to.deep.equal(
          hashes.map(() => "bad"),
        );
      }
    });

    it("each by itself: good, bad, unknown and unreadable ones side by side", async () => {
      const broken = Uint8Array.from(by(a).body);
      broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
      const old = { tag: 2, body: Uint8Array.of(3, 5, 0) };
      const results = await check([by(b), { tag: 2, body: broken }, old, by(a)], [own]);
      expect(results.map((r) => (r.status === "good" ? r.status : [r.status, r.issuer]))).to.deep.equal([
        ["unknown", b.fingerprint],
        ["bad", a.fingerprint],
        ["unknown", "a signature of version 3"],
        "good",
      ]);
      expect(results[1]).to.deep.include({ certificates: [a.fingerprint] });
      expect(results[1]?.status === "bad" && results[1].reason).to.match(/does not match the data/);
    });

    it("by a subkey that two certificates list, for both", async () => {
      const shared = ed25519Key("sub");
      const [result] = await check(
        [by(shared)],
        [certificate({ key: a, subkeys: [shared] }), certificate({ key: b, subkeys: [shared] })],
      );
      expect(result?.status === "good" && result.makers.map((maker) => maker.certificate)).to.deep.equal([
        a.fingerprint,
        b.fingerprint,
      ]);
    });

    it("that name their maker by key ID alone, or not in the hashed area", async () => {
      const hashedArea = sub.area([sub.created(day(1))]);
      const named = [[sub.issuerKeyId(a)], [sub.issuerFingerprint(a)], []].map((unhashed) =>
        by(a, { hashedArea, unhashed }),
      );
      const results = await check(named, [own]);
      expect(statuses(results)).to.deep.equal(["good", "good", "unknown"]);
      expect(results[2]?.status === "unknown" && results[2].issuer).to.equal("nobody");
    });

    for (const [what, packet] of [
      ["of text (0x01)", by(a, { type: 0x01 })],
      ["standing alone (0x02)", signature(0x02, new Uint8Array(), { by: a, at: day(1) })],
      ["that certify (0x10)", certification({ by: a, of: a, userId: data, at: day(1) })],
      ["that confirm a time (0x40)", signature(0x40, new Uint8Array(), { by: a, at: day(1) })],
    ] as const) {
      it(`but takes none ${what} for one over data`, async () => {
        for (const bytes of [data, new Uint8Array()]) {
          const [result] = await check([packet], [own], bytes);
          expect(result?.status === "bad" && result.reason).to.match(
            /the type is 0x.., but signatures over binary data must have type 0x00/,
          );
        }
      });
    }

    it("but not with a hash that it can't compute", async () => {
      const unknown = Uint8Array.from(by(a).body);
      unknown[3] = 99;
      const [result] = await check([{ tag: 2, body: unknown }], [own]);
      expect(result?.status === "bad" && result.reason).to.match(/hash algorithm \(unknown\)/);
    });

    it("but not of a version other than its key's", async () => {
      const [result] = await check([by(a, { version: 6 })], [own]);
      expect(result?.status === "bad" && result.reason).to.equal("the signature and the key have different versions");
    });

    it("but not without a hashed date", async () => {
      const hashedArea = sub.area([sub.issuerFingerprint(a)]);
      const results = await check([by(a, { hashedArea, unhashed: [sub.created(day(1))] })], [own]);
      expect(statuses(results)).to.deep.equal(["bad"]);
    });

    it("once for each key, however many certificates list it", async () => {
      // Else anybody could make one signature cost thousands of checks, by certificates that list the signer's key.
      const many = Array.from({ length: 300 }, (_, i) => {
        return certificate({
          key: ed25519Key("junk", { createdAt: day(i) }),
          userIds: [],
          subkeys: [{ key: dsaKey(), bound: false }],
        });
      });
      const dsa = by(dsaKey());
      const bad = Uint8Array.from(dsa.body);
      bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
      const results = await check([...Array.from({ length: 60 }, () => ({ tag: 2, body: bad })), dsa], many);
      expect(statuses(results)).to.deep.equal([...Array.from({ length: 60 }, () => "bad"), "good"]);
      expect(results.at(-1)).to.have.property("makers").with.length(300);
    }).timeout(10_000);
  });
});
