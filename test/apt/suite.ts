/** A small repository of apt's form, signed by feedkey, and a client of it that reads from the disk. */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Instant } from "../../src/time.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { SignedFolder } from "../testkit/archives/signed-folder.ts";
import { day } from "../testkit/dates.ts";
import type { JsonDocument } from "../testkit/programs/command-line.ts";

export const hash = (data: string | Uint8Array, algorithm = "sha256") =>
  createHash(algorithm).update(data).digest("hex");

/** What the package of a name holds: nothing here opens it. */
export const debOf = (name: string) => `package ${name}`;

export function stanza(name: string, version = "1.0", architecture = "amd64"): string {
  const deb = debOf(name);
  const path = `pool/${name}_${version}_${architecture}.deb`;
  return `Package: ${name}\nVersion: ${version}\nArchitecture: ${architecture}\nFilename: ${path}\nSize: ${deb.length}\nSHA256: ${hash(deb)}\n\n`;
}

/** The date as a Release file has it. */
export const releaseDate = (at: Instant) => new Date(at).toUTCString();

export interface SuiteOptions {
  readonly at?: Instant;
  /** Lists by their folder; by default one of main for amd64. */
  readonly lists?: Readonly<Record<string, string>>;
  /** Further lines. */
  readonly fields?: readonly string[];
  readonly name?: string;
}

export class Suite extends SignedFolder {
  static async make(): Promise<Suite> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-apt-"));
    const suite = new Suite(folder, await addKey(join(folder, "home")));
    await suite.profile();
    return suite;
  }

  async profile(settings: readonly string[] = ["suite = stable", "components = main", "architectures = amd64"]) {
    const lines = [
      "[archive]",
      "name = Example",
      `url = file://${this.folder}/site/`,
      "user-email = archive@example.org",
    ];
    lines.push("[trust]", "keyring = home/certs", `seeds = ${this.key}`, "keyservers = none");
    lines.push("[feed stable]", "format = apt", "path = debian", ...settings);
    await fs.writeFile(join(this.folder, "example.ini"), `${lines.join("\n")}\n`);
  }

  /** Below the folder of the Release file. */
  path(name: string): string {
    return join(this.folder, "site/debian/dists/stable", name);
  }

  async write(path: string, data: string | Uint8Array): Promise<void> {
    await fs.mkdir(dirname(path), { recursive: true });
    await fs.writeFile(path, data);
  }

  /** Writes the lists, plain and gzip-compressed, and a Release file; not its signature. */
  async release(options: SuiteOptions = {}): Promise<string> {
    const { at = day(10), lists = { "main/binary-amd64": stanza("alpha") }, fields = [], name = "stable" } = options;
    const files: [string, Uint8Array][] = [];
    for (const [folder, text] of Object.entries(lists)) {
      files.push([`${folder}/Packages`, Buffer.from(text)], [`${folder}/Packages.gz`, gzipSync(text)]);
      for (const [, package_ = ""] of text.matchAll(/^Package: (.*)$/gm)) {
        for (const [, path = ""] of text.matchAll(new RegExp(`^Filename: (pool/${package_}_.*)$`, "gm"))) {
          await this.write(join(this.folder, "site/debian", path), debOf(package_));
        }
      }
    }
    const lines = [`Suite: ${name}`, `Codename: ${name}-code`, `Date: ${releaseDate(at)}`, ...fields, "SHA256:"];
    for (const [path, data] of files) {
      await this.write(this.path(path), data);
      lines.push(` ${hash(data)} ${data.length} ${path}`);
    }
    const text = `${lines.join("\n")}\n`;
    await this.write(this.path("Release"), text);
    return text;
  }

  async sign(at: Instant = day(10), ...args: readonly string[]): Promise<JsonDocument> {
    return await this.accept(at, "sign", this.path("Release"), "--key", this.key, ...args);
  }

  /** Fetches packages into an empty folder. @returns the names that came */
  async fetch(at: Instant, ...names: readonly string[]): Promise<string[]> {
    const out = join(this.folder, "out");
    await fs.rm(out, { recursive: true, force: true });
    await this.accept(at, "fetch", "-o", out, ...names);
    return (await fs.readdir(out)).sort();
  }
}

export async function withSuite(action: (suite: Suite) => Promise<void>): Promise<void> {
  const suite = await Suite.make();
  try {
    await action(suite);
  } finally {
    await fs.rm(suite.folder, { recursive: true, force: true });
  }
}
