/** A profile, and the root of a system to set up; nothing is asked over a network. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import type { Expected } from "../testkit/archives/opkg-archive.ts";
import { certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";
import { leftovers, snapshot } from "../testkit/snapshot.ts";

export const at = day(10);
/** The archive's key: one that every program reads. */
export const seed = certificate({ key: rsaKey("rsa-a") });

/** One line of what a setup did. */
export interface Change {
  readonly action: string;
  readonly kind: string;
  readonly path: string;
  readonly reason: string | null;
}

export interface ProfileParts {
  readonly url?: string;
  readonly keys?: readonly TestKey[];
  readonly trust?: readonly string[];
  /** Everything after the section [trust]. */
  readonly rest?: readonly string[];
}

export const feedBase = ["[feed base]", "format = opkg", "path = feeds/base"];

export class Target {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(parts: ProfileParts = {}): Promise<Target> {
    const target = new Target(await fs.mkdtemp(join(tmpdir(), "feedkey-setup-")));
    await fs.mkdir(target.root);
    await target.writeProfile(parts);
    return target;
  }

  get root(): string {
    return join(this.folder, "root");
  }

  get profile(): string {
    return join(this.folder, "example.ini");
  }

  async writeProfile(parts: ProfileParts = {}, file = this.profile): Promise<void> {
    const { url = "https://archive.example.org/pub/", keys = [seed.key], trust = [], rest = feedBase } = parts;
    const keyring = join(dirname(file), "shipped.asc");
    await fs.writeFile(keyring, keys.map((key) => certificate({ key }).armored).join(""));
    const lines = ["; shipped with the installer", "[archive]", "name = Example", `url = ${url}`];
    lines.push("user-email = archive@example.org", "[trust]", "keyring = shipped.asc");
    lines.push(
      `seeds = ${keys.map(({ fingerprint }) => fingerprint).join(", ")}`,
      "keyservers = none",
      ...trust,
      ...rest,
    );
    await fs.writeFile(file, `${lines.join("\n")}\n`);
  }

  /** Arguments of a setup. */
  args(program: string, ...more: readonly string[]): string[] {
    const client = ["--offline", "--json", "--at", iso(at)];
    const profile = more.includes("--profile") ? [] : ["--profile", this.profile];
    const root = more.includes("--root") ? [] : ["--root", this.root];
    return [...client, ...profile, "setup", program, ...root, ...more];
  }

  /** A setup that must succeed. */
  async accept(
    program: string,
    ...more: readonly string[]
  ): Promise<JsonDocument & { readonly changes: readonly Change[] }> {
    const ended = await runHere(this.args(program, ...more));
    expect(ended.status, ended.stdout).to.equal(0);
    expect(await leftovers(this.root)).to.deep.equal([]);
    return documentOf(ended) as JsonDocument & { readonly changes: readonly Change[] };
  }

  /** A setup that must be refused, with nothing changed below the root but what the client learned. */
  async refuse({ code, status }: Expected, program: string, ...more: readonly string[]): Promise<JsonDocument> {
    const before = await this.files();
    const ended = await runHere(this.args(program, ...more));
    const document = documentOf(ended);
    expect({ code: document.error?.code, status: ended.status }, ended.stdout).to.deep.equal({ code, status });
    expect(await this.files(), "files after the refusal").to.deep.equal(before);
    return document;
  }

  /** What lies below the root, without the client's state and the folders that it needs. */
  async files(): Promise<Record<string, string>> {
    const all = Object.entries(await snapshot(this.root)).map(
      ([path, what]) => [relative(this.root, path), what] as const,
    );
    const kept = all.filter(([path]) => !/^var(\/lib(\/feedkey(\/state(\/.*)?)?)?)?$/.test(path));
    return Object.fromEntries(kept);
  }

  file(name: string): string {
    return join(this.root, name);
  }

  async read(name: string): Promise<string> {
    return await fs.readFile(this.file(name), "utf8");
  }

  async write(name: string, text: string): Promise<void> {
    await fs.mkdir(dirname(this.file(name)), { recursive: true });
    await fs.writeFile(this.file(name), text);
  }

  async removeAll(): Promise<void> {
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}

/** What happened to a path. */
export function actionOf({ changes }: { readonly changes: readonly Change[] }, path: string): string | undefined {
  return changes.find((change) => change.path === path)?.action;
}

/** What happened at all, without what stayed as it is. */
export function changed({ changes }: { readonly changes: readonly Change[] }): string[] {
  return changes.filter(({ action }) => action !== "keep").map(({ action, path }) => `${action} ${path}`);
}

/** Another key that every program reads. */
export const other = rsaKey("rsa-b");
export const curve = ed25519Key("curve");
