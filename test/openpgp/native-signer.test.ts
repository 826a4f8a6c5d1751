/** Signing a digest beside signing the document by the library: the same packets, byte for byte. */
import { expect } from "chai";
import { readPrivateKey } from "openpgp";
import { HashedDocument } from "../../src/openpgp/packet/hashed-document.ts";
import { readInteger, writeInteger } from "../../src/openpgp/packet/mpi.ts";
import { parseSignature } from "../../src/openpgp/packet/raw-signature.ts";
import { generate } from "../../src/openpgp/secret/generate.ts";
import {
  libraryDocument,
  makeSignature,
  type SecretPacket,
  signHashed,
} from "../../src/openpgp/secret/make-signature.ts";
import { signDigest } from "../../src/openpgp/secret/native-signer.ts";
import { archiveId, certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { codeBySeed } from "../testkit/judging.ts";
import { ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";

const data = Buffer.from("Package: a\n");
const content = { at: day(1), expiresAt: day(120), notations: [{ name: "feed@example.org", value: "base" }] };

async function secretOf(key: TestKey): Promise<SecretPacket> {
  const { keyPacket } = await readPrivateKey({ armoredKey: secretKeyBlock(certificate({ key })) });
  return keyPacket as SecretPacket;
}

describe("openpgp/native-signer", () => {
  for (const [name, key] of Object.entries({
    RSA: rsaKey("rsa-a"),
    "another RSA": rsaKey("rsa-b"),
    "Ed25519 legacy": ed25519Key("signer"),
    Ed25519: ed25519Key("signer", { native: true }),
  })) {
    it(`makes the library's very packet: ${name}`, async () => {
      const secret = await secretOf(key);
      // Some start with a zero octet, which integers leave out.
      for (let i = 0; i < 40; i++) {
        const bytes = Buffer.from(`${data}${i}`);
        const mine = await signHashed(secret, new HashedDocument(bytes), content);
        const library = await makeSignature(secret, libraryDocument(bytes), { ...content, type: 0 });
        expect(Buffer.from(mine.body).toString("hex")).to.equal(Buffer.from(library.body).toString("hex"));
      }
    });

    it(`does it by itself: ${name}`, async () => {
      expect(signDigest(await secretOf(key), "sha256", new Uint8Array(32))).to.be.instanceOf(Uint8Array);
    });
  }

  it("signs with a version 6 key, whose salt is another each time", async () => {
    const key = ed25519Key("signer", { version: 6 });
    const secret = await secretOf(key);
    const packets = [1, 2].map(() => signHashed(secret, new HashedDocument(data), content));
    const [one, other] = await Promise.all(packets);
    expect(one?.body).to.not.deep.equal(other?.body);
    const policy = { feed: "base", requireFeedName: true, requireExpiry: true };
    for (const packet of [one, other]) {
      expect(packet && (await codeBySeed([certificate({ key })], data, [packet], { policy }))).to.equal("good");
    }
  });

  it("leaves other algorithms and hashes to the library", async () => {
    expect(signDigest(await secretOf(rsaKey("rsa-a")), "whirlpool", new Uint8Array(64))).to.equal(undefined);
    const terms = {
      userId: archiveId,
      algorithm: "p256",
      at: day(0),
      lifetime: undefined,
      passphrase: undefined,
    } as const;
    const { privateKey } = await generate(terms);
    const secret = (await readPrivateKey({ armoredKey: privateKey })).keyPacket as SecretPacket;
    expect(signDigest(secret, "sha256", new Uint8Array(32))).to.equal(undefined);
    const raw = parseSignature((await signHashed(secret, new HashedDocument(data), content)).body);
    expect(typeof raw === "string" ? raw : raw.algorithm).to.equal(19);
  });

  it("writes integers as they are read", () => {
    for (const bytes of [[1], [0x80], [0, 0, 1, 2], [0xff, 0xff], []]) {
      const written = writeInteger(Uint8Array.from(bytes));
      const read = readInteger(written, 0, "exact");
      const value = bytes.slice(bytes.findIndex((octet) => octet !== 0));
      if (value.length > 0) expect([...(read?.bytes ?? [])]).to.deep.equal(value);
      else expect([...written]).to.deep.equal([0, 0]);
    }
  });
});
