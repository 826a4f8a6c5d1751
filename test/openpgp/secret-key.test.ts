import { expect } from "chai";
import { type RawCertificate, readKeyring, writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { certify, withKeySignature, withUserIdSignature } from "../../src/openpgp/secret/amend.ts";
import { generateSplit } from "../../src/openpgp/secret/offline-primary.ts";
import { SecretKey } from "../../src/openpgp/secret/secret-key.ts";
import type { CertificateFacts } from "../../src/trust/facts.ts";
import { archiveId, type CertificateOptions, certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { codeBySeed, factsOf, judged } from "../testkit/judging.ts";
import { ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { refusal, refusalOf } from "../testkit/refusal.ts";
import { keyRevocation, subkeySignature } from "../testkit/signature.ts";
import { reason } from "../testkit/subpackets.ts";

const [a, b, signer] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("signer")];
const data = Buffer.from("Package: a\n");
const days = (n: number) => n * 86_400;
const nobody = () => Promise.reject(new Error("asked for a passphrase"));

function rawOf(bytes: Uint8Array): RawCertificate {
  const [found] = readKeyring(bytes).certificates;
  if (found === undefined) throw new Error("no certificate");
  return found;
}

interface Own {
  readonly secret: SecretKey;
  readonly certificate: { readonly raw: RawCertificate; readonly facts: CertificateFacts };
  readonly bytes: Uint8Array;
}

async function own(
  options: Partial<CertificateOptions> = {},
  secrets: readonly TestKey[] = [options.key ?? a, signer],
): Promise<Own> {
  const made = certificate({ key: a, ...options });
  return {
    secret: await SecretKey.open(secretKeyBlock(made, secrets), nobody),
    certificate: { raw: rawOf(made.bytes), facts: await factsOf(made) },
    bytes: made.bytes,
  };
}

describe("openpgp/secret-key", () => {
  describe("opens", () => {
    it("a key, and knows it by its fingerprint", async () => {
      const { secret } = await own();
      expect([secret.fingerprint, secret.hasPrimary]).to.deep.equal([a.fingerprint, true]);
    });
    for (const [what, text] of [
      ["nothing", ""],
      ["a web page", "<html>"],
      ["a certificate", certificate({ key: a }).armored],
    ] as const) {
      it(`but not ${what}`, async () => {
        const said = await refusalOf(() => SecretKey.open(text, nobody));
        expect([said.code, said.message]).to.deep.equal(["bad_certificate", "the secret key file can't be read"]);
      });
    }
  });

  describe("signs a document", () => {
    it("so that the rules accept it", async () => {
      const { secret, certificate: own1, bytes } = await own();
      const signed = await secret.signDocument(data, own1, {
        at: day(50),
        expiresAt: day(150),
        notations: [{ name: "feed@example.org", value: "base" }],
      });
      const policy = { requireFeedName: true, requireExpiry: true };
      expect(await codeBySeed([{ bytes }], data, signed, { policy })).to.equal("good");
      expect(await codeBySeed([{ bytes }], Buffer.from("x"), signed)).to.equal("bad_signature");
    });

    it("with a signing subkey if there is one that may, else with the primary", async () => {
      const maker = async (options: Partial<CertificateOptions>) => {
        const { secret, certificate: held, bytes } = await own(options);
        const signed = await secret.signDocument(data, held, { at: day(50) });
        expect(await codeBySeed([{ bytes }], data, signed)).to.equal("good");
        return Buffer.from(signed).includes(Buffer.from(signer.fingerprint, "hex")) ? "subkey" : "primary";
      };
      expect(await maker({ subkeys: [signer] })).to.equal("subkey");
      expect(await maker({ subkeys: [{ key: signer, flags: ["encrypt"] }] })).to.equal("primary");
      expect(await maker({ subkeys: [{ key: signer, keyExpiresAfter: days(40) }] })).to.equal("primary");
      const gone = subkeySignature(0x28, { by: a, primary: a, subkey: signer, at: day(1) });
      expect(await maker({ subkeys: [{ key: signer, signatures: [gone] }] })).to.equal("primary");
      expect(await maker({})).to.equal("primary");
    });

    for (const [what, options, code] of [
      ["expired", { keyExpiresAfter: days(40) }, "expired"],
      ["revoked", { signatures: [keyRevocation({ by: a, of: a, at: day(1), hashed: [reason(3)] })] }, "revoked"],
      ["weak", { key: rsaKey("rsa1024") }, "weak_algorithm"],
      ["from the future", { key: ed25519Key("late", { createdAt: day(60) }) }, "not_yet_valid"],
      ["certify-only, without a subkey", { flags: ["certify"] }, "bad_config"],
    ] as const) {
      it(`but not with a key that is ${what}: ${code}`, async () => {
        const { secret, certificate: held } = await own(options as Partial<CertificateOptions>);
        const said = await refusalOf(() => secret.signDocument(data, held, { at: day(50) }));
        expect(said.code).to.equal(code);
        expect(said.message).to.match(/^can't sign with [0-9A-F]{40}: /);
        expect(said.hint).to.match(code === "expired" ? /feedkey key extend/ : /feedkey keygen/);
      });
    }

    it("but not with another key's certificate", async () => {
      const { secret } = await own();
      const { certificate: other } = await own({ key: b });
      const said = await refusalOf(() => secret.signDocument(data, other, { at: day(50) }));
      expect(said.code).to.equal("internal");
    });
  });

  it("revokes itself", async () => {
    const { secret, bytes } = await own();
    const packet = await secret.revokeSelf({ at: day(50), reason: { code: 3, text: "retired" } });
    const revoked = withKeySignature(rawOf(bytes), packet);
    const { revocations } = await factsOf({ bytes: writeCertificate(revoked) });
    expect(revocations.map(({ kind, text, createdAt }) => [kind, text, createdAt])).to.deep.equal([
      ["soft", "retired", day(50)],
    ]);
  });

  describe("certifies another certificate", () => {
    it("so that the chain accepts it, and takes that back", async () => {
      const { secret, bytes } = await own();
      const subject = rawOf(certificate({ key: b }).bytes);
      const certified = await certify(secret, subject, archiveId, { type: 0x10, at: day(10) });
      const trust = await judged({ certificates: [{ bytes }, { bytes: writeCertificate(certified) }] });
      expect(trust.trusted.get(b.fingerprint)?.via).to.deep.equal([a.fingerprint]);
      const withdrawn = await certify(secret, certified, archiveId, { type: 0x30, at: day(20) });
      const after = await judged({ certificates: [{ bytes }, { bytes: writeCertificate(withdrawn) }] });
      expect(after.rejected.get(b.fingerprint)?.reason).to.match(/its issuer has withdrawn it/);
    });

    it("by the primary, even where a newer subkey may sign", async () => {
      const { secret, bytes } = await own({ subkeys: [signer] });
      const certified = await certify(secret, rawOf(certificate({ key: b }).bytes), archiveId, {
        type: 0x10,
        at: day(10),
      });
      const trust = await judged({ certificates: [{ bytes }, { bytes: writeCertificate(certified) }] });
      expect(trust.trusted.has(b.fingerprint)).to.equal(true);
    });

    it("of version 6 too", async () => {
      const [six, next] = [ed25519Key("six", { version: 6 }), ed25519Key("next", { version: 6 })];
      const { secret, bytes } = await own({ key: six });
      const certified = await certify(secret, rawOf(certificate({ key: next }).bytes), archiveId, {
        type: 0x10,
        at: day(10),
      });
      const trust = await judged({ certificates: [{ bytes }, { bytes: writeCertificate(certified) }] });
      expect(trust.trusted.has(next.fingerprint)).to.equal(true);
    });

    it("but not over a user ID that it does not have, nor a key that can't be used", async () => {
      const { secret } = await own();
      const subject = rawOf(certificate({ key: b }).bytes);
      const missing = await refusalOf(() =>
        certify(secret, subject, "Other <o@example.org>", { type: 0x10, at: day(10) }),
      );
      expect([missing.code, missing.message]).to.deep.equal([
        "bad_certificate",
        `${b.fingerprint} has no user ID "Other <o@example.org>"`,
      ]);
      const broken = { ...subject, primary: { tag: 6, body: Uint8Array.of(4, 0) } };
      expect((await refusalOf(() => certify(secret, broken, archiveId, { type: 0x10, at: day(10) }))).code).to.equal(
        "bad_certificate",
      );
    });
  });

  it("without its primary's secret signs with the subkey, and neither certifies nor revokes", async () => {
    const { staying } = await generateSplit({ userId: archiveId, algorithm: "ed25519", at: day(0) });
    const secret = await SecretKey.open(staying.privateKey, nobody);
    const bytes = Buffer.from(staying.certificate.replace(/-----.*-----|\n=....\n|\n/g, ""), "base64");
    const held = { raw: rawOf(bytes), facts: await factsOf({ bytes }) };
    const signed = await secret.signDocument(data, held, { at: day(50) });
    expect(await codeBySeed([{ bytes }], data, signed)).to.equal("good");
    for (const action of [
      () => secret.revokeSelf({ at: day(1) }),
      () => certify(secret, rawOf(certificate({ key: b }).bytes), archiveId, { type: 0x10, at: day(10) }),
    ]) {
      const said = await refusalOf(action);
      expect(said.code).to.equal("bad_config");
      expect(said.hint).to.match(/kept offline/);
    }
  });
});

describe("openpgp/amend", () => {
  it("adds a signature to the user ID meant, once", async () => {
    const made = certificate({ key: a, userIds: [archiveId, "Other <o@example.org>"] });
    const [raw] = readKeyring(made.bytes).certificates;
    if (raw === undefined) throw new Error("no certificate");
    const packet = keyRevocation({ by: a, of: a, at: day(1) });
    const once = withUserIdSignature(raw, "Other <o@example.org>", packet);
    expect(once.userIds.map(({ signatures }) => signatures.length)).to.deep.equal([1, 2]);
    expect(withUserIdSignature(once, "Other <o@example.org>", packet)).to.deep.equal(once);
    expect(refusal(() => withUserIdSignature(raw, "Nobody", packet)).code).to.equal("bad_certificate");
  });
});

describe("openpgp/certificate readKeyring", () => {
  it("has no certificate where there is none", () => expect(readKeyring(new Uint8Array()).certificates).to.be.empty);
});
