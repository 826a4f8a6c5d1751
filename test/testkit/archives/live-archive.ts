/**
 * An archive of today, for programs that go by the clock: its tree is served over HTTP, its key server speaks HKPS, and
 * every step of its keepers and of its client is a real command.
 */

import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { type RunningServer, startServer } from "../../../src/keyserver/server.ts";
import { selfSigned } from "../../../src/net/self-signed.ts";
import { keyMerger } from "../../../src/openpgp/check/key-merger.ts";
import { documentOf, type Ended, type JsonDocument, runHere, runProgram } from "../programs/command-line.ts";
import { archiveUserId, type Expected, packageOf } from "./opkg-archive.ts";

export class LiveArchive {
  readonly folder: string;
  readonly #files: RunningServer;
  readonly #keyserver: RunningServer;
  /** When the last signature was made, by the clock; none yet. */
  #signedAt = 0;

  private constructor(folder: string, files: RunningServer, keyserver: RunningServer) {
    this.folder = folder;
    this.#files = files;
    this.#keyserver = keyserver;
  }

  /** Makes an archive with two packages, still without keys. */
  static async make(): Promise<LiveArchive> {
    const folder = await fs.mkdtemp(join(tmpdir(), "fk-live-"));
    await fs.mkdir(join(folder, "site/feeds/base"), { recursive: true });
    await fs.mkdir(join(folder, "keyring"));
    const tls = selfSigned(Date.now());
    await fs.writeFile(join(folder, "ca.pem"), tls.cert);
    const archive = new LiveArchive(
      folder,
      await startServer({ root: join(folder, "site"), port: 0 }),
      await startServer({ port: 0, tls, keyserver: { merger: keyMerger } }),
    );
    await archive.addPackage("alpha");
    await archive.addPackage("beta");
    return archive;
  }

  /** The published tree, and where it is served. */
  get site(): string {
    return join(this.folder, "site");
  }

  get url(): string {
    return this.#files.url;
  }

  get home(): string {
    return join(this.folder, "home");
  }

  get config(): string {
    return join(this.folder, "archive.ini");
  }

  get profile(): string {
    return join(this.folder, "example.ini");
  }

  async addPackage(name: string, version = "1.0-1"): Promise<void> {
    await fs.writeFile(this.file(`${name}_${version}_all.deb`), packageOf(name, version));
  }

  get keyserver(): string {
    return `hkps://localhost:${this.#keyserver.port}`;
  }

