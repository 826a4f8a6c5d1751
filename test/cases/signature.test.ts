// Signature, through the command line.
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { index, signed, withKeys } from "../testkit/archives/signed-index.ts";
import { type CertificateOptions, certificate, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { allFramed, armored, concat, type Packet } from "../testkit/framing.ts";
import { dsaKey, ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { certification, dataSignature, type Hash, type SignatureOptions, signature } from "../testkit/signature.ts";
import { area, created, critical, issuerFingerprint, issuerKeyId, raw } from "../testkit/subpackets.ts";

const seedKey = ed25519Key("cases seed");
const seed = certificate({ key: seedKey });
const strangerKey = ed25519Key("cases stranger");
const secondKey = ed25519Key("cases second");
const second = certificate({ key: secondKey });

/** A good signature by the seed, unless told otherwise. */
function sign(
  options: Partial<SignatureOptions> & { readonly type?: number; readonly data?: Uint8Array } = {},
): Packet {
  return dataSignature({ by: seedKey, at: signed, data: index, feed: "base", ...options });
}

const file = (...packets: readonly Packet[]) => allFramed(packets);
const armor = (...packets: readonly Packet[]) => armored("SIGNATURE", allFramed(packets));
const good = file(sign());
const byStranger = sign({ by: strangerKey });

describe("cases: signature file", () => {
  for (const [what, bytes] of [
    ["an empty file", new Uint8Array()],
    ["nothing but a marker packet", file({ tag: 10, body: Buffer.from("PGP") })],
  ] as const) {
    it(`${what}: no_signature`, () =>
      withKeys({ certificates: [seed] }, (c) => c.refuse("no_signature", 1, bytes).then()));
  }

  it("a missing file: no_signature", async () => {
    await withKeys({ certificates: [seed] }, async (c) => {
      const args = ["--signature", `${c.folder}/nothing`];
      expect((await c.verify(good, day(20), ...args)).status).to.equal(1);
    });
  });

  const page = Buffer.from("<!DOCTYPE html><title>Welcome</title>\n");
  const onePass = concat(Uint8Array.of(3, 0, 8, 22), Buffer.from(seedKey.keyId, "hex"), Uint8Array.of(1));
  const malformed: readonly (readonly [string, Uint8Array | string])[] = [
    ["text before the armor", `hello\n${armor(sign())}`],
    ["text after the armor", `${armor(sign())}hello\n`],
    ["text between two blocks", `${armor(sign())}hello\n${armor(sign())}`],
    ["a literal packet", file(sign(), { tag: 11, body: concat(Buffer.from("b\0\0\0\0\0"), index) })],
    ["a compressed packet", file({ tag: 8, body: Uint8Array.of(0, ...good) })],
    ["a whole signed message", file({ tag: 4, body: onePass }, { tag: 11, body: Buffer.from("b\0\0\0\0\0") }, sign())],
    ["a certificate", seed.bytes],
    ["an armored certificate", seed.armored],
    ["a web page", page],
    ["random bytes", Buffer.from("d1dcab1e5eed".repeat(20), "hex")],
    ["an armored block without an end", armor(sign()).replace(/-----END.*/s, "")],
    ["armor with nothing in it", armored("SIGNATURE", new Uint8Array())],
    ["a packet that is cut off", good.subarray(0, -1)],
    ["bytes after the packet", concat(good, Uint8Array.of(0))],
    ["a clear-signed message", `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${index}\n${armor(sign())}`],
  ];
  for (const [what, bytes] of malformed) {
    it(`${what}: bad_signature_data`, async () => {
      await withKeys({ certificates: [seed] }, async (c) => {
        await c.accept(good);
        await c.refuse("bad_signature_data", 65, bytes);
      });
    });
  }

  const accepted: readonly (readonly [string, Uint8Array | string])[] = [
    ["one binary packet", good],
    ["one armored block", armor(sign())],
    ["armor with CRLF and a comment", armor(sign()).replace("\n\n", "\nComment: x\n\n").replaceAll("\n", "\r\n")],
    ["two armored blocks", armor(sign()) + armor(sign({ hash: "sha512" }))],
    ["two armored blocks, an unknown signer first", armor(byStranger) + armor(sign())],
    ["two armored blocks, an unknown signer last", armor(sign()) + armor(byStranger)],
    ["two binary packets, an unknown signer first", file(byStranger, sign())],
    ["two binary packets, an unknown signer last", file(sign(), byStranger)],
    ["two packets in one block", armor(byStranger, sign())],
    ["a bad one of the same key beside the good one", file(sign({ data: Buffer.from("other") }), sign())],
    ["a packet of an unknown version beside the good one", file({ tag: 2, body: Uint8Array.of(9, 0, 0) }, sign())],
  ];
  for (const [what, bytes] of accepted) {
    it(`${what}: accepted`, async () => {
      await withKeys({ certificates: [seed] }, async (c) => {
        const { signatures } = await c.accept(bytes);
        const [first] = signatures as { certificate: string; signingKey: string; createdAt: string }[];
        const { fingerprint } = seedKey;
        expect(first).to.deep.equal({
          createdAt: "2026-01-11T12:00:00Z",
          certificate: fingerprint,
          signingKey: fingerprint,
        });
      });
    });
  }

  it("unknown signers alone: untrusted_signer, and because says why", async () => {
    await withKeys({ certificates: [seed] }, async (c) => {
      const { error } = await c.refuse("untrusted_signer", 1, file(byStranger));
      expect(error?.details.because).to.contain("no certificate");
    });
  });
});

describe("cases: signature, any byte changed", function () {
  this.timeout(60_000);

  it("of the index: refused at every position", async () => {
    await withKeys({ certificates: [seed] }, async (c) => {
      for (let at = 0; at < index.length; at++) {
        const changed = Buffer.from(index);
        changed[at] = (changed[at] ?? 0) ^ 0x01;
        await fs.writeFile(c.index, changed);
        expect((await c.verify(good, day(20), "--no-state")).status, `byte ${at}`).to.equal(1);
      }
      await fs.writeFile(c.index, index.subarray(0, -1));
      expect((await c.verify(good, day(20), "--no-state")).status, "cut").to.equal(1);
      await fs.writeFile(c.index, index);
      await c.accept(good);
    });
  });

  for (const [what, bytes] of [
    ["binary", Buffer.from(good)],
    ["armored", Buffer.from(armor(sign()))],
  ] as const) {
    it(`of the ${what} signature: refused at every position`, async () => {
      await withKeys({ certificates: [seed] }, async (c) => {
        const passed: string[] = [];
        for (let at = 0; at < bytes.length; at++) {
          for (const bits of [0x01, 0x80]) {
            const changed = Buffer.from(bytes);
            changed[at] = (changed[at] ?? 0) ^ bits;
            const { status } = await c.verify(changed, day(20), "--no-state");
            if (status !== 1 && status !== 65) passed.push(`byte ${at} ^ ${bits}: ${status}`);
          }
        }
        expect(passed).to.deep.equal([]);
        await c.accept(bytes);
      });
    });
  }
});

describe("cases: signature, who and how", () => {
  it("the same key twice counts once towards the threshold", async () => {
    const keys = { certificates: [seed, second], seeds: [seed, second], trust: ["threshold = 2"] };
    await withKeys(keys, async (c) => {
      await c.refuse("untrusted_signer", 1, file(sign(), sign({ hash: "sha512" })));
      await c.refuse("untrusted_signer", 1, file(sign(), sign()));
      await c.refuse("untrusted_signer", 1, file(sign(), byStranger));
      const { signatures } = await c.accept(file(sign(), sign({ by: secondKey })));
      expect(signatures).to.have.length(2);
    });
  });

  it("a key and its own subkey count once towards the threshold", async () => {
    const subkey = ed25519Key("cases subkey");
    const first = certificate({ key: seedKey, subkeys: [subkey] });
    await withKeys({ certificates: [first, second], seeds: [first, second], trust: ["threshold = 2"] }, async (c) => {
      await c.refuse("untrusted_signer", 1, file(sign(), sign({ by: subkey })));
      await c.accept(file(sign({ by: subkey }), sign({ by: secondKey })));
    });
  });

  const rsaSeed = certificate({ key: rsaKey("rsa-a") });
  for (const hash of ["md5", "sha1", "ripemd160"] as const satisfies readonly Hash[]) {
    it(`${hash}: weak_algorithm`, async () => {
      await withKeys({ certificates: [rsaSeed] }, async (c) => {
        await c.refuse("weak_algorithm", 1, file(sign({ by: rsaSeed.key, hash })));
        await c.accept(file(sign({ by: rsaSeed.key })));
      });
    });
  }

  for (const [what, key] of [
    ["RSA-1024", rsaKey("rsa1024")],
    ["DSA", dsaKey()],
  ] as const) {
    it(`${what}: weak_algorithm`, async () => {
      const weak = certificate({ key });
      await withKeys({ certificates: [weak] }, (c) => c.refuse("weak_algorithm", 1, file(sign({ by: key }))).then());
    });
  }

  const refused: readonly (readonly [string, Packet])[] = [
    ["a text-mode signature (0x01)", sign({ type: 0x01 })],
    ["a standalone signature (0x02)", signature(0x02, new Uint8Array(), { by: seedKey, at: signed })],
    ["a standalone signature over the data", sign({ type: 0x02 })],
    ["a certification over a user ID", certification({ by: seedKey, at: signed, of: secondKey, userId: "x <x@y.z>" })],
    ["a certification type over the data", sign({ type: 0x10 })],
    ["a timestamp signature (0x40) over the data", sign({ type: 0x40 })],
    ["a creation date in the unhashed area only", undated({ unhashed: [issuerKeyId(seedKey), created(signed)] })],
    ["no creation date at all", undated({})],
    ["an unknown critical subpacket", sign({ hashed: [critical(raw(100))] })],
    ["a critical notation nobody knows", sign({ hashed: [critical(raw(20, criticalNotation()))] })],
    ["dated before its key", sign({ at: day(-1) })],
    ["the fingerprint of another key", sign({ hashedArea: area([issuerFingerprint(secondKey), created(signed)]) })],
  ];
  for (const [what, packet] of refused) {
    it(`${what}: refused`, async () => {
      await withKeys({ certificates: [seed, second] }, async (c) => {
        await c.accept(good);
        const ended = await c.verify(file(packet));
        expect(ended.status).to.equal(1);
        expect(JSON.parse(ended.stdout).error.code).to.be.oneOf(["bad_signature", "untrusted_signer"]);
        if (!what.includes("another key")) await c.refuse("bad_signature", 1, file(packet));
      });
    });
  }

  it("two certificates with one signing subkey, so one key ID: both are tried, in either order", async () => {
    const shared = ed25519Key("cases shared subkey");
    // The stranger cannot make the back-signature; he copies the seed's packets.
    const rightful = certificate({ key: seedKey, subkeys: [shared] });
    const copied = rightful.packets.slice(-2);
    for (const name of ["one", "another", "a third"]) {
      const thief = certificate({ key: ed25519Key(`cases thief ${name}`), userIds: ["Thief <archive@example.org>"] });
      const with_ = { ...thief, bytes: concat(thief.bytes, allFramed(copied)) };
      for (const certificates of [
        [rightful, with_],
        [with_, rightful],
      ]) {
        await withKeys({ certificates, seeds: [rightful] }, async (c) => {
          const { signatures } = await c.accept(file(sign({ by: shared })));
          expect(signatures).to.deep.equal([
            { createdAt: "2026-01-11T12:00:00Z", certificate: seedKey.fingerprint, signingKey: shared.fingerprint },
          ]);
        });
        await withKeys({ certificates, seeds: [with_] }, (c) => refuseBoth(c, file(sign({ by: shared }))));
      }
    }
  });

  const subkey: TestKey = ed25519Key("cases subkey");
  const subkeys: readonly (readonly [string, CertificateOptions["subkeys"], boolean])[] = [
    ["a bound signing subkey", [{ key: subkey }], true],
    ["a signing subkey without back-signature", [{ key: subkey, backSignature: "none" }], false],
    ["an encryption subkey", [{ key: subkey, flags: ["encrypt"], backSignature: "none" }], false],
    ["an encryption subkey with a back-signature", [{ key: subkey, flags: ["encrypt"] }], false],
    ["a subkey that is not bound", [{ key: subkey, bound: false }], false],
  ];
  for (const [what, list, right] of subkeys) {
    it(`${what}: ${right ? "accepted" : "bad_signature"}`, async () => {
      const holder = certificate({ key: seedKey, subkeys: list ?? [] });
      await withKeys({ certificates: [holder] }, async (c) => {
        if (right) await c.accept(file(sign({ by: subkey })));
        else await c.refuse("bad_signature", 1, file(sign({ by: subkey })));
      });
    });
  }

  it("a primary key that only certifies: bad_signature", async () => {
    const holder: TestCertificate = certificate({ key: seedKey, flags: ["certify"] });
    await withKeys({ certificates: [holder] }, (c) => c.refuse("bad_signature", 1, good).then());
  });
});

function undated(options: Pick<SignatureOptions, "unhashed">): Packet {
  return sign({ hashedArea: area([issuerFingerprint(seedKey)]), ...options });
}

function criticalNotation(): Uint8Array {
  return Buffer.concat([Buffer.from([0x80, 0, 0, 0, 0, 13, 0, 1]), Buffer.from("x@example.orgy")]);
}

async function refuseBoth(c: { verify(s: Uint8Array): Promise<{ status: number | null }> }, bytes: Uint8Array) {
  expect((await c.verify(bytes)).status).to.equal(1);
}
