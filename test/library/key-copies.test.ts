/** The last good copy of a secret stays: what counts as a copy, and what a key loses when it is written again. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { guardSecretOutput } from "../../src/cli/secret-output.ts";
import { type KeyKeeper, openArchive } from "../../src/index.ts";
import { armor, dearmor } from "../../src/openpgp/packet/armor.ts";
import { relock, withoutPrimary } from "../../src/openpgp/secret/secret-parts.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { runProcess, runProgram } from "../testkit/programs/command-line.ts";
import { refusalOf } from "../testkit/refusal.ts";
import { inScratch } from "../testkit/scratch.ts";

const at = day(20);

interface Safe {
  readonly keys: KeyKeeper;
  readonly home: string;
  /** A backup of it. */
  readonly safe: string;
  readonly fingerprint: string;
  readonly folder: string;
}

/** Gives an action a store with one key, and its backup. */
async function inSafe(action: (made: Safe) => Promise<void>, passphrase?: string): Promise<void> {
  await inScratch(async (folder) => {
    const [home, safe] = [join(folder, "home"), join(folder, "safe")];
    const { keys } = await openArchive({ home, at, passphrase: async () => passphrase ?? "" });
    const { fingerprint } = await keys.make({ userId: archiveUserId, passphrase });
    await keys.backup(safe);
    await action({ keys, home, safe, fingerprint, folder });
  });
}

const secretOf = (folder: string, fingerprint: string) => join(folder, "private", `${fingerprint}.asc`);

describe("copies of a secret key", function () {
  this.timeout(30_000);

  it("does not take the store's own file for a copy, however it is reached", async () => {
    await inSafe(async ({ keys, home, safe, fingerprint }) => {
      const alone = async (what: string) => {
        const { code, message } = await refusalOf(() => keys.delete(fingerprint, { backup: safe }));
        expect([code, message.includes("does not contain all secrets of the key")], what).to.deep.equal([
          "usage",
          true,
        ]);
      };
      await fs.rename(join(safe, "private"), join(safe, "kept"));
      await fs.symlink(join(home, "private"), join(safe, "private"));
      await alone("a link to the folder");
      await fs.rm(join(safe, "private"));
      await fs.rename(join(safe, "kept"), join(safe, "private"));
      await fs.rename(secretOf(safe, fingerprint), join(safe, "kept"));
      await fs.link(secretOf(home, fingerprint), secretOf(safe, fingerprint));
      await alone("a second name of the file");
      await fs.rename(join(safe, "kept"), secretOf(safe, fingerprint));
      expect(await keys.delete(fingerprint, { backup: safe })).to.include({ secret: "goes", certificate: "goes" });
    });
  });

  it("does not count a locked copy whose bytes differ", async () => {
    await inSafe(async ({ keys, safe, fingerprint }) => {
      const file = secretOf(safe, fingerprint);
      const whole = await fs.readFile(file, "utf8");
      const [block] = dearmor(Buffer.from(whole), "PRIVATE KEY BLOCK");
      const bytes = Buffer.from(block ?? []);
      // The end of the first packet, which has a length of one octet: the last of the encrypted secret.
      const end = 2 + (bytes[1] ?? 0) - 1;
      bytes[end] = (bytes[end] ?? 0) ^ 1;
      await fs.writeFile(file, armor(bytes, "PRIVATE KEY BLOCK"));
      const { message } = await refusalOf(() => keys.delete(fingerprint, { backup: safe }));
      expect(message).to.include("does not contain all secrets of the key");
      await fs.writeFile(file, whole);
      expect((await keys.planDeletion(fingerprint, { backup: safe })).against).to.deep.equal([]);
    }, "first");
  });

  it("keeps a certificate of which the backup lacks the revocation", async () => {
    await inSafe(async ({ keys, home, safe, fingerprint }) => {
      const archive = await openArchive({ home, at });
      await archive.revoke(fingerprint, { reason: "retired", force: true });
      const plan = await keys.delete(fingerprint, { backup: safe });
      expect(plan).to.include({ secret: "goes", certificate: "stays" });
      expect(plan.staysFor).to.include("a revocation may be missing");
      expect((await keys.show(fingerprint)).refused).to.include("revoked");
    });
  });

  it("does not delete the only copy of a revocation, once the secret is gone", async () => {
    await inSafe(async ({ keys, home, safe, fingerprint, folder }) => {
      const archive = await openArchive({ home, at });
      await archive.revoke(fingerprint, { reason: "retired", force: true });
      await keys.delete(fingerprint, { backup: safe });
      for (const backup of [undefined, safe]) {
        const { code, message } = await refusalOf(() => keys.delete(fingerprint, { backup }));
        expect([code, message.includes("the certificate has a revocation")]).to.deep.equal(["usage", true]);
      }
      const later = join(folder, "later");
      await keys.backup(later);
      expect(await keys.delete(fingerprint, { backup: later })).to.include({ secret: "none", certificate: "goes" });
    });
  });

  it("says bad_certificate of a file that contains another key", async () => {
    await inSafe(async ({ keys, home, safe, fingerprint }) => {
      const other = await keys.make({ userId: archiveUserId });
      const code = async (action: () => unknown) => (await refusalOf(action)).code;
      const own = await fs.readFile(secretOf(home, fingerprint));
      await fs.copyFile(secretOf(home, other.fingerprint), secretOf(safe, fingerprint));
      expect(await code(() => keys.delete(fingerprint, { backup: safe }))).to.equal("bad_certificate");
      await fs.copyFile(secretOf(home, other.fingerprint), secretOf(home, fingerprint));
      const never = () => expect.fail("asked for the new one");
      expect(await code(() => keys.changePassphrase(fingerprint, never))).to.equal("bad_certificate");
      expect(await code(() => keys.exportSecret(fingerprint))).to.equal("bad_certificate");
      expect(await code(() => keys.show(fingerprint))).to.equal("bad_certificate");
      await fs.writeFile(secretOf(home, fingerprint), own);
      expect((await keys.exportSecret(fingerprint)).fingerprint).to.equal(fingerprint);
    });
  });

  it("asks for the archive.ini, not for a backup, where that alone is missing", async () => {
    await inSafe(async ({ keys, home, safe, fingerprint }) => {
      await fs.mkdir(join(home, "archives", "one"), { recursive: true });
      const { message, hint } = await refusalOf(() => keys.delete(fingerprint, { backup: safe }));
      expect(message).to.include("without --config feedkey does not know");
      expect(hint).to.include("--config FILE").and.not.include("--backup");
      const both = await refusalOf(() => keys.delete(fingerprint));
      expect(both.hint).to.include("--config FILE").and.include("--backup DIR");
    });
  });

  it("writes no key again of which a part can't be read", async () => {
    const [primary, known, unknown] = [ed25519Key("copies"), ed25519Key("copies known"), ed25519Key("copies unknown")];
    const body = Buffer.from(unknown.body);
    body[5] = 99;
    const block = (subkeys: (typeof primary)[]) => {
      return secretKeyBlock(certificate({ key: primary, subkeys }), subkeys);
    };
    const partly = block([known, { ...unknown, algorithm: 99, body }]);
    const none = async () => "";
    expect((await refusalOf(() => relock(partly, none, async () => "next"))).code).to.equal("bad_certificate");
    expect((await refusalOf(() => withoutPrimary(partly))).code).to.equal("bad_certificate");
    expect(await relock(block([known]), none, async () => "next")).to.include("PRIVATE KEY");
    expect(await withoutPrimary(block([known]))).to.include("PRIVATE KEY");
  });
});

