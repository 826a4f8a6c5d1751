// reprepro and aptly sign by feedkey's hooks, and the real apt accepts what they publish, whichever key of a rotation it knows.
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { findProgram } from "../../src/files/programs.ts";
import { unframe } from "../../src/formats/cleartext.ts";
import { readSignatureFile } from "../../src/openpgp/check/detached.ts";
import { addKey, archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { documentOf, type Ended, type JsonDocument, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";

const second = 1000;
const day = 86_400 * second;

/** A keeper's machine with one package, and a folder that is published. */
class Machine {
  readonly folder: string;
  readonly key: string;
  readonly path: string;

  private constructor(folder: string, key: string, path: string) {
    this.folder = folder;
    this.key = key;
    this.path = path;
  }

  /** @param published the archive's root, below the folder */
  static async make(published: string): Promise<Machine> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-makers-"));
    const key = await addKey(join(folder, "home"), { at: Date.now() - day });
    const machine = new Machine(folder, key, `${join(folder, "bin")}:${process.env.PATH}`);
    for (const name of ["bin", published, "deb/DEBIAN"]) await fs.mkdir(join(folder, name), { recursive: true });
    const feedkey = `#!/bin/sh\nexec '${process.execPath}' '${resolve("bin/feedkey.js")}' --home '${folder}/home' "$@"\n`;
    await fs.writeFile(join(folder, "bin/feedkey"), feedkey, { mode: 0o755 });
    const control =
      "Package: hello\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: hello\n";
    await fs.writeFile(join(folder, "deb/DEBIAN/control"), `${control}Section: misc\nPriority: optional\n`);
    await machine.run("dpkg-deb", "--root-owner-group", "-b", join(folder, "deb"), machine.deb);
    const lines = ["[archive]", `root = ${published}`, `user-id = ${archiveUserId}`, `key = ${key}`];
    lines.push("[feed stable]", "format = apt", "path = dists/stable");
    await fs.writeFile(machine.config, `${lines.join("\n")}\n`);
    return machine;
  }

  get config(): string {
    return join(this.folder, "archive.ini");
  }

  get deb(): string {
    return join(this.folder, "hello.deb");
  }

  /** Runs a program that finds this machine's feedkey. */
  async try(program: string, ...args: readonly string[]): Promise<Ended> {
    const env = { ...process.env, PATH: this.path, FEEDKEY_CONFIG: this.config, HOME: this.folder };
    return await runProgram(program, args, { env });
  }

  async run(program: string, ...args: readonly string[]): Promise<void> {
    const { status, stdout, stderr } = await this.try(program, ...args);
    expect(status, `${program} ${args.join(" ")}\n${stdout}\n${stderr}`).to.equal(0);
  }

  /** A keeper's command. */
  async keep(...args: readonly string[]): Promise<JsonDocument> {
    const document = documentOf(await runHere(["--home", join(this.folder, "home"), "--json", ...args]));
    expect(document.error, JSON.stringify(document)).to.equal(undefined);
    return document;
  }

  /** The real apt, which knows one key, updates and downloads the package. */
  async aptAccepts(published: string, key: string): Promise<void> {
    const root = await fs.mkdtemp(join(this.folder, "apt-"));
    for (const name of ["lists/partial", "cache/archives/partial", "etc"]) {
      await fs.mkdir(join(root, name), { recursive: true });
    }
    await fs.writeFile(join(root, "status"), "");
    await fs.writeFile(join(root, "key.asc"), String((await this.keep("key", "export", key)).armored));
    const source = `deb [signed-by=${root}/key.asc] file://${join(this.folder, published)} stable main\n`;
    await fs.writeFile(join(root, "sources.list"), source);
    const settings = [`Dir::Etc=${root}/etc`, `Dir::Etc::sourcelist=${root}/sources.list`, "Dir::Etc::sourceparts=-"];
    settings.push(`Dir::State=${root}`, `Dir::State::lists=${root}/lists`, `Dir::State::status=${root}/status`);
    settings.push(`Dir::Cache=${root}/cache`, "APT::Architecture=amd64", "APT::Architectures=amd64");
    settings.push("APT::Update::Error-Mode=any", "APT::Sandbox::User=root", "Acquire::Languages=none");
    const options = settings.flatMap((setting) => ["-o", setting]);
    for (const command of [["update"], ["install", "--print-uris", "-y", "hello"]]) {
      const { status, stdout, stderr } = await runProgram("apt-get", [...options, ...command]);
      expect(status, `${command.join(" ")}\n${stdout}\n${stderr}`).to.equal(0);
    }
  }
}

async function signers(folder: string): Promise<(string | undefined)[]> {
  const { signatures } = unframe(await fs.readFile(join(folder, "InRelease")), "InRelease");
  const issuers = (bytes: Uint8Array) =>
    readSignatureFile(bytes, "").map((one) => ("raw" in one ? one.raw.issuer.fingerprint : undefined));
  const found = issuers(signatures);
  expect(issuers(await fs.readFile(join(folder, "Release.gpg")))).to.deep.equal(found);
  return found;
}

describe("hooks for the programs that write apt's repositories", function () {
  this.timeout(120_000);

  before(function () {
    for (const name of ["reprepro", "aptly", "apt-get", "dpkg-deb"]) {
      if (!presentOrSkip(this, findProgram(name), `needs ${name}`)) return;
    }
  });

  it("reprepro signs by the archive's keys, by both during a rotation, and publishes nothing where that fails", async () => {
    const machine = await Machine.make("site");
    try {
      const base = join(machine.folder, "site");
      const dists = join(base, "dists/stable");
      const conf = join(machine.folder, "conf");
      await fs.mkdir(conf);
      const fields =
        "Codename: stable\nSuite: stable\nComponents: main\nArchitectures: amd64\nSignWith: !feedkey-sign\n";
      await fs.writeFile(join(conf, "distributions"), fields);
      await fs.copyFile(resolve("hooks/reprepro"), join(conf, "feedkey-sign"));
      const reprepro = ["-b", base, "--confdir", conf, "--dbdir", join(machine.folder, "db")];
      await machine.run("reprepro", ...reprepro, "includedeb", "stable", machine.deb);
      expect(await signers(dists)).to.deep.equal([machine.key]);
      await machine.aptAccepts("site", machine.key);

      const next = String((await machine.keep("rotate", "--config", machine.config, "--force")).successor);
      expect(await signers(dists)).to.deep.equal([machine.key, next]);
      await machine.run("reprepro", ...reprepro, "export");
      expect(await signers(dists)).to.deep.equal([machine.key, next]);
      for (const key of [machine.key, next]) await machine.aptAccepts("site", key);

      const held = await fs.readFile(join(dists, "InRelease"));
      const private_ = join(machine.folder, "home/private");
      await fs.rename(private_, `${private_}-away`);
      expect((await machine.try("reprepro", ...reprepro, "export")).status).to.not.equal(0);
      expect(await fs.readFile(join(dists, "InRelease"))).to.deep.equal(held);
      await fs.rename(`${private_}-away`, private_);

      // What the hook signed is on record: a rotation takes it for the archive's latest.
      await machine.keep("publish", "--config", machine.config);
      await machine.run("reprepro", ...reprepro, "export");
      const finished = await machine.keep("rotate", "--config", machine.config, "--finish", "--force", "--retire");
      expect(String(finished.done)).to.contain(`signed feed "stable" with ${next}`);
      expect(await signers(dists)).to.deep.equal([next]);
      await machine.aptAccepts("site", next);
    } finally {
      await fs.rm(machine.folder, { recursive: true });
    }
  });

  it("aptly finds a gpg that signs by feedkey, and refuses all else; or signs nothing, and publish does", async () => {
    const machine = await Machine.make("aptly/public");
    try {
      const published = join(machine.folder, "aptly/public");
      const dists = join(published, "dists/stable");
      await fs.copyFile(resolve("hooks/aptly-gpg"), join(machine.folder, "bin/gpg"));
      const settings = { rootDir: join(machine.folder, "aptly"), architectures: ["amd64"] };
      const config = join(machine.folder, "aptly.conf");
      await fs.writeFile(config, JSON.stringify(settings));
      const aptly = async (...args: readonly string[]) => await machine.run("aptly", `-config=${config}`, ...args);
      await aptly("repo", "create", "-distribution=stable", "-component=main", "local");
      await aptly("repo", "add", "local", machine.deb);
      await machine.keep("rotate", "--config", machine.config, "--force");
      await aptly("publish", "repo", "-gpg-key=stable", "-distribution=stable", "local");
      const both = await signers(dists);
      expect(both).to.have.length(2);
      for (const key of both) await machine.aptAccepts("aptly/public", String(key));
      for (const args of [
        ["--decrypt", "x"],
        ["--armor", "--detach-sign", "Release"],
        ["-o", "x", "-u", "stable", "--clearsign", "Release"],
      ]) {
        const refused = await machine.try("gpg", ...args);
        expect({ status: refused.status, says: refused.stderr.includes("stand-in") }).to.deep.equal({
          status: 2,
          says: true,
        });
      }

      await aptly("publish", "drop", "stable");
      await aptly("publish", "repo", "-skip-signing", "-distribution=stable", "local");
      await machine.keep("publish", "--config", machine.config);
      expect(await signers(dists)).to.deep.equal(both);
      await machine.aptAccepts("aptly/public", machine.key);
    } finally {
      await fs.rm(machine.folder, { recursive: true });
    }
  });
});
