import { expect } from "chai";
import { readKeyring } from "../../src/openpgp/certificate.ts";
import { KeyIndex } from "../../src/openpgp/key-index.ts";
import type { LoadedKey } from "../../src/openpgp/key-packet.ts";
import { limits } from "../../src/openpgp/limits.ts";
import { readFacts } from "../../src/openpgp/read-facts.ts";
import { archiveId, asCertificate, binding, certificate, selfSignature } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import type { Packet } from "../testkit/framing.ts";
import { factsOf, read } from "../testkit/judging.ts";
import { dsaKey, ed25519Key, rsaKey } from "../testkit/keys.ts";
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

/** The same packet with other bytes in the unhashed area, which nothing protects. */
function withUnhashed({ tag, body }: Packet, area: Uint8Array): Packet {
  const start = 6 + (body[4] ?? 0) * 256 + (body[5] ?? 0);
  const end = start + 2 + (body[start] ?? 0) * 256 + (body[start + 1] ?? 0);
  const length = Uint8Array.of(area.length >> 8, area.length & 0xff);
  return { tag, body: Buffer.concat([body.subarray(0, start), length, area, body.subarray(end)]) };
}

function broken({ tag, body }: Packet): Packet {
  const bytes = Uint8Array.from(body);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return { tag, body: bytes };
}

const codes = (list: readonly { reason: number | undefined; kind: string }[]) =>
  list.map(({ kind, reason }) => [kind, reason]);

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
    it("by the certificates at hand, of all four types, with those who made them", async () => {
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

  describe("revocations of the key", () => {
    for (const [what, hashed, kind] of [
      ["superseded: soft", [sub.reason(1)], "soft"],
      ["retired: soft", [sub.reason(3)], "soft"],
      ["compromised: hard", [sub.reason(2)], "hard"],
      ["without a reason: hard", [], "hard"],
      ["of no given reason: hard", [sub.reason(0)], "hard"],
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
      const designating = (hashed: readonly sub.Subpacket[]) =>
        certificate({ key: a, signatures: [revocation], hashed });
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

  describe("subkeys", () => {
    it("with binding, expiry, flags and back-signature", async () => {
      const made = certificate({ key: a, subkeys: [{ key: subkey, at: day(1), keyExpiresAfter: year }] });
      const [facts] = (await factsOf(made)).subkeys;
      const [bound] = facts?.bindings ?? [];
      expect(facts?.fingerprint).to.equal(subkey.fingerprint);
      expect(bound).to.deep.include({ type: 0x18, key: a.fingerprint, keyExpiresAt: day(0) + year * 1000 });
      expect(bound?.flags).to.deep.equal({ certify: false, sign: true });
      expect(bound?.backSignature).to.include({ type: 0x19, key: subkey.fingerprint, createdAt: day(1) });
    });

    it("whose back-signature stands in the unhashed area, behind others that are none", async () => {
      const back = subkeySignature(0x19, { by: subkey, primary: a, subkey, at: day(1) });
      const bare = binding(a, { key: subkey, backSignature: "none" });
      const area = sub.area([
        sub.embedded(Uint8Array.of(1)),
        sub.embedded(dataSignature({ by: subkey, at: day(1), data: Buffer.from("x") }).body),
        sub.embedded(back.body),
      ]);
      // The library doesn't parse the packet with the first of these: a signature that it can't read isn't counted.
      const without = sub.area([sub.embedded(back.body)]);
      for (const [unhashed, found] of [
        [without, true],
        [area, false],
      ] as const) {
        const made = certificate({
          key: a,
          subkeys: [{ key: subkey, bound: false, signatures: [withUnhashed(bare, unhashed)] }],
        });
        const [facts] = (await factsOf(made)).subkeys;
        expect(facts?.bindings[0]?.backSignature !== undefined).to.equal(found);
      }
    });

    for (const [what, back] of [
      ["none", "none"],
      ["one by another key", subkeySignature(0x19, { by: b, primary: a, subkey, at: day(1) })],
      ["one for another primary", subkeySignature(0x19, { by: subkey, primary: b, subkey, at: day(1) })],
      ["one for another subkey", subkeySignature(0x19, { by: subkey, primary: a, subkey: b, at: day(1) })],
      ["a binding in its place", subkeySignature(0x18, { by: subkey, primary: a, subkey, at: day(1) })],
    ] as const) {
      it(`with a back-signature that does not count: ${what}`, async () => {
        const made = certificate({ key: a, subkeys: [{ key: subkey, backSignature: back }] });
        const [facts] = (await factsOf(made)).subkeys;
        expect(facts?.bindings).to.have.length(1);
        expect(facts?.bindings[0]?.backSignature).to.equal(undefined);
      });
    }

    it("with their revocations by the primary, not by themselves or strangers", async () => {
      const pair = { primary: a, subkey, at: day(1) };
      const made = certificate({
        key: a,
        subkeys: [
          {
            key: subkey,
            signatures: [
              subkeySignature(0x28, { ...pair, by: a, hashed: [sub.reason(1)] }),
              subkeySignature(0x28, { ...pair, by: subkey }),
              subkeySignature(0x28, { ...pair, by: b }),
            ],
          },
        ],
      });
      const [facts] = (await factsOf(made, certificate({ key: b }))).subkeys;
      expect(codes(facts?.revocations ?? [])).to.deep.equal([["soft", 1]]);
    });

    it("that can't be used are left out, the others keep their own signatures", async () => {
      const unusable = { ...b, body: Uint8Array.of(4, 0, 0, 0, 0, 99) };
      const made = certificate({ key: a, subkeys: [{ key: unusable, bound: false }, subkey] });
      const facts = await factsOf(made);
      expect(facts.subkeys.map((one) => [one.fingerprint, one.bindings.length])).to.deep.equal([
        [subkey.fingerprint, 1],
      ]);
    });
  });

  describe("against floods", () => {
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
