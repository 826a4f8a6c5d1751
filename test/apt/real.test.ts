// The real thing: what feedkey signs, apt and gpgv accept; what Debian signed, as apt keeps it here, feedkey accepts.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { iso } from "../../src/time.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { inGnupgHome } from "../testkit/programs/gnupg.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";
import { needing } from "../testkit/programs/programs.ts";
import { RealApt } from "./real-apt.ts";
import { type Suite, stanza, withSuite } from "./suite.ts";

/** Certificates of the key store as a binary keyring. */
async function keyringOf(suite: Suite, name: string, ...keys: readonly string[]): Promise<string> {
  const path = join(suite.folder, `${name}.gpg`);
  await inGnupgHome(async (gpg) => {
    await gpg.run("--import", ...keys.map((key) => join(suite.folder, "home/certs", `${key}.asc`)));
    await gpg.run("--output", path, "--export");
  });
  await fs.chmod(path, 0o644);
  return path;
}

describe("apt's repositories and other programs", function () {
  this.timeout(180_000);
  before(needing("apt-get", "apt-cache", "gpg", "gpgv"));

  it("what feedkey signs, by one key or by two, apt-get and gpgv accept, and neither a changed one", async () => {
    await withSuite(async (suite) => {
      const at = Date.now();
      await suite.release({ at });
      const old = await keyringOf(suite, "old", suite.key);
      const apt = await RealApt.make(
        suite.folder,
        `deb [signed-by=${old}] file:${suite.folder}/site/debian stable main`,
      );
      await suite.sign(at, "--valid-for", "never");
      const accepted = async (what: string) => {
        const ended = await apt.update();
        expect(ended.status, `${what}\n${ended.stdout}${ended.stderr}`).to.equal(0);
        expect((await apt.run("apt-cache", "pkgnames")).stdout.trim(), what).to.equal("alpha");
      };
      await accepted("InRelease");
      const inline = await runProgram("gpgv", ["--keyring", old, "--output", "-", suite.path("InRelease")]);
      expect(inline.status, inline.stderr).to.equal(0);
      expect(inline.stdout).to.equal(await fs.readFile(suite.path("Release"), "utf8"));
      // Both keys, for a client that knows the older one alone.
      const next = await addKey(join(suite.folder, "home"), { userId: "Next <archive@example.org>" });
      await suite.sign(at + 1000, "--valid-for", "never", "--also-key", next);
      await accepted("two signatures in InRelease");
      const signed = await fs.readFile(suite.path("InRelease"), "utf8");
      await fs.rm(suite.path("InRelease"));
      await accepted("two signatures in Release.gpg");
      // The control.
      await fs.writeFile(suite.path("InRelease"), signed.replace("Suite: stable", "Suite: stabie"));
      expect((await apt.update()).status).to.equal(100);
    });
  });

  it("what gpg signs as apt-ftparchive's users do, feedkey accepts", async () => {
    await withSuite(async (suite) => {
      await inGnupgHome(async (gpg) => {
        const key = await gpg.generate("Other <archive@example.org>");
        const at = Date.now();
        await suite.release({
          at,
          fields: ["Description: - dashes  ", "Label: x"],
          lists: { "main/binary-amd64": stanza("alpha") },
        });
        await gpg.run("--local-user", key, "--output", suite.path("InRelease"), "--clearsign", suite.path("Release"));
        await gpg.run(
          "--local-user",
          key,
          "--output",
          suite.path("Release.gpg"),
          "--armor",
          "--detach-sign",
          suite.path("Release"),
        );
        const profile = join(suite.folder, "example.ini");
        const text = await fs.readFile(profile, "utf8");
        await fs.writeFile(join(suite.folder, "seed.asc"), await gpg.run("--armor", "--export", key));
        await fs.writeFile(profile, text.replace("home/certs", "seed.asc").replace(/^seeds = .*$/m, `seeds = ${key}`));
        for (const name of ["InRelease", "Release"]) {
          await suite.accept(at + 5000, "verify", "--no-state", suite.path(name));
        }
      });
    });
  });
});

describe("Debian's own lists, as apt keeps them", function () {
  this.timeout(180_000);
  const lists = "/var/lib/apt/lists";
  const helper = "/usr/lib/apt/apt-helper";
  const ending = "_debian_dists_bookworm-updates_InRelease";

  it("are verified through Debian's keys, and refused where a byte was changed or the suite is another", async function () {
    const names = await fs.readdir(lists).catch((): string[] => []);
    const prefix = names.find((name) => name.endsWith(ending))?.slice(0, -"InRelease".length);
    if (!presentOrSkip(this, prefix, "apt has no lists of bookworm-updates")) return;
    const kept = names.find((name) => name.startsWith(`${prefix}main_binary-`) && /_Packages(\.\w+)?$/.test(name));
    if (!presentOrSkip(this, kept, "apt has no list of the packages in bookworm-updates")) return;
    const architecture = /binary-(\w+)_/.exec(kept)?.[1] ?? "";
    await withSuite(async ({ folder }) => {
      const keyring = join(folder, "keyring");
      await fs.mkdir(keyring);
      const seeds: string[] = [];
      for (const name of await fs.readdir("test/vectors/debian-archive")) {
        if (!/key-1[123]-/.test(name)) continue;
        const text = await fs.readFile(join("test/vectors/debian-archive", name));
        await fs.writeFile(join(keyring, name), text);
        for (const { fingerprint } of readKeys(text).certificates) seeds.push(fingerprint);
      }
      const packages = execFileSync(helper, ["cat-file", join(lists, kept)], { maxBuffer: 1 << 29 });
      await fs.writeFile(join(folder, `${prefix}main_binary-${architecture}_Packages`), packages);
      const text = await fs.readFile(join(lists, `${prefix}InRelease`), "latin1");
      const date = Date.parse(/^Date: (.*)$/m.exec(text)?.[1] ?? "");
      const verify = async (release: string, suite = "bookworm-updates") => {
        await fs.writeFile(join(folder, `${prefix}InRelease`), release, "latin1");
        const lines = [
          "[archive]",
          "name = Debian",
          "url = https://debian.invalid/debian",
          "user-email = ftpmaster@debian.org",
        ];
        lines.push("[trust]", "keyring = keyring", `seeds = ${seeds.join(", ")}`, "keyservers = none", "[feed debian]");
        lines.push(
          "format = apt",
          "path = .",
          `suite = ${suite}`,
          "components = main",
          `architectures = ${architecture}`,
        );
        await fs.writeFile(join(folder, "debian.ini"), `${lines.join("\n")}\n`);
        const global = ["--profile", join(folder, "debian.ini"), "--state", join(folder, "state"), "--json"];
        const at = ["--at", iso(date + 3_600_000)];
        const ended = await runHere([...global, ...at, "verify", "--no-state", join(folder, `${prefix}InRelease`)]);
        const { error } = documentOf(ended);
        return error?.code ?? `${ended.status}`;
      };
      expect(await verify(text)).to.equal("0");
      expect(await verify(text, "oldstable-updates")).to.equal(
        /^Suite: oldstable-updates$/m.test(text) ? "0" : "wrong_feed",
      );
      expect(await verify(text, "bookworm")).to.equal("wrong_feed");
      expect(await verify(text.replace("Label: Debian", "Label: debian"))).to.equal("bad_signature");
      await fs.appendFile(join(folder, `${prefix}main_binary-${architecture}_Packages`), "\n");
      expect(await verify(text)).to.equal("bad_index");
    });
  });
});
