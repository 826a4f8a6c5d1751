/** A client of a throw-away archive, with a profile, a keyring and a state of its own; an archive has many. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { Instant } from "../../src/time.ts";
import { iso } from "../../src/time.ts";
import type { Expected, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";
import { authority } from "../testkit/servers/key-servers.ts";

export interface ClientOptions {
  /** Fingerprints in the archive's key store; their certificates are copied as they are now. */
  readonly seeds: readonly string[];
  readonly servers?: readonly string[];
  /** Further lines of the section [trust]. */
  readonly trust?: readonly string[];
  /** False: the profile does not name the authority of the key servers of these tests. */
  readonly authority?: boolean;
}

export interface TrustedKey {
  readonly fingerprint: string;
  readonly userId: string;
  readonly role: string;
  readonly issuer: string | null;
  readonly via: readonly string[];
  readonly maySign: boolean;
  /** For delegates: the globs of each delegation on each path; null for all others. */
  readonly feeds: readonly (readonly (readonly string[])[])[] | null;
}

export interface RejectedKey {
  readonly fingerprint: string;
  readonly code: string;
  readonly reason: string;
}

/** What `chain --json` says, by fingerprint. */
export interface Chain {
  readonly trusted: ReadonlyMap<string, TrustedKey>;
  readonly rejected: ReadonlyMap<string, RejectedKey>;
}

/** Reads the fields of `feedkey.chain/1`. */
export function chainOf(document: JsonDocument): Chain {
  const trusted = document.trusted as TrustedKey[];
  const rejected = document.rejected as RejectedKey[];
  return {
    trusted: new Map(trusted.map((key) => [key.fingerprint, key])),
    rejected: new Map(rejected.map((key) => [key.fingerprint, key])),
  };
}

export class Client {
  readonly profile: string;
  readonly state: string;
  readonly #name: string;

  private constructor(folder: string, name: string) {
    this.#name = name;
    this.profile = join(folder, `${name}.ini`);
    this.state = join(folder, `state-${name}`);
  }

  /** @param name tells its files from those of the archive's other clients */
  static async make(archive: TestArchive, name: string, options: ClientOptions): Promise<Client> {
    const { seeds, servers = [], trust = [] } = options;
    const ours = options.authority === false ? [] : [`keyserver-ca = ${authority}`];
    const client = new Client(archive.folder, name);
    const keyring = join(archive.folder, `keyring-${name}`);
    await fs.mkdir(keyring);
    for (const seed of seeds) {
      await fs.copyFile(join(archive.home, "certs", `${seed}.asc`), join(keyring, `${seed}.asc`));
    }
    await archive.writeProfile({ seeds, keyring, trust: [...ours, ...trust] });
    const text = await fs.readFile(archive.profile, "utf8");
    const asked = servers.length === 0 ? "none" : servers.join(", ");
    await fs.writeFile(client.profile, text.replace("keyservers = none", `keyservers = ${asked}`));
    return client;
  }

  async run(at: Instant, ...args: readonly string[]): Promise<{ status: number | null; document: JsonDocument }> {
    const global = ["--profile", this.profile, "--state", this.state, "--json", "--at", iso(at)];
    const ended = await runHere([...global, ...args]);
    return { status: ended.status, document: documentOf(ended) };
  }

  /** Must do all that is asked. */
  async accept(at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const { status, document } = await this.run(at, ...args);
    expect({ status, error: document.error }).to.deep.equal({ status: 0, error: undefined });
    return document;
  }

  /** Must be refused, and keep the last good index; what it learned about keys it may keep. */
  async refuse({ code, status }: Expected, at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const before = await this.lastGood();
    const ended = await this.run(at, ...args);
    const said = { code: ended.document.error?.code, status: ended.status, ok: ended.document.ok };
    expect(said, ended.document.error?.message).to.deep.equal({ code, status, ok: false });
    expect(await this.lastGood(), "the last good index").to.equal(before);
    return ended.document;
  }

  async chain(at: Instant): Promise<Chain> {
    return chainOf(await this.accept(at, "chain"));
  }

  /** Certificates that signed what `update` accepts. */
  async update(at: Instant): Promise<string[]> {
    const document = await this.accept(at, "update");
    const feeds = document.feeds as { signatures: { certificate: string }[] }[];
    return [...new Set(feeds.flatMap((feed) => feed.signatures.map(({ certificate }) => certificate)))];
  }

  /** A release of the profile that says something else. */
  async reprofile(change: (text: string) => string): Promise<void> {
    await fs.writeFile(this.profile, change(await fs.readFile(this.profile, "utf8")));
  }

  /** SHA-256 of the last accepted index of the feed `base`. */
  async lastGood(): Promise<string | undefined> {
    const path = join(this.state, this.#name, "feeds", "base", "meta.json");
    const text = await fs.readFile(path, "utf8").catch(() => undefined);
    return text === undefined ? undefined : String(JSON.parse(text).sha256);
  }

  /** Fingerprints of the keys that it remembers having accepted. */
  async remembers(): Promise<string[]> {
    const text = await fs.readFile(join(this.state, this.#name, "ledger.json"), "utf8");
    return Object.keys(JSON.parse(text).keys);
  }
}
