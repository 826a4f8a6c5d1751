/**
 * kill -9 at random moments: commands run one after another on one archive and one client, most of them are killed, and each
 * begins with what the killed ones left. `test/cases/kill.test.ts` kills at each step, always from the same beginning.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { loadProfile } from "../../src/client/profiles/load-profile.ts";
import { FeedkeyError, openClient } from "../../src/index.ts";
import { ClientStateView } from "../../src/store/client-state-view.ts";
import type { Instant } from "../../src/time.ts";
import { packageOf, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { Dice } from "../testkit/dice.ts";
import { documentOf, type Ended, runHere, runProcess } from "../testkit/programs/command-line.ts";
import { forgetLocks } from "../testkit/programs/crash.ts";
import { killPreload } from "../testkit/programs/kill.ts";
import { finalNames, leftovers } from "../testkit/snapshot.ts";

const commands = ["publish", "rotate", "update", "fetch", "mirror"] as const;
type Command = (typeof commands)[number];

/** About as many steps as a command has; where a run has fewer, it ends by itself. */
const steps: Readonly<Record<Command, number>> = { publish: 70, rotate: 150, update: 40, fetch: 25, mirror: 70 };

const minute = 60_000;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** What a series of kills found. */
export interface Killed {
  /** Kills and runs to the end, by command. */
  readonly killed: Record<string, number>;
  readonly ended: Record<string, number>;
  /** What must never be, in words. */
  readonly wrong: string[];
}

class Story {
  readonly #archive: TestArchive;
  readonly #dice: Dice;
  readonly #cache: string;
  readonly #found: Killed;
  #at: Instant = published + minute;
  /** Digests of the two indexes that there are: without the package `gamma`, and with it. */
  readonly #indexes: readonly string[];
  /** Those of them that a client may get now. */
  #possible: ReadonlySet<string>;
  #hasGamma = false;
  /** The key in archive.ini, and how often it changed: a killed rotation may have been complete. */
  #key: string;
  #rotations = 0;
  #hasMirror = false;
  /** How long a run takes that dies at one of its steps, in milliseconds. */
  #usual = 400;

  private constructor(archive: TestArchive, indexes: readonly string[], dice: Dice, cache: string, found: Killed) {
    this.#archive = archive;
    this.#key = archive.key;
    this.#indexes = indexes;
    this.#possible = new Set(indexes.slice(0, 1));
    this.#dice = dice;
    this.#cache = cache;
    this.#found = found;
  }

  /** @param cache folder of the compiled program, which no killed run may write */
  static async begin(archive: TestArchive, dice: Dice, cache: string, found: Killed): Promise<Story> {
    const index = async () => sha256(await fs.readFile(archive.file("Packages")));
    const without = await index();
    await archive.addPackage("gamma");
    await archive.publish(published + 1000);
    const indexes = [without, await index()];
    await fs.rm(archive.file("gamma_1.0-1_all.ipk"));
    await archive.publish(published + 2000);
    await fs.copyFile(join(archive.home, "certs", `${archive.key}.asc`), join(archive.folder, "shipped.asc"));
    await archive.writeProfile({ url: `file://${archive.site}/`, keyring: join(archive.folder, "shipped.asc") });
    await archive.accept(published + 3000, "update");
    return new Story(archive, indexes, dice, cache, found);
  }

  get #mirror(): string {
    return join(this.#archive.folder, "mirror");
  }

  #args(command: Command): readonly string[] {
    const { config, out, folder } = this.#archive;
    const keeper = (...args: readonly string[]) => this.#archive.keeperArgs(this.#at, ...args, "--config", config);
    if (command === "publish") return keeper("publish");
    if (command === "rotate") return keeper("rotate", "--at-once", "--backup", join(folder, "backup"));
    const more = { update: [], fetch: ["--all", "-o", out], mirror: ["base", this.#mirror] }[command];
    return this.#archive.clientArgs(this.#at, command, ...more);
  }

  #wrong(what: string): void {
    this.#found.wrong.push(what);
  }

