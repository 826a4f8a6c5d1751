/** GnuPG and Sequoia: what they make is read rightly here, and what is made here they accept. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { readKeyring, writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { armor } from "../../src/openpgp/packet/armor.ts";
import { certify } from "../../src/openpgp/secret/amend.ts";
import { type Algorithm, generate } from "../../src/openpgp/secret/generate.ts";
import { SecretKey } from "../../src/openpgp/secret/secret-key.ts";
import type { CertificateFacts } from "../../src/trust/facts.ts";
import { primaryState, refusePrimary, refuseSubkey } from "../../src/trust/key-state.ts";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { framed } from "../testkit/framing.ts";
import { codeBySeed, factsOf } from "../testkit/judging.ts";
import { ed25519Key, rsaKey } from "../testkit/keys.ts";
import { need, PeerHome } from "../testkit/programs/peers.ts";
import { dataSignature } from "../testkit/signature.ts";

const data = Buffer.from("Package: a\nVersion: 1\n");
// The peers look at the real clock.
// Set when these tests begin: the whole suite was loaded long before, and other programs date by the clock.
let now = 0;
let anHourAgo = 0;

const bytesOf = (armored: string) => writeCertificate(rawOf(Buffer.from(armored)));
function rawOf(file: Uint8Array) {
  const [certificate] = readKeys(file).certificates;
  if (certificate === undefined) throw new Error("no certificate");
  return certificate;
}

describe("peers", () => {
  before(() => {
    now = Math.floor(Date.now() / 1000) * 1000;
    anHourAgo = now - 3_600_000;
  });

  let home: PeerHome;
  beforeEach(() => {
    home = new PeerHome();
  });
  afterEach(() => home.end());

  /** Whether gpgv and sqv accept a signature over data by a certificate. */
  function accepted(certificate: Uint8Array, signature: Uint8Array, over: Uint8Array): boolean[] {
    const files = [
      home.file("cert.pgp", certificate),
      home.file("data.sig", signature),
      home.file("data", over),
    ] as const;
    const [keyring, sig, file] = files;
    return [
      home.run("gpgv", ["--keyring", keyring, sig, file]).status === 0,
      home.run("sqv", ["--keyring", keyring, sig, file]).status === 0,
    ];
  }

  describe("gpgv and sqv", () => {
    for (const algorithm of ["ed25519", "rsa3072", "p256"] as const satisfies readonly Algorithm[]) {
      it(`accept what a new key signs, and no more: ${algorithm}`, async function () {
        need(this, "gpgv", "sqv");
        const made = await generate({ userId: archiveId, algorithm, at: anHourAgo, lifetime: 86_400_000 });
        const secret = await SecretKey.open(made.privateKey, async () => "");
        const raw = rawOf(Buffer.from(made.certificate));
        const held = { raw, facts: await factsOf({ bytes: writeCertificate(raw) }) };
        const signed = await secret.signDocument(data, held, {
          at: now - 60_000,
          expiresAt: now + 3_600_000,
          notations: [{ name: "feed@example.org", value: "base" }],
        });
        const bytes = writeCertificate(raw);
        expect(accepted(bytes, signed, data)).to.deep.equal([true, true]);
        expect(accepted(bytes, Buffer.from(armor(signed, "SIGNATURE")), data)).to.deep.equal([true, true]);
        expect(accepted(bytes, signed, Buffer.from("other"))).to.deep.equal([false, false]);
        const ended = await secret.signDocument(data, held, { at: now - 60_000, expiresAt: now - 30_000 });
        expect(accepted(bytes, ended, data)).to.deep.equal([false, false]);
      }).timeout(60_000);
    }

    it("accept what the testkit makes", async function () {
      need(this, "gpgv", "sqv");
      for (const key of [ed25519Key("peer", { createdAt: day(-300) }), rsaKey("rsa-a", { createdAt: day(-300) })]) {
        const signature = framed(dataSignature({ by: key, at: day(-100), data }));
        expect(accepted(certificate({ key }).bytes, signature, data)).to.deep.equal([true, true]);
        const subkey = ed25519Key("peer subkey", { createdAt: day(-300) });
        const bySubkey = framed(dataSignature({ by: subkey, at: day(-100), data }));
        expect(accepted(certificate({ key, subkeys: [subkey] }).bytes, bySubkey, data)).to.deep.equal([true, true]);
      }
    });
  });

  describe("gpg", () => {
    /** A key in gpg's home, its certificate, and its signature over the data. */
    async function made(algorithm: string, ...more: readonly (readonly string[])[]) {
      home.gpg(["--quick-gen-key", archiveId, algorithm, "cert,sign", "2y"]);
      const listed = home
        .gpg(["--list-keys", "--with-colons"])
        .text.split("\n")
        .map((line) => line.split(":"));
      const fingerprint = listed.find(([kind]) => kind === "fpr")?.[9] ?? "";
      for (const args of more) home.gpg(args.map((arg) => (arg === "FPR" ? fingerprint : arg)));
      const bytes = home.gpg(["--export", fingerprint]).bytes;
      return { fingerprint, bytes, facts: await factsOf({ bytes }) };
    }
    const sign = (...options: readonly string[]) => {
      const file = home.file("data", data);
      return home.gpg([...options, "--detach-sign", "-o", "-", file]).bytes;
    };
    const judge = (bytes: Uint8Array, signature: Uint8Array) => codeBySeed([{ bytes }], data, signature, { at: now });

    function looksSound(facts: CertificateFacts, fingerprint: string) {
      expect(facts.primary.fingerprint).to.equal(fingerprint);
      expect(facts.userIds.map(({ text, selfSignatures }) => [text, selfSignatures.length])).to.deep.equal([
        [archiveId, 1],
      ]);
      const state = primaryState(facts, now);
      expect(state).to.include({ canCertify: true, canSign: true });
      const expiry = "code" in state ? 0 : (state.expiresAt ?? 0);
      expect(Math.abs(expiry - now - 2 * 365 * 86_400_000)).to.be.lessThan(86_400_000);
      expect(refusePrimary(facts, now)).to.equal(undefined);
    }

    for (const [algorithm, wanted] of [
      ["ed25519", { algorithm: "eddsaLegacy", bits: 256 }],
      ["rsa3072", { algorithm: "rsa", bits: 3072 }],
      ["nistp256", { algorithm: "ecdsa", bits: 256 }],
      ["nistp384", { algorithm: "ecdsa", bits: 384 }],
      ["nistp521", { algorithm: "ecdsa", bits: 521 }],
      ["brainpoolP256r1", { algorithm: "ecdsa", bits: 256 }],
      ["secp256k1", { algorithm: "ecdsa", bits: 256 }],
    ] as const) {
      it(`makes keys that are read rightly, and signatures that are good: ${algorithm}`, async function () {
        need(this, "gpg");
        const { facts, fingerprint, bytes } = await made(algorithm);
        expect(facts.primary).to.include(wanted);
        looksSound(facts, fingerprint);
        expect(await judge(bytes, sign())).to.equal("good");
        expect(await judge(bytes, sign("--armor"))).to.equal("good");
        expect(await judge(bytes, sign("--digest-algo", "SHA512"))).to.equal("good");
      }).timeout(60_000);
    }

    it("signs with a subkey, with weak hashes, over text, with an end: each judged as it should be", async function () {
      need(this, "gpg");
      const { bytes, facts } = await made("rsa2048", ["--quick-add-key", "FPR", "ed25519", "sign", "1y"]);
      const [subkey] = facts.subkeys;
      if (subkey === undefined) throw new Error("no subkey");
      expect(refuseSubkey(subkey, now)).to.equal(undefined);
      expect(await judge(bytes, sign())).to.equal("good");
      const primary = ["-u", `${facts.primary.fingerprint}!`];
      expect(await judge(bytes, sign(...primary, "--digest-algo", "SHA1"))).to.equal("weak_algorithm");
      expect(await judge(bytes, sign(...primary, "--textmode"))).to.equal("bad_signature");
      const short = sign("--default-sig-expire", "seconds=60");
      expect(await judge(bytes, short)).to.equal("good");
      expect(await codeBySeed([{ bytes }], data, short, { at: now + 3_600_000 })).to.equal("stale");
      expect(
        await judge(bytes, home.gpg(["--sign", "-o", "-", join(home.folder, "data")]).bytes).catch(
          (error) => error.code,
        ),
      ).to.equal("bad_signature_data");
      expect(
        await judge(bytes, home.gpg(["--clearsign", "-o", "-", join(home.folder, "data")]).bytes).catch(
          (error) => error.code,
        ),
      ).to.equal("bad_signature_data");
    }).timeout(60_000);

    it("revokes by its own revocation certificate, which is a bare packet here", async function () {
      need(this, "gpg");
      const { fingerprint, bytes } = await made("ed25519");
      const file = readFileSync(join(home.folder, "openpgp-revocs.d", `${fingerprint}.rev`));
      const { loose } = readKeys(file);
      expect(loose).to.have.length(1);
      const revoked = Buffer.concat([bytes, ...loose.map(framed)]);
      expect(await judge(revoked, sign())).to.equal("revoked");
    });

    it("takes our certificates and revocations, and revokes by them", async function () {
      need(this, "gpg");
      for (const reason of ["compromised", "superseded", "retired"] as const) {
        const key = await generate({ userId: archiveId, algorithm: "ed25519", at: anHourAgo });
        home.gpg(["--import"], key.certificate);
        const state = () =>
          home
            .gpg(["--list-keys", "--with-colons", key.fingerprint])
            .text.split("\n")
            .find((line) => line.startsWith("pub:"))
            ?.split(":")[1];
        expect(state()).to.not.equal("r");
        home.gpg(["--import"], key.revocations[reason]);
        expect(state()).to.equal("r");
      }
    }).timeout(60_000);

    it("takes our secret keys, locked ones too, and signs with them", async function () {
      need(this, "gpg");
      for (const passphrase of [undefined, "correct horse"]) {
        const key = await generate({ userId: archiveId, algorithm: "ed25519", at: anHourAgo, passphrase });
        const unlock = ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase ?? ""];
        home.must("gpg", [...unlock, "--import"], key.privateKey);
        const file = home.file("data", data);
        const { bytes } = home.must("gpg", [...unlock, "-u", key.fingerprint, "--detach-sign", "-o", "-", file]);
        expect(await judge(bytesOf(key.certificate), bytes)).to.equal("good");
      }
    }).timeout(60_000);

    it("finds our certifications good", async function () {
      need(this, "gpg");
      const [issuer, subject] = [
        await generate({ userId: archiveId, algorithm: "ed25519", at: anHourAgo }),
        await generate({ userId: archiveId, algorithm: "p256", at: anHourAgo }),
      ];
      const secret = await SecretKey.open(issuer.privateKey, async () => "");
      const content = { type: 0x10, at: now - 60_000, expiresAt: now + 86_400_000 };
      const certified = await certify(secret, rawOf(Buffer.from(subject.certificate)), archiveId, content);
      home.gpg(["--import"], Buffer.concat([bytesOf(issuer.certificate), writeCertificate(certified)]));
      const checked = home.gpg(["--check-sigs", "--with-colons", subject.fingerprint]).text;
      const lines = checked
        .split("\n")
        .filter((line) => line.startsWith("sig:!:") && line.includes(issuer.fingerprint));
      expect(lines).to.have.length(1);
    }).timeout(60_000);
  });

  describe("sq", () => {
    for (const suite of ["cv25519", "rsa3k"]) {
      it(`makes keys that are read rightly, and signatures that are good: ${suite}`, async function () {
        need(this, "sq");
        const key = join(home.folder, "key.pgp");
        home.must("sq", ["key", "generate", "--cipher-suite", suite, "--userid", archiveId, "--export", key]);
        expect(existsSync(key)).to.equal(true);
        const bytes = bytesOf(home.must("sq", ["key", "extract-cert", key]).bytes.toString());
        const facts = await factsOf({ bytes });
        expect(facts.userIds.map(({ text }) => text)).to.deep.equal([archiveId]);
        expect(facts.directSignatures).to.have.length(1);
        expect(primaryState(facts, now)).to.include({ canCertify: true, canSign: false });
        const good = facts.subkeys.filter((subkey) => refuseSubkey(subkey, Date.now()) === undefined);
        expect(good).to.have.length(1);
        const file = home.file("data", data);
        const signature = home.must("sq", ["sign", "--detached", "--signer-key", key, file]).bytes;
        expect(await codeBySeed([{ bytes }], data, signature, { at: Date.now() })).to.equal("good");
        expect(readKeyring(bytes).problems).to.deep.equal([]);
      }).timeout(60_000);
    }
  });
});
