import { expect } from "chai";
import { refusePrimary } from "../../src/trust/key-state.ts";
import { withUnhashed } from "../testkit/altered.ts";
import { archiveId, asCertificate, certificate, selfSignature } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { factsOf } from "../testkit/judging.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { certification, directSignature, keyRevocation } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const [a, b, c, subkey] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("c"), ed25519Key("sub")];
const over = { of: a, userId: archiveId };

const codes = (list: readonly { reason: number | undefined; kind: string }[]) =>
  list.map(({ kind, reason }) => [kind, reason]);

describe("openpgp/read-facts: revocations of the key", () => {
  for (const [what, hashed, kind] of [
    ["superseded: soft", [sub.reason(1)], "soft"],
    ["retired: soft", [sub.reason(3)], "soft"],
    ["compromised: hard", [sub.reason(2)], "hard"],
    ["without a reason: hard", [], "hard"],
    ["without a stated reason: hard", [sub.reason(0)], "hard"],
    ["of an unknown reason: hard", [sub.reason(100)], "hard"],
    ["of a user ID's reason: hard", [sub.reason(32)], "hard"],
    ["with an empty reason: hard", [sub.raw(29)], "hard"],
    ["of two reasons: hard", [sub.reason(1), sub.reason(2)], "hard"],
  ] as const) {
    it(what, async () => {
      const made = certificate({ key: a, signatures: [keyRevocation({ by: a, of: a, at: day(1), hashed })] });
      expect((await factsOf(made)).revocations.map((r) => r.kind)).to.deep.equal([kind]);
    });
  }

  it("wherever in the certificate they were put, and with SHA-1 too", async () => {
    const at = day(1);
    const made = certificate({
      key: a,
      certifiedBy: [keyRevocation({ by: a, of: a, at, hash: "sha1", hashed: [sub.reason(2)] })],
      subkeys: [
        { key: subkey, signatures: [keyRevocation({ by: a, of: a, at, hash: "md5", hashed: [sub.reason(3)] })] },
      ],
    });
    expect(codes((await factsOf(made)).revocations)).to.deep.equal([
      ["hard", 2],
      ["soft", 3],
    ]);
  });

  it("without a date in the signed part: it has no beginning, and a hard one needs none (T4)", async () => {
    const undated = sub.area([sub.issuerFingerprint(a), sub.reason(2)]);
    const revocation = keyRevocation({
      by: a,
      of: a,
      at: day(1),
      hashedArea: undated,
      unhashed: [sub.created(day(1))],
    });
    const facts = await factsOf(certificate({ key: a, signatures: [revocation] }));
    expect(facts.revocations.map(({ createdAt }) => createdAt)).to.deep.equal([undefined]);
    expect(refusePrimary(facts, day(0))?.code).to.equal("revoked");
  });

  it("without a user ID at hand", async () => {
    const bare = asCertificate(a, [{ tag: 6, body: a.body }, keyRevocation({ by: a, of: a, at: day(1) })]);
    expect((await factsOf(bare)).revocations).to.have.length(1);
  });

  it("whoever the unhashed area names", async () => {
    const revocation = keyRevocation({ by: a, of: a, at: day(1), hashedArea: sub.area([sub.created(day(1))]) });
    for (const unhashed of [[], [sub.issuerFingerprint(b)], [sub.issuerKeyId(c)]]) {
      const made = certificate({ key: a, signatures: [withUnhashed(revocation, sub.area(unhashed))] });
      expect((await factsOf(made, certificate({ key: b }))).revocations).to.have.length(1);
    }
  });

  it("not by strangers, not of other keys", async () => {
    const made = certificate({
      key: a,
      signatures: [
        keyRevocation({ by: b, of: a, at: day(1) }),
        keyRevocation({ by: a, of: b, at: day(1) }),
        keyRevocation({ by: b, of: b, at: day(1) }),
      ],
    });
    expect((await factsOf(made, certificate({ key: b }))).revocations).to.deep.equal([]);
  });

  describe("by a revoker that the key designated", () => {
    const revocation = keyRevocation({ by: b, of: a, at: day(1), hashed: [sub.reason(2)] });
    const designating = (hashed: readonly sub.Subpacket[]) => certificate({ key: a, signatures: [revocation], hashed });
    it("whose certificate is at hand", async () => {
      const facts = await factsOf(designating([sub.revoker(b)]), certificate({ key: b }));
      expect(facts.revocations.map((r) => [r.certificate, r.kind])).to.deep.equal([[b.fingerprint, "hard"]]);
    });
    it("in a direct-key signature", async () => {
      const direct = directSignature({ by: a, of: a, at: day(1), hashed: [sub.revoker(b)] });
      const made = certificate({ key: a, signatures: [direct, revocation] });
      expect((await factsOf(made, certificate({ key: b }))).revocations).to.have.length(1);
    });
    it("but not one whose certificate is missing", async () => {
      expect((await factsOf(designating([sub.revoker(b)]))).revocations).to.deep.equal([]);
    });
    it("but not another, and not one named outside the hashed area or by somebody else", async () => {
      const others = [certificate({ key: b }), certificate({ key: c })];
      expect((await factsOf(designating([sub.revoker(c)]), ...others)).revocations).to.deep.equal([]);
      const unhashed = withUnhashed(
        selfSignature({ key: a, at: day(1) }),
        sub.area([sub.revoker(b), sub.issuerKeyId(a)]),
      );
      const stranger = certification({ ...over, by: b, at: day(1), hashed: [sub.revoker(b)] });
      const made = certificate({ key: a, signatures: [revocation], certifiedBy: [unhashed, stranger] });
      expect((await factsOf(made, ...others)).revocations).to.deep.equal([]);
    });
  });
});
