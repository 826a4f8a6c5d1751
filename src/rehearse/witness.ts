/** Clients that a rehearsal asks before a step and after it, each with what it was given. */
import { join } from "node:path";
import { ensureFolder } from "../files/folder.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Stage } from "./archive-copy.ts";
import type { Generation } from "./generation.ts";
import { allOf, OwnClient } from "./own-client.ts";
import type { Judge, Keyring, StockClient, Target, Verdict } from "./stock-client.ts";

/** A client with what it was given: asked twice, it is the same one. */
export interface Witness {
  readonly generation: Pick<Generation, "kind" | "seed">;
  readonly client: string;
  before(targets: readonly Target[]): Promise<ReadonlyMap<string, Verdict>>;
  after(targets: readonly Target[]): Promise<ReadonlyMap<string, Verdict>>;
}

async function own(folder: string): Promise<string> {
  await ensureFolder(folder, 0o700);
  return folder;
}

/** A moment when everything from the step is in force, and what ends with this second is over, as for later clients. */
function later({ archive }: Stage): Instant {
  return archive.at + 1000;
}

/** Asks a stock client with a keyring, which it is given once. */
function asking(client: StockClient, program: string, folder: string) {
  const judges = new Map<Keyring, Judge>();
  return async (keyring: Keyring, name: string, targets: readonly Target[]) => {
    const judge = judges.get(keyring) ?? (await client.equip(program, keyring, await own(join(folder, name))));
    judges.set(keyring, judge);
    const verdicts = new Map<string, Verdict>();
    for (const target of targets) {
      if (client.reads(target.feed.format)) verdicts.set(target.feed.name, await judge(target));
    }
    return verdicts;
  };
}

/** A stock client of a generation. Its keyring is made again after the step only if it changes. */
export function stockWitness(client: StockClient, program: string, generation: Generation, folder: string): Witness {
  const ask = asking(client, program, folder);
  return {
    generation,
    client: client.name,
    before: (targets) => ask(generation.before, "before", targets),
    after: (targets) => ask(generation.after, "after", targets),
  };
}

/**
 * feedkey's own client of a generation.
 * @param inUse it was at work before the step, and remembers; else it is installed afresh each time
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
    client: inUse ? "feedkey, in use" : "feedkey",
    before: (targets) => ask(inUse ? "state" : "before", targets),
    after: (targets) => ask(inUse ? "state" : "after", targets),
  };
}

/**
 * A stock client that was set up by feedkey: its keyring is what `export` writes, before the step and at the timer's next
 * run after it.
 * @param shipped with the key that is the profile's seed
 */
export function setUpWitness(
  stage: Stage,
  client: StockClient,
  program: string,
  { seed, before }: Generation,
  folder: string,
): Witness {
  const ask = asking(client, program, folder);
  const afterTimer = async (name: string, targets: readonly Target[]) => {
    const names = targets.flatMap(({ feed }) => (client.reads(feed.format) ? [feed.name] : []));
    try {
      const timer = await OwnClient.make(stage.archive.config, seed ?? "", before, join(folder, "timer"), later(stage));
      return await ask(await timer.exportTo(join(folder, "exported.pgp"), client), name, targets);
    } catch (error) {
      return allOf(names, error);
    }
  };
  return {
    generation: { kind: "set-up", seed: undefined },
    client: client.name,
    before: (targets) => afterTimer("before", targets),
    after: (targets) => afterTimer("after", targets),
  };
}
