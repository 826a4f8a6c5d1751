/**
 * A throw-away archive and its client: real keys, packages built by hand, published by the real command, served over
 * HTTP on loopback. Every command goes through the command line; what it says is read from its JSON document.
 */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { generate } from "../../../src/openpgp/secret/generate.ts";
import { KeyStore } from "../../../src/store/key-store.ts";
import { type Duration, type Instant, iso } from "../../../src/time.ts";
import { day } from "../dates.ts";
import { debOf } from "../packages/build-package.ts";
import { documentOf, type Ended, type JsonDocument, runHere } from "../programs/command-line.ts";
import { Mirror } from "../servers/mirror.ts";
import { finalNames, leftovers, type Snapshot, snapshot } from "../snapshot.ts";

export const archiveUserId = "Example Archive Signing Key <archive@example.org>";

/** When the kit's archives are first published; keys are ten days old then. */
export const published = day(10);
export const hour: Duration = 3_600_000;

/** A small package that is like no other. */
export function packageOf(name: string, version = "1.0-1", extra = ""): Buffer {
  return debOf(
    [
      `Package: ${name}`,
      `Version: ${version}`,
      "Architecture: all",
      "Maintainer: A. Keeper <keeper@example.org>",
      `Description: the package ${name} ${version}`,
      ...(extra === "" ? [] : [extra]),
      "",
    ].join("\n"),
  );
}

/** Adds a key to a key store. @returns its fingerprint */
export async function addKey(
  home: string,
  options: {
    readonly userId?: string;
    readonly at?: Instant;
    readonly lifetime?: Duration;
    readonly passphrase?: string;
  } = {},
): Promise<string> {
  const { userId = archiveUserId, at = day(0), lifetime, passphrase } = options;
  const key = await generate({ userId, algorithm: "ed25519", at, lifetime, passphrase });
  await (await KeyStore.open(home)).add(key);
  return key.fingerprint;
}

export interface ArchiveOptions {
  /** Names of its feeds; `base` alone by default. */
  readonly feeds?: readonly string[];
  readonly lifetime?: Duration;
  readonly passphrase?: string;
  /** When it is first published; its key is ten days older. */
  readonly at?: Instant;
}

export interface ProfileOptions {
  readonly url?: string;
  readonly mirrors?: readonly string[];
  readonly seeds?: readonly string[];
  /** Folder or file; the key store's certificates by default. */
  readonly keyring?: string;
  /** Further lines of the section [trust]. */
  readonly trust?: readonly string[];
}

/** A refusal as a test expects it. */
export interface Expected {
  readonly code: string;
  readonly status: number;
}

export class TestArchive {
  readonly folder: string;
  readonly feeds: readonly string[];
  readonly key: string;
  readonly mirror: Mirror;

  private constructor(folder: string, feeds: readonly string[], key: string, mirror: Mirror) {
    this.folder = folder;
    this.feeds = feeds;
    this.key = key;
    this.mirror = mirror;
  }

