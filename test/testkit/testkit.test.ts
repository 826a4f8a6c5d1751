import { expect } from "chai";
import { createMessage, readKey, readPrivateKey, readSignature, verify } from "openpgp";
import { broken, withUnhashed } from "./altered.ts";
import { archiveId, certificate, secretKeyBlock } from "./certificate.ts";
import { day } from "./dates.ts";
import { allFramed, armored, framed, mpi } from "./framing.ts";
import { dsaKey, ed25519Key, rsaKey } from "./keys.ts";
import { dataSignature } from "./signature.ts";
import { area, critical, issuerKeyId, keyExpiresAfter, notation, raw } from "./subpackets.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** The library as an umpire that the program's own rules have no part in. */
async function libraryAccepts(certificateArmor: string, data: Uint8Array, signatures: Uint8Array): Promise<boolean> {
  const { signatures: results } = await verify({
    message: await createMessage({ binary: data }),
    signature: await readSignature({ binarySignature: signatures }),
    verificationKeys: await readKey({ armoredKey: certificateArmor }),
    date: new Date(day(100)),
    config: { rejectPublicKeyAlgorithms: new Set(), minRSABits: 1024 },
  });
  const [result] = results;
  return (await result?.verified.catch(() => false)) === true;
}

const everyKey = {
  "Ed25519 legacy": ed25519Key("testkit"),
  "Ed25519 native": ed25519Key("testkit", { native: true }),
  "Ed25519 version 6": ed25519Key("testkit", { version: 6 }),
  "RSA-2048": rsaKey("rsa-a"),
  "RSA-2048, the second": rsaKey("rsa-b"),
  "RSA-1024": rsaKey("rsa1024"),
  DSA: dsaKey(),
};

describe("testkit", () => {
  describe("framing", () => {
    it("writes multiprecision integers as RFC 9580 section 3.2 shows them", () => {
      expect(mpi(Uint8Array.of(1))).to.deep.equal(Uint8Array.of(0, 1, 1));
      expect(mpi(Uint8Array.of(0, 0x01, 0xff))).to.deep.equal(Uint8Array.of(0, 9, 0x01, 0xff));
      expect(mpi(Uint8Array.of(0x80))).to.deep.equal(Uint8Array.of(0, 8, 0x80));
      expect(mpi(Uint8Array.of(0))).to.deep.equal(Uint8Array.of(0, 0));
    });

    it("writes packet headers as RFC 9580 section 4.2.1.5 shows them", () => {
      const head = (length: number, octets: number) =>
        Buffer.from(framed({ tag: 2, body: new Uint8Array(length) }).subarray(1, 1 + octets)).toString("hex");
      expect(head(100, 1)).to.equal("64");
      expect(head(1723, 2)).to.equal("c5fb");
      expect(head(100_000, 5)).to.equal("ff000186a0");
    });

    it("writes subpackets with type, criticality and length", () => {
      expect(Buffer.from(area([critical(raw(100, [1, 2])), keyExpiresAfter(86_400)])).toString("hex")).to.equal(
        "03e40102" + "050900015180",
      );
      expect(Buffer.from(area([notation("a@b", "c")])).toString("hex")).to.equal("0d148000000000030001" + "61406263");
    });
  });

  for (const [name, key] of Object.entries(everyKey)) {
    it(`makes ${name} certificates and signatures that the library verifies`, async () => {
      const made = certificate({ key });
      const read = await readKey({ armoredKey: made.armored });
      expect(read.getFingerprint().toUpperCase()).to.equal(key.fingerprint);
      expect(read.getKeyID().toHex().toUpperCase()).to.equal(key.keyId);
      expect(read.getUserIDs()).to.deep.equal([archiveId]);
      const data = bytes("Package: a\n");
      const signature = allFramed([dataSignature({ by: key, at: day(1), data, feed: "base" })]);
      expect(await libraryAccepts(made.armored, data, signature)).to.equal(true);
      expect(await libraryAccepts(made.armored, bytes("Package: b\n"), signature)).to.equal(false);
    });

    it(`makes the same ${name} bytes each time`, () => {
      const data = bytes("x");
      const make = () => [certificate({ key }).bytes, dataSignature({ by: key, at: day(1), data }).body];
      expect(make()).to.deep.equal(make());
    });

    it(`writes ${name} secret keys that the library unlocks`, async () => {
      const subkey = ed25519Key("testkit subkey", { version: key.version });
      const made = certificate({ key, subkeys: [subkey] });
      const secret = await readPrivateKey({ armoredKey: secretKeyBlock(made, [key, subkey]) });
      expect(secret.getKeys().map((k) => k.keyPacket.isDecrypted())).to.deep.equal([true, true]);
      expect(secret.getFingerprint().toUpperCase()).to.equal(key.fingerprint);
    });
  }

  it("binds subkeys so that the library takes their signatures", async () => {
    const subkey = ed25519Key("testkit subkey");
    const made = certificate({ key: ed25519Key("testkit"), subkeys: [subkey] });
    const data = bytes("x");
    const signature = allFramed([dataSignature({ by: subkey, at: day(1), data })]);
    expect(await libraryAccepts(made.armored, data, signature)).to.equal(true);
  });

  it("alters a signature in its unhashed area, which keeps it good, or in its value, which does not", async () => {
    const key = ed25519Key("testkit");
    const data = bytes("x");
    const packet = dataSignature({ by: key, at: day(1), data });
    const made = certificate({ key }).armored;
    const other = withUnhashed(packet, area([issuerKeyId(key), raw(100, [1])]));
    expect(other.body.length).to.equal(packet.body.length + 3);
    expect(await libraryAccepts(made, data, allFramed([other]))).to.equal(true);
    expect(await libraryAccepts(made, data, allFramed([broken(packet)]))).to.equal(false);
  });

  it("makes other keys from other names and dates", () => {
    const fingerprints = [
      ed25519Key("a"),
      ed25519Key("b"),
      ed25519Key("a", { createdAt: day(1) }),
      ed25519Key("a", { native: true }),
    ].map(({ fingerprint }) => fingerprint);
    expect(new Set(fingerprints).size).to.equal(fingerprints.length);
  });

  it("armors what the library reads back", async () => {
    const data = bytes("x");
    const packet = framed(dataSignature({ by: ed25519Key("testkit"), at: day(1), data }));
    const read = await readSignature({ armoredSignature: armored("SIGNATURE", packet) });
    expect(read.packets).to.have.length(1);
  });
});
