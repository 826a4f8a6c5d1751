import { expect } from "chai";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { unite } from "../../src/openpgp/certificate/merge.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { type Algorithm, algorithms, generate, splitUserId } from "../../src/openpgp/secret/generate.ts";
import { generateSplit } from "../../src/openpgp/secret/offline-primary.ts";
import { SecretKey } from "../../src/openpgp/secret/secret-key.ts";
import { effectiveRevocation, primaryState, refusePrimary, refuseSubkey } from "../../src/trust/key-state.ts";
import { archiveId } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { factsOf } from "../testkit/judging.ts";
import { refusal, refusalOf } from "../testkit/refusal.ts";

const bytesOf = (armored: string) => {
  const [certificate] = readKeys(Buffer.from(armored)).certificates;
  if (certificate === undefined) throw new Error("no certificate");
  return certificate;
};
const binary = (armored: string) => ({
  bytes: Buffer.from(armored.replace(/-----.*-----|\n=....\n|\n/g, ""), "base64"),
});
const make = (more: object = {}) => generate({ userId: archiveId, algorithm: "ed25519", at: day(0) + 789, ...more });

describe("openpgp/generate", () => {
  const facts: Readonly<Record<Algorithm, object>> = {
    ed25519: { algorithm: "eddsaLegacy", bits: 256, version: 4 },
    rsa3072: { algorithm: "rsa", bits: 3072, version: 4 },
    rsa4096: { algorithm: "rsa", bits: 4096, version: 4 },
    p256: { algorithm: "ecdsa", bits: 256, version: 4 },
    "ed25519-v6": { algorithm: "ed25519", bits: 256, version: 6 },
  };
  for (const algorithm of algorithms) {
    // Four thousand bits of RSA take seconds, and differ from three thousand in nothing else.
    if (algorithm === "rsa4096") continue;
    it(`makes a key that certifies and signs, without subkeys: ${algorithm}`, async () => {
      const made = await make({ algorithm, lifetime: 100 * 86_400_000 });
      const read = await factsOf(binary(made.certificate));
      expect(read.primary).to.include({ ...facts[algorithm], fingerprint: made.fingerprint, createdAt: day(0) });
      expect(read.userIds.map(({ text }) => text)).to.deep.equal([archiveId]);
      expect(read.subkeys).to.deep.equal([]);
      expect(primaryState(read, day(1))).to.deep.equal({ expiresAt: day(100), canCertify: true, canSign: true });
      // Of its preferences GnuPG knows all: SHA-3 (12, 14) it warns of.
      const [self] = bytesOf(made.certificate).userIds[0]?.signatures ?? [];
      const preferences = Buffer.from(self?.body ?? [])
        .toString("hex")
        .match(/0315((?:0[0-9a-f])+)/)?.[1];
      if (algorithm !== "ed25519-v6") expect(preferences).to.match(/^0a08/);
      expect(refusePrimary(read, day(99))).to.equal(undefined);
      expect(refusePrimary(read, day(100))?.code).to.equal("expired");
    }).timeout(60_000);
  }

  it("makes three revocation certificates: one hard, two soft, and each revokes when merged", async () => {
    const made = await make();
    for (const [reason, kind, code] of [
      ["compromised", "hard", 2],
      ["superseded", "soft", 1],
      ["retired", "soft", 3],
    ] as const) {
      const { loose } = readKeyring(binary(made.revocations[reason]).bytes);
      expect(loose).to.have.length(1);
      const bare = { ...bytesOf(made.certificate), signatures: loose, userIds: [], subkeys: [] };
      const merged = unite(bytesOf(made.certificate), bare);
      const bytes = Buffer.concat([binary(made.certificate).bytes, binary(made.revocations[reason]).bytes]);
      expect(merged.signatures).to.have.length(1);
      const found = effectiveRevocation((await factsOf({ bytes })).revocations, day(1));
      expect(found).to.include({ kind, reason: code });
    }
  });

  it("makes keys that never expire, or after the time that was asked for", async () => {
    const expiry = async (lifetime?: number) => {
      const state = primaryState(await factsOf(binary((await make({ lifetime })).certificate)), day(1));
      return "code" in state ? state.code : state.expiresAt;
    };
    expect(await expiry()).to.equal(undefined);
    expect(await expiry(2 * 365 * 86_400_000)).to.equal(day(730));
    // Less than a second, written as zero, would be a key that never expires.
    expect(await expiry(400)).to.equal(day(0) + 1000);
    expect((await refusalOf(() => make({ lifetime: 200 * 365 * 86_400_000 }))).code).to.equal("usage");
  });

  it("locks the secret key with the passphrase", async () => {
    const made = await make({ passphrase: "correct horse" });
    const wrong = await refusalOf(() => SecretKey.open(made.privateKey, async () => "wrong"));
    expect([wrong.code, wrong.message]).to.deep.equal([
      "bad_config",
      `the passphrase does not unlock key ${made.fingerprint}`,
    ]);
    const key = await SecretKey.open(made.privateKey, async () => "correct horse");
    expect(key.fingerprint).to.equal(made.fingerprint);
    const open = await SecretKey.open((await make()).privateKey, () =>
      Promise.reject(new Error("asked for a passphrase")),
    );
    expect(open.hasPrimary).to.equal(true);
  });

  describe("wants a user ID with name and address", () => {
    it("and cuts it in two", () => {
      expect(splitUserId(archiveId)).to.deep.equal({
        name: "Example Archive Signing Key",
        email: "archive@example.org",
      });
      expect(splitUserId("Zoë (2026) <z@example.org>")).to.deep.equal({ name: "Zoë (2026)", email: "z@example.org" });
    });
    for (const userId of [
      "",
      "a@b",
      "<a@b>",
      "Name <a>",
      "Name <a b@c>",
      "Name  <a@b>",
      "Name <a@b> ",
      "Name <a@b> <c@d>",
      "Name<a@b>",
    ]) {
      it(`and refuses ${JSON.stringify(userId)}`, () => {
        const said = refusal(() => splitUserId(userId));
        expect(said.code).to.equal("usage");
        expect(said.hint).to.match(/write it as/);
      });
    }
  });
});

