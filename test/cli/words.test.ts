// What the command line says of a slip of the hand: what was probably meant, and nothing that misleads.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hour, inUse, published } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere, runProcess } from "../testkit/programs/command-line.ts";

async function errorOf(...args: readonly string[]) {
  const ended = await runHere(["--json", ...args]);
  const { error } = documentOf(ended);
  return { status: ended.status, code: error?.code, message: error?.message ?? "", hint: error?.hint ?? "" };
}

describe("words: a mistyped", () => {
  for (const [what, guess, ...args] of [
    ["command", "update", "updat"],
    ["command of a group", "show", "profile", "shwo"],
    ["option", "--config", "publish", "--confg", "x"],
    ["global option", "--profile", "--profle", "secret", "update"],
    ["format of an export", '"opkg"', "export", "--for", "okpg", "x"],
    ["algorithm", '"ed25519"', "keygen", "--user-id", "A <a@example.org>", "--algorithm", "ed2551"],
  ] as const) {
    it(`${what} is guessed`, async () => {
      const error = await errorOf(...args);
      expect(error).to.include({ status: 2, code: "usage" });
      expect(error.hint)
        .to.match(/^did you mean /)
        .and.contain(guess);
      expect(error.message + error.hint).to.not.contain("secret");
    });
  }

  it("profile is guessed, a file is not", async () => {
    const error = await errorOf("--profile", "dmeo", "update");
    expect(error).to.include({ status: 66, code: "not_found" });
    expect(error.hint).to.match(/^did you mean "demo"\? looked for /);
    expect((await errorOf("--profile", "./dmeo.ini", "update")).hint).to.match(/^looked for /);
  });

  it("word like no other is not guessed", async () => {
    expect((await errorOf("xyzzyxyzzy")).hint).to.match(/^see "feedkey --help"/);
  });

  it("feed is guessed, by every command that chooses one", async () => {
    await inUse(async (archive) => {
      const index = archive.file("Packages");
      for (const args of [
        ["update", "bsae"],
        ["fetch", "alpha", "--feed", "bsae"],
        ["verify", index, "--feed", "bsae"],
        ["export", "--for", "opkg", join(archive.folder, "exported"), "--feed", "bsae"],
      ]) {
        const error = await errorOf(...archive.clientArgs(published + hour, ...args));
        expect(error, args.join(" ")).to.include({
          status: 2,
          code: "usage",
          message: 'profile "example" has no feed "bsae"',
        });
        expect(error.hint).to.equal('did you mean "base"? the feeds of the profile are: base');
      }
    });
  });

  it("feed of a delegation is warned of; one that a glob matches is not", async () => {
    await inUse(async (archive) => {
      const other = join(archive.folder, "machine");
      const made = await runHere(["--json", "--home", other, "keygen", "--user-id", "M <m@build.example.org>"]);
      const certificate = join(other, "certs", `${documentOf(made).fingerprint}.asc`);
      const give = [
        "delegate",
        certificate,
        "--key",
        archive.key,
        "--config",
        archive.config,
        "--expires",
        "9d",
        "--dry-run",
      ];
      const warned = async (feeds: string) => {
        return documentOf(await runHere(archive.keeperArgs(Date.now(), ...give, "--feeds", feeds))).warnings ?? [];
      };
      expect(await warned("bse,b*")).to.deep.equal([
        'no feed of the archive matches "bse"; did you mean "base"? the archive\'s feeds are: base',
      ]);
      expect(await warned("*")).to.deep.equal([]);
    });
  });
});

describe("words: an error without a hint of its own", () => {
  it("gets the usual one of its code, in text and in JSON", async () => {
    expect((await errorOf("verify", "x", "--complete")).hint).to.match(/^see "feedkey --help"/);
    expect((await runHere(["verify", "x", "--complete"])).stderr).to.match(/error: .*\n.*hint: see "feedkey --help"/);
  });
});

describe("words: a local file", () => {
  it("is not spoken of as something that a server sent", async () => {
    await inUse(async (archive) => {
      const file = join(archive.folder, "alpha_1.0-1_all.ipk");
      await fs.writeFile(file, "short");
      const { message } = await errorOf(
        ...archive.clientArgs(published + hour, "verify", archive.file("Packages"), file, "--no-state"),
      );
      expect(message).to.match(/should have \d+ bytes, but has 5$/);
      await archive.writeProfile({ url: `file://${archive.site}/` });
      await archive.accept(published + hour, "update");
      await fs.rm(archive.file("alpha_1.0-1_all.ipk"));
      const missing = await errorOf(...archive.clientArgs(published + hour, "fetch", "alpha", "-o", archive.out));
      expect(missing.message).to.match(/: there is no such file$/);
      expect(missing.hint).to.not.match(/mirror|server/);
    });
  });
});

describe("words: a folder", () => {
  it("that fetch makes for packages can be written by its owner alone", async () => {
    await inUse(async (archive) => {
      const made = join(archive.out, "new");
      await archive.accept(published + hour, "update");
      await archive.accept(published + hour, "fetch", "alpha", "-o", made);
      expect((await fs.stat(made)).mode & 0o777).to.equal(0o755);
    });
  });

  it("is what serve --keyserver wants, not an address", async () => {
    const error = await errorOf("serve", ".", "--port", "0", "--keyserver", "hkps://keys.example.org");
    expect(error).to.include({ status: 2, code: "usage" });
    expect(error.hint).to.contain("--keyserver DIR");
  });
});

describe("words: what Node says", () => {
  it("of its own experiments stays unsaid, and all else is said", async () => {
    const said = async (kind: string) => {
      const code = `setImmediate(() => process.emitWarning("of Node", "${kind}"))`;
      const { status, stderr } = await runProcess(["profile", "list"], {
        node: ["--import", `data:text/javascript,${code}`],
      });
      expect(status).to.equal(0);
      return stderr;
    };
    expect(await said("ExperimentalWarning")).to.equal("");
    expect(await said("OtherWarning")).to.contain("of Node");
  });
});
