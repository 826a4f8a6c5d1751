/** What a certificate says of its own keys at a time: expiry, flags, revocation (T4, T7). */
import { expect } from "chai";
import { effectiveRevocation, primaryState, refusePrimary, revocationWords } from "../../src/trust/key-state.ts";
import { skew } from "../../src/trust/policy.ts";
import { asCertificate, type CertificateOptions, certificate, selfSignature } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { factsOf } from "../testkit/judging.ts";
import { dsaKey, ed25519Key, rsaKey } from "../testkit/keys.ts";
import { directSignature, type Hash, keyRevocation } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const a = ed25519Key("a");
const days = (n: number) => n * 86_400;

async function primary(options: Partial<CertificateOptions>, at = day(100)) {
  return primaryState(await factsOf(certificate({ key: a, ...options })), at);
}

async function primaryCode(options: Partial<CertificateOptions>, at = day(100)): Promise<string> {
  return refusePrimary(await factsOf(certificate({ key: a, ...options })), at)?.code ?? "good";
}

describe("trust/key-state", () => {
  describe("of a primary key", () => {
    it("is what its newest self-signature says", async () => {
      expect(await primary({ keyExpiresAfter: days(30), flags: ["certify"] })).to.deep.equal({
        expiresAt: day(30),
        canCertify: true,
        canSign: false,
      });
    });

    it("may do both without flags, and nothing with empty ones", async () => {
      const bare = directSignature({ by: a, of: a, at: day(0) });
      expect(await primary({ userIds: [], signatures: [bare] })).to.include({ canCertify: true, canSign: true });
      expect(await primary({ flags: [] })).to.include({ canCertify: false, canSign: false });
    });

    it("follows the newest, after an extension and after a later shortening", async () => {
      const extended = selfSignature({ key: a, at: day(10), keyExpiresAfter: days(400) });
      const shortened = selfSignature({ key: a, at: day(20), keyExpiresAfter: days(50) });
      const first = { keyExpiresAfter: days(40) };
      expect(await primary({ ...first, certifiedBy: [extended] })).to.include({ expiresAt: day(400) });
      expect(await primary({ ...first, certifiedBy: [shortened, extended] })).to.include({ expiresAt: day(50) });
      expect(await primary({ ...first, certifiedBy: [extended, shortened] }, day(15))).to.include({
        expiresAt: day(400),
      });
      expect(await primary({ ...first, certifiedBy: [extended, shortened] }, day(5))).to.include({
        expiresAt: day(40),
      });
    });

    it("takes the newest over all user IDs", async () => {
      const ids = [
        { userId: "One <one@example.org>", at: day(1), keyExpiresAfter: days(10) },
        { userId: "Two <two@example.org>", at: day(2), keyExpiresAfter: days(20) },
      ];
      expect(await primary({ userIds: ids })).to.include({ expiresAt: day(20) });
    });

    it("takes the sooner expiry and the fewer rights of two with one date, in whatever order", async () => {
      const other = selfSignature({ key: a, at: day(0), keyExpiresAfter: days(5), flags: ["sign"] });
      const options = { at: day(0), keyExpiresAfter: days(9), flags: ["sign", "certify"] } as const;
      const both = { expiresAt: day(5), canCertify: false, canSign: true };
      expect(await primary({ ...options, certifiedBy: [other] })).to.deep.equal(both);
      const { packets } = certificate({ key: a, ...options, certifiedBy: [other] });
      const [key, id, self, added] = packets;
      const turned = asCertificate(
        a,
        [key, id, added, self].filter((packet) => packet !== undefined),
      );
      expect(primaryState(await factsOf(turned), day(100))).to.deep.equal(both);
    });

    it("takes the sooner expiry and the fewer rights of a direct-key signature and a user ID's", async () => {
      const direct = (expiry: number, flags: readonly sub.Flag[]) => [
        directSignature({ by: a, of: a, at: day(1), hashed: [sub.keyExpiresAfter(days(expiry)), sub.flags(...flags)] }),
      ];
      const own = { keyExpiresAfter: days(50), flags: ["sign", "certify"] } as const;
      expect(await primary({ ...own, signatures: direct(40, ["sign"]) })).to.deep.equal({
        expiresAt: day(40),
        canCertify: false,
        canSign: true,
      });
      expect(await primary({ ...own, signatures: direct(60, ["certify"]) })).to.deep.equal({
        expiresAt: day(50),
        canCertify: true,
        canSign: false,
      });
    });

    for (const [what, self, code] of [
      ["SHA-1", { hash: "sha1" }, "weak_algorithm"],
      ["an expired signature", { expiresAfter: 60 }, "expired"],
      ["a date in the future", { at: day(101) }, "not_yet_valid"],
      ["a date before the key", { at: day(-1) }, "bad_signature"],
      ["something critical unknown", { hashed: [sub.critical(sub.raw(100))] }, "bad_signature"],
      ["a critical notation", { hashed: [sub.critical(sub.notation("a@b", "c"))] }, "bad_signature"],
      ["two dates", { hashed: [sub.created(day(1))] }, "bad_signature"],
    ] as const) {
      it(`gives no weight to a self-signature with ${what}`, async () => {
        expect(await primary(self)).to.have.property("code", code);
        const good = selfSignature({ key: a, at: day(1), keyExpiresAfter: days(30) });
        expect(await primary({ ...self, certifiedBy: [good] })).to.include({ expiresAt: day(30) });
      });
    }

    it("takes an expiry rather than none of two with one date, in whatever order", async () => {
      const ends = selfSignature({ key: a, at: day(1), keyExpiresAfter: days(5) });
      const never = selfSignature({ key: a, at: day(1) });
      for (const certifiedBy of [
        [ends, never],
        [never, ends],
      ]) {
        expect(await primary({ certifiedBy })).to.include({ expiresAt: day(5) });
      }
    });

    it("says of several useless self-signatures first that one is weak", async () => {
      const future = selfSignature({ key: a, at: day(101) });
      const state = await primary({
        at: day(101),
        certifiedBy: [future, selfSignature({ key: a, at: day(1), hash: "sha1" })],
      });
      expect(state).to.deep.equal({
        code: "weak_algorithm",
        reason: "none of its self-signatures can be used: it uses SHA1",
      });
    });

    it("is no state without any self-signature", async () => {
      expect(await primary({ userIds: [] })).to.have.property("code", "bad_certificate");
    });
  });

  describe("a revocation", () => {
    const revoked = async (signatures: CertificateOptions["signatures"], at = day(100)) => {
      const facts = await factsOf(certificate({ key: a, signatures: signatures ?? [] }));
      const found = effectiveRevocation(facts.revocations, at);
      return found && [found.kind, revocationWords(found)];
    };
    const by = (at: number, code: number | undefined, hash: Hash = "sha256", more = {}) =>
      keyRevocation({ by: a, of: a, at, hash, hashed: code === undefined ? [] : [sub.reason(code)], ...more });

    it("soft ones hold from their date on", async () => {
      expect(await revoked([by(day(50), 1)], day(49))).to.equal(undefined);
      expect(await revoked([by(day(50), 1)], day(50) - skew)).to.deep.equal(["soft", "revoked as superseded"]);
      expect(await revoked([by(day(50), 3)])).to.deep.equal(["soft", "revoked as retired"]);
    });

    it("hard ones hold whatever their date: it can be forged", async () => {
      expect(await revoked([by(day(200), 2)])).to.deep.equal(["hard", "revoked as compromised"]);
      expect(await revoked([by(day(-200), 2)])).to.deep.equal(["hard", "revoked as compromised"]);
      expect(await revoked([by(day(200), undefined)])).to.deep.equal(["hard", "revoked without a stated reason"]);
      expect(await revoked([by(day(200), 42)])).to.deep.equal(["hard", "revoked without a stated reason"]);
    });

    it("the most serious counts, then the first", async () => {
      expect(await revoked([by(day(1), 1), by(day(9), 2)])).to.deep.equal(["hard", "revoked as compromised"]);
      expect(await revoked([by(day(9), 3), by(day(1), 1)])).to.deep.equal(["soft", "revoked as superseded"]);
    });

    it("with a weak hash, its own expiry, or something critical unknown holds too (T4)", async () => {
      for (const hash of ["md5", "sha1"] as const)
        expect(await revoked([by(day(1), 1, hash)])).to.deep.equal(["soft", "revoked as superseded"]);
      expect(await revoked([by(day(1), 2, "sha256", { expiresAfter: 60 })])).to.deep.equal([
        "hard",
        "revoked as compromised",
      ]);
      const hashed = [sub.reason(1), sub.critical(sub.raw(100))];
      expect(await revoked([keyRevocation({ by: a, of: a, at: day(1), hashed })])).to.deep.equal([
        "soft",
        "revoked as superseded",
      ]);
    });

    it("is not taken back by a newer self-signature (T4)", async () => {
      const again = [selfSignature({ key: a, at: day(60) })];
      expect(await primaryCode({ signatures: [by(day(50), 1)], certifiedBy: again })).to.equal("revoked");
    });
  });

  describe("a primary now (T7)", () => {
    it("passes when neither revoked nor expired nor weak", async () => {
      expect(await primaryCode({})).to.equal("good");
      expect(await primaryCode({ key: rsaKey("rsa-a") })).to.equal("good");
    });
    it("is refused when expired, from that second on", async () => {
      expect(await primaryCode({ keyExpiresAfter: days(100) }, day(100) - 1000)).to.equal("good");
      expect(await primaryCode({ keyExpiresAfter: days(100) }, day(100))).to.equal("expired");
    });
    it("is refused when revoked, and that weighs more than expired", async () => {
      for (const code of [0, 1, 2, 3, 77]) {
        const signatures = [keyRevocation({ by: a, of: a, at: day(1), hashed: [sub.reason(code)] })];
        expect(await primaryCode({ signatures, keyExpiresAfter: days(5) })).to.equal("revoked");
      }
    });
    it("is refused when weak", async () => {
      expect(await primaryCode({ key: rsaKey("rsa1024") })).to.equal("weak_algorithm");
      expect(await primaryCode({ key: dsaKey() })).to.equal("weak_algorithm");
    });
    it("passes when made within the skew of the clocks", async () => {
      const late = ed25519Key("late", { createdAt: day(100) + skew });
      expect(await primaryCode({ key: late })).to.equal("good");
    });
    it("is refused when made in the future", async () => {
      const early = (key = ed25519Key("late", { createdAt: day(101) })) => primaryCode({ key, at: day(101) });
      expect(await early()).to.equal("not_yet_valid");
    });
  });
});