describe("passphrases and secrets on the command line", function () {
  this.timeout(30_000);

  it("takes an empty line for no passphrase, and nothing at all for a failure", async () => {
    await inSafe(async ({ home, fingerprint, folder }) => {
      const file = join(folder, "first");
      await fs.writeFile(file, "first\n", { mode: 0o600 });
      const passwd = ["--home", home, "key", "passwd", fingerprint, "--passphrase-file", file];
      const before = await fs.readFile(secretOf(home, fingerprint));
      const status = async (args: readonly string[], input: string) => (await runProcess(args, { input })).status;
      expect(await status([...passwd, "--new-passphrase-fd", "0"], "")).to.equal(2);
      const same = ["--home", home, "key", "passwd", fingerprint, "--passphrase-fd", "0", "--new-passphrase-fd", "00"];
      expect(await status(same, "first\n"), "one descriptor for both").to.equal(2);
      const keygen = ["--home", home, "keygen", "--user-id", archiveUserId, "--passphrase-fd", "0"];
      expect(await status(keygen, "")).to.equal(2);
      expect(await fs.readdir(join(home, "private"))).to.have.length(1);
      expect((await fs.readFile(secretOf(home, fingerprint))).equals(before)).to.equal(true);
      expect(await status([...passwd, "--new-passphrase-fd", "0"], "\n")).to.equal(0);
    }, "first");
  });

  it("warns of the file that the shell made for a secret key", async () => {
    await inSafe(async ({ home, fingerprint, folder }) => {
      const program = [process.execPath, "bin/feedkey.js", "--home", home, "key", "export", "--secret", fingerprint];
      const line = `umask 022; exec "$@" > "$OUT"`;
      const env = { OUT: join(folder, "out") };
      const ended = await runProgram("bash", ["-c", line, "bash", ...program], { env });
      expect([ended.status, ended.stderr.includes("(mode 644)")]).to.deep.equal([0, true]);
      const piped = await runProgram("bash", ["-c", '"$@" | cat', "bash", ...program]);
      expect([piped.stdout.includes("PRIVATE KEY"), piped.stderr.includes("(mode ")]).to.deep.equal([true, false]);
    }, "first");
  });

  it("shows no secret key on a terminal, and warns of a file that others can read", async () => {
    const warned: string[] = [];
    const reporter = { warn: (text: string) => warned.push(text) };
    const shown = await refusalOf(() => guardSecretOutput(reporter, { isTTY: true, fd: 1 }));
    expect([shown.code, shown.hint?.includes("-o FILE")]).to.deep.equal(["usage", true]);
    await inScratch(async (folder) => {
      for (const mode of [0o600, 0o644]) {
        const file = await fs.open(join(folder, "out"), "w");
        await file.chmod(mode);
        guardSecretOutput(reporter, { fd: file.fd });
        await file.close();
      }
    });
    expect(warned).to.have.length(1);
    expect(warned[0]).to.include("mode 644");
  });
});