describe("openpgp/offline-primary", () => {
  it("makes a primary that only certifies, and a signing subkey that stays", async () => {
    const { whole, staying } = await generateSplit({
      userId: archiveId,
      algorithm: "ed25519",
      at: day(0),
      lifetime: 100 * 86_400_000,
    });
    expect(staying.fingerprint).to.equal(whole.fingerprint);
    const read = await factsOf(binary(whole.certificate));
    expect(primaryState(read, day(1))).to.deep.equal({ expiresAt: day(100), canCertify: true, canSign: false });
    const [subkey] = read.subkeys;
    if (subkey === undefined) throw new Error("no subkey");
    expect(refuseSubkey(subkey, day(1))).to.equal(undefined);
    expect(refuseSubkey(subkey, day(100))?.code).to.equal("expired");
    const [all, part] = [
      await SecretKey.open(whole.privateKey, async () => ""),
      await SecretKey.open(staying.privateKey, async () => ""),
    ];
    expect([all.hasPrimary, part.hasPrimary]).to.deep.equal([true, false]);
  });

  it("locks both parts, and makes none of version 6", async () => {
    const { whole, staying } = await generateSplit({
      userId: archiveId,
      algorithm: "ed25519",
      at: day(0),
      passphrase: "x",
    });
    for (const { privateKey } of [whole, staying]) {
      expect((await refusalOf(() => SecretKey.open(privateKey, async () => "y"))).code).to.equal("bad_config");
      expect((await SecretKey.open(privateKey, async () => "x")).fingerprint).to.equal(whole.fingerprint);
    }
    const six = await refusalOf(() => generateSplit({ userId: archiveId, algorithm: "ed25519-v6", at: day(0) }));
    expect(six.code).to.equal("usage");
  });
});
