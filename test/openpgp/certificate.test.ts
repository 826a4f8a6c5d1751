import { expect } from "chai";
import fc from "fast-check";
import { packetsOf, readKeyring, writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { limits } from "../../src/openpgp/packet/limits.ts";
import { archiveId, certificate, secretKeyBlock, selfSignature } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { allFramed, concat, framed, type Packet } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { certification, directSignature, keyRevocation } from "../testkit/signature.ts";

const [a, b, sub] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("sub")];
const plain = (packets: readonly Packet[]) => packets.map(({ tag, body }) => [tag, Buffer.from(body).toString("hex")]);
const only = (bytes: Uint8Array) => {
  const { certificates } = readKeyring(bytes);
  const [first] = certificates;
  if (first === undefined || certificates.length !== 1) throw new Error("expected one certificate");
  return first;
};

const revocation = keyRevocation({ by: a, of: a, at: day(5) });
const direct = directSignature({ by: a, of: a, at: day(4) });
const full = certificate({
  key: a,
  signatures: [revocation, direct],
  userIds: [archiveId, "Other <other@example.org>"],
  certifiedBy: [certification({ by: b, of: a, userId: archiveId, at: day(1) })],
  subkeys: [sub],
});

describe("openpgp/certificate", () => {
  it("groups packets under key, user IDs and subkeys, and writes them in the same order", () => {
    const read = only(full.bytes);
    expect(read.fingerprint).to.equal(a.fingerprint);
    expect(plain([read.primary])).to.deep.equal(plain([{ tag: 6, body: a.body }]));
    expect(plain(read.signatures)).to.deep.equal(plain([revocation, direct]));
    expect(read.userIds.map(({ packet }) => Buffer.from(packet.body).toString())).to.deep.equal([
      archiveId,
      "Other <other@example.org>",
    ]);
    expect(read.userIds.map(({ signatures }) => signatures.length)).to.deep.equal([2, 1]);
    expect(read.subkeys.map(({ signatures }) => signatures.length)).to.deep.equal([1]);
    expect(plain(packetsOf(read))).to.deep.equal(plain(full.packets));
    expect(Buffer.from(writeCertificate(read))).to.deep.equal(Buffer.from(full.bytes));
  });

  it("puts what is about the primary key there, wherever it stood", () => {
    const [key, , , ...rest] = full.packets;
    const read = only(allFramed([...(key ? [key] : []), ...rest, direct, revocation]));
    expect(plain(read.signatures)).to.deep.equal(plain([direct, revocation]));
  });

  it("reads several certificates, and bare revocations before the first", () => {
    const { certificates, loose, problems } = readKeyring(
      concat(framed(revocation), full.bytes, certificate({ key: b }).bytes),
    );
    expect(certificates.map(({ fingerprint }) => fingerprint)).to.deep.equal([a.fingerprint, b.fingerprint]);
    expect(plain(loose)).to.deep.equal(plain([revocation]));
    expect(problems).to.deep.equal([]);
  });

  it("takes a revocation behind another key for a bare one too, as key servers send it among several keys", () => {
    const ofB = keyRevocation({ by: b, of: b, at: day(1) });
    const { certificates, loose } = readKeyring(concat(full.bytes, framed(ofB)));
    expect(plain(loose)).to.deep.equal(plain([ofB]));
    // It may be a designated revoker's: then it belongs where it stands.
    expect(plain(certificates[0]?.signatures ?? [])).to.deep.equal(plain([revocation, direct, ofB]));
    expect(readKeyring(full.bytes).loose).to.deep.equal([]);
  });

  it("passes over trust packets, markers and padding", () => {
    const noise = [10, 12, 21].map((tag) => ({ tag, body: Uint8Array.of(1) }));
    const noisy = full.packets.flatMap((packet) => [packet, ...noise]);
    expect(readKeyring(allFramed(noisy))).to.deep.equal(readKeyring(full.bytes));
  });

  it("leaves out pictures and unknown packets with the signatures over them", () => {
    const [key, ...rest] = certificate({ key: a }).packets;
    const picture = { tag: 17, body: Uint8Array.of(1) };
    const unknown = { tag: 60, body: Uint8Array.of(1) };
    const junk = selfSignature({ key: a, userId: "x" });
    const bytes = allFramed([...(key ? [key] : []), ...rest, picture, junk, unknown, junk, revocation]);
    expect(plain(packetsOf(only(bytes)))).to.deep.equal(plain([...(key ? [key] : []), revocation, ...rest]));
  });

  describe("counts secret keys, and reads nothing of them", () => {
    const block = (text: string) => Buffer.from(text.replace(/-----.*-----|\n/g, ""), "base64");
    it("a whole one", () => {
      const { certificates, secretKeys } = readKeyring(
        concat(block(secretKeyBlock(full, [a, sub])), certificate({ key: b }).bytes),
      );
      expect(certificates.map(({ fingerprint }) => fingerprint)).to.deep.equal([b.fingerprint]);
      expect(secretKeys).to.be.greaterThan(0);
    });

    it("a secret subkey under a public primary", () => {
      const [key, ...rest] = full.packets;
      const secretSubkey = { tag: 7, body: concat(sub.body, Uint8Array.of(0), sub.secret, Uint8Array.of(0, 0)) };
      const { secretKeys } = readKeyring(allFramed([...(key ? [key] : []), ...rest, secretSubkey]));
      expect(secretKeys).to.equal(1);
    });
  });

  describe("folds what appears twice, so that a revocation over one copy counts for the other", () => {
    it("user IDs", () => {
      const self = selfSignature({ key: a });
      const withdrawn = certification({ by: a, of: a, userId: archiveId, at: day(3), type: 0x30 });
      const id = { tag: 13, body: Buffer.from(archiveId) };
      const { userIds } = only(allFramed([{ tag: 6, body: a.body }, id, self, withdrawn, id, self]));
      expect(userIds.map(({ signatures }) => plain(signatures))).to.deep.equal([plain([self, withdrawn, self])]);
    });

    it("subkeys", () => {
      const [key, id, self, packet, bound] = certificate({ key: a, subkeys: [sub] }).packets as [
        Packet,
        Packet,
        Packet,
        Packet,
        Packet,
      ];
      const { subkeys } = only(allFramed([key, id, self, packet, bound, packet, revocation, direct, bound]));
      expect(subkeys.map(({ signatures }) => signatures.length)).to.deep.equal([2]);
    });

    it("whole certificates", () => {
      const [key, ...rest] = certificate({ key: a }).packets as [Packet, ...Packet[]];
      const bytes = allFramed([key, ...rest, ...certificate({ key: b }).packets, key, revocation, ...rest]);
      const { certificates } = readKeyring(bytes);
      expect(certificates.map(({ fingerprint }) => fingerprint)).to.deep.equal([a.fingerprint, b.fingerprint]);
      expect(plain(certificates[0]?.signatures ?? [])).to.deep.equal(plain([revocation]));
      expect(certificates[0]?.userIds).to.have.length(1);
    });
  });

  describe("names what it could not read", () => {
    it("a key of an unknown version, whose packets are passed over", () => {
      const old = { tag: 6, body: Uint8Array.of(3, 1, 2) };
      const { certificates, problems, loose } = readKeyring(
        allFramed([old, { tag: 13, body: Uint8Array.of(65) }, direct, revocation, ...certificate({ key: b }).packets]),
      );
      expect(certificates.map(({ fingerprint }) => fingerprint)).to.deep.equal([b.fingerprint]);
      // But for revocations: this may be the bare one of a key that the answer does not hold.
      expect(plain(loose)).to.deep.equal(plain([revocation]));
      expect(problems).to.deep.equal(["a key of version 3"]);
    });

    it("broken framing, after what came before", () => {
      const { certificates, problems } = readKeyring(concat(full.bytes, Uint8Array.of(1)));
      expect(certificates).to.have.length(1);
      expect(problems).to.deep.equal([`there is no OpenPGP packet at byte ${full.bytes.length}`]);
    });

    it("too many bytes", () => {
      const filler = framed({ tag: 60, body: new Uint8Array(limits.packetBytes - 10) });
      const many = Buffer.concat([...Array.from({ length: 17 }, () => filler), full.bytes]);
      const { certificates, problems } = readKeyring(many);
      expect(certificates).to.have.length(0);
      expect(problems).to.include(`more than ${limits.keyringBytes} bytes`);
    });

    it("what is too short for a key, whose packets are passed over", () => {
      const short = { tag: 6, body: a.body.subarray(0, limits.shortestKey - 1) };
      const { certificates, problems, loose } = readKeyring(
        allFramed([
          short,
          { tag: 13, body: Uint8Array.of(65) },
          direct,
          revocation,
          ...certificate({ key: b }).packets,
        ]),
      );
      expect(certificates.map(({ fingerprint }) => fingerprint)).to.deep.equal([b.fingerprint]);
      expect(plain(loose)).to.deep.equal(plain([revocation]));
      expect(problems).to.deep.equal([`a key of ${limits.shortestKey - 1} bytes`]);
    });
  });

  it("does not keep user IDs so long that hashing them for each of many signatures takes hours", () => {
    const long = { tag: 13, body: new Uint8Array(limits.userIdBytes + 1) };
    const fits = { tag: 13, body: new Uint8Array(limits.userIdBytes) };
    expect(
      only(allFramed([{ tag: 6, body: a.body }, long, fits])).userIds.map(({ packet }) => packet.body.length),
    ).to.deep.equal([limits.userIdBytes]);
  });

  it("does not keep signature packets too short to be any", () => {
    const short = { tag: 2, body: Uint8Array.of(4, 0x20, 22, 8, 0, 0, 0, 0, 0, 0, 0, 0) };
    expect(only(allFramed([{ tag: 6, body: a.body }, short, revocation])).signatures).to.have.length(1);
  });

  it("meets any mixture of packets without an error, and writes back what it kept", () => {
    const pool: Packet[] = [
      ...full.packets,
      ...certificate({ key: b }).packets,
      { tag: 5, body: a.body },
      { tag: 17, body: Uint8Array.of(1) },
      { tag: 6, body: new Uint8Array() },
      { tag: 2, body: new Uint8Array() },
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pool), { maxLength: 20 }), (packets) => {
        for (const read of readKeyring(allFramed(packets)).certificates) {
          expect(plain(packetsOf(only(writeCertificate(read))))).to.deep.equal(plain(packetsOf(read)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("meets random bytes without an error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(readKeyring(concat(full.bytes, noise)).certificates[0]?.fingerprint).to.equal(a.fingerprint);
      }),
    );
  });
});
