// Checksum files of releases, from the keeper's signature to a verified file, and with the programs that others check them with.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { day } from "../testkit/dates.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { GnupgHome } from "../testkit/programs/gnupg.ts";
import { needing } from "../testkit/programs/programs.ts";
import { files, hex, type Release, sumsText, withRelease } from "./release.ts";

const fetched = async ({ folder }: Release, name: string) => await fs.readFile(join(folder, "out", name), "utf8");
const fetchArgs = ({ folder }: Release) => ["fetch", "-o", join(folder, "out")];

/** As both ways to sign it leave the folder: detached files, or a signed text alone under the name of the checksum file. */
const ways = [
  { what: "detached signatures", settings: [], args: [], without: [] },
  { what: "a signed text alone", settings: [], args: ["--clearsign"], without: ["SHA256SUMS", "SHA256SUMS.sig"] },
  {
    what: "a signed text that the profile names",
    settings: ["index = SHA256SUMS.asc"],
    args: ["--clearsign"],
    without: [],
  },
] as const;

describe("checksum files of releases", function () {
  this.timeout(60_000);

  for (const { what, settings, args, without } of ways) {
    it(`${what}: update, fetch, fetch again, and a rollback is refused`, async () => {
      await withRelease(async (release) => {
        await release.sign(day(10), ...args);
        const old = await Promise.all(["sig", "asc"].map((end) => release.read(`SHA256SUMS.${end}`)));
        await release.remove(...without);
        await release.accept(day(11), "update");
        await release.accept(day(11), ...fetchArgs(release), "tool-1.0.tar.gz", "win/tool.exe");
        expect(await fetched(release, "tool-1.0.tar.gz")).to.equal("the tool");
        expect(await fetched(release, "tool.exe")).to.equal("for windows");
        await release.accept(day(12), ...fetchArgs(release), "tool-1.0.tar.gz");
        await release.refuse("not_found", day(12), ...fetchArgs(release), "other");
        // Changed on the mirror: refused, and what was fetched stays.
        await release.write("win/tool.exe", "for Windows");
        await fs.rm(join(release.folder, "out", "tool.exe"));
        await release.refuse("digest_mismatch", day(12), ...fetchArgs(release), "win/tool.exe");
        expect(await fs.readdir(join(release.folder, "out"))).to.deep.equal(["tool-1.0.tar.gz"]);
        // A newer one is accepted; then the old one is not.
        await release.write("SHA256SUMS", `${sumsText}${hex("new")}  new\n`);
        await release.sign(day(13), ...args);
        await release.remove(...without);
        await release.accept(day(14), "update");
        if (without.length > 0) {
          await release.write("SHA256SUMS.asc", old[1] ?? "");
          await release.refuse("rollback", day(14), "update");
        }
        await release.write("new", "new");
        await release.accept(day(14), ...fetchArgs(release), "new");
      }, settings);
    });
  }

  it("verifies local files, in either form", async () => {
    await withRelease(async (release) => {
      await release.sign(day(10), "--clearsign");
      const tool = release.path("tool-1.0.tar.gz");
      for (const name of ["SHA256SUMS", "SHA256SUMS.asc"]) {
        await release.accept(day(11), "verify", release.path(name), tool);
        await release.refuse("not_listed", day(11), "verify", release.path(name), release.path("SHA256SUMS.sig"));
      }
      // The signed text under the name of the checksum file itself.
      await release.write("SHA256SUMS", await release.read("SHA256SUMS.asc"));
      await release.accept(day(11), "verify", release.path("SHA256SUMS"), tool);
      await release.write("tool-1.0.tar.gz", "the fool");
      await release.refuse("digest_mismatch", day(11), "verify", release.path("SHA256SUMS"), tool);
    });
  });

  it("fetches files with = in their name, which depend on nothing", async () => {
    await withRelease(async (release) => {
      await release.write("tool=1.0", "equal");
      await release.write("SHA256SUMS", `${hex("equal")}  tool=1.0\n${sumsText}`);
      await release.sign();
      await release.accept(day(11), "update");
      await release.accept(day(11), ...fetchArgs(release), "tool=1.0");
      expect(await fetched(release, "tool=1.0")).to.equal("equal");
      await release.refuse("not_found", day(11), ...fetchArgs(release), "tool=1.1");
      await release.refuse("usage", day(11), ...fetchArgs(release), "tool=1.0", "--with-depends");
    });
  });

  it("takes a file for no other listed file of the same name, and refuses unlisted files of any name", async () => {
    await withRelease(async (release) => {
      const tools = { "amd64/tool": "for amd64", "arm64/tool": "for arm64", tool: "for all" };
      for (const [name, text] of Object.entries(tools)) {
        await fs.mkdir(join(release.path(name), ".."), { recursive: true });
        await release.write(name, text);
      }
      const lines = Object.entries(tools).map(([name, text]) => `${hex(text)}  ${name}\n`);
      await release.write("SHA256SUMS", lines.join("") + sumsText);
      await release.sign(day(10), "--clearsign");
      const verify = ["verify", "--no-state", "--feed", "v1", release.path("SHA256SUMS")];
      const complete = ["--packages", release.path("."), "--complete"];
      await release.accept(day(11), ...verify, ...Object.keys(tools).map((name) => release.path(name)), ...complete);
      const signed = ["verify", "--no-state", "--feed", "v1", release.path("SHA256SUMS.asc")];
      await release.accept(day(11), ...signed, ...complete);
      // Elsewhere, its path must say which of them it is.
      const copy = join(release.folder, "copy");
      await fs.mkdir(join(copy, "arm64"), { recursive: true });
      for (const name of ["tool", "arm64/tool"]) await fs.copyFile(release.path("arm64/tool"), join(copy, name));
      await release.accept(day(11), ...verify, join(copy, "arm64/tool"));
      await release.refuse("not_listed", day(11), ...verify, join(copy, "tool"));
      await release.write("README", "unlisted");
      await release.refuse("not_listed", day(11), ...verify, "--packages", release.path("."));
      await release.remove("README");
      for (const name of ["amd64/tool", "tool"]) {
        await fs.copyFile(release.path("arm64/tool"), release.path(name));
        await release.refuse("digest_mismatch", day(11), ...verify, release.path(name));
      }
    });
  });

  it("refuses what is not exactly what was signed", async () => {
    await withRelease(async (release) => {
      await release.sign(day(10), "--clearsign");
      const [signed, plain] = [await release.read("SHA256SUMS.asc"), await release.read("SHA256SUMS")];
      const verify = ["verify", "--no-state", "--feed", "v1"];
      const refuse = async (code: string, name: string, text: string) => {
        await release.write(name, text);
        await release.refuse(code, day(11), ...verify, release.path(name));
      };
      const evil = `${"00".repeat(32)}  evil\n`;
      await refuse("bad_signature_data", "SHA256SUMS.asc", evil + signed);
      await refuse("bad_signature_data", "SHA256SUMS.asc", signed + evil);
      await refuse("bad_signature_data", "SHA256SUMS.asc", `${signed}\n`);
      await refuse("bad_signature_data", "SHA256SUMS.asc", signed.replaceAll("\n", "\r\n"));
      await refuse("bad_signature_data", "SHA256SUMS.asc", plain);
      await refuse("bad_signature", "SHA256SUMS.asc", signed.replace("\n\n", `\n\n${evil}`));
      await refuse("bad_signature", "SHA256SUMS.asc", signed.replace(/^[0-9a-f]{4}/m, "0000"));
      await refuse("bad_signature", "SHA256SUMS", plain + evil);
      await refuse("bad_signature", "SHA256SUMS", plain.replaceAll("\n", "\r\n"));
      // The control: all of it was refused for what was changed.
      await release.write("SHA256SUMS.asc", signed);
      await release.write("SHA256SUMS", plain);
      for (const name of ["SHA256SUMS", "SHA256SUMS.asc"]) await release.accept(day(11), ...verify, release.path(name));
      // Of a signed text where a signature should be, it says what to do.
      await release.remove("SHA256SUMS.sig");
      const said = await release.refuse("bad_signature_data", day(11), ...verify, release.path("SHA256SUMS"));
      expect(said.error?.hint).to.contain("index");
    });
  });

  it("signs nothing that its clients would refuse", async () => {
    await withRelease(async (release) => {
      const sign = async (text: string, ...args: readonly string[]) => {
        await release.write("SHA256SUMS", text);
        return await release.run(day(10), "sign", release.path("SHA256SUMS"), "--key", release.key, ...args);
      };
      for (const text of [
        `${hex("x")}  ../x\n`,
        `${sumsText}\n`,
        sumsText.replaceAll("\n", "\r\n"),
        sumsText + sumsText,
      ]) {
        expect((await sign(text)).error?.code).to.equal("bad_index");
        expect((await sign(text, "--clearsign")).error?.code).to.equal("bad_index");
      }
      expect((await fs.readdir(release.path("."))).sort()).to.deep.equal(["SHA256SUMS", "tool-1.0.tar.gz", "win"]);
      await release.write("Packages", "");
      const other = await release.run(day(10), "sign", release.path("Packages"), "--key", release.key, "--clearsign");
      expect(other.error?.code).to.equal("usage");
    });
  });

  it("dates a signed text after the one that it replaces", async () => {
    await withRelease(async (release) => {
      await release.sign(day(10), "--clearsign");
      await release.remove("SHA256SUMS.sig");
      const again = await release.accept(
        day(10),
        "sign",
        release.path("SHA256SUMS"),
        "--key",
        release.key,
        "--clearsign",
      );
      const [signed] = again.signed as { createdAt: string }[];
      expect(Date.parse(signed?.createdAt ?? "")).to.equal(day(10) + 1000);
    });
  });
});

