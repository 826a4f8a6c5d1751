/** What a certificate says of its own keys at a time: expiry, flags, revocation, subkeys (T4, T7). */
import { expect } from "chai";
import {
  effectiveRevocation,
  primaryState,
  refusePrimary,
  refuseSubkey,
  revocationWords,
} from "../../src/trust/key-state.ts";
import { skew } from "../../src/trust/policy.ts";
import {
  asCertificate,
  type CertificateOptions,
  certificate,
  type SubkeyOptions,
  selfSignature,
} from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { factsOf } from "../testkit/judging.ts";
import { dsaKey, ed25519Key, rsaKey } from "../testkit/keys.ts";
import { directSignature, type Hash, keyRevocation, subkeySignature } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const a = ed25519Key("a");
const signer = ed25519Key("signer");
const days = (n: number) => n * 86_400;

async function primary(options: Partial<CertificateOptions>, at = day(100)) {
  return primaryState(await factsOf(certificate({ key: a, ...options })), at);
}

async function primaryCode(options: Partial<CertificateOptions>, at = day(100)): Promise<string> {
  return refusePrimary(await factsOf(certificate({ key: a, ...options })), at)?.code ?? "good";
}

async function subkeyCode(options: Partial<SubkeyOptions>, at = day(100)): Promise<string> {
  const [facts] = (await factsOf(certificate({ key: a, subkeys: [{ key: signer, ...options }] }))).subkeys;
  if (facts === undefined) throw new Error("no subkey");
  return refuseSubkey(facts, at)?.code ?? "good";
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
      expect(await revoked([by(day(200), undefined)])).to.deep.equal(["hard", "revoked as of no given reason"]);
      expect(await revoked([by(day(200), 42)])).to.deep.equal(["hard", "revoked as of no given reason"]);
    });

    it("the gravest counts, then the first", async () => {
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
    it("is refused when made in the future", async () => {
      const early = (key = ed25519Key("late", { createdAt: day(101) })) => primaryCode({ key, at: day(101) });
      expect(await early()).to.equal("not_yet_valid");
    });
  });

  describe("a signing subkey now (T7)", () => {
    const pair = { primary: a, subkey: signer };
    it("passes when bound, for signing, and acknowledged", async () => expect(await subkeyCode({})).to.equal("good"));

    for (const [what, options, code] of [
      ["not bound", { bound: false }, "bad_signature"],
      ["bound by a weak hash", { hash: "sha1" }, "bad_signature"],
      ["bound by an expired signature", { expiresAfter: 60 }, "bad_signature"],
      ["bound in the future", { at: day(101) }, "bad_signature"],
      ["bound before it was made", { at: day(-1) }, "bad_signature"],
      ["bound with something critical unknown", { hashed: [sub.critical(sub.raw(100))] }, "bad_signature"],
      ["for encryption", { flags: ["encrypt"] }, "bad_signature"],
      ["for certifying", { flags: ["certify"] }, "bad_signature"],
      ["for nothing", { flags: [] }, "bad_signature"],
      ["without back-signature", { backSignature: "none" }, "bad_signature"],
      [
        "with one by a stranger",
        { backSignature: subkeySignature(0x19, { ...pair, by: ed25519Key("x"), at: day(0) }) },
        "bad_signature",
      ],
      [
        "with one for another primary",
        { backSignature: subkeySignature(0x19, { by: signer, primary: ed25519Key("x"), subkey: signer, at: day(0) }) },
        "bad_signature",
      ],
      [
        "with one that has expired",
        { backSignature: subkeySignature(0x19, { ...pair, by: signer, at: day(0), expiresAfter: 60 }) },
        "bad_signature",
      ],
      [
        "with one from the future",
        { backSignature: subkeySignature(0x19, { ...pair, by: signer, at: day(101) }) },
        "bad_signature",
      ],
      [
        "with one by a weak hash",
        { backSignature: subkeySignature(0x19, { ...pair, by: signer, at: day(0), hash: "sha1" }) },
        "weak_algorithm",
      ],
      ["expired", { keyExpiresAfter: days(99) }, "expired"],
      [
        "soft-revoked",
        { signatures: [subkeySignature(0x28, { ...pair, by: a, at: day(1), hashed: [sub.reason(1)] })] },
        "revoked",
      ],
      [
        "hard-revoked, in the future",
        { signatures: [subkeySignature(0x28, { ...pair, by: a, at: day(200) })] },
        "revoked",
      ],
      [
        "revoked with SHA-1",
        { signatures: [subkeySignature(0x28, { ...pair, by: a, at: day(1), hash: "sha1" })] },
        "revoked",
      ],
      ["weak", { key: rsaKey("rsa1024") }, "weak_algorithm"],
    ] as const) {
      it(`is refused: ${what}`, async () => expect(await subkeyCode(options as Partial<SubkeyOptions>)).to.equal(code));
    }

    it("is refused when a flagless binding leaves its use open", async () => {
      const bare = subkeySignature(0x18, { ...pair, by: a, at: day(0) });
      expect(await subkeyCode({ bound: false, signatures: [bare] })).to.equal("bad_signature");
    });

    it("is not revoked by itself", async () => {
      expect(await subkeyCode({ signatures: [subkeySignature(0x28, { ...pair, by: signer, at: day(1) })] })).to.equal(
        "good",
      );
    });

    it("follows its newest binding", async () => {
      const { packets } = certificate({ key: a, subkeys: [{ key: signer, at: day(9), flags: ["encrypt"] }] });
      const newer = packets.filter(({ tag }) => tag === 2).slice(-1);
      expect(await subkeyCode({ signatures: newer })).to.equal("bad_signature");
      expect(await subkeyCode({ signatures: newer }, day(5))).to.equal("good");
    });

    it("keeps its revocation when the certificate lists it twice", async () => {
      const revocation = subkeySignature(0x28, { ...pair, by: a, at: day(1) });
      const made = certificate({
        key: a,
        subkeys: [{ key: signer }, { key: signer, bound: false, signatures: [revocation] }],
      });
      const { subkeys } = await factsOf(made);
      expect(subkeys.map((subkey) => refuseSubkey(subkey, day(100))?.code)).to.deep.equal(["revoked"]);
    });
  });
});
