import { expect } from "chai";
import { enums, readPrivateKey, SecretKeyPacket, UserIDPacket } from "openpgp";
import { parseSignature, type RawSignature } from "../../src/openpgp/packet/raw-signature.ts";
import { readSubpackets } from "../../src/openpgp/packet/subpackets.ts";
import { libraryDocument, makeSignature, type SecretPacket } from "../../src/openpgp/secret/make-signature.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { codeBySeed } from "../testkit/judging.ts";
import { ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { refusalOf } from "../testkit/refusal.ts";

const data = Buffer.from("Package: a\n");

async function secretOf(key: TestKey): Promise<SecretPacket> {
  const { keyPacket } = await readPrivateKey({ armoredKey: secretKeyBlock(certificate({ key })) });
  return keyPacket as SecretPacket;
}

async function make(key: TestKey, content: object): Promise<{ body: Uint8Array; raw: RawSignature }> {
  const { body } = await makeSignature(await secretOf(key), libraryDocument(data), { type: 0, at: day(1), ...content });
  const raw = parseSignature(body);
  if (typeof raw === "string") throw new Error(raw);
  return { body, raw };
}

describe("openpgp/make-signature", () => {
  for (const [name, key] of [
    ["Ed25519", ed25519Key("maker")],
    ["RSA", rsaKey("rsa-a")],
    ["version 6", ed25519Key("maker", { version: 6 })],
  ] as const) {
    it(`makes what the rules accept: ${name}`, async () => {
      const { body, raw } = await make(key, {
        expiresAt: day(120),
        notations: [{ name: "feed@example.org", value: "base" }],
      });
      expect(raw.hash).to.equal("sha256");
      expect(raw.hashed).to.deep.include({
        createdAt: day(1),
        signatureLifetime: 119 * 86_400,
        notations: [{ name: "feed@example.org", value: "base", critical: false }],
        issuerFingerprint: key.fingerprint,
        unknownCritical: [],
      });
      const policy = { feed: "base", requireFeedName: true, requireExpiry: true };
      expect(await codeBySeed([certificate({ key })], data, [{ tag: 2, body }], { policy })).to.equal("good");
    });
  }

  it("puts the issuer's key ID into the hashed area, which netpgpverify wants, and leaves the unhashed one empty", async () => {
    const key = rsaKey("rsa-a");
    const { raw } = await make(key, {});
    expect(raw.hashed.issuerKeyId).to.equal(key.keyId);
    const start = raw.hashedPart.length;
    expect([...raw.body.subarray(start, start + 2)]).to.deep.equal([0, 0]);
  });

  it("marks no notation critical: gpgv and sqv would fail on it", async () => {
    const { raw } = await make(ed25519Key("maker"), { notations: [{ name: "feed@x", value: "y" }] });
    const area = readSubpackets(raw.hashedPart.subarray(6));
    expect(area.filter(({ type }) => type === 20).map(({ critical }) => critical)).to.deep.equal([false]);
  });

  it("marks the end of a signature critical over data, and not about a key: rpm 4.18 could not hold that key", async () => {
    const key = ed25519Key("maker");
    const secret = await secretOf(key);
    const about = { key: secret, userID: UserIDPacket.fromObject({ name: "A", email: "a@example.org" }) };
    for (const [type, over, expected] of [
      [0x00, libraryDocument(data), true],
      [0x10, about, false],
      [0x30, about, false],
    ] as const) {
      const { body } = await makeSignature(secret, over, { type, at: day(1), expiresAt: day(120) });
      const raw = parseSignature(body);
      if (typeof raw === "string") throw new Error(raw);
      expect(raw.hashed.signatureLifetime).to.equal(119 * 86_400);
      const ends = readSubpackets(raw.hashedPart.subarray(6)).filter((one) => one.type === 3);
      expect(ends.map(({ critical }) => critical)).to.deep.equal([expected]);
    }
  });

  it("makes the same version 4 bytes from the same input", async () => {
    const [one, two] = [await make(ed25519Key("maker"), {}), await make(ed25519Key("maker"), {})];
    expect(one.body).to.deep.equal(two.body);
  });

  it("writes trust level and reason", async () => {
    const key = ed25519Key("maker");
    const secret = await secretOf(key);
    const packet = await makeSignature(
      secret,
      { key: secret },
      {
        type: 0x1f,
        at: day(1),
        trust: { level: 2, amount: 120 },
        reason: { code: 3, text: "ünder" },
      },
    );
    const raw = parseSignature(packet.body);
    expect(raw).to.have.nested.property("hashed.trust").that.deep.equals({ level: 2, amount: 120 });
    expect(raw).to.have.nested.property("hashed.reason.code", 3);
  });

  it("takes the hash that a larger curve needs", async () => {
    for (const [curve, hash] of [
      ["nistP256", "sha256"],
      ["nistP384", "sha384"],
      ["nistP521", "sha512"],
    ] as const) {
      const packet = new SecretKeyPacket();
      packet.algorithm = enums.publicKey.ecdsa;
      // Not among its declared types.
      const maker = packet as unknown as Record<
        "generate" | "computeFingerprintAndKeyID",
        (...of: unknown[]) => Promise<void>
      >;
      await maker.generate(undefined, curve);
      await maker.computeFingerprintAndKeyID();
      const made = parseSignature(
        (await makeSignature(packet as SecretPacket, libraryDocument(data), { type: 0, at: day(1) })).body,
      );
      expect(made).to.have.property("hash", hash);
    }
  });

  describe("an end that the format can't hold", () => {
    it("is never written as one that never comes: a signature that has ended already ends at once", async () => {
      for (const expiresAt of [day(1), day(0), day(1) + 400]) {
        const { raw } = await make(ed25519Key("maker"), { expiresAt });
        expect(raw.hashed.signatureLifetime).to.equal(1);
      }
    });
    it("is refused where it is too far", async () => {
      const far = await refusalOf(() => make(ed25519Key("maker"), { expiresAt: day(1) + 2 ** 32 * 1000 }));
      expect(far.code).to.equal("usage");
    });
    it("is written where it just fits", async () => {
      const { raw } = await make(ed25519Key("maker"), { expiresAt: day(1) + (2 ** 32 - 1) * 1000 });
      expect(raw.hashed.signatureLifetime).to.equal(2 ** 32 - 1);
    });
  });
});