  /** Makes an archive whose feeds hold the packages `alpha` and `beta`, publishes it and writes a profile for it. */
  static async make(options: ArchiveOptions = {}): Promise<TestArchive> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-case-"));
    const { feeds = ["base"], at = published, ...keyOptions } = options;
    const key = await addKey(join(folder, "home"), { ...keyOptions, at: at - (published - day(0)) });
    for (const name of ["site", "out"]) await fs.mkdir(join(folder, name));
    const archive = new TestArchive(folder, feeds, key, await Mirror.start(join(folder, "site")));
    for (const feed of feeds) {
      await archive.addPackage("alpha", "1.0-1", feed);
      await archive.addPackage("beta", "2.0-1", feed);
    }
    await archive.writeConfig();
    await archive.writeProfile();
    if (options.passphrase === undefined) await archive.publish(at);
    return archive;
  }

  /** The same archive and client in a folder of their own; the client reads the published tree from the disk. */
  async copy(): Promise<TestArchive> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-case-"));
    await fs.cp(this.folder, folder, { recursive: true, verbatimSymlinks: true });
    const copy = new TestArchive(folder, this.feeds, this.key, this.mirror);
    await copy.writeConfig();
    await copy.writeProfile({ url: `file://${copy.site}/` });
    return copy;
  }

  get home(): string {
    return join(this.folder, "home");
  }

  /** The published tree. */
  get site(): string {
    return join(this.folder, "site");
  }

  get state(): string {
    return join(this.folder, "state");
  }

  /** Where fetched packages go. */
  get out(): string {
    return join(this.folder, "out");
  }

  get config(): string {
    return join(this.folder, "archive.ini");
  }

  get profile(): string {
    return join(this.folder, "example.ini");
  }

  /** A file of a feed in the published tree. */
  file(name: string, feed = "base"): string {
    return join(this.site, "feeds", feed, name);
  }

  async addPackage(name: string, version = "1.0-1", feed = "base", extra = ""): Promise<string> {
    await fs.mkdir(join(this.site, "feeds", feed), { recursive: true });
    const path = this.file(`${name}_${version}_all.ipk`, feed);
    await fs.writeFile(path, packageOf(name, version, extra));
    return path;
  }

  async writeConfig(key = this.key, userId = archiveUserId): Promise<void> {
    const lines = ["[archive]", `root = ${this.site}`, `user-id = ${userId}`, `key = ${key}`];
    for (const feed of this.feeds) lines.push(`[feed ${feed}]`, "format = opkg", `path = feeds/${feed}`);
    await fs.writeFile(this.config, `${lines.join("\n")}\n`);
  }

  async writeProfile(options: ProfileOptions = {}): Promise<void> {
    const { url = this.mirror.url, mirrors = [], seeds = [this.key], keyring = join(this.home, "certs") } = options;
    const lines = ["[archive]", "name = Example", `url = ${url}`, "user-email = archive@example.org"];
    if (mirrors.length > 0) lines.push(`mirrors = ${mirrors.join(", ")}`);
    lines.push("[trust]", `keyring = ${keyring}`, `seeds = ${seeds.join(", ")}`, "keyservers = none");
    lines.push(...(options.trust ?? []));
    for (const feed of this.feeds) lines.push(`[feed ${feed}]`, "format = opkg", `path = feeds/${feed}`);
    await fs.writeFile(this.profile, `${lines.join("\n")}\n`);
  }

  /** Arguments of a command of the archive's keepers. */
  keeperArgs(at: Instant, ...args: readonly string[]): string[] {
    return ["--home", this.home, "--json", "--at", iso(at), ...args];
  }

  /** Arguments of a command of the client. */
  clientArgs(at: Instant, ...args: readonly string[]): string[] {
    return ["--profile", this.profile, "--state", this.state, "--json", "--at", iso(at), ...args];
  }

  /** Publishes all feeds and lets the mirror sync. */
  async publish(at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const ended = await runHere(this.keeperArgs(at, "publish", "--config", this.config, ...args));
    const document = documentOf(ended);
    expect(ended.status, ended.stdout).to.equal(0);
    await this.mirror.sync(this.site);
    return document;
  }

  /** Puts any text in the place of a feed's index and signs it; what `publish` would never write, a keeper may. */
  async signText(text: string | Uint8Array, at: Instant, ...args: readonly string[]): Promise<void> {
    await fs.writeFile(this.file("Packages"), text);
    await fs.rm(this.file("Packages.gz"), { force: true });
    const ended = await runHere(
      this.keeperArgs(at, "sign", this.file("Packages"), "--key", this.key, "--feed", "base", "--force", ...args),
    );
    expect(ended.status, ended.stdout).to.equal(0);
    await this.mirror.sync(this.site);
  }

  /** Runs a command of the client that must do all that is asked. */
  async accept(at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const ended = await runHere(this.clientArgs(at, ...args));
    const document = documentOf(ended);
    expect({ status: ended.status, error: document.error }).to.deep.equal({ status: 0, error: undefined });
    expect(document.ok).to.equal(true);
    return document;
  }

  /** Runs a command of the client that must be refused, and shows that it changed no file and left none. */
  async refuse(expected: Expected, at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    return await this.unchanged(expected, () => runHere(this.clientArgs(at, ...args)));
  }

  /** The same for a command of the keepers. */
  async refuseKeeper(expected: Expected, at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    return await this.unchanged(expected, () => runHere(this.keeperArgs(at, ...args)));
  }

  /** Runs something that must be refused without a trace on the disk. */
  async unchanged({ code, status }: Expected, run: () => Promise<Ended>): Promise<JsonDocument> {
    const before = await this.everything();
    const ended = await run();
    const document = documentOf(ended);
    const said = { code: document.error?.code, status: ended.status, ok: document.ok };
    expect(said, document.error?.message).to.deep.equal({ code, status, ok: false });
    expect(await this.everything(), "files after the refusal").to.deep.equal(before);
    return document;
  }

  /** All files of the archive and of the client. */
  async everything(): Promise<Snapshot> {
    // Records of scanned packages are no part of what is published or trusted.
    const all = await snapshot(this.folder);
    return Object.fromEntries(Object.entries(all).filter(([path]) => !path.startsWith(join(this.home, "archives"))));
  }

  /** SHA-256 of the index that the client last accepted, as its state tells; undefined before the first. */
  async lastGood(feed = "base"): Promise<string | undefined> {
    const path = join(this.state, "example", "feeds", feed, "meta.json");
    const text = await fs.readFile(path, "utf8").catch(() => undefined);
    return text === undefined ? undefined : String(JSON.parse(text).sha256);
  }

  /** Asserts that a package lies in the output folder exactly as it was published, or not at all. */
  async expectOut(...names: readonly string[]): Promise<void> {
    expect(await finalNames(this.out)).to.deep.equal([...names].sort());
    expect(await leftovers(this.folder)).to.deep.equal([]);
    for (const name of names) {
      const [got, original] = [await fs.readFile(join(this.out, name)), await fs.readFile(this.file(name))];
      expect(got.equals(original), `${name} is what was published`).to.equal(true);
    }
  }

  async removeFolder(): Promise<void> {
    await fs.rm(this.folder, { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    await this.mirror.close();
    await this.removeFolder();
  }
}

/** Gives an action an archive of its own. */
export async function inArchive(
  action: (archive: TestArchive) => Promise<void>,
  options?: ArchiveOptions,
): Promise<void> {
  const archive = await TestArchive.make(options);
  try {
    await action(archive);
  } finally {
    await archive.remove();
  }
}

/** An archive whose client has accepted what was published. */
export async function inUse(action: (archive: TestArchive) => Promise<void>, options?: ArchiveOptions): Promise<void> {
  await inArchive(async (archive) => {
    await archive.accept(published + hour, "update");
    await action(archive);
  }, options);
}
