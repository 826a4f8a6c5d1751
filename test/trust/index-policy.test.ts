/** Who may sign an index, and what else the profile wants of it: T7, T9 with a threshold, T10, age. */
import { expect } from "chai";
import type { IndexPolicy } from "../../src/trust/index-signature.ts";
import { archiveId, type CertificateOptions, certificate, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import type { Packet } from "../testkit/framing.ts";
import { codeBySeed, codeOf, type JudgeOptions, judged, verdict } from "../testkit/judging.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { certification, dataSignature, keyRevocation, type SignatureOptions } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const [a, b, c, signer] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("c"), ed25519Key("signer")];
const data = Buffer.from("Package: a\nVersion: 1\n");
const days = (n: number) => n * 86_400;

const signed = (
  options: Partial<SignatureOptions> & { type?: number; feed?: string; data?: Uint8Array } = {},
): Packet => dataSignature({ by: a, at: day(50), data, ...options });

/** One signature by a seed, at day 100: the code, or `good`. */
const code = (
  packets: readonly Packet[] | Uint8Array,
  own: Partial<CertificateOptions> = {},
  policy: Partial<IndexPolicy> = {},
  others: readonly TestCertificate[] = [],
) => codeBySeed([certificate({ key: a, ...own }), ...others], data, packets, { policy });

const revoked = (key: TestKey, reason: number | undefined, at = day(60), more: Partial<SignatureOptions> = {}) => ({
  signatures: [
    keyRevocation({ by: key, of: key, at, hashed: reason === undefined ? [] : [sub.reason(reason)], ...more }),
  ],
});

describe("trust/index-signature: the policy", () => {
  describe("who may sign", () => {
    const successor = (key: TestKey, by: TestKey, own: Partial<CertificateOptions> = {}) =>
      certificate({ key, ...own, certifiedBy: [certification({ by, of: key, userId: archiveId, at: day(10) })] });
    const by = async (packet: Packet, options: JudgeOptions) =>
      codeOf(await verdict(await judged(options), data, [packet]));

    it("a seed or successor; no stranger", async () => {
      const certificates = [certificate({ key: a }), successor(b, a), certificate({ key: c })];
      expect(await by(signed(), { certificates })).to.equal("good");
      expect(await by(signed({ by: b }), { certificates })).to.equal("good");
      expect(await by(signed({ by: c }), { certificates })).to.equal("untrusted_signer");
    });
    it("an expired issuer may not, its live successor may", async () => {
      const certificates = [certificate({ key: a, keyExpiresAfter: days(60) }), successor(b, a)];
      expect(await by(signed(), { certificates })).to.equal("expired");
      expect(await by(signed({ by: b }), { certificates })).to.equal("good");
    });
    it("a rival may not, and a more serious reason of its own is told first", async () => {
      const certificates = [certificate({ key: a }), successor(b, a), successor(c, a)];
      expect(await by(signed({ by: b }), { certificates })).to.equal("fork");
      const weak = [certificate({ key: a }), successor(b, a, { flags: ["certify"] }), successor(c, a)];
      expect(await by(signed({ by: b }), { certificates: weak })).to.equal("bad_signature");
    });
    it("an unchecked key may not, and a more serious reason of its own is told first", async () => {
      const unchecked = new Set([b.fingerprint]);
      expect(
        await by(signed({ by: b }), { certificates: [certificate({ key: a }), successor(b, a)], unchecked }),
      ).to.equal("unchecked_revocation");
      const expired = [certificate({ key: a }), successor(b, a, { keyExpiresAfter: days(60) })];
      expect(await by(signed({ by: b }), { certificates: expired, unchecked })).to.equal("expired");
    });
    it("a revoked successor is revoked, not unknown", async () => {
      for (const reason of [2, 3]) {
        expect(
          await by(signed({ by: b }), { certificates: [certificate({ key: a }), successor(b, a, revoked(b, reason))] }),
        ).to.equal("revoked");
      }
    });
  });

  describe("threshold (T7)", () => {
    const two = (options: Partial<JudgeOptions> = {}) =>
      judged({
        certificates: [certificate({ key: a, subkeys: [signer] }), certificate({ key: b })],
        seeds: [a, b],
        ...options,
      });
    const policy = { threshold: 2 };
    it("counts distinct primaries", async () => {
      const trust = await two();
      expect(codeOf(await verdict(trust, data, [signed(), signed({ by: b })], policy))).to.equal("good");
      const result = await verdict(trust, data, [signed()], policy);
      expect(result).to.include({ code: "untrusted_signer" });
      expect("reason" in result && result.reason).to.match(/only 1 of the 2 signers/);
    });
    it("counts one key once, however often it signs and by whichever subkey", async () => {
      const packets = [signed(), signed({ at: day(51) }), signed({ by: signer })];
      expect(codeOf(await verdict(await two(), data, packets, policy))).to.equal("untrusted_signer");
    });
    it("counts no signature that is refused", async () => {
      for (const bad of [signed({ by: b, hash: "sha1" }), signed({ by: b, feed: "other" }), signed({ by: c })]) {
        expect(codeOf(await verdict(await two(), data, [signed(), bad], policy))).to.equal("untrusted_signer");
      }
    });
    it("counts a subkey that two certificates share as one signer", async () => {
      const certificates = [certificate({ key: a, subkeys: [signer] }), certificate({ key: b, subkeys: [signer] })];
      const trust = await two({ certificates });
      expect(codeOf(await verdict(trust, data, [signed({ by: signer })], policy))).to.equal("untrusted_signer");
    });
    it("counts it as one beside further keys of one of them", async () => {
      const own = [ed25519Key("a1"), ed25519Key("a2")] as const;
      const certificates = [
        certificate({ key: a, subkeys: [signer, ...own] }),
        certificate({ key: b, subkeys: [signer] }),
        certificate({ key: c, subkeys: [signer] }),
      ];
      const trust = await two({ certificates, seeds: [a, b, c] });
      const packets = [signer, ...own].map((key) => signed({ by: key }));
      // Three certificates and three keys, but two hands: that of a, and one for b and c.
      expect(codeOf(await verdict(trust, data, packets, { threshold: 2 }))).to.equal("good");
      expect(codeOf(await verdict(trust, data, packets, { threshold: 3 }))).to.equal("untrusted_signer");
      const whole = [...packets, signed({ by: c })];
      expect(codeOf(await verdict(trust, data, whole, { threshold: 3 }))).to.equal("good");
    });
    it("dates the index by what as many signers as it wants say, so that one alone can't make an old one new", async () => {
      // An old index that both signed, and one of the two keys in a thief's hand.
      const packets = [signed({ at: day(20) }), signed({ by: b, at: day(90) })];
      expect(await verdict(await two(), data, packets, policy)).to.include({ createdAt: day(20) });
      expect(await verdict(await two(), data, packets)).to.include({ createdAt: day(90) });
      const more = [...packets, signed({ by: signer, at: day(80) })];
      expect(await verdict(await two(), data, more, policy)).to.include({ createdAt: day(80) });
    });
  });

  describe("T10: the feed's name", () => {
    for (const [what, packet, policy, wanted] of [
      ["the right one", signed({ feed: "base" }), {}, "good"],
      ["another", signed({ feed: "extra" }), {}, "wrong_feed"],
      ["none", signed(), {}, "good"],
      ["none, though the profile wants one", signed(), { requireFeedName: true }, "wrong_feed"],
      ["the right one, as the profile wants", signed({ feed: "base" }), { requireFeedName: true }, "good"],
      ["in another case", signed({ feed: "Base" }), {}, "wrong_feed"],
      ["empty", signed({ feed: "" }), {}, "wrong_feed"],
      [
        "two that differ",
        signed({ feed: "base", hashed: [sub.notation("feed@example.org", "extra")] }),
        {},
        "wrong_feed",
      ],
      [
        "two, of two domains",
        signed({ feed: "base", hashed: [sub.notation("feed@example.net", "extra")] }),
        {},
        "wrong_feed",
      ],
      ["of another domain alone", signed({ hashed: [sub.notation("feed@example.net", "extra")] }), {}, "wrong_feed"],
      [
        "outside the hashed area",
        signed({ unhashed: [sub.notation("feed@example.org", "base"), sub.issuerKeyId(a)] }),
        { requireFeedName: true },
        "bad_signature",
      ],
      ["in a notation of another name", signed({ hashed: [sub.notation("feeds@example.org", "extra")] }), {}, "good"],
    ] as const) {
      it(`${what}: ${wanted}`, async () => expect(await code([packet], {}, policy)).to.equal(wanted));
    }
  });

  describe("the profile's limits on age", () => {
    for (const [what, packet, policy, wanted] of [
      ["young enough", signed(), { maxIndexAge: days(50) * 1000 }, "good"],
      ["too old", signed(), { maxIndexAge: days(50) * 1000 - 1000 }, "stale"],
      ["no expiry, though one is wanted", signed(), { requireExpiry: true }, "stale"],
      ["an expiry of zero, which is none", signed({ expiresAfter: 0 }), { requireExpiry: true }, "stale"],
      ["an expiry, as is wanted", signed({ expiresAfter: days(60) }), { requireExpiry: true }, "good"],
    ] as const) {
      it(`${what}: ${wanted}`, async () => expect(await code([packet], {}, policy)).to.equal(wanted));
    }
  });
});
