// What every command promises about its output and its exit status.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hour, inArchive, inUse, packageOf, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { certificate } from "../testkit/certificate.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { documentOf, type Ended, runHere, runProcess, runProgram } from "../testkit/programs/command-line.ts";
import { plain } from "../testkit/servers/misbehaving-server.ts";

const at = published + hour;
const time = new Date(at).toISOString();

/** Command lines with the exit status they must have, in every form of output. */
function commandLines(archive: TestArchive): readonly (readonly [number, readonly string[]])[] {
  const profile = ["--profile", archive.profile, "--state", archive.state];
  const home = ["--home", archive.home];
  const index = archive.file("Packages");
  return [
    [0, [...profile, "update"]],
    [0, [...profile, "fetch", "alpha", "-o", archive.out]],
    [0, [...profile, "verify", index]],
    [0, [...profile, "profile", "show"]],
    [0, [...profile, "profile", "check"]],
    [0, [...profile, "chain"]],
    [0, [...profile, "status"]],
    [0, [...profile, "refresh"]],
    [0, ["profile", "list"]],
    [0, [...home, "sign", archive.file("Other"), "--key", archive.key]],
    [0, [...home, "publish", "--config", archive.config]],
    [66, [...profile, "fetch", "omega", "-o", archive.out]],
    [1, [...profile, "verify", index, "--signature", join(archive.folder, "nothing")]],
    [2, [...profile, "fetch"]],
    [2, [...profile, "update", "nothing"]],
    [2, [...profile, "verify"]],
    [2, [...profile, "verify", index, "--complete"]],
    [2, [...profile, "update", "--nonsense"]],
    [2, ["update"]],
    [2, ["nonsense"]],
    [2, ["--nonsense"]],
    [2, []],
    [2, ["--at", "yesterday", ...profile, "update"]],
    [2, [...home, "keygen"]],
    [2, [...home, "keygen", "--user-id", "nobody"]],
    [2, [...home, "keygen", "--user-id", "A <a@b.c>", "--algorithm", "rsa512"]],
    [2, [...home, "sign", index, "--key", "0123456789ABCDEF"]],
    [65, [...profile, "verify", index, "--signature", archive.profile]],
    [66, [...profile, "verify", archive.file("nothing")]],
    [66, ["--profile", join(archive.folder, "nothing.ini"), "update"]],
    [66, [...home, "publish", "--config", join(archive.folder, "nothing.ini")]],
    [69, ["--offline", ...profile, "update"]],
    [78, ["--profile", archive.config, "update"]],
  ];
}

async function inContract(action: (archive: TestArchive) => Promise<void>): Promise<void> {
  await inUse(async (archive) => {
    await fs.copyFile(archive.file("Packages"), archive.file("Other"));
    await action(archive);
  });
}

const name = (args: readonly string[]) => args.filter((arg) => !arg.startsWith("/")).join(" ");

/** One document, whose fields agree with the exit status. */
function expectDocument(ended: Ended): void {
  const document = documentOf(ended);
  expect(document.ok).to.equal(ended.status === 0);
  expect(document.error === undefined).to.equal(document.ok);
  if (document.error !== undefined) {
    expect(document.error).to.include.keys("code", "message", "details");
    expect(document.error.message).to.not.match(/^[A-Z][a-z]|\.$/);
  }
}

