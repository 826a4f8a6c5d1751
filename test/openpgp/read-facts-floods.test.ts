import { expect } from "chai";
import type { LoadedKey } from "../../src/openpgp/packet/key-packet.ts";
import { limits } from "../../src/openpgp/packet/limits.ts";
import { latestEnd, onceCertified } from "../../src/trust/key-state.ts";
import { broken, withUnhashed } from "../testkit/altered.ts";
import { archiveId, binding, certificate, selfSignature } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import type { Packet } from "../testkit/framing.ts";
import { factsOf, read } from "../testkit/judging.ts";
import { dsaKey, ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { certification, directSignature, keyRevocation, withdrawal } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const [a, b, c, subkey] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("c"), ed25519Key("sub")];
const over = { of: a, userId: archiveId };

describe("openpgp/read-facts against floods", () => {
  const copies = (packet: Packet, count: number) =>
    Array.from({ length: count }, (_, i) =>
      withUnhashed(packet, sub.area([sub.issuerKeyId(a), sub.raw(100, [i >> 8, i & 0xff])])),
    );

  it("takes a good signature once, however many copies with other unhashed areas are there", async () => {
    // Every rule goes over all of them, for each certification of each key: copies would multiply.
    const made = certificate({
      key: a,
      signatures: [
        ...copies(keyRevocation({ by: a, of: a, at: day(1) }), 50),
        ...copies(directSignature({ by: a, of: a, at: day(1) }), 50),
      ],
      certifiedBy: [
        ...copies(selfSignature({ key: a, at: day(1) }), 50),
        ...copies(certification({ ...over, by: b, at: day(1) }), 50),
        ...copies(withdrawal({ ...over, by: b, at: day(1) }), 50),
        ...copies(withdrawal({ ...over, by: a, at: day(1) }), 50),
      ],
    });
    const facts = await factsOf(made, certificate({ key: b }));
    expect(facts.revocations).to.have.length(1);
    expect(facts.directSignatures).to.have.length(1);
    const [userId] = facts.userIds;
    expect(userId?.selfSignatures).to.have.length(2);
    expect(
      [userId?.certifications, userId?.withdrawals, userId?.revocations].map((list) => list?.length),
    ).to.deep.equal([1, 1, 1]);
  });

  it("takes a revocation once, whoever the unhashed area names", async () => {
    const revocation = keyRevocation({ by: a, of: a, at: day(1), hashedArea: sub.area([sub.created(day(1))]) });
    const named = [a, b, c, subkey].map((key) => withUnhashed(revocation, sub.area([sub.issuerFingerprint(key)])));
    expect((await factsOf(certificate({ key: a, signatures: named }))).revocations).to.have.length(1);
  });

  it("lets no broken copy that comes first hide the good one", async () => {
    const good = keyRevocation({ by: a, of: a, at: day(1) });
    const self = selfSignature({ key: a, at: day(1) });
    const made = certificate({ key: a, signatures: [broken(good), good], certifiedBy: [broken(self), self] });
    const facts = await factsOf(made);
    expect(facts.revocations).to.have.length(1);
    expect(facts.userIds[0]?.selfSignatures).to.have.length(2);
  });

  describe("checks only so much of what weak keys say, which no rule lets count", () => {
    const dsa = dsaKey();
    const junk = (make: (at: number) => Packet) =>
      Array.from({ length: limits.weakChecks + 100 }, (_, i) => broken(make(day(i))));
    it("of themselves and of others", async () => {
      const at = day(limits.weakChecks + 100);
      const flooded = certificate({ key: dsa, at, certifiedBy: junk((then) => selfSignature({ key: dsa, at: then })) });
      const good = certification({ ...over, by: dsa, at: day(1) });
      const facts = await factsOf(flooded, certificate({ key: a }));
      expect(facts.userIds[0]?.selfSignatures).to.have.length(1);
      // The flood comes first: what a weak key says of others behind it is not even looked at.
      const { keys } = await read(flooded, certificate({ key: a, certifiedBy: [good] }));
      expect(keys.affords(keys.certificates[0]?.primary as LoadedKey)).to.equal(false);
      expect(keys.affords(keys.certificates[1]?.primary as LoadedKey)).to.equal(true);
    }).timeout(60_000);

    it("but hears a designated revoker, however weak and wherever", async () => {
      const flooded = certificate({ key: dsa, certifiedBy: junk((at) => selfSignature({ key: dsa, at })) });
      const revoked = certificate({
        key: a,
        hashed: [sub.revoker(dsa)],
        signatures: [keyRevocation({ by: dsa, of: a, at: day(1) })],
      });
      const { facts } = await read(flooded, revoked);
      expect(facts[1]?.revocations.map((one) => one.certificate)).to.deep.equal([dsa.fingerprint]);
    }).timeout(60_000);
  });

  it("keeps signatures by two keys apart that say the same in the signed part", async () => {
    const hashedArea = sub.area([sub.created(day(1))]);
    const made = certificate({
      key: a,
      certifiedBy: [b, c].map((by) =>
        certification({ ...over, by, at: day(1), hashedArea, unhashed: [sub.issuerFingerprint(by)] }),
      ),
    });
    const facts = await factsOf(made, certificate({ key: b }), certificate({ key: c }));
    expect(facts.userIds[0]?.certifications.map((s) => s.certificate)).to.deep.equal([b.fingerprint, c.fingerprint]);
  });

  it("checks a certification once, not for each certificate that lists its maker", async () => {
    const junk = Array.from({ length: 200 }, (_, i) =>
      certificate({
        key: ed25519Key("junk", { createdAt: day(i) }),
        userIds: [],
        subkeys: [{ key: rsaKey("rsa-a"), bound: false }],
      }),
    );
    const certified = Array.from({ length: 200 }, (_, i) =>
      broken(certification({ ...over, by: rsaKey("rsa-a"), at: day(i) })),
    );
    const facts = await factsOf(certificate({ key: a, certifiedBy: certified }), ...junk);
    expect(facts.userIds[0]?.certifications).to.deep.equal([]);
  }).timeout(10_000);

  describe("of good signatures, which who holds a key can make without end, takes what the rules ask for:", () => {
    const many = limits.goodSignatures + 50;
    const each = <T>(make: (place: number) => T): T[] => Array.from({ length: many }, (_, place) => make(place));
    const dates = (list: readonly { createdAt: number | undefined }[] | undefined) => list?.map((one) => one.createdAt);
    const newest = Array.from({ length: limits.goodSignatures }, (_, place) =>
      day(many - limits.goodSignatures + place),
    );

    it("self-signatures, the newest and the oldest; of bindings the newest", async () => {
      const made = certificate({
        key: a,
        userIds: [{ userId: archiveId, self: false, signatures: each((i) => selfSignature({ key: a, at: day(i) })) }],
        signatures: each((i) => directSignature({ by: a, of: a, at: day(i) })).reverse(),
        subkeys: [
          { key: subkey, bound: false, signatures: each((i) => binding(a, { key: subkey, at: day(i) })).reverse() },
        ],
      });
      const facts = await factsOf(made);
      const all = Array.from({ length: many }, (_, place) => day(place));
      expect(dates(facts.userIds[0]?.selfSignatures)).to.deep.equal(all);
      expect(dates(facts.directSignatures)?.toReversed()).to.deep.equal(all);
      expect(dates(facts.subkeys[0]?.bindings)?.toReversed()).to.deep.equal(newest);
    });

    it("all that tie with the last of them", async () => {
      const tied = each((i) => selfSignature({ key: a, at: day(1), hashed: [sub.notation("n@example.org", `${i}`)] }));
      const ending = [3600, 7200].map((keyExpiresAfter) => selfSignature({ key: a, at: day(1), keyExpiresAfter }));
      const all = [...tied, ...ending, selfSignature({ key: a, at: day(0) })];
      const facts = await factsOf(
        certificate({ key: a, userIds: [{ userId: archiveId, self: false, signatures: all }] }),
      );
      expect(facts.userIds[0]?.selfSignatures.map(({ keyExpiresAt }) => keyExpiresAt)).to.have.members([
        ...tied.map(() => undefined),
        day(0) + 3600_000,
        day(0) + 7200_000,
        undefined,
      ]);
    });

    it("the longest life and the flags that it once claimed, whatever lies before and behind", async () => {
      const short = (at: number) => selfSignature({ key: a, at, keyExpiresAfter: 86_400, flags: ["sign"] });
      const before = each((i) => short(day(0) + i * 1000));
      const behind = each((i) => short(day(3) + i * 1000));
      const signatures = [...before, selfSignature({ key: a, at: day(2) }), ...behind];
      const facts = await factsOf(certificate({ key: a, userIds: [{ userId: archiveId, self: false, signatures }] }));
      expect(latestEnd(facts, day(400))).to.equal(Number.POSITIVE_INFINITY);
      expect(onceCertified(facts, day(400))).to.equal(true);
    });

    it("a revoker that an old one names", async () => {
      const named = selfSignature({ key: a, at: day(0), hashed: [sub.revoker(b)] });
      const made = certificate({
        key: a,
        certifiedBy: [named, ...each((i) => selfSignature({ key: a, at: day(i + 1) }))],
        signatures: [keyRevocation({ by: b, of: a, at: day(1) })],
      });
      expect((await factsOf(made, certificate({ key: b }))).revocations).to.have.length(1);
    });

    it("hard revocations, and of soft ones the first", async () => {
      const soft = (i: number) => keyRevocation({ by: a, of: a, at: day(i), hashed: [sub.reason(3)] });
      const hard = keyRevocation({ by: a, of: a, at: day(many) });
      const facts = await factsOf(certificate({ key: a, signatures: [...each(soft).reverse(), hard] }));
      expect(facts.revocations.filter(({ kind }) => kind === "hard")).to.have.length(1);
      expect(facts.revocations.at(-2)?.createdAt).to.equal(day(0));
    });

    it("withdrawals, the first of each maker", async () => {
      const by = (key: TestKey) =>
        each((i) => withdrawal({ ...over, by: key, at: day(i + (key === c ? 7 : 0)) })).reverse();
      const made = certificate({ key: a, certifiedBy: [...by(b), ...by(c)] });
      const [userId] = (await factsOf(made, certificate({ key: b }), certificate({ key: c }))).userIds;
      const first = (key: TestKey) => {
        const all = userId?.withdrawals.filter(({ certificate }) => certificate === key.fingerprint);
        return Math.min(...(all?.map(({ createdAt = 0 }) => createdAt) ?? []));
      };
      expect([first(b), first(c)]).to.deep.equal([day(0), day(7)]);
      expect(userId?.withdrawals).to.have.length(2 * limits.goodSignatures);
    });

    it("certifications, all: one that holds must not be hidden by others", async () => {
      const made = certificate({ key: a, certifiedBy: each((i) => certification({ ...over, by: b, at: day(i) })) });
      const [userId] = (await factsOf(made, certificate({ key: b }))).userIds;
      expect(userId?.certifications).to.have.length(many);
    });
  });

  it("lets no copies of a binding with other unhashed areas hide an older one, and takes those that say the same once", async () => {
    const old = binding(a, { key: subkey, at: day(1) });
    const flood = copies(binding(a, { key: subkey, at: day(2) }), limits.goodSignatures + 1);
    const made = certificate({ key: a, subkeys: [{ key: subkey, bound: false, signatures: [...flood, old] }] });
    const [facts] = (await factsOf(made)).subkeys;
    expect(facts?.bindings.map(({ createdAt }) => createdAt)).to.deep.equal([day(2), day(1)]);
  });
});
