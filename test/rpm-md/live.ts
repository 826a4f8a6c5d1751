/** A repository that createrepo_c makes of a package that rpmbuild makes, and machines whose dnf or zypper reads it. */
import * as fs from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { documentOf, type Ended, runHere, runProgram } from "../testkit/programs/command-line.ts";

async function succeed(program: string, args: readonly string[]): Promise<string> {
  const ended = await runProgram(program, args);
  expect(ended.status, `${program} ${args.join(" ")}\n${ended.stdout}${ended.stderr}`).to.equal(0);
  return ended.stdout;
}

/** The archive of the kit with a repository of rpms in the place of its feed. */
export class RpmArchive {
  readonly live: LiveArchive;

  private constructor(live: LiveArchive) {
    this.live = live;
  }

  static async make(): Promise<RpmArchive> {
    return new RpmArchive(await LiveArchive.make());
  }

  get repodata(): string {
    return join(this.live.site, "rpm/repodata");
  }

  get repomd(): string {
    return join(this.repodata, "repomd.xml");
  }

  /** Adds a package, and has createrepo_c write the lists. */
  async add(name: string): Promise<void> {
    const { folder, site } = this.live;
    const spec = ["Version: 1.0", "Release: 1", "Summary: A greeting", "License: MIT", "BuildArch: noarch"];
    const file = join(folder, `${name}.spec`);
    await fs.writeFile(file, [`Name: ${name}`, ...spec, "%description", "Says hello.", "%files", ""].join("\n"));
    await succeed("rpmbuild", ["--quiet", "-bb", "--define", `_topdir ${folder}/rpmbuild`, file]);
    await fs.mkdir(join(site, "rpm"), { recursive: true });
    await fs.copyFile(
      join(folder, `rpmbuild/RPMS/noarch/${name}-1.0-1.noarch.rpm`),
      join(site, `rpm/${name}-1.0-1.noarch.rpm`),
    );
    await succeed("createrepo_c", ["--quiet", join(site, "rpm")]);
  }

  /** Signs the repository as it is. */
  async sign(...args: readonly string[]): Promise<void> {
    await this.live.keep("sign", this.repomd, "--force", ...args);
  }

  /** Ships the profile with these seeds. */
  async ship(...seeds: readonly string[]): Promise<void> {
    await this.live.ship(...seeds);
    const text = await fs.readFile(this.live.profile, "utf8");
    await fs.writeFile(
      this.live.profile,
      text.replace("format = opkg", "format = rpm-md").replace("feeds/base", "rpm"),
    );
  }
}

type Archive = Pick<RpmArchive, "live">;

/** The trust and the caches of one machine's dnf or zypper, below a root of its own. */
export abstract class RpmMachine {
  readonly root: string;
  readonly program: "dnf" | "zypper";

  constructor(archive: Archive, name: string, program: "dnf" | "zypper") {
    this.root = join(archive.live.folder, name);
    this.program = program;
  }

  /** `feedkey setup`, which must succeed. @returns its warnings */
  async setUp(archive: Archive, ...more: readonly string[]): Promise<readonly string[]> {
    await fs.mkdir(join(this.root, "usr/bin"), { recursive: true });
    const program = `#!/bin/sh\nexec '${process.execPath}' '${resolve("bin/feedkey.js")}' "$@"\n`;
    await fs.writeFile(join(this.root, "usr/bin/feedkey"), program, { mode: 0o755 });
    const where = ["--root", this.root, "--timer", "systemd"];
    const ended = await runHere([
      "--json",
      "--profile",
      archive.live.profile,
      "setup",
      this.program,
      ...where,
      ...more,
    ]);
    expect(ended.status, ended.stdout).to.equal(0);
    return documentOf(ended).warnings ?? [];
  }

  /** What systemd runs when the timer elapses, word for word; each line must succeed. */
  async ticks(): Promise<void> {
    const unit = `etc/systemd/system/feedkey-${this.program}-example.service`;
    const text = await fs.readFile(join(this.root, unit), "utf8");
    const lines = [...text.matchAll(/^ExecStart=-?(.+)$/gm)];
    expect(lines, text).to.have.length(2);
    for (const [, command = ""] of lines) {
      const [feedkey = "", ...args] = command
        .split(" ")
        .map((word) => (word.startsWith("/") ? this.root + word : word));
      await succeed(feedkey, args);
    }
  }

  /** Reads the repository, without a single yes. */
  abstract refresh(): Promise<Ended>;

  async accepts(): Promise<void> {
    const { status, stdout, stderr } = await this.refresh();
    expect(status, stdout + stderr).to.equal(0);
  }

  async refuses(): Promise<void> {
    const { status, stdout, stderr } = await this.refresh();
    expect(status, `refused for its signature: ${stdout}${stderr}`).to.not.equal(0);
    expect(stdout + stderr).to.match(/sign|GPG|key/i);
  }
}

export class DnfMachine extends RpmMachine {
  constructor(archive: Archive, name: string) {
    super(archive, name, "dnf");
  }

  async #dnf(...args: readonly string[]): Promise<Ended> {
    // dnf takes the paths of .repo files for those of this system.
    const read = join(this.root, "read");
    await fs.mkdir(read, { recursive: true });
    const repo = await fs.readFile(join(this.root, "etc/yum.repos.d/example.repo"), "utf8");
    await fs.writeFile(join(read, "example.repo"), repo.replace("file:///", `file://${this.root}/`));
    const own = ["--installroot", this.root, `--setopt=reposdir=${read}`, "--releasever=1", "--disableplugin=*"];
    const env = { LC_ALL: "C.UTF-8", no_proxy: "*" };
    return await runProgram(
      "dnf",
      [...own, "--setopt=module_platform_id=platform:x", "--setopt=proxy=", "--setopt=skip_if_unavailable=0", ...args],
      {
        env,
      },
    );
  }

  override async refresh(): Promise<Ended> {
    return await this.#dnf("--refresh", "makecache");
  }

  async install(name: string): Promise<void> {
    const { status, stdout, stderr } = await this.#dnf("-y", "install", name);
    expect(status, stdout + stderr).to.equal(0);
    expect(stdout).to.include(`${name}-1.0-1.noarch`);
  }

  /** Its own copy of the keys. */
  async ring(): Promise<string> {
    const cache = join(this.root, "var/cache/dnf");
    const [folder = "", ...others] = (await fs.readdir(cache)).filter((name) =>
      /^example-base-[0-9a-f]{16}$/.test(name),
    );
    expect(others).to.deep.equal([]);
    return join(cache, folder, "pubring");
  }
}

export class ZypperMachine extends RpmMachine {
  constructor(archive: Archive, name: string) {
    super(archive, name, "zypper");
  }

  async #zypper(...args: readonly string[]): Promise<Ended> {
    return await runProgram("zypper", ["-n", "--root", this.root, ...args], {
      env: { LC_ALL: "C.UTF-8", no_proxy: "*" },
    });
  }

  override async refresh(): Promise<Ended> {
    return await this.#zypper("refresh", "--force");
  }

  async install(name: string): Promise<void> {
    const { status, stdout, stderr } = await this.#zypper("install", name);
    expect(status, stdout + stderr).to.equal(0);
  }

  /** The names and certificates of rpm's keys. */
  async database(): Promise<string> {
    return await succeed("rpm", [
      "--root",
      this.root,
      "-qa",
      "gpg-pubkey",
      "--qf",
      "%{NAME}-%{VERSION}\n%{DESCRIPTION}\n",
    ]);
  }
}