describe("cases: output and exit status", () => {
  it("--json: exactly one document on standard output, whatever happens", async () => {
    await inContract(async (archive) => {
      for (const [status, args] of commandLines(archive)) {
        const ended = await runHere(["--json", "--at", time, ...args]);
        expect(ended.status, `${name(args)}: ${ended.stdout}`).to.equal(status);
        expectDocument(ended);
        expect(ended.stderr, name(args)).to.equal("");
      }
    });
  });

  it("--json after the command, and with --quiet, --verbose and --debug", async () => {
    await inContract(async (archive) => {
      const profile = ["--profile", archive.profile, "--state", archive.state, "--at", time];
      for (const more of [["--json"], ["--json", "--quiet"], ["--json", "--verbose"], ["--json", "--debug"]]) {
        for (const args of [["update"], ["fetch", "omega", "-o", archive.out], ["update", "--nonsense"]]) {
          expectDocument(await runHere([...profile, ...args, ...more]));
        }
      }
    });
  });

  it("text: results on standard output, what concerns their making on standard error", async () => {
    await inContract(async (archive) => {
      for (const [status, args] of commandLines(archive)) {
        const ended = await runHere(["--at", time, ...args]);
        expect(ended.status, `${name(args)}: ${ended.stderr}`).to.equal(status);
        if (status === 0) expect(ended.stderr, name(args)).to.not.contain("feedkey: error: ");
        else {
          expect(ended.stdout, name(args)).to.equal("");
          expect(ended.stderr, name(args)).to.match(/^feedkey: error: [^A-Z\n].*[^.\n]$/m);
          expect(ended.stderr, name(args)).to.not.match(/^ +at /m);
        }
      }
    });
  });

  it("--quiet: nothing but errors", async () => {
    await inContract(async (archive) => {
      for (const [status, args] of commandLines(archive)) {
        const ended = await runHere(["--quiet", "--at", time, ...args]);
        expect(ended.stdout, name(args)).to.equal("");
        if (status === 0) expect(ended.stderr, name(args)).to.not.contain("error");
        else expect(ended.stderr, name(args)).to.contain("feedkey: error: ");
      }
    });
  });

  it("the same exit status from the program itself, for one of each", async () => {
    await inContract(async (archive) => {
      const seen = new Set<number>();
      for (const [status, args] of commandLines(archive)) {
        if (seen.has(status)) continue;
        seen.add(status);
        const ended = await runProcess(["--json", "--at", time, ...args]);
        expect(ended.status, name(args)).to.equal(status);
        expectDocument(ended);
      }
      expect([...seen].sort((a, b) => a - b)).to.deep.equal([0, 1, 2, 65, 66, 69, 78]);
    });
  }).timeout(40_000);

  it("help and version: on standard output, exit 0", async () => {
    for (const args of [["--help"], ["help"], ["update", "--help"], ["help", "fetch"], ["--version"]]) {
      const ended = await runHere(args);
      expect([ended.status, ended.stderr], args.join(" ")).to.deep.equal([0, ""]);
      expect(ended.stdout).to.not.equal("");
    }
  });

  it("a reader that stops reading is no failure", async () => {
    await inContract(async (archive) => {
      const script = 'node bin/feedkey.js "$@" | true; echo done';
      const ended = await runProgram("sh", ["-c", script, "sh", ...archive.clientArgs(at, "profile", "list")]);
      expect([ended.stdout, ended.stderr]).to.deep.equal(["done\n", ""]);
    });
  });

  it("exit 0 from verify only if every file named was verified", async () => {
    await inUse(async (archive) => {
      const files = ["alpha_1.0-1_all.ipk", "beta_2.0-1_all.ipk"].map((one) => archive.file(one));
      const index = archive.file("Packages");
      const { packages } = await archive.accept(at, "verify", index, ...files);
      expect(packages).to.deep.equal(files);
      const other = join(archive.folder, "other");
      await fs.mkdir(other);
      const bad = join(other, "alpha_1.0-1_all.ipk");
      await fs.writeFile(bad, packageOf("alpha", "1.0-1", "X: y"));
      for (const broken of [bad, join(other, "missing.ipk"), other]) {
        const ended = await runHere(archive.clientArgs(at, "verify", index, ...files, broken));
        expect(ended.status, broken).to.be.oneOf([1, 66]);
        expect(documentOf(ended).packages).to.deep.equal(files);
      }
    });
  });
});