  /** Runs a command; it may be killed at a random step, or after a random time, or get to its end. */
  async #run(command: Command): Promise<Ended> {
    const env = { XDG_CACHE_HOME: this.#cache, FEEDKEY_KILL_CACHE: this.#cache };
    const args = this.#args(command);
    if (this.#dice.chance(0.3)) {
      return await runProcess(args, { env, killAfter: Math.ceil((0.4 + this.#dice.roll()) * this.#usual) });
    }
    const step = 1 + this.#dice.below(steps[command]);
    const began = performance.now();
    const ended = await runProcess(args, { node: killPreload, env: { ...env, FEEDKEY_KILL_AT: String(step) } });
    this.#usual += (performance.now() - began - this.#usual) / 4;
    return ended;
  }

  /** One command, and what must be true after it. @returns whether it was killed */
  async next(): Promise<boolean> {
    this.#at += minute;
    const command = this.#dice.pick(commands);
    const isPending = this.#possible.size > 1;
    if (command === "publish" && !isPending) {
      this.#hasGamma = !this.#hasGamma;
      const gamma = this.#archive.file("gamma_1.0-1_all.ipk");
      if (this.#hasGamma) await fs.writeFile(gamma, packageOf("gamma"));
      else await fs.rm(gamma);
      this.#possible = new Set(this.#indexes);
    }
    const before = await this.#remembered();
    const ended = await this.#run(command);
    const isKilled = ended.signal === "SIGKILL";
    const counts = isKilled ? this.#found.killed : this.#found.ended;
    counts[command] = (counts[command] ?? 0) + 1;
    await forgetLocks(this.#archive.folder);
    if (!isKilled) await this.#toTheEnd(command, ended);
    await this.#check(`after ${command}${isKilled ? ", killed" : ""}`, before?.createdAt ?? 0);
    return isKilled;
  }

  /** A run that got to its end did all that it should, and has left nothing of the killed ones. */
  async #toTheEnd(command: Command, ended: Ended): Promise<void> {
    if (ended.status !== 0) {
      const code = documentOf(ended).error?.code;
      // The package `gamma` may be gone, although an older index lists it: the archive's, or the client's.
      const isOld = this.#possible.size > 1 || !this.#possible.has((await this.#remembered())?.sha256 ?? "");
      const isGone = isOld && code === "unavailable" && command !== "update";
      if (!isGone) this.#wrong(`${command} failed: ${ended.stdout}${ended.stderr}`);
      return;
    }
    const { site, state, out } = this.#archive;
    const folder = { publish: site, rotate: site, update: state, fetch: out, mirror: this.#mirror }[command];
    const left = await leftovers(folder);
    if (left.length > 0) this.#wrong(`${command} left ${left.join(", ")}`);
    if (command === "publish") this.#possible = new Set([this.#indexes[this.#hasGamma ? 1 : 0] ?? ""]);
    if (command === "mirror") this.#hasMirror = true;
  }

  async #remembered() {
    const view = await ClientStateView.openReadOnly(this.#archive.state, "example");
    return (await view.lastIndex("base"))?.meta;
  }

  async #check(when: string, before: Instant): Promise<void> {
    const { config, site, home, out } = this.#archive;
    try {
      const seen = await this.#fresh(site, false);
      if (!this.#possible.has(seen)) this.#wrong(`${when}: a new client gets ${seen}`);
      const last = await this.#remembered();
      if ((last?.createdAt ?? 0) < before) this.#wrong(`${when}: the client's index went back in time`);
      if (last !== undefined && !this.#indexes.includes(last.sha256))
        this.#wrong(`${when}: the client has ${last.sha256}`);
      for (const name of await finalNames(out)) {
        const right = packageOf(name.split("_")[0] ?? "", name.split("_")[1]);
        if (!right.equals(await fs.readFile(join(out, name)))) this.#wrong(`${when}: ${name} is not whole`);
      }
      if (this.#hasMirror && !this.#indexes.includes(await this.#fresh(this.#mirror, true))) {
        this.#wrong(`${when}: the mirror has another index`);
      }
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      this.#wrong(`${when}: ${error.code}: ${error.message}`);
    }
    const key = /^key = (.*)$/m.exec(await fs.readFile(config, "utf8"))?.[1] ?? "";
    if (key !== this.#key) this.#rotations += 1;
    this.#key = key;
    // The key before all rotations, one for each, and one more if a killed rotation has already made the next key.
    const most = this.#rotations + (when === "after rotate" || when === "in the end" ? 1 : 2);
    const keys = (await fs.readdir(join(home, "private"))).length;
    if (keys > most) this.#wrong(`${when}: ${keys} keys after ${this.#rotations} rotations`);
  }

  /** A client that was never here before. @returns digest of the index that it accepted, with all its packages if asked */
  async #fresh(tree: string, withPackages: boolean): Promise<string> {
    const profile = await loadProfile(this.#archive.profile);
    const [stateFolder, folder] = ["fresh", "fresh-out"].map((name) => join(this.#archive.folder, name));
    const archive = { ...profile.archive, url: `file://${tree}/` };
    try {
      await using client = await openClient({ profile: { ...profile, archive }, stateFolder, at: this.#at });
      const { feeds } = await client.update();
      if (withPackages) await client.fetchAll([], { folder: folder ?? "", all: true });
      const [one] = feeds;
      return one?.ok === true ? one.index.sha256 : "none";
    } finally {
      for (const one of [stateFolder, folder]) await fs.rm(one ?? "", { recursive: true, force: true });
    }
  }

  /** Without kills, everything succeeds. */
  async end(): Promise<void> {
    for (const command of ["rotate", "publish", "update", "fetch", "mirror"] as const) {
      this.#at += minute;
      await this.#toTheEnd(command, await runHere(this.#args(command)));
    }
    await this.#check("in the end", 0);
    const [last] = this.#possible;
    if ((await this.#remembered())?.sha256 !== last) this.#wrong("the client did not get the last index");
  }
}

/**
 * Kills runs until there were so many kills; each archive bears fifty of them.
 * @param isOver whether to stop earlier
 */
export async function killMany(kills: number, seed: number, isOver = () => false): Promise<Killed> {
  const found: Killed = { killed: {}, ended: {}, wrong: [] };
  const dice = new Dice(seed);
  for (let left = kills; left > 0 && !isOver(); ) {
    const archive = await TestArchive.make();
    const cache = join(archive.folder, "compiled");
    try {
      // Compiles the program, so that no run saves it.
      await runProcess(archive.clientArgs(published, "status"), { env: { XDG_CACHE_HOME: cache } });
      const story = await Story.begin(archive, dice, cache, found);
      for (let here = Math.min(left, 50); here > 0 && !isOver(); ) {
        if (!(await story.next())) continue;
        here -= 1;
        left -= 1;
      }
      await story.end();
    } finally {
      await archive.remove();
    }
  }
  return found;
}
