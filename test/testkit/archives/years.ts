/** An archive's keys over the years, by the keepers' own commands from `keygen` on. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Instant, iso } from "../../../src/time.ts";
import { Client, type ClientOptions } from "../../life/client.ts";
import { day } from "../dates.ts";
import { documentOf, type JsonDocument, runHere } from "../programs/command-line.ts";
import { authority } from "../servers/key-servers.ts";
import { archiveUserId, TestArchive } from "./opkg-archive.ts";

export interface LifeOptions {
  readonly servers?: readonly string[];
  /** Date of the first key; day 0 by default. */
  readonly begins?: Instant;
  /** Further options of `keygen`. */
  readonly keygen?: readonly string[];
  /** Further lines of the section [archive] of archive.ini. */
  readonly config?: readonly string[];
}

export class Life {
  readonly archive: TestArchive;
  /** The first key. */
  readonly first: string;
  readonly servers: readonly string[];

  private constructor(archive: TestArchive, first: string, servers: readonly string[]) {
    this.archive = archive;
    this.first = first;
    this.servers = servers;
  }

  /** Makes the first key and publishes the archive with it, an hour later. */
  static async begin(options: LifeOptions = {}): Promise<Life> {
    const { servers = [], begins = day(0), keygen = ["--expires", "10y"], config = ["valid-for = 10y"] } = options;
    const archive = await TestArchive.make();
    // The kit's own key and publication make room.
    await fs.rm(archive.home, { recursive: true });
    await fs.rm(join(archive.site, "keys"), { recursive: true });
    const feed = archive.file("");
    for (const name of await fs.readdir(feed)) if (name.startsWith("Packages")) await fs.rm(join(feed, name));
    const made = documentOf(await runHere(archive.keeperArgs(begins, "keygen", "--user-id", archiveUserId, ...keygen)));
    const life = new Life(archive, String(made.fingerprint), servers);
    await life.configure(life.first, config);
    await archive.publish(begins + 3_600_000);
    return life;
  }

  /** Writes archive.ini with another key, the same servers, and further lines. */
  async configure(key: string, lines: readonly string[] = ["valid-for = 10y"]): Promise<void> {
    await this.archive.writeConfig(key);
    const text = await fs.readFile(this.archive.config, "utf8");
    const servers = [`keyservers = ${this.servers.join(", ")}`, `keyserver-ca = ${authority}`];
    const more = [...lines, ...(this.servers.length === 0 ? [] : servers)];
    await fs.writeFile(
      this.archive.config,
      text.replace(/^key = .*$/m, (line) => [line, ...more].join("\n")),
    );
  }

  /** Where backups of revocation certificates go. */
  get safe(): string {
    return join(this.archive.folder, "safe");
  }

  /** Key that archive.ini names. */
  async present(): Promise<string> {
    return /^key = (\S+)$/m.exec(await fs.readFile(this.archive.config, "utf8"))?.[1] ?? "";
  }

  /** A command of the keepers that must do all that is asked. */
  async keep(at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const ended = await runHere(this.archive.keeperArgs(at, ...args));
    const document = documentOf(ended);
    expect({ status: ended.status, error: document.error }, args.join(" ")).to.deep.equal({
      status: 0,
      error: undefined,
    });
    return document;
  }

  /** Runs `rotate`, and lets the mirror sync. @returns the successor's fingerprint */
  async rotate(at: Instant, ...args: readonly string[]): Promise<string> {
    const command = ["rotate", "--config", this.archive.config, "--backup", this.safe, "--expires", "10y"];
    const document = await this.keep(at, ...command, ...args);
    await this.sync();
    return String(document.successor);
  }

  /** Revokes a key, and lets the mirror sync unless it is told not to. */
  async revoke(at: Instant, key: string, reason: string, ...args: readonly string[]): Promise<JsonDocument> {
    return await this.keep(at, "revoke", key, "--reason", reason, "--config", this.archive.config, ...args);
  }

  /** Puts a new package into the feed and publishes with the present key. */
  async publish(at: Instant): Promise<void> {
    await this.archive.addPackage(`news-${iso(at).slice(0, 10)}`);
    await this.archive.publish(at);
  }

  /** The mirror serves what is published now. */
  async sync(): Promise<void> {
    await this.archive.mirror.sync(this.archive.site);
  }

  async client(name: string, options: Partial<ClientOptions> = {}): Promise<Client> {
    return await Client.make(this.archive, name, { seeds: [this.first], servers: this.servers, ...options });
  }
}

/** Gives an action a life of its own. */
export async function inLife(action: (life: Life) => Promise<void>, options?: LifeOptions): Promise<void> {
  const life = await Life.begin(options);
  try {
    await action(life);
  } finally {
    await life.archive.remove();
  }
}
