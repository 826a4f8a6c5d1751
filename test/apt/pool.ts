/** An archive that makes a suite of apt's from a pool of packages, and a client of it that reads from the disk. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { type Instant, iso } from "../../src/time.ts";
import { addKey, archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { SignedFolder } from "../testkit/archives/signed-folder.ts";
import { debOf } from "../testkit/packages/build-package.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";

export interface PublishedFeed {
  readonly packages: number;
  readonly changed: boolean;
  readonly changes: readonly string[];
  readonly writes: readonly string[];
  readonly removes: readonly string[];
  readonly signed: string | null;
}

/** A package as dpkg would install it. */
export function debNamed(name: string, version = "1.0", architecture = "amd64", more = ""): Buffer {
  const control = `Package: ${name}\nVersion: ${version}\nArchitecture: ${architecture}\n${more}`;
  return debOf(`${control}Maintainer: A. Keeper <keeper@example.org>\nDescription: ${name}\n A longer text.\n`);
}

/** Of the suite `stable` with one component. */
export const usual = ["path = dists/stable", "packages = pool", "components = main", "architectures = amd64"];

export class Pool extends SignedFolder {
  static async make(settings: readonly string[] = usual): Promise<Pool> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-pool-"));
    const pool = new Pool(folder, await addKey(join(folder, "home")));
    await fs.mkdir(join(folder, "site/pool"), { recursive: true });
    await pool.configure(settings);
    await pool.profile();
    return pool;
  }

  get config(): string {
    return join(this.folder, "archive.ini");
  }

  /** @param archive further lines of the section [archive] */
  async configure(settings: readonly string[], archive: readonly string[] = []): Promise<void> {
    const lines = ["[archive]", "root = site", `user-id = ${archiveUserId}`, `key = ${this.key}`, ...archive];
    lines.push("[feed stable]", "format = apt", ...settings);
    await fs.writeFile(this.config, `${lines.join("\n")}\n`);
  }

  async profile(
    settings: readonly string[] = ["components = main", "architectures = amd64"],
    path = ".",
  ): Promise<void> {
    const lines = ["[archive]", "name = Example", "url = site-url", "user-email = archive@example.org"];
    lines.push("[trust]", "keyring = home/certs", `seeds = ${this.key}`, "keyservers = none");
    lines.push("[feed stable]", "format = apt", `path = ${path}`, "suite = stable", ...settings);
    const text = `${lines.join("\n")}\n`.replace("site-url", `file://${this.folder}/site/`);
    await fs.writeFile(join(this.folder, "example.ini"), text);
  }

  /** Below the published tree. */
  path(name: string): string {
    return join(this.folder, "site", name);
  }

  /** Of the suite. */
  async read(name: string): Promise<string> {
    return await fs.readFile(this.path(`dists/stable/${name}`), "utf8");
  }

  async write(name: string, data: string | Uint8Array): Promise<void> {
    await fs.mkdir(dirname(this.path(name)), { recursive: true });
    await fs.writeFile(this.path(name), data);
  }

  /** Puts a package into the pool. */
  async add(name: string, version = "1.0", architecture = "amd64", folder = "pool"): Promise<void> {
    await this.write(`${folder}/${name}_${version}_${architecture}.deb`, debNamed(name, version, architecture));
  }

  keeperArgs(at: Instant, command: string, ...args: readonly string[]): string[] {
    const home = ["--home", join(this.folder, "home"), "--json", "--at", iso(at)];
    return [...home, command, "--config", this.config, ...args];
  }

  async tryKeep(at: Instant, command: string, ...args: readonly string[]) {
    const ended = await runHere(this.keeperArgs(at, command, ...args));
    return { status: ended.status, document: documentOf(ended) };
  }

  /** A keeper's command that must succeed. */
  async keep(at: Instant, command: string, ...args: readonly string[]): Promise<JsonDocument> {
    const { status, document } = await this.tryKeep(at, command, ...args);
    expect(status, JSON.stringify(document)).to.equal(0);
    return document;
  }

  async publish(at: Instant, ...args: readonly string[]): Promise<PublishedFeed> {
    const { feeds } = await this.keep(at, "publish", ...args);
    const [feed] = feeds as PublishedFeed[];
    if (feed === undefined) throw new Error("no feed was published");
    return feed;
  }

  /** Publishing must be refused. @returns message and hint */
  async refuseToPublish(code: string, at: Instant, ...args: readonly string[]): Promise<string> {
    const { status, document } = await this.tryKeep(at, "publish", ...args);
    expect(document.error?.code, JSON.stringify(document)).to.equal(code);
    expect(status).to.not.equal(0);
    return `${document.error?.message}; ${document.error?.hint}`;
  }

  /** Fetches packages into an empty folder. @returns the names that came */
  async fetch(at: Instant, ...names: readonly string[]): Promise<string[]> {
    const out = join(this.folder, "out");
    await fs.rm(out, { recursive: true, force: true });
    await this.accept(at, "fetch", "-o", out, ...names);
    return (await fs.readdir(out)).sort();
  }

  /** The same archive and client in a folder of their own. */
  async copy(): Promise<Pool> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-pool-"));
    await fs.cp(this.folder, folder, { recursive: true, verbatimSymlinks: true });
    const copy = new Pool(folder, this.key);
    const text = await fs.readFile(join(folder, "example.ini"), "utf8");
    await fs.writeFile(join(folder, "example.ini"), text.replaceAll(this.folder, folder));
    return copy;
  }

  async removeFolder(): Promise<void> {
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}

export async function withPool(action: (pool: Pool) => Promise<void>, settings = usual): Promise<void> {
  const pool = await Pool.make(settings);
  try {
    await action(pool);
  } finally {
    await pool.removeFolder();
  }
}