/** Anything that could move a terminal's cursor or colour, or reorder its text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const dangerous = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

describe("cases: terminal escapes are shown escaped", () => {
  const evil = "\x1b[31mred\x07\u202egpj.\u009b2J";

  async function expectPlain(args: readonly string[], escaped: string): Promise<void> {
    for (const more of [[], ["--verbose"], ["--debug"]]) {
      const ended = await runHere([...args.filter((arg) => arg !== "--json"), ...more]);
      expect(`${ended.stdout}${ended.stderr}`).to.not.match(dangerous);
      expect(`${ended.stdout}${ended.stderr}`).to.contain(escaped);
    }
    for (const more of [[], ["--debug"]]) {
      const json = await runHere([...args, ...more]);
      expect(`${json.stdout}${json.stderr}`).to.not.match(dangerous);
      documentOf(json);
    }
  }

  it("in the name of a package file", async () => {
    await inArchive(async (archive) => {
      const path = join(archive.folder, `${evil}.ipk`);
      await fs.writeFile(path, "x");
      await expectPlain(archive.clientArgs(at, "verify", archive.file("Packages"), path), "\\x1b[31mred");
      await fs.rename(path, join(archive.site, "feeds/base", `${evil}.ipk`));
      await expectPlain(archive.keeperArgs(at, "publish", "--config", archive.config), "\\x1b[31mred");
    });
  });

  it("in a file name, a feed's name, a package's name and a profile's name that a person gives", async () => {
    await inUse(async (archive) => {
      await expectPlain(archive.clientArgs(at, "verify", join(archive.folder, evil)), "\\x1b[31mred");
      await expectPlain(archive.clientArgs(at, "fetch", evil, "-o", archive.out), "\\x1b[31mred");
      await expectPlain(archive.clientArgs(at, "update", evil), "\\x1b[31mred");
      await expectPlain(archive.clientArgs(at, "verify", archive.file("Packages"), "--feed", evil), "\\x1b[31mred");
      await expectPlain(["--json", "--profile", evil, "update"], "\\x1b[31mred");
      await expectPlain(["--json", "--profile", `/${evil}`, "update"], "\\x1b[31mred");
      await expectPlain(["--json", evil], "\\x1b[31mred");
    });
  });

  it("in the profile: its name, an unknown key, a bad value", async () => {
    await inArchive(async (archive) => {
      const good = await fs.readFile(archive.profile, "utf8");
      for (const text of [
        good.replace("name = Example", `name = ${evil}`),
        good.replace("name = Example", `name = Example\n${evil} = 1`),
        good.replace(/^url = .*$/m, `url = http://${evil}/`),
        good.replace(/^path = .*$/m, `path = ${evil}`),
      ]) {
        await fs.writeFile(archive.profile, text);
        const ended = await runHere(archive.clientArgs(at, "profile", "show").filter((arg) => arg !== "--json"));
        expect(`${ended.stdout}${ended.stderr}`).to.not.match(dangerous);
      }
    });
  });

  it("in a user ID", async () => {
    await inArchive(async (archive) => {
      const seed = certificate({ key: ed25519Key("cases evil"), userIds: [`${evil} <archive@example.org>`] });
      const keyring = join(archive.folder, "keyring.asc");
      await fs.writeFile(keyring, seed.armored);
      await archive.writeProfile({ keyring, seeds: [seed.fingerprint] });
      await expectPlain(archive.clientArgs(at, "profile", "check"), "\\x1b[31mred");
      await expectPlain(archive.clientArgs(at, "chain"), "\\x1b[31mred");
    });
  });

  it("in a server's words, a redirect and a signature's feed name", async () => {
    await inUse(async (archive) => {
      const index = "feeds/base/Packages.gz";
      const location = "http://x\x1b[31mred.example.org/";
      for (const answer of [
        plain(503, `sorry ${evil}`),
        plain(302, "", { location }),
        plain(200, "x", { "content-encoding": "\x1b[31mred" }),
      ]) {
        archive.mirror.behave(index, answer);
        const ended = await runHere(archive.clientArgs(at, "update", "--verbose").filter((arg) => arg !== "--json"));
        expect(ended.status).to.equal(69);
        expect(`${ended.stdout}${ended.stderr}`).to.not.match(dangerous);
      }
      await archive.mirror.sync(archive.site);
      const sign = ["sign", archive.file("Packages"), "--key", archive.key, "--feed", evil];
      await runHere(archive.keeperArgs(at, ...sign));
      await archive.mirror.sync(archive.site);
      await expectPlain(archive.clientArgs(at + hour, "update"), "\\x1b[31mred");
    });
  });

  it("in what a rightful signer put into the index", async () => {
    await inUse(async (archive) => {
      const odd = `Package: alpha\nVersion: 1\nFilename: ${evil}/../x\nSize: 1\nSHA256sum: ${"0".repeat(64)}\n\n`;
      await archive.signText(odd, at);
      await archive.accept(at + hour, "update");
      await expectPlain(archive.clientArgs(at + hour, "fetch", "alpha", "-o", archive.out), "\\u001b[31mred");
    });
  });
});
