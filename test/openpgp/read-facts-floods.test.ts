import { expect } from "chai";
import type { LoadedKey } from "../../src/openpgp/key-packet.ts";
import { limits } from "../../src/openpgp/limits.ts";
import { broken, withUnhashed } from "../testkit/altered.ts";
import { archiveId, certificate, selfSignature } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import type { Packet } from "../testkit/framing.ts";
import { factsOf, read } from "../testkit/judging.ts";
import { dsaKey, ed25519Key, rsaKey } from "../testkit/keys.ts";
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
      const flooded = certificate({ key: dsa, certifiedBy: junk((at) => selfSignature({ key: dsa, at })) });
      const good = certification({ ...over, by: dsa, at: day(1) });
      const facts = await factsOf(flooded, certificate({ key: a }));
      expect(facts.userIds[0]?.selfSignatures).to.have.length(1);
      // The flood comes first: what a weak key says behind it is not even looked at.
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
});
