import { createHash } from "node:crypto";
import { expect } from "chai";
import { config, generateKey } from "openpgp";
import { isMadeBy } from "../../src/openpgp/check/check-signature.ts";
import { HashedDocument } from "../../src/openpgp/packet/hashed-document.ts";
import { type LoadedKey, loadKey } from "../../src/openpgp/packet/key-packet.ts";
import {
  namesIssuer,
  parseSignature,
  type RawSignature,
  signatureFacts,
} from "../../src/openpgp/packet/raw-signature.ts";
import { documentDigest } from "../../src/openpgp/packet/signed-digest.ts";
import type { SignedParts } from "../../src/openpgp/packet/signed-parts.ts";
import { archiveId } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { concat, octets } from "../testkit/framing.ts";
import { factsOf } from "../testkit/judging.ts";
import { dsaKey, ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import {
  certification,
  dataSignature,
  directSignature,
  type Hash,
  keyRevocation,
  signature,
  subkeySignature,
} from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const [a, b] = [ed25519Key("a"), ed25519Key("b")];
const userId = Buffer.from(archiveId);
const data = Buffer.from("Package: a\n");

function parse(packet: { body: Uint8Array }): RawSignature {
  const raw = parseSignature(packet.body);
  if (typeof raw === "string") throw new Error(raw);
  return raw;
}

async function load(key: TestKey): Promise<LoadedKey> {
  const loaded = await loadKey(key.body, key.fingerprint);
  if (loaded === undefined) throw new Error("the key can't be loaded");
  return loaded;
}

function digestOf(raw: RawSignature, bytes: Uint8Array = data): Uint8Array {
  return documentDigest(raw, createHash(raw.hash).update(raw.salt).update(bytes));
}

const hashes: readonly Hash[] = [
  "md5",
  "sha1",
  "ripemd160",
  "sha224",
  "sha256",
  "sha384",
  "sha512",
  "sha3-256",
  "sha3-512",
];

describe("openpgp/raw-signature", () => {
  describe("checks the mathematics", () => {
    for (const [name, key] of Object.entries({
      "Ed25519 legacy": a,
      Ed25519: ed25519Key("a", { native: true }),
      RSA: rsaKey("rsa-a"),
      "weak RSA": rsaKey("rsa1024"),
      DSA: dsaKey(),
    })) {
      it(`with any hash, weak ones too: a revocation is honoured whatever it hashes with (${name})`, async () => {
        const maker = await load(key);
        for (const hash of hashes) {
          const raw = parse(keyRevocation({ by: key, of: key, at: day(1), hash }));
          expect(await isMadeBy(raw, maker, { key: maker }), hash).to.equal(true);
          expect(await isMadeBy(raw, maker, { key: await load(b) }), hash).to.equal(false);
          const signed = parse(dataSignature({ by: key, at: day(1), data, hash }));
          expect(await isMadeBy(signed, maker, new HashedDocument(data)), hash).to.equal(true);
          expect(await isMadeBy(signed, maker, new HashedDocument(Buffer.from("x"))), hash).to.equal(false);
        }
      });
    }

    it("of Ed448", async () => {
      const made = await generateKey({
        type: "curve448",
        userIDs: [{ name: "Example Archive Signing Key", email: "archive@example.org" }],
        subkeys: [{ type: "curve448", sign: true }],
        format: "binary",
        config: { ...config, v6Keys: true },
      });
      const facts = await factsOf({ bytes: made.publicKey });
      expect(facts.primary).to.include({ algorithm: "ed448", bits: 448 });
      expect([facts.directSignatures.length, facts.userIds[0]?.selfSignatures.length]).to.deep.equal([1, 1]);
      expect(facts.subkeys[0]?.bindings[0]?.backSignature).to.include({ type: 0x19 });
      const broken = Uint8Array.from(made.publicKey);
      broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
      expect((await factsOf({ bytes: broken })).subkeys[0]?.bindings).to.deep.equal([]);
    });

    for (const curve of ["nistP256", "nistP384", "nistP521"] as const) {
      it(`of ECDSA over ${curve}, as the library makes it`, async () => {
        const userIDs = [{ name: "Example Archive Signing Key", email: "archive@example.org" }];
        const made = await generateKey({ type: "ecc", curve, userIDs, format: "binary" });
        const facts = await factsOf({ bytes: made.publicKey });
        expect(facts.primary.algorithm).to.equal("ecdsa");
        expect([facts.userIds[0]?.selfSignatures.length, facts.subkeys[0]?.bindings.length]).to.deep.equal([1, 1]);
        const broken = Uint8Array.from(made.publicKey);
        broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
        expect((await factsOf({ bytes: broken })).subkeys[0]?.bindings).to.deep.equal([]);
      });
    }

    it("of numbers in their form alone: none cut off, none too long, nothing behind them", async () => {
      for (const key of [a, ed25519Key("a", { native: true }), rsaKey("rsa-a")]) {
        const maker = await load(key);
        const { body } = keyRevocation({ by: key, of: key, at: day(1) });
        const tail = parse({ body }).numbers;
        const head = body.subarray(0, body.length - tail.length);
        const longer = concat(
          Uint8Array.of((tail[0] ?? 0) + 1),
          tail.subarray(1, 2),
          new Uint8Array(32),
          tail.subarray(2),
        );
        for (const other of [concat(tail, Uint8Array.of(0)), tail.subarray(0, -1), tail.subarray(0, 1), longer]) {
          expect(await isMadeBy(parse({ body: concat(head, other) }), maker, { key: maker })).to.equal(false);
        }
        expect(await isMadeBy(parse({ body: concat(head, tail) }), maker, { key: maker })).to.equal(true);
      }
    });

    it("of version 6", async () => {
      const key = ed25519Key("a", { version: 6 });
      const maker = await load(key);
      for (const hash of ["sha256", "sha384", "sha512", "sha3-256", "sha3-512"] as const) {
        const raw = parse(dataSignature({ by: key, at: day(1), data, hash }));
        expect(await isMadeBy(raw, maker, new HashedDocument(data)), hash).to.equal(true);
        const revocation = parse(keyRevocation({ by: key, of: key, at: day(1), hash }));
        expect(await isMadeBy(revocation, maker, { key: maker }), hash).to.equal(true);
      }
    });

    it("of every type over keys and user IDs, and takes none for another", async () => {
      const [primary, bind] = [await load(a), await load(b)];
      const over = { of: a, userId: archiveId, by: a, at: day(1) };
      const pair = { primary: a, subkey: b, at: day(1) };
      const cases: readonly (readonly [RawSignature, LoadedKey, SignedParts])[] = [
        ...[0x10, 0x11, 0x12, 0x13, 0x30].map((type) => {
          return [parse(certification({ ...over, type })), primary, { key: primary, userId }] as const;
        }),
        [parse(directSignature({ ...over })), primary, { key: primary }],
        [parse(keyRevocation({ ...over })), primary, { key: primary }],
        [parse(subkeySignature(0x18, { ...pair, by: a })), primary, { key: primary, bind }],
        [parse(subkeySignature(0x28, { ...pair, by: a })), primary, { key: primary, bind }],
        [parse(subkeySignature(0x19, { ...pair, by: b })), bind, { key: primary, bind }],
      ];
      for (const [raw, maker, parts] of cases) {
        expect(await isMadeBy(raw, maker, parts), `type ${raw.type}`).to.equal(true);
        for (const [other] of cases) {
          const body = concat(raw.body.subarray(0, 1), Uint8Array.of(other.type), raw.body.subarray(2));
          const renamed = parse({ body });
          if (other.type !== raw.type) expect(await isMadeBy(renamed, maker, parts)).to.equal(false);
        }
      }
    });

    it("over user IDs byte by byte, not as text", async () => {
      const maker = await load(a);
      const bytes = Uint8Array.of(0xff, 0xfe, 0x41);
      const raw = parse(certification({ by: a, of: a, userId: bytes, at: day(1) }));
      expect(await isMadeBy(raw, maker, { key: maker, userId: bytes })).to.equal(true);
      expect(await isMadeBy(raw, maker, { key: maker, userId: Uint8Array.of(0xfe, 0xff, 0x41) })).to.equal(false);
    });

    it("without a date in the hashed area too: what that is worth is for the rules", async () => {
      const maker = await load(a);
      const hashedArea = sub.area([sub.issuerFingerprint(a)]);
      const raw = parse(keyRevocation({ by: a, of: a, at: day(1), hashedArea, unhashed: [sub.created(day(1))] }));
      expect(raw.hashed.createdAt).to.equal(undefined);
      expect(await isMadeBy(raw, maker, { key: maker })).to.equal(true);
    });

    it("and believes a hashed fingerprint that names another key", async () => {
      const maker = await load(a);
      const lying = { by: { ...a, fingerprint: b.fingerprint }, of: a, at: day(1) };
      expect(await isMadeBy(parse(keyRevocation(lying)), maker, { key: maker })).to.equal(false);
    });

    it("whatever critical, revoker and notation subpackets it holds: judging those is for the rules", async () => {
      const maker = await load(a);
      const hashed = [sub.critical(sub.raw(100)), sub.critical(sub.notation("x@y", "z")), sub.revoker(b)];
      const raw = parse(keyRevocation({ by: a, of: a, at: day(1), hashed }));
      expect(await isMadeBy(raw, maker, { key: maker })).to.equal(true);
    });

    it("and refuses a version other than the key's (RFC 9580 section 5.2)", async () => {
      const six = ed25519Key("a", { version: 6 });
      for (const [key, version] of [
        [a, 6],
        [six, 4],
      ] as const) {
        const maker = await load(key);
        const revocation = parse(keyRevocation({ by: key, of: key, at: day(1), version }));
        expect(await isMadeBy(revocation, maker, { key: maker })).to.equal(false);
        const signed = parse(dataSignature({ by: key, at: day(1), data, version }));
        expect(await isMadeBy(signed, maker, new HashedDocument(data))).to.equal(false);
      }
    });

    it("and refuses an algorithm other than the key's", async () => {
      const maker = await load(a);
      const other = ed25519Key("a", { native: true });
      const raw = parse(dataSignature({ by: { ...other, fingerprint: a.fingerprint }, at: day(1), data }));
      expect(await isMadeBy(raw, maker, new HashedDocument(data))).to.equal(false);
    });

    it("and refuses a hash that it does not know, and a digest of the wrong length", async () => {
      const maker = await load(a);
      const unknown = Uint8Array.from(keyRevocation({ by: a, of: a, at: day(1) }).body);
      unknown[3] = 99;
      expect(await isMadeBy(parse({ body: unknown }), maker, { key: maker })).to.equal(false);
    });
  });

  it("knows who is named: a fingerprint before a key ID, nobody for nobody", async () => {
    const maker = await load(a);
    const named = (hashed: readonly sub.Subpacket[], unhashed: readonly sub.Subpacket[]) => {
      const hashedArea = sub.area([sub.created(day(1)), ...hashed]);
      return namesIssuer(
        parse(dataSignature({ by: a, at: day(1), data, hashedArea, unhashed })),
        maker.facts.fingerprint,
      );
    };
    expect(named([sub.issuerFingerprint(a)], [])).to.equal(true);
    expect(named([], [sub.issuerKeyId(a)])).to.equal(true);
    expect(named([sub.issuerKeyId(a)], [sub.issuerFingerprint(b)])).to.equal(false);
    expect(named([sub.issuerFingerprint(b)], [sub.issuerKeyId(a)])).to.equal(false);
    expect(named([], [])).to.equal(false);
  });

  it("tells the facts of a signature", async () => {
    const maker = { ...(await load(b)), certificate: a.fingerprint };
    const packet = signature(0x10, new Uint8Array(), {
      by: b,
      at: day(1),
      expiresAfter: 60,
      hash: "sha1",
      hashed: [sub.exportable(false), sub.trustLevel(1, 120), sub.notation("n@x", "v"), sub.critical(sub.raw(100))],
    });
    expect(signatureFacts(parse(packet), maker)).to.deep.equal({
      type: 0x10,
      version: 4,
      createdAt: day(1),
      expiresAt: day(1) + 60_000,
      hash: "sha1",
      certificate: a.fingerprint,
      key: b.fingerprint,
      exportable: false,
      unknownCritical: ["critical subpacket 100"],
      notations: [{ name: "n@x", value: "v", critical: false }],
      trust: { level: 1, amount: 120 },
      id: createHash("sha256").update(packet.body).digest("hex").toUpperCase(),
    });
  });

  it("computes the digest that RFC 9580 section 5.2.4 describes", () => {
    const raw = parse(dataSignature({ by: a, at: day(1), data }));
    const trailer = concat(Uint8Array.of(4, 0xff), octets(raw.hashedPart.length, 4));
    const wanted = createHash("sha256")
      .update(concat(data, raw.hashedPart, trailer))
      .digest();
    expect(Buffer.from(digestOf(raw))).to.deep.equal(wanted);
  });
});
