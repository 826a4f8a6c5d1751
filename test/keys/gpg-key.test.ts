/** `key = gpg:FINGERPRINT` in archive.ini: the secret stays in GnuPG, here in a home and agent of the test's own. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readSignatureFile } from "../../src/openpgp/check/detached.ts";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { documentOf, type JsonDocument, runProcess, runProgram } from "../testkit/programs/command-line.ts";
import { GnupgHome, inGnupgHome } from "../testkit/programs/gnupg.ts";
import { needing } from "../testkit/programs/programs.ts";
import { snapshot } from "../testkit/snapshot.ts";

describe("a key that stays in GnuPG", function () {
  this.timeout(60_000);
  let archive: LiveArchive;
  let gpg: GnupgHome;

  before(needing("gpg", "gpgv"));

  beforeEach(async () => {
    archive = await LiveArchive.make();
    gpg = await GnupgHome.make();
  });

  afterEach(async () => {
    await gpg.remove();
    await archive.remove();
  });

  /** A command of the keepers with the test's GnuPG home, as a process of its own. */
  async function keep(...args: readonly string[]): Promise<{ status: number | null; document: JsonDocument }> {
    const ended = await runProcess(["--home", archive.home, "--json", ...args], { env: { GNUPGHOME: gpg.folder } });
    return { status: ended.status, document: documentOf(ended) };
  }

  async function publishes(): Promise<void> {
    const { status, document } = await keep("publish", "--config", archive.config);
    expect(status, document.error?.message).to.equal(0);
  }

  async function refuses(code: string, status: number, ...args: readonly string[]): Promise<JsonDocument> {
    const before = await snapshot(archive.site);
    const { status: got, document } = await keep(...args);
    expect({ code: document.error?.code, status: got }, document.error?.message).to.deep.equal({ code, status });
    expect(await snapshot(archive.site)).to.deep.equal(before);
    return document;
  }

  async function use(key: string): Promise<string> {
    await archive.writeConfig(`gpg:${key}`);
    return key;
  }

  /** A release of the client with that key as its seed. */
  async function ship(key: string): Promise<void> {
    await fs.mkdir(join(archive.home, "certs"), { recursive: true });
    await fs.writeFile(join(archive.home, "certs", `${key}.asc`), await gpg.run("--armor", "--export", key));
    await archive.ship(key);
  }

  it("signs what clients and gpgv accept", async () => {
    const key = await use(await gpg.generate(archiveUserId));
    await publishes();
    await ship(key);
    const { feeds } = await archive.accept("update");
    expect(JSON.stringify(feeds)).to.include(key);
    await gpg.run("--output", join(archive.folder, "ring"), "--export", key);
    const args = ["--keyring", join(archive.folder, "ring"), archive.file("Packages.asc"), archive.file("Packages")];
    const verified = await runProgram("gpgv", args);
    expect(verified.status, verified.stderr).to.equal(0);
  });

  it("signs for the feed, and for as long as archive.ini says", async () => {
    const key = await use(await gpg.generate(archiveUserId));
    const config = await fs.readFile(archive.config, "utf8");
    await fs.writeFile(archive.config, config.replace("[feed base]", "valid-for = 3d\n[feed base]"));
    await publishes();
    const [signature, ...others] = readSignatureFile(await fs.readFile(archive.file("Packages.sig")), "Packages.sig");
    if (signature === undefined || !("raw" in signature)) throw new Error("there is no signature");
    const { hashed, type } = signature.raw;
    expect(others).to.deep.equal([]);
    expect(type).to.equal(0x00);
    expect(hashed.signatureLifetime).to.equal(3 * 86_400);
    expect(hashed.notations).to.deep.equal([{ name: "feed@example.org", value: "base", critical: false }]);
    expect(signature.raw.issuer.fingerprint).to.equal(key);
    const secrets = await fs.readdir(join(archive.home, "private")).catch(() => []);
    expect(secrets, "no secret comes here").to.deep.equal([]);
  });

  it("signs by the subkey that gpg would take", async () => {
    const key = await use(await gpg.generate(archiveUserId, ["ed25519", "cert", "never"]));
    await gpg.run("--pinentry-mode", "loopback", "--passphrase", "", "--quick-add-key", key, "ed25519", "sign", "1y");
    await publishes();
    await ship(key);
    await archive.accept("update");
  });

  for (const option of [
    "armor",
    "textmode",
    "digest-algo SHA1",
    "sig-notation other@example.org=hello",
    "default-sig-expire 1",
  ]) {
    it(`is not led astray by "${option}" in gpg.conf`, async () => {
      const key = await use(await gpg.generate(archiveUserId));
      await fs.writeFile(join(gpg.folder, "gpg.conf"), `${option}\n`);
      await publishes();
      const [first] = await fs.readFile(archive.file("Packages.sig"));
      expect((first ?? 0) & 0x80, "Packages.sig is binary").to.equal(0x80);
      await fs.writeFile(join(gpg.folder, "gpg.conf"), "");
      await ship(key);
      await archive.accept("update");
    });
  }

  describe("that is locked, where nobody can type", () => {
    const passphrase = async (text: string) => {
      const file = join(archive.folder, "passphrase");
      await fs.writeFile(file, `${text}\n`, { mode: 0o600 });
      return ["--passphrase-file", file];
    };
    let key: string;

    beforeEach(async () => {
      key = await use(await gpg.generate(archiveUserId, undefined, "correct horse"));
      await runProgram("gpgconf", ["--homedir", gpg.folder, "--kill", "all"]);
    });

    it("signs with the passphrase that is given, with publish and sign", async () => {
      const right = await passphrase("correct horse");
      const { status, document } = await keep("publish", "--config", archive.config, ...right);
      expect(status, document.error?.message).to.equal(0);
      await runProgram("gpgconf", ["--homedir", gpg.folder, "--kill", "all"]);
      const signing = ["sign", archive.file("Packages"), "--feed", "base", "--key", `gpg:${key}`, ...right];
      expect((await keep(...signing)).status).to.equal(0);
      await ship(key);
      await archive.accept("update");
    });

    it("says what to do without it, and with a wrong one", async () => {
      const args = ["publish", "--config", archive.config];
      expect((await refuses("bad_config", 78, ...args)).error?.hint).to.include("--passphrase-file");
      const wrong = await refuses("bad_config", 78, ...args, ...(await passphrase("wrong")));
      expect(wrong.error?.message).to.match(/[Bb]ad passphrase/);
      expect(wrong.error?.hint).to.include("check the passphrase");
    });
  });

  it("is named by its primary key: a subkey's fingerprint says whose it is", async () => {
    const key = await use(await gpg.generate(archiveUserId));
    await publishes();
    await gpg.run("--pinentry-mode", "loopback", "--passphrase", "", "--quick-add-key", key, "ed25519", "sign", "1y");
    const fingerprints = (await gpg.run("--with-colons", "--list-keys")).matchAll(/^fpr:+([0-9A-F]{40}):/gm);
    const subkey = [...fingerprints].map(([, found]) => found).find((one) => one !== key);
    const { error } = await refuses("not_found", 66, "sign", archive.file("Packages"), "--key", `gpg:${subkey}`);
    expect(error?.message).to.equal(`${subkey} is a subkey of ${key}, but the primary key's fingerprint is needed`);
    expect(error?.hint).to.include(`write gpg:${key}`);
    await archive.importKey(await gpg.run("--armor", "--export-secret-keys", key));
    for (const args of [
      ["sign", archive.file("Packages"), "--key", String(subkey)],
      ["publish", archive.site, "--key", String(subkey)],
    ]) {
      expect((await refuses("not_found", 66, ...args)).error?.hint).to.include(`write ${key}:`);
    }
  });

  describe("signs an index that an archive manager wrote", () => {
    const sign = async (key: string, ...more: readonly string[]) => {
      return await keep("sign", archive.file("Packages"), "--feed", "base", "--key", `gpg:${key}`, ...more);
    };

    it("as publish does", async () => {
      const key = await use(await gpg.generate(archiveUserId));
      await publishes();
      await fs.rm(archive.file("Packages.sig"));
      await fs.rm(archive.file("Packages.asc"));
      const { status, document } = await sign(key.replace(/(.{4})/g, "$1 ").toLowerCase());
      expect({ status, key: document.key }, document.error?.message).to.deep.equal({ status: 0, key });
      await ship(key);
      await archive.accept("update");
      await refuses("usage", 2, "sign", archive.file("Packages"), "--key", `gpg:${key.slice(-16)}`);
    });

    it("but not with a key whose revocation the key store has, whether or not GnuPG heard of it", async () => {
      const key = await use(await gpg.generate(archiveUserId));
      await publishes();
      const revocation = join(gpg.folder, "openpgp-revocs.d", `${key}.rev`);
      await fs.writeFile(revocation, (await fs.readFile(revocation, "utf8")).replace(":-----BEGIN", "-----BEGIN"));
      await gpg.run("--output", join(gpg.folder, "certificate"), "--export", key);
      await inGnupgHome(async (elsewhere) => {
        await elsewhere.run("--import", join(gpg.folder, "certificate"), revocation);
        await archive.importKey(await elsewhere.run("--armor", "--export", key));
      });
      const args = ["sign", archive.file("Packages"), "--key", `gpg:${key}`];
      const { error } = await refuses("revoked", 1, ...args);
      expect(error?.message).to.equal(`can't sign with ${key}: the key is revoked without a stated reason`);
    });

    it("with --profile, only if its clients accept the key", async () => {
      const key = await use(await gpg.generate(archiveUserId));
      await publishes();
      await ship(key);
      const profile = ["--profile", archive.profile];
      expect((await sign(key, ...profile)).status).to.equal(0);
      const other = await gpg.generate(archiveUserId);
      const args = ["sign", archive.file("Packages"), "--feed", "base", "--key", `gpg:${other}`];
      await refuses("untrusted_signer", 1, ...args, ...profile);
      await use(other);
      await refuses("untrusted_signer", 1, "publish", "--config", archive.config, ...profile);
    });
  });

  it("refuses to publish what somebody else signed too, or instead", async () => {
    await use(await gpg.generate(archiveUserId));
    const other = await gpg.generate("Other <other@example.org>");
    await fs.writeFile(join(gpg.folder, "gpg.conf"), `local-user ${other}\n`);
    const { error } = await refuses("bad_config", 78, "publish", "--config", archive.config);
    expect(error?.hint).to.include("gpg.conf");
  });

  it("says so when GnuPG has no such key, or only its certificate", async () => {
    await use("A".repeat(40));
    await refuses("not_found", 66, "publish", "--config", archive.config);
    const other = await GnupgHome.make();
    try {
      const key = await use(await other.generate(archiveUserId));
      await fs.writeFile(join(archive.folder, "certificate"), await other.run("--armor", "--export", key));
      await gpg.run("--import", join(archive.folder, "certificate"));
      const { error } = await refuses("bad_config", 78, "publish", "--config", archive.config);
      expect(error?.message).to.match(/^gpg failed \(2\): .*[Nn]o secret key/);
    } finally {
      await other.remove();
    }
  });

  it("refuses a key that is revoked, expired, or called otherwise", async () => {
    const expired = await use(await gpg.generate(archiveUserId, ["ed25519", "sign", "1d"]));
    const tomorrow = new Date(Date.now() + 2 * 86_400_000).toISOString();
    await refuses("expired", 1, "--at", tomorrow, "publish", "--config", archive.config);
    const revocation = join(gpg.folder, "openpgp-revocs.d", `${expired}.rev`);
    await fs.writeFile(revocation, (await fs.readFile(revocation, "utf8")).replace(":-----BEGIN", "-----BEGIN"));
    await gpg.run("--import", revocation);
    await refuses("revoked", 1, "publish", "--config", archive.config);
    await use(await gpg.generate("Other <other@example.org>"));
    await refuses("bad_config", 78, "publish", "--config", archive.config);
  });

  it("can't be rotated from here, and says what to do", async () => {
    await use(await gpg.generate(archiveUserId));
    const { error } = await refuses("bad_config", 78, "rotate", "--config", archive.config, "--force");
    expect(error?.message).to.equal("the key is in GnuPG, and feedkey can rotate only a key in its own key store");
    expect(await fs.readdir(archive.home).catch(() => [])).to.not.include("private");
  });

  it("is refused where there is no gpg", async () => {
    await use(await gpg.generate(archiveUserId));
    const args = ["--home", archive.home, "--json", "publish", "--config", archive.config];
    const ended = await runProcess(args, { env: { PATH: archive.folder, GNUPGHOME: gpg.folder } });
    expect(ended.status).to.equal(78);
    expect(documentOf(ended).error?.message).to.equal("gpg can't be started");
  });
});
