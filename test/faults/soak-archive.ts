/** The archive of a soak: it publishes all the time, changes its keys, and remembers everything that was ever right. */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningServer, startServer } from "../../src/keyserver/server.ts";
import { readPackets } from "../../src/openpgp/packet/packets.ts";
import { parseSignature } from "../../src/openpgp/packet/raw-signature.ts";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { packageOf } from "../testkit/archives/opkg-archive.ts";
import type { Dice } from "../testkit/dice.ts";

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** An index that was published. */
interface Published {
  /** Its signatures, as `KEY DATE`, with the date in milliseconds. */
  readonly signatures: Set<string>;
  /** Digests of its packages, by file name. */
  readonly packages: ReadonlyMap<string, string>;
}

/** Rounds from a rotation to the revocation of the key that it replaced. */
const retirement = 1;

export class SoakArchive {
  readonly live: LiveArchive;
  /** Every index that was published, by its digest. */
  readonly indexes = new Map<string, Published>();
  /** When each revocation had reached the key server, by key. */
  readonly revoked = new Map<string, number>();
  /** A mirror that is always in the middle of an update. */
  readonly mirror: RunningServer;
  readonly #dice: Dice;
  /** Rounds from one rotation to the next. */
  readonly #period: number;
  /** Every digest that a package had, by file name. */
  readonly #packages = new Map<string, Set<string>>();
  #key: string;
  #replaced: string | undefined;
  #rounds = 0;

  private constructor(live: LiveArchive, mirror: RunningServer, key: string, dice: Dice, period: number) {
    this.live = live;
    this.mirror = mirror;
    this.#key = key;
    this.#dice = dice;
    this.#period = period;
  }

  static async make(dice: Dice, period: number): Promise<SoakArchive> {
    const live = await LiveArchive.make();
    const key = await live.keygen();
    const root = join(live.folder, "mirror");
    await fs.mkdir(root);
    const archive = new SoakArchive(live, await startServer({ root, port: 0 }), key, dice, period);
    await archive.#change();
    await live.publish(key);
    await archive.#note();
    await live.shipWith(["grace = 0", "retired-issuers = accept"], key);
    return archive;
  }

  get publications(): number {
    return this.#rounds;
  }

  /** Digest of the index that is published now. */
  async current(): Promise<string> {
    return sha256(await fs.readFile(this.live.file("Packages")));
  }

  /** Whether a package with this name and digest was ever there. */
  isPackage(name: string, digest: string): boolean {
    return this.#packages.get(name)?.has(digest) === true;
  }

  async #put(name: string): Promise<void> {
    const file = `${name}_1.0-1_all.deb`;
    const bytes = packageOf(name, "1.0-1", `X-Round: ${this.#rounds}`);
    this.#packages.set(file, (this.#packages.get(file) ?? new Set()).add(sha256(bytes)));
    await fs.writeFile(this.live.file(file), bytes);
  }

  /** Packages change under their names, one comes, one goes. */
  async #change(): Promise<void> {
    await this.#put("alpha");
    if (this.#rounds === 0 || this.#dice.chance(0.5)) await this.#put("beta");
    await this.#put(`news-${this.#rounds}`);
    await fs.rm(this.live.file(`news-${this.#rounds - 3}_1.0-1_all.deb`), { force: true });
  }

  /** Writes down what is published now. */
  async #note(): Promise<void> {
    const digest = await this.current();
    const packages = new Map<string, string>();
    for (const name of await fs.readdir(this.live.file("."))) {
      if (name.endsWith(".deb")) packages.set(name, sha256(await fs.readFile(this.live.file(name))));
    }
    const signatures = this.indexes.get(digest)?.signatures ?? new Set();
    for (const { body } of readPackets(await fs.readFile(this.live.file("Packages.sig")))) {
      const signature = parseSignature(body);
      if (typeof signature !== "string")
        signatures.add(`${signature.issuer.fingerprint} ${signature.hashed.createdAt}`);
    }
    this.indexes.set(digest, { packages, signatures });
  }

  /** Publishes something new; in some rounds, the key changes, or the key before it is revoked. */
  async publishMore(): Promise<void> {
    this.#rounds += 1;
    await this.#change();
    await this.live.keep("publish", "--config", this.live.config);
    await this.#note();
    if (this.#rounds % this.#period === 0) {
      this.#replaced = this.#key;
      this.#key = await this.live.rotate("--at-once");
      await this.#note();
    }
    if (this.#rounds % this.#period === retirement && this.#replaced !== undefined) {
      const [key, config] = [this.#replaced, this.live.config];
      this.#replaced = undefined;
      await this.live.keep("revoke", key, "--reason", "superseded", "--config", config, "--force");
      this.revoked.set(key, Date.now());
      await this.#note();
    }
  }

  /**
   * Lets the mirror copy the archive file by file, in any order, and each file in two steps.
   * @param pause milliseconds between two files
   * @param isOver whether to stop in the middle
   */
  async sync(pause: number, isOver: () => boolean): Promise<void> {
    const [from, to] = [this.live.site, join(this.live.folder, "mirror")];
    const names = new Set([...(await filesIn(from)), ...(await filesIn(to))].sort(() => this.#dice.roll() - 0.5));
    for (const name of names) {
      if (isOver()) return;
      const bytes = await fs.readFile(join(from, name)).catch(() => undefined);
      if (bytes === undefined) await fs.rm(join(to, name), { force: true });
      else {
        await fs.mkdir(dirname(join(to, name)), { recursive: true });
        await fs.writeFile(join(to, name), bytes.subarray(0, this.#dice.below(bytes.length)));
        await sleep(pause / 10);
        await fs.writeFile(join(to, name), bytes);
      }
      await sleep(pause);
    }
  }

  async remove(): Promise<void> {
    await this.mirror.close();
    await this.live.remove();
  }
}

/** Paths of the files that others can ask for. */
async function filesIn(folder: string): Promise<string[]> {
  const all = await fs.readdir(folder, { recursive: true, withFileTypes: true });
  const files = all.filter((one) => one.isFile() && !one.name.startsWith("."));
  return files.map((one) => join(one.parentPath, one.name).slice(folder.length + 1));
}
