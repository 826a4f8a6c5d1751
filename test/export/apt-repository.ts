/** A real apt repository in an archive's tree, signed by real gpg, and a machine whose apt reads it. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Ended, runProgram } from "../cases/cli.ts";
import type { GnupgHome } from "./gnupg.ts";
import type { LiveArchive } from "./live-archive.ts";

async function succeed(program: string, args: readonly string[]): Promise<string> {
  const ended = await runProgram(program, args);
  expect(ended.status, `${program} ${args.join(" ")}\n${ended.stderr}`).to.equal(0);
  return ended.stdout;
}

/** Writes the index of the archive's packages and a Release file, signed inline by a key of gpg. */
export async function releaseBy(archive: LiveArchive, gpg: GnupgHome, key: string): Promise<void> {
  const suite = join(archive.site, "dists/stable");
  const binary = join(suite, "main/binary-amd64");
  await fs.mkdir(binary, { recursive: true });
  const packages = await succeed("sh", ["-c", `cd '${archive.site}' && apt-ftparchive packages feeds`]);
  await fs.writeFile(join(binary, "Packages"), packages);
  await fs.rm(join(suite, "Release"), { force: true });
  const fields = { Suite: "stable", Codename: "stable", Components: "main", Architectures: "amd64" };
  const options = Object.entries(fields).flatMap(([name, value]) => [
    "-o",
    `APT::FTPArchive::Release::${name}=${value}`,
  ]);
  await fs.writeFile(join(suite, "Release"), await succeed("apt-ftparchive", [...options, "release", suite]));
  await gpg.run(
    "--local-user",
    key,
    "--digest-algo",
    "SHA256",
    "--output",
    join(suite, "InRelease"),
    "--clearsign",
    join(suite, "Release"),
  );
}

export class AptMachine {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** A machine whose sources name the archive, and the file that feedkey exports to. */
  static async make(archive: LiveArchive): Promise<AptMachine> {
    const machine = new AptMachine(join(archive.folder, "machine"));
    const settled = ["sources.list.d", "apt.conf.d", "preferences.d", "keyrings"].map((name) => `etc/apt/${name}`);
    for (const folder of [...settled, "var/lib/apt/lists/partial", "var/lib/dpkg", "var/cache/apt/archives/partial"]) {
      await fs.mkdir(join(machine.root, folder), { recursive: true });
    }
    await fs.writeFile(join(machine.root, "var/lib/dpkg/status"), "");
    const source = [
      "Types: deb",
      `URIs: ${archive.url}`,
      "Suites: stable",
      "Components: main",
      `Signed-By: ${machine.keyring}`,
      "",
    ];
    await fs.writeFile(join(machine.root, "etc/apt/sources.list.d/example.sources"), source.join("\n"));
    const settings = [`Dir "${machine.root}"`, `Dir::State::status "${machine.root}/var/lib/dpkg/status"`];
    settings.push('APT::Sandbox::User "root"', 'APT::Architecture "amd64"', 'APT::Architectures { "amd64" }');
    // Without it apt warns of a Release file that it refused, keeps the old one and calls that a success.
    settings.push('APT::Update::Error-Mode "any"', 'Acquire::Languages "none"', 'Acquire::http::Proxy "DIRECT"');
    await fs.writeFile(join(machine.root, "apt.conf"), settings.map((line) => `${line};\n`).join(""));
    return machine;
  }

  get keyring(): string {
    return join(this.root, "etc/apt/keyrings/example.pgp");
  }

  async #apt(program: string, ...args: readonly string[]): Promise<Ended> {
    return await runProgram(program, args, { env: { APT_CONFIG: join(this.root, "apt.conf"), LC_ALL: "C" } });
  }

  /** `apt-get update` must succeed, and find exactly these packages. */
  async finds(...names: readonly string[]): Promise<void> {
    const ended = await this.#apt("apt-get", "update");
    expect(ended.status, ended.stdout + ended.stderr).to.equal(0);
    expect(ended.stderr, "warnings").to.equal("");
    expect(await this.packages()).to.deep.equal([...names].sort());
  }

  /** `apt-get update` must refuse the Release file for its signature. @returns what it said */
  async refuses(): Promise<string> {
    const before = await this.packages();
    const ended = await this.#apt("apt-get", "update");
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