describe("checksum files and other programs", function () {
  this.timeout(120_000);
  before(needing("gpg", "gpgv", "sqv", "sha256sum"));

  it("what feedkey signs, gpgv, sqv and sha256sum accept", async () => {
    await withRelease(async (release) => {
      const keyring = join(release.folder, "keyring.pgp");
      const armored = await fs.readFile(join(release.folder, "home", "certs", `${release.key}.asc`), "utf8");
      const base64 = /\n\n([\s\S]*?)\n=/.exec(armored)?.[1] ?? "";
      await fs.writeFile(keyring, Buffer.from(base64, "base64"));
      // Not in the past of programs that read the clock.
      await release.sign(Date.now(), "--valid-for", "never");
      const [sums, sig, asc] = ["", ".sig", ".asc"].map((end) => release.path(`SHA256SUMS${end}`));
      const check = async (program: string, ...args: readonly (string | undefined)[]) => {
        const given = args.map((arg) => arg ?? "");
        const ended = await runProgram(program, given, { cwd: release.path(".") });
        expect(ended.status, `${program} ${given.join(" ")}\n${ended.stderr}`).to.equal(0);
        return ended.stdout;
      };
      for (const file of [sig, asc]) {
        await check("gpgv", "--keyring", keyring, file, sums);
        await check("sqv", "--keyring", keyring, file, sums);
      }
      await check("sha256sum", "--strict", "-c", "SHA256SUMS");
      await release.sign(Date.now() + 1000, "--clearsign", "--valid-for", "never");
      const text = await check("gpgv", "--keyring", keyring, "--output", "-", asc);
      expect(text).to.equal(sumsText);
    });
  });

  it("what gpg signs, detached and as a text, feedkey accepts; sha256sum's own forms too", async () => {
    const home = await GnupgHome.make();
    try {
      const key = await home.generate("Other <archive@example.org>");
      await withRelease(async (release) => {
        const profile = join(release.folder, "example.ini");
        const text = await fs.readFile(profile, "utf8");
        await fs.writeFile(join(release.folder, "seed.asc"), await home.run("--armor", "--export", key));
        await fs.writeFile(profile, text.replace("home/certs", "seed.asc").replace(/^seeds = .*$/m, `seeds = ${key}`));
        const verify = ["verify", "--no-state", "--feed", "v1"];
        const now = Date.now() + 5000;
        for (const [end, ...mode] of [
          [".asc", "--armor", "--detach-sign"],
          [".sig", "--detach-sign"],
          [".sign", "--armor", "--detach-sign"],
          [".gpg", "--detach-sign"],
        ] as const) {
          const out = release.path(`SHA256SUMS${end}`);
          await home.run("--local-user", key, "--output", out, ...mode, release.path("SHA256SUMS"));
          await release.accept(now, ...verify, release.path("SHA256SUMS"), release.path("win/tool.exe"));
          await release.remove(`SHA256SUMS${end}`);
        }
        for (const form of [[], ["--tag"], ["--binary"]]) {
          const made = await runProgram("sha256sum", [...form, ...Object.keys(files)], { cwd: release.path(".") });
          await release.write("SHA256SUMS", made.stdout);
          const out = release.path("SHA256SUMS.asc");
          await home.run("--local-user", key, "--output", out, "--clearsign", release.path("SHA256SUMS"));
          await release.accept(now, ...verify, out, release.path("win/tool.exe"));
        }
        // A text signature beside the file, which covers it with any line ends.
        await release.remove("SHA256SUMS.asc");
        const out = release.path("SHA256SUMS.sig");
        await home.run("--local-user", key, "--output", out, "--textmode", "--detach-sign", release.path("SHA256SUMS"));
        await release.refuse("bad_signature", now, ...verify, release.path("SHA256SUMS"));
      });
    } finally {
      await home.remove();
    }
  });
});
