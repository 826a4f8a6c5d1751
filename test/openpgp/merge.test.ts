import { expect } from "chai";
import fc from "fast-check";
import { packetsOf, type RawCertificate, readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { attachLoose, collect, keepVerified, unite } from "../../src/openpgp/certificate/merge.ts";
import { archiveId, asCertificate, certificate, selfSignature, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import type { Packet } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { certification, directSignature, keyRevocation, subkeySignature } from "../testkit/signature.ts";
import { area, created, issuerFingerprint, issuerKeyId } from "../testkit/subpackets.ts";

const [a, b, sub] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("sub")];
const hex = ({ tag, body }: Packet) => `${tag} ${Buffer.from(body).toString("hex")}`;
const all = (certificate: RawCertificate) => packetsOf(certificate).map(hex);

function raw({ bytes }: Pick<TestCertificate, "bytes">): RawCertificate {
  const [first] = readKeyring(bytes).certificates;
  if (first === undefined) throw new Error("no certificate");
  return first;
}

const revocation = keyRevocation({ by: a, of: a, at: day(5) });
const certified = certification({ by: b, of: a, userId: archiveId, at: day(1) });
const full = certificate({
  key: a,
  signatures: [revocation, directSignature({ by: a, of: a, at: day(4) })],
  userIds: [
    { userId: archiveId, signatures: [certified, selfSignature({ key: a, at: day(2) })] },
    "Other <o@example.org>",
  ],
  subkeys: [{ key: sub, signatures: [subkeySignature(0x28, { by: a, primary: a, subkey: sub, at: day(3) })] }],
});

describe("openpgp/merge", () => {
  it("unites two copies without losing or doubling a packet", () => {
    const id = { tag: 13, body: Buffer.from(archiveId) };
    const bare = raw(asCertificate(a, [{ tag: 6, body: a.body }, revocation]));
    const flooded = raw(asCertificate(a, [{ tag: 6, body: a.body }, id, certified, { tag: 14, body: sub.body }]));
    expect(all(unite(raw(full), bare))).to.have.members(all(raw(full)));
    expect(all(unite(bare, raw(full)))).to.have.members(all(raw(full)));
    expect(all(unite(flooded, raw(full)))).to.have.members(all(raw(full)));
    expect(all(unite(raw(full), raw(full)))).to.deep.equal(all(raw(full)));
  });

  it("gives the same set of packets in whatever pieces and order they arrive", () => {
    const [key, ...rest] = full.packets as [Packet, ...Packet[]];
    const groups: Packet[][] = [];
    let head: Packet[] = [];
    for (const packet of rest) {
      if (packet.tag !== 2) head = [packet];
      groups.push(packet.tag === 2 ? [...head, packet] : [packet]);
    }
    const pieces = groups.map((packets) => raw(asCertificate(a, [key, ...packets])));
    fc.assert(
      fc.property(fc.shuffledSubarray(pieces, { minLength: pieces.length }), (shuffled) => {
        const [first, ...others] = shuffled as [RawCertificate, ...RawCertificate[]];
        expect(all(others.reduce(unite, first))).to.have.members(all(raw(full)));
      }),
      { numRuns: 50 },
    );
  });

  it("collects by fingerprint", () => {
    const [key, ...rest] = certificate({ key: a }).packets as [Packet, ...Packet[]];
    const found = collect([
      raw(asCertificate(a, [key, revocation])),
      raw(certificate({ key: b })),
      raw(asCertificate(a, [key, ...rest])),
    ]);
    expect([...found.keys()]).to.deep.equal([a.fingerprint, b.fingerprint]);
    expect(all(found.get(a.fingerprint) as RawCertificate)).to.deep.equal([key, revocation, ...rest].map(hex));
  });

  describe("lays bare revocations to the keys that they name", () => {
    const at = day(5);
    const held = collect([raw(certificate({ key: a })), raw(certificate({ key: b }))]);
    const attached = (...loose: readonly Packet[]) => {
      const found = attachLoose(held, loose);
      return [a, b].map(({ fingerprint }) => found.get(fingerprint)?.signatures.length);
    };
    it("by fingerprint or key ID", () => {
      expect(attached(revocation)).to.deep.equal([1, 0]);
      const dated = area([created(at)]);
      const named = [[issuerFingerprint(b)], [issuerKeyId(b)]].map((unhashed) => {
        return keyRevocation({ by: b, of: b, at, hashedArea: dated, unhashed });
      });
      expect(attached(...named)).to.deep.equal([0, 2]);
    });
    it("once, and beside what was there", () => {
      expect(attached(revocation, revocation)).to.deep.equal([1, 0]);
      const again = attachLoose(attachLoose(held, [revocation]), [
        revocation,
        keyRevocation({ by: a, of: a, at: day(6) }),
      ]);
      expect(again.get(a.fingerprint)?.signatures).to.have.length(2);
      expect(held.get(a.fingerprint)?.signatures).to.have.length(0);
    });
    it("and nothing else", () => {
      const stranger = ed25519Key("stranger");
      expect(
        attached(certified, directSignature({ by: a, of: a, at }), keyRevocation({ by: stranger, of: stranger, at }), {
          tag: 2,
          body: new Uint8Array(30),
        }),
      ).to.deep.equal([0, 0]);
    });
    it("fifty thousand of them too", () => {
      const flood = Array.from({ length: 50_000 }, (_, i) => {
        const body = Uint8Array.from(revocation.body);
        new DataView(body.buffer).setUint32(body.length - 4, i);
        return { tag: 2, body };
      });
      expect(attached(...flood)).to.deep.equal([50_000, 0]);
    }).timeout(20_000);
  });

  it("keeps only what was verified: no junk, no user ID or subkey without a good signature", () => {
    const before = raw(full);
    const keep = new Set(
      packetsOf(before)
        .filter((packet) => [hex(revocation), hex(certified)].includes(hex(packet)))
        .map(({ body }) => body),
    );
    const after = keepVerified(before, keep);
    const id = { tag: 13, body: Buffer.from(archiveId) };
    expect(all(after)).to.deep.equal([{ tag: 6, body: a.body }, revocation, id, certified].map(hex));
  });
});
