/** An archive with a repository of pacman's that repo-add makes, and a machine whose pacman reads it below a root of its own. */
import * as fs from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { documentOf, type Ended, type JsonDocument, runProgram } from "../testkit/programs/command-line.ts";
import { fileName, packageOf } from "./repository.ts";

/** An archive of today, whose only feed is the repository `example`. */
export class PacmanArchive {
  readonly live: LiveArchive;

  private constructor(live: LiveArchive) {
    this.live = live;
  }

  static async make(): Promise<PacmanArchive> {
    const archive = new PacmanArchive(await LiveArchive.make());
    await fs.mkdir(archive.site);
    await archive.add("alpha");
    return archive;
  }

  get site(): string {
    return join(this.live.site, "x86_64");
  }

  /** Adds a package to the database, which then has no signature that fits. */
  async add(name: string): Promise<void> {
    await fs.writeFile(join(this.site, fileName(name)), packageOf(name));
    const made = await runProgram("repo-add", ["example.db.tar.gz", fileName(name)], { cwd: this.site });
    expect(made.status, made.stderr).to.equal(0);
  }

  /** This key signs, the key server knows it, and clients are shipped with it. */
  async publish(key: string): Promise<void> {
    const toFeed = async (file: string) => {
      const text = await fs.readFile(file, "utf8");
      const feed = "[feed example]\nformat = pacman\npath = x86_64\n";
      await fs.writeFile(file, `${text.slice(0, text.indexOf("[feed base]"))}${feed}`);
    };
    await this.live.writeConfig(key);
    await toFeed(this.live.config);
    await this.sign();
    await this.live.keep("send", key, "--config", this.live.config);
    await this.live.ship(key);
    await toFeed(this.live.profile);
  }

  async sign(): Promise<JsonDocument> {
    return await this.live.keep("publish", "--config", this.live.config);
  }
}

/** A machine as an installer leaves it; nothing of this system is touched. Its pacman-key is this system's with other folders. */
export class PacmanMachine {
  readonly root: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(root: string) {
    this.root = root;
    this.#env = { PATH: `${root}/bin:${process.env.PATH}`, LC_ALL: "C" };
  }

  /** Installs a machine, without feedkey's set-up. */
  static async make(archive: Pick<PacmanArchive, "live">, name = "machine"): Promise<PacmanMachine> {
    // gpg's sockets need a short path.
    const machine = new PacmanMachine(join(archive.live.folder, name));
    const { root } = machine;
    for (const folder of ["bin", "usr/bin", "etc", "var/lib/pacman", "var/cache"]) {
      await fs.mkdir(join(root, folder), { recursive: true });
    }
    const program = `#!/bin/sh\nexec '${process.execPath}' '${resolve("bin/feedkey.js")}' "$@"\n`;
    await fs.writeFile(join(root, "usr/bin/feedkey"), program, { mode: 0o755 });
    const options = ["[options]", "Architecture = x86_64", `GPGDir = ${machine.ring}`, "SigLevel = Never", ""];
    await fs.writeFile(join(root, "etc/pacman.conf"), options.join("\n"));
    const pacmanKey = await fs.readFile("/usr/bin/pacman-key", "utf8");
    await fs.writeFile(join(root, "usr/bin/pacman-key"), pacmanKey);
    const moved = pacmanKey
      .replaceAll("/usr/share/", `${root}/usr/share/`)
      .replaceAll("/etc/pacman", `${root}/etc/pacman`);
    const library = moved.replace(`:-'${root}/usr/share/makepkg'`, ":-'/usr/share/makepkg'");
    await fs.writeFile(join(root, "bin/pacman-key"), library, { mode: 0o755 });
    const conf = `#!/bin/sh\nexec /usr/bin/pacman-conf --config '${root}/etc/pacman.conf' "$@"\n`;
    await fs.writeFile(join(root, "bin/pacman-conf"), conf, { mode: 0o755 });
    return machine;
  }

  get ring(): string {
    return join(this.root, "etc/pacman.d/gnupg");
  }

  get keyring(): string {
    return join(this.root, "usr/share/keyrings/example.gpg");
  }

  async run(program: string, ...args: readonly string[]): Promise<Ended> {
    return await runProgram(program, args, { env: this.#env });
  }

  async succeed(program: string, ...args: readonly string[]): Promise<string> {
    const ended = await this.run(program, ...args);
    expect(ended.status, `${program} ${args.join(" ")}\n${ended.stdout}${ended.stderr}`).to.equal(0);
    return ended.stdout;
  }

  /** `feedkey setup pacman`, or another command of it, which must succeed. */
  async setUp(archive: Pick<PacmanArchive, "live">, ...more: readonly string[]): Promise<JsonDocument> {
    const where = ["--root", this.root, ...(more.length > 0 ? more : ["--timer", "systemd"])];
    const profile = ["--json", "--profile", archive.live.profile];
    const ended = await this.run(join(this.root, "usr/bin/feedkey"), ...profile, "setup", "pacman", ...where);
    expect(ended.status, ended.stdout + ended.stderr).to.equal(0);
    return documentOf(ended);
  }

  /** What systemd runs when the timer elapses, word for word; nothing else is done on the machine. */
  async ticks(): Promise<void> {
    const unit = await fs.readFile(join(this.root, "etc/systemd/system/feedkey-pacman-example.service"), "utf8");
    const lines = [...unit.matchAll(/^ExecStart=-?(.+)$/gm)];
    expect(lines, unit).to.have.length(2);
    for (const [, command = ""] of lines) {
      const words = command.split(" ").map((word) => (word.startsWith("/") ? this.root + word : word));
      await this.succeed(words[0] ?? "", ...words.slice(1));
    }
  }

  async pacman(...args: readonly string[]): Promise<Ended> {
    const { root } = this;
    const own = ["--root", root, "--dbpath", `${root}/var/lib/pacman`, "--gpgdir", this.ring, "--noconfirm"];
    const cache = ["--config", `${root}/etc/pacman.conf`, "--cachedir", `${root}/var/cache`];
    return await this.run("pacman", ...own, ...cache, ...args);
  }

  /** Reads the repository again, and installs from it. */
  async installs(name: string): Promise<void> {
    for (const args of [["-Syy"], ["-S", name]]) {
      const ended = await this.pacman(...args);
      expect(ended.status, ended.stdout + ended.stderr).to.equal(0);
    }
    expect(await fs.readFile(join(this.root, "opt", name), "utf8")).to.equal(`${name}\n`);
    await fs.rm(join(this.root, "opt", name));
  }

  /** Neither reads the repository nor installs from what it has. @returns what it said */
  async refuses(name: string): Promise<string> {
    const read = await this.pacman("-Syy");
    expect(read.status, read.stdout).to.not.equal(0);
    const installed = await this.pacman("-S", name);
    expect(installed.status, installed.stdout).to.not.equal(0);
    return read.stderr + installed.stderr;
  }

  /** Fingerprints in pacman's ring with gpg's word for each: `f` for trusted, `e` for expired... */
  async held(): Promise<ReadonlyMap<string, string>> {
    const listed = await this.succeed("gpg", "--homedir", this.ring, "--with-colons", "--list-keys");
    const keys = listed.matchAll(/^pub:(\w*):(?:[^:\n]*:){9,}.*\nfpr:::::::::([0-9A-F]{40}):/gm);
    return new Map([...keys].map(([, word = "", key = ""]) => [key, word]));
  }

  async stop(): Promise<void> {
    await this.run("gpgconf", "--homedir", this.ring, "--kill", "all");
  }
}
