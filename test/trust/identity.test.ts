/** T1: whom the archive's certificates name. */
import { expect } from "chai";
import fc from "fast-check";
import type { Identity } from "../../src/profile/types.ts";
import { addressOf, matchesIdentity, matchingUserIds } from "../../src/trust/identity.ts";
import { archiveId, certificate, selfSignature } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { factsOf } from "../testkit/judging.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { certification, type UserId, withdrawal } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const [a, b] = [ed25519Key("a"), ed25519Key("b")];
const byEmail: Identity = { kind: "user-email", email: "archive@example.org" };
const byId: Identity = { kind: "user-id", userId: archiveId };
const asBytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");

describe("trust/identity (T1)", () => {
  describe("the address of a user ID", () => {
    for (const [userId, address] of [
      [archiveId, "archive@example.org"],
      ["<archive@example.org>", "archive@example.org"],
      ["Name (a comment) <a@b>", "a@b"],
      ["archive@example.org", undefined],
      ["Name <a@b> ", undefined],
      ["Name <a@b>\n", undefined],
      ["Name <a@b> <c@d>", undefined],
      ["Name <a@b <c@d>>", undefined],
      ["Name <a@b>>", undefined],
      ["Name <<a@b>", undefined],
      ["Name <>", undefined],
      ["Name <a@b", undefined],
      ["Name a@b>", undefined],
      ["", undefined],
    ] as const) {
      it(`${JSON.stringify(userId)}: ${address ?? "none"}`, () => expect(addressOf(userId)).to.equal(address));
    }
  });

  describe("matches exactly", () => {
    const others = [
      "Example Archive Signing Key <archive@example.org> ",
      " Example Archive Signing Key <archive@example.org>",
      "Example Archive Signing Key  <archive@example.org>",
      "example archive signing key <archive@example.org>",
      "Example Archive Signing Key (2027) <archive@example.org>",
      "Example Archive Signing Key <archive@example.org>\0",
      "Ex\u0430mple Archive Signing Key <archive@example.org>",
    ];
    it("the user ID, byte by byte", () => {
      expect(matchesIdentity(archiveId, byId)).to.equal(true);
      for (const other of others) expect(matchesIdentity(asBytes(other), byId), other).to.equal(false);
      const umlaut: Identity = { kind: "user-id", userId: "Zoë <z@example.org>" };
      expect(matchesIdentity(asBytes("Zoë <z@example.org>"), umlaut)).to.equal(true);
      expect(matchesIdentity("Zo\xeb <z@example.org>", umlaut)).to.equal(false);
      expect(matchesIdentity(asBytes("Zoe\u0308 <z@example.org>"), umlaut)).to.equal(false);
    });

    it("the address, whatever the name", () => {
      for (const good of ["<archive@example.org>", "Anything (at all) <archive@example.org>", archiveId]) {
        expect(matchesIdentity(asBytes(good), byEmail), good).to.equal(true);
      }
      for (const bad of [
        "X <archive@example.org> ",
        "X <Archive@example.org>",
        "X <archive@EXAMPLE.org>",
        "X < archive@example.org>",
        "X <archive@example.org.evil>",
        "X <evil-archive@example.org>",
        "X <\u0430rchive@example.org>",
        "archive@example.org",
        "X <archive@example.org> <evil@example.net>",
        "X <evil@example.net> <archive@example.org>",
        "X <<archive@example.org>>",
      ]) {
        expect(matchesIdentity(asBytes(bad), byEmail), bad).to.equal(false);
      }
    });

    it("nothing that differs in a character", () => {
      fc.assert(
        fc.property(fc.nat(archiveId.length - 1), fc.string({ minLength: 0, maxLength: 2 }), (at, text) => {
          const changed = archiveId.slice(0, at) + text + archiveId.slice(at + 1);
          expect(matchesIdentity(asBytes(changed), byId)).to.equal(changed === archiveId);
        }),
      );
    });
  });

  describe("wants the user ID to be", () => {
    const owned = async (userIds: Parameters<typeof certificate>[0]["userIds"], identity: Identity = byEmail) => {
      const made = certificate({ key: a, ...(userIds === undefined ? {} : { userIds }) });
      const facts = await factsOf(made, certificate({ key: b }));
      return matchingUserIds(facts, identity, day(100)).map(({ text }) => text);
    };
    const id = (more: object, userId: UserId = archiveId) => [{ userId, ...more }];

    it("self-certified", async () => {
      expect(await owned(undefined)).to.deep.equal([archiveId]);
      expect(await owned(id({ self: false }))).to.deep.equal([]);
      const stranger = certification({ by: b, of: a, userId: archiveId, at: day(1) });
      expect(await owned(id({ self: false, signatures: [stranger] }))).to.deep.equal([]);
      expect(
        await owned(id({ self: false, signatures: [selfSignature({ key: a, userId: "Else <e@x>" })] })),
      ).to.deep.equal([]);
    });

    it("self-certified now: not with SHA-1, not expired, not in the future, not with something critical unknown", async () => {
      for (const self of [
        { hash: "sha1" },
        { expiresAfter: 60 },
        { at: day(101) },
        { hashed: [sub.critical(sub.raw(100))] },
        { at: day(-1) },
      ]) {
        expect(await owned(id(self)), JSON.stringify(self)).to.deep.equal([]);
      }
    });

    it("not revoked by its owner, for whatever reason, also if certified again after that", async () => {
      for (const reason of [0, 1, 2, 3, 32, 99]) {
        const revocation = withdrawal({ by: a, of: a, userId: archiveId, at: day(5), hashed: [sub.reason(reason)] });
        const again = selfSignature({ key: a, at: day(6) });
        expect(await owned(id({ signatures: [revocation, again] })), `${reason}`).to.deep.equal([]);
      }
    });

    it("not revoked, but only by its owner", async () => {
      const stranger = withdrawal({ by: b, of: a, userId: archiveId, at: day(5) });
      expect(await owned(id({ signatures: [stranger] }))).to.deep.equal([archiveId]);
    });

    it("in the same certificate only once: a revocation over one of two copies counts", async () => {
      const revocation = withdrawal({ by: a, of: a, userId: archiveId, at: day(5) });
      const twice = [...id({ signatures: [revocation] }), ...id({})];
      expect(await owned(twice)).to.deep.equal([]);
    });

    it("one of several: the others do not matter", async () => {
      const revoked = {
        userId: "Old <archive@example.org>",
        signatures: [withdrawal({ by: a, of: a, userId: "Old <archive@example.org>", at: day(5) })],
      };
      expect(await owned(["Else <e@example.org>", revoked, archiveId])).to.deep.equal([archiveId]);
      expect(await owned([archiveId, "New <archive@example.org>"])).to.deep.equal([
        archiveId,
        "New <archive@example.org>",
      ]);
      expect(await owned([archiveId, "New <archive@example.org>"], byId)).to.deep.equal([archiveId]);
    });
  });
});
