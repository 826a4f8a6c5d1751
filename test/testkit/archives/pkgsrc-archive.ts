/** A throw-away archive of pkgsrc packages and its client, driven through the command line, served on loopback. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Algorithm, generate } from "../../../src/openpgp/secret/generate.ts";
import { KeyStore } from "../../../src/store/key-store.ts";
import { type Instant, iso } from "../../../src/time.ts";
import { day } from "../dates.ts";
import { type PackageSaid, pkgsrcPackage } from "../packages/pkgsrc-package.ts";
import { documentOf, type Ended, type JsonDocument, runHere } from "../programs/command-line.ts";
import { Mirror } from "../servers/mirror.ts";

export const userId = "Example Archive Signing Key <archive@example.org>";
export const published = day(10);
export const hour = 3_600_000;

/** Where the packages of the archive lie. */
export const feedPath = "packages/x86_64/10.0/All";

export class PkgsrcArchive {
  readonly folder: string;
  readonly key: string;
  readonly mirror: Mirror;

  /** Where the client reads the published tree. */
  readonly #url: string;

  private constructor(folder: string, key: string, mirror: Mirror, url = mirror.url) {
    this.folder = folder;
    this.key = key;
    this.mirror = mirror;
    this.#url = url;
  }

  static async make(algorithm: Algorithm = "ed25519"): Promise<PkgsrcArchive> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-pkgsrc-"));
    const site = join(folder, "site");
    await fs.mkdir(join(site, feedPath), { recursive: true });
    await fs.mkdir(join(folder, "out"));
    const key = await generate({ userId, algorithm, at: day(0) });
    await (await KeyStore.open(join(folder, "home"))).add(key);
    const archive = new PkgsrcArchive(folder, key.fingerprint, await Mirror.start(site));
    const feed = ["[feed All]", "format = pkgsrc", `path = ${feedPath}`, ""];
    const config = ["[archive]", `root = ${site}`, `user-id = ${userId}`, `key = ${key.fingerprint}`, ...feed];
    await fs.writeFile(archive.config, config.join("\n"));
    await archive.writeProfile();
    return archive;
  }

  /** The same archive and client in a folder of their own; the client reads the published tree from the disk. */
  async copy(): Promise<PkgsrcArchive> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-pkgsrc-"));
    await fs.cp(this.folder, folder, { recursive: true });
    const copy = new PkgsrcArchive(folder, this.key, this.mirror, `file://${join(folder, "site")}/`);
    const config = await fs.readFile(this.config, "utf8");
    await fs.writeFile(copy.config, config.replace(`root = ${this.site}`, `root = ${copy.site}`));
    await copy.writeProfile();
    return copy;
  }

  get home(): string {
    return join(this.folder, "home");
  }

  get out(): string {
    return join(this.folder, "out");
  }

  get config(): string {
    return join(this.folder, "archive.ini");
  }

  get site(): string {
    return join(this.folder, "site");
  }

  /** A file of the feed in the published tree. */
  file(name: string): string {
    return join(this.site, feedPath, name);
  }

  /** A file of the client's state about the feed. */
  stateFile(name: string): string {
    return join(this.folder, "state", "example", "feeds", "All", name);
  }

  async writeProfile(...feed: readonly string[]): Promise<void> {
    const lines = ["[archive]", "name = Example", `url = ${this.#url}`, "user-email = archive@example.org"];
    lines.push("[trust]", `keyring = ${join(this.home, "certs")}`, `seeds = ${this.key}`, "keyservers = none");
    lines.push("[feed All]", "format = pkgsrc", `path = ${feedPath}`, ...feed, "");
    await fs.writeFile(join(this.folder, "example.ini"), lines.join("\n"));
  }

  async addPackage(said: PackageSaid & { readonly name: string }): Promise<string> {
    const path = this.file(`${said.name}.tgz`);
    await fs.writeFile(path, pkgsrcPackage(said));
    return path;
  }

  /** A command of the archive's keepers. */
  keeper(at: Instant, ...args: readonly string[]): Promise<Ended> {
    return runHere(["--home", this.home, "--json", "--at", iso(at), ...args]);
  }

  /** A command of the client. */
  client(at: Instant, ...args: readonly string[]): Promise<Ended> {
    const profile = join(this.folder, "example.ini");
    return runHere(["--profile", profile, "--state", join(this.folder, "state"), "--json", "--at", iso(at), ...args]);
  }

  async publish(at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const document = done(await this.keeper(at, "publish", "--config", this.config, ...args));
    await this.mirror.sync(this.site);
    return document;
  }

  /** Signs a file of the feed as it lies there, and lets the mirror sync. */
  async sign(at: Instant, name: string, ...args: readonly string[]): Promise<void> {
    done(await this.keeper(at, "sign", this.file(name), "--key", this.key, "--feed", "All", ...args));
    await this.mirror.sync(this.site);
  }

  async removeFolder(): Promise<void> {
    await fs.rm(this.folder, { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    await this.mirror.close();
    await this.removeFolder();
  }
}

/** What a command that must do all that is asked has to say. */
export function done(ended: Ended): JsonDocument {
  const document = documentOf(ended);
  expect({ status: ended.status, error: document.error }).to.deep.equal({ status: 0, error: undefined });
  return document;
}

/** What a command that must be refused has to say. */
export function refused(ended: Ended, code: string): string {
  const { error } = documentOf(ended);
  expect(error?.code, error?.message).to.equal(code);
  expect(ended.status).to.not.equal(0);
  return error?.message ?? "";
}
