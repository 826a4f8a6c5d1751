import { expect } from "chai";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { KeyIndex } from "../../src/openpgp/check/key-index.ts";
import { readFacts } from "../../src/openpgp/check/read-facts.ts";
import { broken } from "../testkit/altered.ts";
import { archiveId, binding, certificate, selfSignature } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { factsOf } from "../testkit/judging.ts";
import { ed25519Key } from "../testkit/keys.ts";
import {
  certification,
  dataSignature,
  directSignature,
  keyRevocation,
  subkeySignature,
  withdrawal,
} from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const [a, b, c, subkey] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("c"), ed25519Key("sub")];
const over = { of: a, userId: archiveId };
const year = 365 * 86_400;

describe("openpgp/read-facts", () => {
  it("reads what a key says about itself", async () => {
    const made = certificate({
      key: a,
      at: day(2),
      keyExpiresAfter: year,
      flags: ["certify"],
      hashed: [sub.revoker(b)],
      expiresAfter: 9,
    });
    const facts = await factsOf(made);
    expect(facts.primary.fingerprint).to.equal(a.fingerprint);
    const [userId] = facts.userIds;
    expect([userId?.bytes, userId?.text]).to.deep.equal([archiveId, archiveId]);
    const [self] = userId?.selfSignatures ?? [];
    expect(self).to.deep.include({
      type: 0x13,
      createdAt: day(2),
      expiresAt: day(2) + 9000,
      keyExpiresAt: day(0) + year * 1000,
      flags: { certify: true, sign: false },
      designatedRevokers: [b.fingerprint],
      backSignature: undefined,
      key: a.fingerprint,
      certificate: a.fingerprint,
    });
  });

  it("keeps every self-signature, direct ones apart", async () => {
    const made = certificate({
      key: a,
      signatures: [directSignature({ by: a, of: a, at: day(1), hashed: [sub.keyExpiresAfter(year)] })],
      certifiedBy: [selfSignature({ key: a, at: day(3) }), selfSignature({ key: a, at: day(2) })],
    });
    const facts = await factsOf(made);
    expect(facts.directSignatures.map((s) => [s.type, s.createdAt, s.keyExpiresAt])).to.deep.equal([
      [0x1f, day(1), day(0) + year * 1000],
    ]);
    expect(facts.userIds[0]?.selfSignatures.map(({ createdAt }) => createdAt)).to.deep.equal([day(0), day(3), day(2)]);
  });

  it("reads user IDs as bytes, whatever they are", async () => {
    const bytes = Uint8Array.of(0xff, 0x41, 0x00);
    const facts = await factsOf(certificate({ key: a, userIds: [bytes, "Zoë <z@example.org>"] }));
    expect(facts.userIds.map((id) => id.bytes)).to.deep.equal(["\xffA\0", "Zo\xc3\xab <z@example.org>"]);
    expect(facts.userIds.map((id) => id.text)).to.deep.equal(["\ufffdA\0", "Zoë <z@example.org>"]);
    expect(facts.userIds.map((id) => id.selfSignatures.length)).to.deep.equal([1, 1]);
  });

  it("leaves out every signature whose mathematics is wrong", async () => {
    const all = certificate({
      key: a,
      signatures: [
        broken(directSignature({ by: a, of: a, at: day(1) })),
        broken(keyRevocation({ by: a, of: a, at: day(1) })),
        keyRevocation({ by: { ...b, fingerprint: a.fingerprint, keyId: a.keyId }, of: a, at: day(1) }),
      ],
      userIds: [
        {
          userId: archiveId,
          self: false,
          signatures: [
            broken(selfSignature({ key: a })),
            selfSignature({ key: a, userId: "Another <archive@example.org>" }),
            broken(certification({ ...over, by: b, at: day(1) })),
            certification({ of: c, userId: archiveId, by: b, at: day(1) }),
            broken(withdrawal({ ...over, by: b, at: day(1) })),
            broken(withdrawal({ ...over, by: a, at: day(1) })),
          ],
        },
      ],
      subkeys: [
        { key: subkey, bound: false, signatures: [broken(binding(a, { key: subkey })), binding(b, { key: subkey })] },
      ],
    });
    const facts = await factsOf(all, certificate({ key: b }));
    expect(facts.directSignatures).to.deep.equal([]);
    expect(facts.revocations).to.deep.equal([]);
    expect(facts.userIds[0]).to.deep.include({
      selfSignatures: [],
      revocations: [],
      certifications: [],
      withdrawals: [],
    });
    expect(facts.subkeys[0]).to.deep.include({ bindings: [], revocations: [] });
  });

  it("takes no signature of another type for a self-signature, a binding or a revocation", async () => {
    const data = { by: a, at: day(1), data: new Uint8Array() };
    const strays = [
      dataSignature(data),
      dataSignature({ ...data, type: 2 }),
      subkeySignature(0x19, { by: subkey, primary: a, subkey, at: day(1) }),
    ];
    const made = certificate({
      key: a,
      signatures: strays,
      certifiedBy: strays,
      subkeys: [{ key: subkey, bound: false, signatures: [...strays, selfSignature({ key: a })] }],
    });
    const facts = await factsOf(made);
    expect(facts.directSignatures).to.deep.equal([]);
    expect(facts.userIds[0]?.selfSignatures).to.have.length(1);
    expect(facts.subkeys[0]?.bindings).to.deep.equal([]);
  });

  describe("certifications", () => {
    it("by the available certificates, of all four types, with those who made them", async () => {
      const made = certificate({
        key: a,
        certifiedBy: [
          ...[0x10, 0x11, 0x12, 0x13].map((type) => certification({ ...over, by: b, at: day(1), type })),
          certification({ ...over, by: subkey, at: day(1) }),
          certification({ ...over, by: c, at: day(1) }),
        ],
      });
      const facts = await factsOf(made, certificate({ key: b, subkeys: [subkey] }));
      expect(facts.userIds[0]?.certifications.map((s) => [s.type, s.certificate, s.key])).to.deep.equal([
        [0x10, b.fingerprint, b.fingerprint],
        [0x11, b.fingerprint, b.fingerprint],
        [0x12, b.fingerprint, b.fingerprint],
        [0x13, b.fingerprint, b.fingerprint],
        [0x10, b.fingerprint, subkey.fingerprint],
      ]);
    });

    it("and their withdrawals, apart from the owner's own revocation of the user ID", async () => {
      const made = certificate({
        key: a,
        certifiedBy: [
          withdrawal({ ...over, by: b, at: day(3), hashed: [sub.reason(0)] }),
          withdrawal({ ...over, by: a, at: day(4), hashed: [sub.reason(32, "gone")] }),
        ],
      });
      const [userId] = (await factsOf(made, certificate({ key: b }))).userIds;
      expect(userId?.withdrawals.map((w) => [w.certificate, w.kind])).to.deep.equal([[b.fingerprint, "hard"]]);
      expect(userId?.revocations.map((r) => [r.certificate, r.kind, r.text])).to.deep.equal([
        [a.fingerprint, "soft", "gone"],
      ]);
    });

    it("stay with their own user ID", async () => {
      const made = certificate({
        key: a,
        userIds: [
          archiveId,
          {
            userId: "Other <other@example.org>",
            signatures: [certification({ of: a, userId: "Other <other@example.org>", by: b, at: day(1) })],
          },
        ],
      });
      const facts = await factsOf(made, certificate({ key: b }));
      expect(facts.userIds.map(({ certifications }) => certifications.length)).to.deep.equal([0, 1]);
    });
  });

  it("tells which packets proved good, and no others", async () => {
    const bad = broken(certification({ ...over, by: b, at: day(1) }));
    const unknown = certification({ ...over, by: c, at: day(1) });
    const good = [
      keyRevocation({ by: a, of: a, at: day(1) }),
      directSignature({ by: a, of: a, at: day(1) }),
      withdrawal({ ...over, by: a, at: day(1) }),
      certification({ ...over, by: b, at: day(1) }),
      withdrawal({ ...over, by: b, at: day(1) }),
    ];
    const made = certificate({
      key: a,
      signatures: good.slice(0, 2),
      certifiedBy: [...good.slice(2), bad, unknown],
      subkeys: [{ key: subkey, signatures: [subkeySignature(0x28, { by: a, primary: a, subkey, at: day(2) })] }],
    });
    const keys = await KeyIndex.of(
      readKeyring(Buffer.concat([made.bytes, certificate({ key: b }).bytes])).certificates,
    );
    const [first] = keys.certificates;
    if (first === undefined) throw new Error("no certificate");
    const told: string[] = [];
    await readFacts(first, keys, (body) => told.push(Buffer.from(body).toString("hex")));
    const wanted = made.packets.filter((packet) => packet.tag === 2 && packet !== bad && packet !== unknown);
    expect(told).to.have.members(wanted.map(({ body }) => Buffer.from(body).toString("hex")));
  });
});