  get #keyserverLines(): string[] {
    return [`keyservers = ${this.keyserver}`, `keyserver-ca = ${join(this.folder, "ca.pem")}`];
  }

  /** A file of the feed. */
  file(name: string): string {
    return join(this.site, "feeds/base", name);
  }

  async writeConfig(key: string): Promise<void> {
    const lines = ["[archive]", `root = ${this.site}`, `user-id = ${archiveUserId}`, `key = ${key}`];
    lines.push(...this.#keyserverLines, "[feed base]", "format = opkg", "path = feeds/base");
    await fs.writeFile(this.config, `${lines.join("\n")}\n`);
  }

  /** Writes the profile, as a release of the client ships it: with the seeds' certificates of now. */
  async ship(...seeds: readonly string[]): Promise<void> {
    await this.shipWith([], ...seeds);
  }

  /** The same with further lines in the section [trust]. */
  async shipWith(trust: readonly string[], ...seeds: readonly string[]): Promise<void> {
    for (const seed of seeds) {
      await fs.copyFile(join(this.home, "certs", `${seed}.asc`), join(this.folder, "keyring", `${seed}.asc`));
    }
    const lines = ["[archive]", "name = Example", `url = ${this.url}`, "user-email = archive@example.org"];
    lines.push("[trust]", "keyring = keyring", `seeds = ${seeds.join(", ")}`, ...this.#keyserverLines);
    lines.push(...trust, "[feed base]", "format = opkg", "path = feeds/base");
    await fs.writeFile(this.profile, `${lines.join("\n")}\n`);
  }

  /** A command of the keepers that must succeed. */
  async keep(...args: readonly string[]): Promise<JsonDocument> {
    // A second signature within one second is dated into the next one, which gpgv and sqv refuse until it has come.
    const [command = ""] = args;
    const signs = /^(publish|sign|rotate|revoke)$/.test(command);
    if (signs || command === "rehearse") await nextSecond(this.#signedAt);
    const ended = await runHere(["--home", this.home, "--json", ...args]);
    // A rehearsal signs a copy, whose signatures nobody has to come after.
    if (signs) this.#signedAt = Date.now();
    expect(ended.status, ended.stdout).to.equal(0);
    return documentOf(ended);
  }

  /** Makes a key in the key store. @returns its fingerprint */
  async keygen(...args: readonly string[]): Promise<string> {
    return String((await this.keep("keygen", "--user-id", archiveUserId, ...args)).fingerprint);
  }

  /** Brings a key from elsewhere into the key store. @param armored secret key or certificate */
  async importKey(armored: string): Promise<void> {
    const file = join(this.folder, "import.asc");
    await fs.writeFile(file, armored, { mode: 0o600 });
    await this.keep("key", "import", file);
    await fs.rm(file);
  }

  /** The first key signs, and the key server knows it. */
  async publish(key: string): Promise<void> {
    await this.writeConfig(key);
    await this.keep("publish", "--config", this.config);
    await this.keep("send", key, "--config", this.config);
  }

  /** Begins a rotation. @returns the successor's fingerprint */
  async rotate(...args: readonly string[]): Promise<string> {
    const backup = join(this.folder, "safe");
    return String((await this.keep("rotate", "--config", this.config, "--backup", backup, ...args)).successor);
  }

  async revokeAsCompromised(key: string): Promise<void> {
    await this.keep("revoke", key, "--reason", "compromised", "--config", this.config, "--force");
  }

  /** Options that every command of the client is given. */
  get client(): string[] {
    return ["--profile", this.profile, "--state", join(this.folder, "state")];
  }

  /** A command of the client, whatever comes of it. */
  async try(...args: readonly string[]): Promise<Ended> {
    return await runHere([...this.client, "--json", ...args]);
  }

  /** A command of the client that must succeed. */
  async accept(...args: readonly string[]): Promise<JsonDocument> {
    const ended = await this.try(...args);
    expect(ended.status, ended.stdout).to.equal(0);
    return documentOf(ended);
  }

  /** A command of the client that must be refused. */
  async refuse({ code, status }: Expected, ...args: readonly string[]): Promise<JsonDocument> {
    const ended = await this.try(...args);
    const document = documentOf(ended);
    expect({ code: document.error?.code, status: ended.status }, ended.stdout).to.deep.equal({ code, status });
    return document;
  }

  /** What a timer on the client's machine runs: one shell line with two processes of the program. */
  async timer(format: string, path: string): Promise<void> {
    const program = `'${process.execPath}' bin/feedkey.js ${this.client.join(" ")}`;
    const line = `${program} --quiet refresh && ${program} --quiet export --for ${format} '${path}'`;
    const ended = await runProgram("sh", ["-c", line]);
    expect(ended.status, ended.stderr).to.equal(0);
  }

  async stopKeyserver(): Promise<void> {
    await this.#keyserver.close();
  }

  async remove(): Promise<void> {
    await this.#files.close();
    await this.#keyserver.close();
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}

/** Waits until the second of a moment is over. */
async function nextSecond(moment: number): Promise<void> {
  const left = (Math.floor(moment / 1000) + 1) * 1000 - Date.now();
  if (left > 0) await setTimeout(left);
}

/** Gives an action an archive. */
export async function inLiveArchive(action: (archive: LiveArchive) => Promise<void>): Promise<void> {
  const archive = await LiveArchive.make();
  try {
    await action(archive);
  } finally {
    await archive.remove();
  }
}
