/** What the embedded key server makes of uploads: it keeps what may be true, and nobody's lies about a key's own word. */
import { expect } from "chai";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { keyMerger } from "../../src/openpgp/check/key-merger.ts";
import { dearmor } from "../../src/openpgp/packet/armor.ts";
import { archiveId, binding, certificate, selfSignature } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { allFramed, armored, concat } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { certification, keyRevocation, withdrawal } from "../testkit/signature.ts";
import { reason } from "../testkit/subpackets.ts";

const [key, other, stranger, sub] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("stranger"), ed25519Key("sub")];
const revoked = keyRevocation({ by: key, of: key, at: day(5), hashed: [reason(2)] });
const forged = { ...revoked, body: revoked.body.map((byte, at) => (at === revoked.body.length - 1 ? byte ^ 1 : byte)) };
const certified = (by: typeof key) => certification({ by, of: key, userId: archiveId, at: day(1) });

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");

/** Uploads one block of packets. */
async function upload(...blocks: readonly Uint8Array[]) {
  return await keyMerger.parse(Buffer.from(armored("PUBLIC KEY BLOCK", concat(...blocks))));
}

async function bytesOf(...blocks: readonly Uint8Array[]): Promise<Uint8Array> {
  // A revocation that names another key may be that key's: the database looks whether it knows it.
  const [only, ...others] = (await upload(...blocks)).filter(({ bare }) => bare !== true);
  if (only === undefined || others.length > 0) throw new Error("expected one key");
  return only.bytes;
}

describe("openpgp/key-merger", () => {
  it("describes a key as it can be asked for", async () => {
    const userIds = [archiveId, "Second <second@example.org>", "no address"];
    const [described] = await upload(certificate({ key, userIds, subkeys: [sub] }).bytes);
    expect(described).to.deep.include({
      fingerprint: key.fingerprint,
      keyIds: [key.keyId, sub.keyId],
      emails: ["archive@example.org", "second@example.org"],
      userIds,
    });
  });

  it("keeps a sound certificate as it is, with certifications by keys that it does not know", async () => {
    const sound = certificate({
      ...{ key, signatures: [revoked], certifiedBy: [certified(other), certified(stranger)], subkeys: [sub] },
    });
    expect(hex(await bytesOf(sound.bytes))).to.equal(hex(sound.bytes));
  });

  it("drops forged revocations, self-signatures and bindings, and user IDs that have nothing else", async () => {
    const foreign = keyRevocation({ by: stranger, of: key, at: day(5) });
    const self = selfSignature({ key, at: day(3) });
    const bogusSelf = { ...self, body: self.body.map((byte, at) => (at === self.body.length - 1 ? byte ^ 1 : byte)) };
    const unknown = certified(stranger);
    const loaded = certificate({
      key,
      signatures: [forged, foreign],
      userIds: [
        { userId: archiveId, signatures: [bogusSelf, unknown] },
        { userId: "Forged <forged@example.org>", self: false },
      ],
      subkeys: [sub, { key: other, bound: false, signatures: [binding(stranger, { key: other })] }],
    });
    const kept = readKeyring(await bytesOf(loaded.bytes)).certificates[0];
    expect(kept?.signatures).to.deep.equal([]);
    expect(kept?.userIds).to.have.length(1);
    expect(kept?.subkeys.map(({ packet }) => hex(packet.body))).to.deep.equal([hex(sub.body)]);
    // Made by another key, for all that can be told here: it stays, as any certification does.
    expect(kept?.userIds[0]?.signatures.map(({ body }) => hex(body)).slice(1)).to.deep.equal([hex(unknown.body)]);
  });

  it("takes two copies in one upload for one key", async () => {
    const [a, b] = [certificate({ key, certifiedBy: [certified(other)] }), certificate({ key, signatures: [revoked] })];
    const both = certificate({ key, signatures: [revoked], certifiedBy: [certified(other)] });
    expect(hex(await bytesOf(a.bytes, b.bytes))).to.equal(hex(both.bytes));
  });

  it("takes several keys", async () => {
    const found = await upload(certificate({ key }).bytes, certificate({ key: other }).bytes);
    expect(found.map(({ fingerprint }) => fingerprint)).to.deep.equal([key.fingerprint, other.fingerprint]);
  });

  it("takes a bare revocation for what it is, and no other bare signature", async () => {
    const [bare, ...others] = await upload(allFramed([revoked]));
    expect(others).to.deep.equal([]);
    expect(bare).to.deep.include({ fingerprint: key.fingerprint, bare: true });
    expect(await upload(allFramed([certified(other)]))).to.deep.equal([]);
  });

  it("finds nothing in an upload without keys", async () => {
    expect(await keyMerger.parse(Buffer.from("hello"))).to.deep.equal([]);
    expect(await keyMerger.parse(new Uint8Array())).to.deep.equal([]);
  });

  describe("merging", () => {
    const merged = async (old: Uint8Array, fresh: Uint8Array) => hex(await keyMerger.merge(old, fresh));

    it("unites, and never replaces", async () => {
      const [a, b] = [
        certificate({ key, certifiedBy: [certified(other)] }),
        certificate({ key, certifiedBy: [certified(stranger)] }),
      ];
      const both = certificate({ key, certifiedBy: [certified(other), certified(stranger)] });
      expect(await merged(a.bytes, b.bytes)).to.equal(hex(both.bytes));
      expect(await merged(both.bytes, a.bytes)).to.equal(hex(both.bytes));
    });

    it("lays a bare revocation to its key, and drops a forged one", async () => {
      const plain = certificate({ key });
      const whole = certificate({ key, signatures: [revoked] });
      expect(await merged(plain.bytes, allFramed([revoked]))).to.equal(hex(whole.bytes));
      expect(await merged(plain.bytes, allFramed([forged]))).to.equal(hex(plain.bytes));
      expect(await merged(whole.bytes, plain.bytes), "a revocation stays").to.equal(hex(whole.bytes));
    });

    it("drops what is forged in either copy", async () => {
      const plain = certificate({ key });
      const loaded = certificate({ key, signatures: [forged] });
      expect(await merged(loaded.bytes, plain.bytes)).to.equal(hex(plain.bytes));
      expect(await merged(plain.bytes, loaded.bytes)).to.equal(hex(plain.bytes));
    });

    it("keeps an owner's withdrawal of a user ID", async () => {
      const left = withdrawal({ by: key, of: key, userId: archiveId, at: day(5) });
      const whole = certificate({ key, certifiedBy: [left] });
      expect(await merged(certificate({ key }).bytes, whole.bytes)).to.equal(hex(whole.bytes));
    });
  });

  it("armors what it gives out", () => {
    const { bytes } = certificate({ key });
    const [block] = dearmor(Buffer.from(keyMerger.armor(bytes)), "PUBLIC KEY BLOCK");
    expect(hex(block)).to.equal(hex(bytes));
  });
});
