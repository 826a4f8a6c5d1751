/** Archives for the trust page, one in each folder of one site: a good one, and others with which something is wrong. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { type RunningServer, startServer } from "../../src/keyserver/server.ts";
import { seedOf, successorOf } from "../testkit/archives/chain.ts";
import { hour, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { allFramed } from "../testkit/framing.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { dataSignature } from "../testkit/signature.ts";

const feeds = ["base", "extra"];
const day = 24 * hour;

export class Sites {
  readonly folder: string;
  readonly server: RunningServer;
  /** The good archive's key. */
  readonly key: string;
  /** The key that leads to the fork, and to no other archive. */
  readonly other = seedOf("page").fingerprint;

  private constructor(folder: string, server: RunningServer, key: string) {
    this.folder = folder;
    this.server = server;
    this.key = key;
  }

  static async make(): Promise<Sites> {
    const now = Math.floor(Date.now() / 1000) * 1000;
    const folder = await fs.mkdtemp(join(tmpdir(), "fk-page-"));
    const archive = await TestArchive.make({ feeds, at: now - 20 * day });
    const sites = new Sites(folder, await startServer({ root: folder, port: 0 }), archive.key);
    try {
      await sites.#fill(archive, now);
      return sites;
    } catch (error) {
      await sites.close();
      throw error;
    } finally {
      await archive.remove();
    }
  }

  async #fill(archive: TestArchive, now: number): Promise<void> {
    await archive.publish(now - 20 * day, "--page");
    await this.#copy(archive, "expired");
    await archive.publish(now - hour, "--page");
    await this.#copy(archive, "good");
    await this.#copy(archive, "tampered");
    await this.#tamper("tampered");
    await this.#copy(archive, "cut");
    const bundle = join(this.folder, "cut/keys/archive-keyring.pgp");
    await fs.truncate(bundle, (await fs.stat(bundle)).size - 1);
    await this.#copy(archive, "bare");
    await fs.rm(join(this.folder, "bare/feeds"), { recursive: true });
    await this.#copy(archive, "forked");
    await this.#fork(now - hour);
    const revoke = ["revoke", archive.key, "--reason", "compromised", "--config", archive.config, "--force"];
    const ended = await runHere(archive.keeperArgs(now - hour, ...revoke));
    expect(ended.status, ended.stdout).to.equal(0);
    await this.#copy(archive, "revoked");
  }

  /** Where the page of one of them is. */
  url(name: string): string {
    return `${this.server.url}${name}/keys/index.html`;
  }

  /** A file of the feed `base`. */
  file(site: string, name: string): string {
    return join(this.folder, site, "feeds/base", name);
  }

  async #copy(archive: TestArchive, name: string): Promise<void> {
    await fs.cp(archive.site, join(this.folder, name), { recursive: true });
  }

  /** Another digest in the place of a package's own. */
  async #tamper(site: string): Promise<void> {
    const text = await fs.readFile(this.file(site, "Packages"), "utf8");
    const changed = text.replace(/^SHA256sum: .*|^SHA256: .*/m, `SHA256: ${"0".repeat(64)}`);
    expect(changed).to.not.equal(text);
    await fs.writeFile(this.file(site, "Packages"), changed);
    await fs.writeFile(this.file(site, "Packages.gz"), gzipSync(changed));
  }

  /** Two successors of one key, which do not certify each other; one of them signs. */
  async #fork(at: number): Promise<void> {
    const seed = seedOf("page");
    const [mine, yours] = [successorOf([seed], "page b"), successorOf([seed], "page c")];
    const bytes = Buffer.concat([seed, mine, yours].map((one) => one.bytes));
    await fs.writeFile(join(this.folder, "forked/keys/archive-keyring.pgp"), bytes);
    for (const feed of feeds) {
      const place = join(this.folder, "forked/feeds", feed);
      const data = await fs.readFile(join(place, "Packages"));
      await fs.writeFile(join(place, "Packages.sig"), allFramed([dataSignature({ by: mine.key, at, data, feed })]));
      await fs.rm(join(place, "Packages.asc"));
    }
  }

  async close(): Promise<void> {
    await this.server.close();
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}
