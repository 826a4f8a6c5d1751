/** A real apt repository in an archive's tree, signed by real gpg, and a machine whose apt reads it. */
import * as fs from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect } from "chai";
import type { LiveArchive } from "../testkit/archives/live-archive.ts";
import { documentOf, type Ended, runHere, runProgram } from "../testkit/programs/command-line.ts";
import type { GnupgHome } from "../testkit/programs/gnupg.ts";

async function succeed(program: string, args: readonly string[]): Promise<string> {
  const ended = await runProgram(program, args);
  expect(ended.status, `${program} ${args.join(" ")}\n${ended.stderr}`).to.equal(0);
  return ended.stdout;
}

/** What a Release file is signed in: apt takes the first where it finds both. */
export type Form = "InRelease" | "Release.gpg";

/** Writes the index of the archive's packages and a Release file, signed by a key of gpg. */
export async function releaseBy(
  archive: LiveArchive,
  gpg: GnupgHome,
  key: string,
  form: Form = "InRelease",
): Promise<void> {
  const suite = join(archive.site, "dists/stable");
  const binary = join(suite, "main/binary-amd64");
  await fs.mkdir(binary, { recursive: true });
  const packages = await succeed("sh", ["-c", `cd '${archive.site}' && apt-ftparchive packages feeds`]);
  await fs.writeFile(join(binary, "Packages"), packages);
  for (const name of ["Release", "InRelease", "Release.gpg"]) await fs.rm(join(suite, name), { force: true });
  const fields = { Suite: "stable", Codename: "stable", Components: "main", Architectures: "amd64" };
  const options = Object.entries(fields).flatMap(([name, value]) => [
    "-o",
    `APT::FTPArchive::Release::${name}=${value}`,
  ]);
  await fs.writeFile(join(suite, "Release"), await succeed("apt-ftparchive", [...options, "release", suite]));
  const signing = ["--local-user", key, "--digest-algo", "SHA256", "--output", join(suite, form)];
  const kind = form === "InRelease" ? ["--clearsign"] : ["--armor", "--detach-sign"];
  await gpg.run(...signing, ...kind, join(suite, "Release"));
}

/**
 * A machine as an installer leaves it. Its root is not that of this system, and nothing of this system is touched: what
 * its own programs would read as `/etc/...` or `/var/...` is read below the root, as in a chroot.
 */
export class AptMachine {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** Installs a machine, and runs what the installer runs for feedkey. */
  static async make(archive: LiveArchive, name = "machine"): Promise<AptMachine> {
    const machine = new AptMachine(join(archive.folder, name));
    const settled = ["sources.list.d", "apt.conf.d", "preferences.d"].map((name) => `etc/apt/${name}`);
    const lists = ["var/lib/apt/lists/partial", "var/lib/dpkg", "var/cache/apt/archives/partial"];
    for (const folder of [...settled, ...lists, "usr/bin", "read"]) {
      await fs.mkdir(join(machine.root, folder), { recursive: true });
    }
    await fs.writeFile(join(machine.root, "var/lib/dpkg/status"), "");
    const program = `#!/bin/sh\nexec '${process.execPath}' '${resolve("bin/feedkey.js")}' "$@"\n`;
    await fs.writeFile(join(machine.root, "usr/bin/feedkey"), program, { mode: 0o755 });
    const settings = [`Dir "${machine.root}"`, `Dir::State::status "${machine.root}/var/lib/dpkg/status"`];
    settings.push(`Dir::Etc::sourceparts "${machine.root}/read"`);
    settings.push('APT::Sandbox::User "root"', 'APT::Architecture "amd64"', 'APT::Architectures { "amd64" }');
    // Without it apt warns of a Release file that it refused, keeps the old one and calls that a success.
    settings.push('APT::Update::Error-Mode "any"', 'Acquire::Languages "none"', 'Acquire::http::Proxy "DIRECT"');
    await fs.writeFile(join(machine.root, "apt.conf"), settings.map((line) => `${line};\n`).join(""));
    await machine.setUp(archive);
    return machine;
  }

