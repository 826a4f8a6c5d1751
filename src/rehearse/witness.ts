/** The witnesses of a rehearsal: clients that run before and after a step, each with its keys. */
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureFolder } from "../files/folder.ts";
import { filesOf } from "../publish/feed-layouts.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Stage } from "./archive-copy.ts";
import type { Generation } from "./generation.ts";
import { allOf, OwnClient } from "./own-client.ts";
import type { Judge, Keyring, StockClient, Target, Verdict } from "./stock-client.ts";

/** A client with its keys. The rehearsal runs the same client before and after the step. */
export interface Witness {
  readonly generation: Pick<Generation, "kind" | "seed">;
  readonly client: string;
  /** Whether the client was in use before the step, and remembers what it accepted; otherwise it is newly installed for each run. */
  readonly inUse: boolean;
  before(targets: readonly Target[]): Promise<ReadonlyMap<string, Verdict>>;
  after(targets: readonly Target[]): Promise<ReadonlyMap<string, Verdict>>;
}

async function own(folder: string): Promise<string> {
  await ensureFolder(folder, 0o700);
  return folder;
}

/** Returns a time after the step, so that all signatures that the step made are in force. */
function later({ archive }: Stage): Instant {
  return archive.at + 1000;
}

/** An installed stock client. */
export interface Installed {
  readonly client: StockClient;
  readonly program: string;
  /** The verdicts of newly installed clients, by a digest of their keys and of the feed's signed files. */
  readonly asked: Map<string, Promise<Verdict>>;
}

/**
 * Returns a digest of everything that decides the verdict of a new client: its keys, whether the timer removed some, and the feed's signed
 * files.
 */
async function shown({ bytes, byTimer }: Keyring, { feed, folder }: Target): Promise<string> {
  const files = filesOf(feed).map((name) => readFile(join(folder, name)).catch(() => new Uint8Array(0)));
  const parts = [bytes, byTimer === undefined ? "" : [...byTimer.barred].join(), ...(await Promise.all(files))];
  return parts.map((part) => hash("sha256", part)).join();
}

/**
 * Returns a function that asks a stock client with a given keyring about feeds. It does not run a newly installed client twice with the
 * same input, and does not run a client in use again on an unchanged feed. At its first run, a client in use is also a new client.
 * @param inUse whether the client remembers its earlier runs
 */
function asking({ client, program, asked }: Installed, folder: string, inUse: boolean) {
  let times = 0;
  const last = new Map<string, { readonly what: string; readonly said: Promise<Verdict> }>();
  const judgeWith = async (keyring: Keyring) => {
    times += 1;
    return await client.equip(program, keyring, await own(join(folder, inUse ? "state" : String(times))));
  };
  return async (keyring: Keyring, targets: readonly Target[]) => {
    let judge: Promise<Judge> | undefined;
    const verdicts = new Map<string, Verdict>();
    for (const target of targets.filter(({ feed }) => client.reads(feed.format))) {
      const { name } = target.feed;
      const what = `${client.name} ${name} ${await shown(keyring, target)}`;
      const before = last.get(name);
      const known = inUse ? (before?.what === what ? before.said : undefined) : asked.get(what);
      const ask = async () => {
        judge ??= judgeWith(keyring);
        return await (await judge)(target);
      };
      const said = known ?? ask();
      if (before === undefined && !asked.has(what)) asked.set(what, said);
      if (inUse) last.set(name, { what, said });
      verdicts.set(name, await said);
    }
    return verdicts;
  };
}

/** Tells for which states to run a client: newly installed (false) and, if the client remembers, in use (true). */
export function usesOf({ remembers }: Pick<StockClient, "remembers">): readonly boolean[] {
  return remembers === true ? [false, true] : [false];
}

const nameOf = (client: string, inUse: boolean) => (inUse ? `${client}, in use` : client);

/** Makes a witness from a stock client, with the keys of a generation. */
export function stockWitness(installed: Installed, generation: Generation, folder: string, inUse: boolean): Witness {
  const ask = asking(installed, folder, inUse);
  return {
    generation,
    client: nameOf(installed.client.name, inUse),
    inUse,
    before: (targets) => ask(generation.before, targets),
    after: async (targets) => await ask(await generation.after(), targets),
  };
}

/**
 * Makes a witness from feedkey's own client, with the keys of a generation.
 * @param inUse whether the client was in use before the step and remembers; otherwise it is newly installed for each run
 */
export function ownWitness(
  stage: Stage,
  generation: Generation,
  seed: Fingerprint,
  folder: string,
  inUse: boolean,
): Witness {
  const { config } = stage.archive;
  const ask = async (name: string, targets: readonly Target[]) => {
    const names = targets.map(({ feed }) => feed.name);
    try {
      const client = await OwnClient.make(config, seed, generation.before, join(folder, name), later(stage));
      const said = await client.update();
      return new Map([...said].filter(([feed]) => names.includes(feed)));
    } catch (error) {
      return allOf(names, error);
    }
  };
  return {
    generation,
    client: nameOf("feedkey", inUse),
    inUse,
    before: (targets) => ask(inUse ? "state" : "before", targets),
    after: (targets) => ask(inUse ? "state" : "after", targets),
  };
}

/**
 * Makes a witness from a stock client that feedkey has set up. `export` writes the client's keyring before the step, and again after the
 * step, as the timer would.
 * @param shipped the generation whose key is the seed in the profile
 * @returns undefined if `export` does not support the client
 */
export function setUpWitness(
  stage: Stage,
  installed: Installed,
  { seed, before }: Generation,
  folder: string,
  inUse: boolean,
): Witness | undefined {
  const { client } = installed;
  const { exported } = client;
  if (exported === undefined) return undefined;
  const ask = asking(installed, folder, inUse);
  const afterTimer = async (targets: readonly Target[]) => {
    const names = targets.flatMap(({ feed }) => (client.reads(feed.format) ? [feed.name] : []));
    try {
      const timer = await OwnClient.make(stage.archive.config, seed ?? "", before, join(folder, "timer"), later(stage));
      return await ask(await timer.exportTo(join(folder, "exported.pgp"), exported, client), targets);
    } catch (error) {
      return allOf(names, error);
    }
  };
  return {
    generation: { kind: "set-up", seed: undefined },
    client: nameOf(client.name, inUse),
    inUse,
    before: afterTimer,
    after: afterTimer,
  };
}
