// State and archive side: a passphrase on the command line or in a log is impossible.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { generate } from "../../src/openpgp/secret/generate.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, type Ended, runHere, runProcess, runProgram } from "../testkit/programs/command-line.ts";

const at = published + 2 * hour;
const publish = (archive: TestArchive, ...args: string[]) => ["publish", "--config", archive.config, ...args];
const sign = (archive: TestArchive, key = archive.key) => ["sign", archive.file("Packages"), "--key", key];

describe("cases: archive side, passphrases", function () {
  this.timeout(60_000);

  const secret = "correct horse battery staple";

  function expectUntold({ stdout, stderr }: Ended): void {
    expect(`${stdout}${stderr}`).to.not.contain(secret);
  }

  it("no command has an option that takes a passphrase; a try does not repeat it", async () => {
    const commandNames = await listCommands();
    expect(commandNames.length).to.be.greaterThan(8);
    for (const name of commandNames) {
      const help = await runHere([name, "--help"]);
      expect(help.stdout).to.not.match(/--passphrase[ =]/);
      for (const option of [["--passphrase", secret], [`--passphrase=${secret}`], ["-p", secret], [`-p${secret}`]]) {
        const ended = await runHere(["--debug", name, ...option]);
        expect(ended.status).to.equal(2);
        expectUntold(ended);
      }
    }
  });

  it("a locked key: the right passphrase signs, the wrong one is bad_config, and no output tells either", async () => {
    await inArchive(
      async (archive) => {
        const file = join(archive.folder, "passphrase");
        await fs.writeFile(file, `${secret}\n`, { mode: 0o600 });
        const args = [
          "--debug",
          "--verbose",
          ...archive.keeperArgs(published, ...publish(archive, "--passphrase-file", file)),
        ];
        const ended = await runProcess(args);
        expect(ended.status, ended.stdout).to.equal(0);
        expectUntold(ended);
        const fd = [...archive.keeperArgs(published, ...sign(archive), "--passphrase-fd", "0"), "--debug"];
        const byDescriptor = await runProcess(fd, { input: `${secret}\n` });
        expect(byDescriptor.status, byDescriptor.stdout).to.equal(0);
        expectUntold(byDescriptor);

        const rotate = ["rotate", "--force", "--config", archive.config, "--passphrase-fd", "0"];
        const rotated = await runProcess(archive.keeperArgs(published, ...rotate), { input: `${secret}\n` });
        expect(rotated.status, "for several keys, from one descriptor").to.equal(0);

        await fs.writeFile(file, `${secret} wrong\n`);
        for (const command of [publish(archive, "--valid-for", "20d"), sign(archive)]) {
          const before = await archive.everything();
          const wrong = await runProcess(["--debug", ...archive.keeperArgs(at, ...command, "--passphrase-file", file)]);
          expect([wrong.status, documentOf(wrong).error?.code]).to.deep.equal([78, "bad_config"]);
          expectUntold(wrong);
          expect(await archive.everything()).to.deep.equal(before);
        }
        const none = await runProcess(archive.keeperArgs(at, ...sign(archive)));
        expect([none.status, documentOf(none).error?.code]).to.deep.equal([78, "bad_config"]);
        await archive.mirror.sync(archive.site);
        await archive.accept(at, "update");
        const files = await fs.readdir(archive.folder, { recursive: true, withFileTypes: true });
        for (const entry of files.filter((one) => one.isFile() && one.name !== "passphrase")) {
          const path = join(entry.parentPath, entry.name);
          expect((await fs.readFile(path, "latin1")).includes(secret), path).to.equal(false);
        }
      },
      { passphrase: secret },
    );
  });

  it("keygen locks the new key and tells nothing", async () => {
    await inArchive(async (archive) => {
      const args = ["keygen", "--user-id", "New Key <new@example.org>", "--passphrase-fd", "0"];
      const ended = await runProcess(["--debug", ...archive.keeperArgs(at, ...args)], { input: `${secret}\n` });
      expect(ended.status).to.equal(0);
      expectUntold(ended);
      const key = String(documentOf(ended).fingerprint);
      const none = await runProcess(archive.keeperArgs(at, ...sign(archive, key)));
      expect(documentOf(none).error?.code).to.equal("bad_config");
      const given = await runProcess(archive.keeperArgs(at, ...sign(archive, key), "--passphrase-fd", "0"), {
        input: secret,
      });
      expect(given.status, given.stdout).to.equal(0);
    });
  });

  it("a passphrase file that others can read: bad_config, whoever asks for it", async () => {
    await inArchive(
      async (archive) => {
        const file = join(archive.folder, "passphrase");
        await fs.writeFile(file, `${secret}\n`);
        await fs.writeFile(archive.file("Packages"), "");
        const given = ["--passphrase-file", file];
        const signs = sign(archive);
        for (const mode of [0o644, 0o640, 0o604, 0o620]) {
          await fs.chmod(file, mode);
          for (const command of [signs, ["keygen", "--user-id", "New Key <new@example.org>"]]) {
            const { error } = await archive.refuseKeeper({ code: "bad_config", status: 78 }, at, ...command, ...given);
            expect(error?.message).to.include(`open to other users (mode ${mode.toString(8)})`);
          }
        }
        await fs.chmod(file, 0o400);
        const ended = await runHere(archive.keeperArgs(at, ...signs, ...given));
        expect(ended.status, ended.stdout).to.equal(0);
      },
      { passphrase: secret },
    );
  });

  it("a passphrase from a pipe of the shell's", async () => {
    await inArchive(
      async (archive) => {
        await fs.writeFile(archive.file("Packages"), "");
        const line = 'exec "$@" --passphrase-file <(echo "$PHRASE")';
        const program = [process.execPath, "bin/feedkey.js", ...archive.keeperArgs(at, ...sign(archive))];
        const ended = await runProgram("bash", ["-c", line, "bash", ...program], { env: { PHRASE: secret } });
        expect(ended.status, ended.stdout).to.equal(0);
      },
      { passphrase: secret },
    );
  });

  it("a passphrase file that is not there: not_found", async () => {
    await inArchive(async (archive) => {
      const key = await generate({ userId: "X <x@example.org>", algorithm: "ed25519", at: day(0), passphrase: secret });
      await (await KeyStore.open(archive.home)).add(key);
      const args = [...sign(archive, key.fingerprint), "--passphrase-file", join(archive.folder, "nothing")];
      await archive.refuseKeeper({ code: "not_found", status: 66 }, at, ...args);
    });
  });
});

async function listCommands(): Promise<string[]> {
  const { stdout } = await runHere(["--help"]);
  const list = stdout.slice(stdout.indexOf("Publishing:"));
  const commandNames = [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((found) => found[1] ?? "");
  return commandNames.filter((name) => name !== "help");
}
