/** A small repository of rpm-md's form, signed by feedkey, and a client of it that reads from the disk. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Instant } from "../../src/time.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { SignedFolder } from "../testkit/archives/signed-folder.ts";
import { day } from "../testkit/dates.ts";
import type { JsonDocument } from "../testkit/programs/command-line.ts";
import { dataXml, packageXml, primaryXml, repomdXml, rpmOf } from "./xml.ts";

export interface ListOptions {
  readonly at?: Instant;
  readonly packages?: readonly string[];
  readonly name?: string;
  readonly compress?: (text: string) => Uint8Array;
  /** Elements of repomd.xml and of its primary, in the place of those of the files. */
  readonly parts?: Readonly<Record<string, string>>;
  readonly tags?: string;
}

export class Repository extends SignedFolder {
  static async make(): Promise<Repository> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-rpm-md-"));
    const repository = new Repository(folder, await addKey(join(folder, "home")));
    await repository.profile();
    return repository;
  }

  async profile(...settings: readonly string[]): Promise<void> {
    const url = `file://${this.folder}/site/`;
    const lines = ["[archive]", "name = Example", `url = ${url}`, "user-email = archive@example.org"];
    lines.push("[trust]", "keyring = home/certs", `seeds = ${this.key}`, "keyservers = none");
    lines.push("[feed stable]", "format = rpm-md", "path = repo", ...settings);
    await fs.writeFile(join(this.folder, "example.ini"), `${lines.join("\n")}\n`);
  }

  /** Below the repository. */
  path(name: string): string {
    return join(this.folder, "site/repo", name);
  }

  async write(name: string, data: string | Uint8Array): Promise<void> {
    await fs.mkdir(dirname(this.path(name)), { recursive: true });
    await fs.writeFile(this.path(name), data);
  }

  /** Writes primary and repomd.xml, and the package alpha; no signature. @returns the text of primary */
  async list(options: ListOptions = {}): Promise<string> {
    const { at = day(10), packages = [packageXml("alpha")], name = "primary.xml.gz", parts = {}, tags = "" } = options;
    const text = primaryXml(...packages);
    const data = (options.compress ?? gzipSync)(text);
    await this.write("alpha-1.0-1.noarch.rpm", rpmOf("alpha"));
    await this.write(`repodata/${name}`, data);
    const revision = `<revision>${at / 1000}</revision>`;
    await this.write("repodata/repomd.xml", repomdXml(revision, tags, dataXml({ data, text, name }, parts)));
    return text;
  }

  async sign(at: Instant = day(10), ...args: readonly string[]): Promise<JsonDocument> {
    return await this.accept(at, "sign", this.path("repodata/repomd.xml"), "--key", this.key, ...args);
  }

  async publish(options: ListOptions = {}): Promise<void> {
    await this.list(options);
    await this.sign(options.at ?? day(10));
  }

  /** Fetches packages into an empty folder. @returns the names that came */
  async fetch(at: Instant, ...names: readonly string[]): Promise<string[]> {
    const out = join(this.folder, "out");
    await fs.rm(out, { recursive: true, force: true });
    await this.accept(at, "fetch", "-o", out, ...names);
    return (await fs.readdir(out)).sort();
  }
}

export async function withRepository(action: (repository: Repository) => Promise<void>): Promise<void> {
  const repository = await Repository.make();
  try {
    await action(repository);
  } finally {
    await fs.rm(repository.folder, { recursive: true, force: true });
  }
}