  /** `feedkey setup apt`, which must succeed. @returns what happened to each path */
  async setUp(archive: LiveArchive, ...more: readonly string[]): Promise<Record<string, string>> {
    const suite = ["--suite", "stable", "--component", "main", "--timer", "systemd"];
    const args = ["--json", "--profile", archive.profile, "setup", "apt", "--root", this.root, ...suite, ...more];
    const ended = await runHere(args);
    expect(ended.status, ended.stdout).to.equal(0);
    const changes = documentOf(ended).changes as { readonly path: string; readonly action: string }[];
    // The same source, with the keyring where this system's apt finds it.
    const source = await fs.readFile(join(this.root, "etc/apt/sources.list.d/example.sources"), "utf8");
    await fs.writeFile(
      join(this.root, "read/example.sources"),
      source.replace("Signed-By: /", `Signed-By: ${this.root}/`),
    );
    return Object.fromEntries(changes.map(({ path, action }) => [path, action]));
  }

  get keyring(): string {
    return join(this.root, "etc/apt/keyrings/example.gpg");
  }

  /**
   * What systemd runs when the timer elapses: each line of the unit that the setup wrote, word for word. A line with a
   * `-` may fail; after any other that does, nothing more is run.
   * @returns what the last one that was run did
   */
  async timer(): Promise<Ended> {
    const unit = await fs.readFile(join(this.root, "etc/systemd/system/feedkey-apt-example.service"), "utf8");
    const lines = [...unit.matchAll(/^ExecStart=(-?)(.+)$/gm)];
    expect(lines, unit).to.have.length(2);
    let last: Ended | undefined;
    for (const [line, mayFail = "", command = ""] of lines) {
      // Nothing in it that systemd would read as anything but words.
      expect(command, line).to.match(/^[\w/.: -]+$/);
      const [program = "", ...args] = command
        .split(" ")
        .map((word) => (word.startsWith("/") ? this.root + word : word));
      last = await runProgram(program, args);
      if (last.status !== 0 && mayFail === "") break;
    }
    return last as Ended;
  }

  /** The timer elapses, and all goes well. */
  async ticks(): Promise<void> {
    const { status, stderr } = await this.timer();
    expect(status, stderr).to.equal(0);
  }

  /** `apt-get install`, as far as to the package's file. @returns the file in apt's cache */
  async fetches(name: string): Promise<string> {
    const ended = await this.#apt("apt-get", "install", "-y", "--download-only", "--no-install-recommends", name);
    expect(ended.status, ended.stdout + ended.stderr).to.equal(0);
    const cache = join(this.root, "var/cache/apt/archives");
    const [file] = (await fs.readdir(cache)).filter((one) => one.startsWith(`${name}_`));
    if (file === undefined) throw new Error(`apt-get fetched nothing for ${name}`);
    return join(cache, file);
  }

  async #apt(program: string, ...args: readonly string[]): Promise<Ended> {
    return await runProgram(program, args, { env: { APT_CONFIG: join(this.root, "apt.conf"), LC_ALL: "C" } });
  }

  async update(): Promise<Ended> {
    return await this.#apt("apt-get", "update");
  }

  /** `apt-get update` must succeed, and find exactly these packages. */
  async finds(...names: readonly string[]): Promise<void> {
    const ended = await this.update();
    expect(ended.status, ended.stdout + ended.stderr).to.equal(0);
    expect(ended.stderr, "warnings").to.equal("");
    expect(await this.packages()).to.deep.equal([...names].sort());
  }

  /** `apt-get update` must refuse the Release file for its signature. @returns what it said */
  async refuses(): Promise<string> {
    const before = await this.packages();
    const ended = await this.update();
    expect(ended.status, ended.stdout).to.equal(100);
    expect(await this.packages(), "the lists after the refusal").to.deep.equal(before);
    return ended.stderr;
  }

  /** What apt could install. */
  async packages(): Promise<string[]> {
    const ended = await this.#apt("apt-cache", "pkgnames");
    return ended.stdout
      .trim()
      .split("\n")
      .filter((name) => name !== "")
      .sort();
  }
}
