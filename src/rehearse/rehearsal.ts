/** Use case: take a step on a copy of the archive, and let every client decide before and after it. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { findProgram } from "../files/programs.ts";
import type { Archive } from "../publish/archive.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { makeStage, type Stage, targetsOf } from "./archive-copy.ts";
import { archiveKeys, bundleGenerations, type Generation, publishedKeyring, shippedGenerations } from "./generation.ts";
import { gpg, gpgv } from "./gnupg.ts";
import { opkg } from "./opkg.ts";
import { allOf, OwnClient } from "./own-client.ts";
import { pkgAdmin } from "./pkg-admin.ts";
import { withPrivateFolder } from "./private-folder.ts";
import { type Delegation, settle } from "./republish.ts";
import { sqv } from "./sqv.ts";
import type { Judge, Keyring, StockClient, Target, Verdict } from "./stock-client.ts";

const stockClients: readonly StockClient[] = [gpgv, gpg, sqv, opkg, pkgAdmin];

/** A client of one generation, for one feed: what it says now, and what it would say. */
export interface Row {
  readonly generation: Pick<Generation, "kind" | "seed">;
  readonly client: string;
  readonly feed: string;
  readonly before: Verdict;
  readonly after: Verdict;
}

export interface Rehearsal<Result> {
  /** What the step said of itself. */
  readonly result: Result;
  readonly rows: readonly Row[];
  /** Stock clients that read feeds like these; without a program: not installed. */
  readonly clients: readonly { readonly name: string; readonly program: string | undefined }[];
  /** The archive's keys, the oldest first. */
  readonly keys: readonly Fingerprint[];
  readonly present: Fingerprint;
  /** What publishing afterwards could not do. */
  readonly errors: readonly FeedkeyError[];
  /** Paths of the copy in a text become those of the archive. */
  readonly translate: Stage["translate"];
}

/** A step that can be taken on the copy. */
export interface Step<Result> {
  take(stage: Stage): Promise<Result>;
  /** Key that archive.ini is to name after it, before the next publication. */
  readonly publishWith: Fingerprint | undefined;
  /** The delegate whose signature the step allows, by what the step said. */
  delegation(result: Result): Delegation | undefined;
}

/** Whoever accepted before and would not any more. */
export function breaks({ before, after }: Row): boolean {
  return before.word === "accepts" && after.word !== "accepts";
}

/** A client with what it was given: asked twice, it is the same one. */
interface Witness {
  readonly generation: Generation;
  readonly client: string;
  before(targets: readonly Target[]): Promise<ReadonlyMap<string, Verdict>>;
  /** @param held what it holds by then */
  after(targets: readonly Target[]): Promise<ReadonlyMap<string, Verdict>>;
}

async function own(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** A stock client of a generation. It is given its keyring anew after the step only where that changes. */
function stockWitness(client: StockClient, program: string, generation: Generation, folder: string): Witness {
  const judges = new Map<Keyring, Judge>();
  const ask = async (keyring: Keyring, name: string, targets: readonly Target[]) => {
    const judge = judges.get(keyring) ?? (await client.equip(program, keyring, await own(join(folder, name))));
    judges.set(keyring, judge);
    const verdicts = new Map<string, Verdict>();
    for (const target of targets) {
      if (client.reads(target.feed.format)) verdicts.set(target.feed.name, await judge(target));
    }
    return verdicts;
  };
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
function ownWitness(stage: Stage, generation: Generation, seed: Fingerprint, folder: string, inUse: boolean): Witness {
  const { config } = stage.archive;
  // When all that the step wrote is in force, and what lasts to the end of this second is over: as clients are who ask later.
  const at = stage.archive.at + 1000;
  const ask = async (name: string, targets: readonly Target[]) => {
    const names = targets.map(({ feed }) => feed.name);
    try {
      const client = await OwnClient.make(config, seed, generation.before, join(folder, name), at);
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

/** Every client of these generations, each with a folder of its own. */
function witnesses(
  stage: Stage,
  generations: readonly Generation[],
  installed: readonly { readonly client: StockClient; readonly program: string }[],
): Witness[] {
  return generations.flatMap((generation) => {
    const { kind, seed } = generation;
    const place = (name: string) => join(stage.folder, "clients", `${seed ?? kind}-${name}`);
    const stock = installed.map(({ client, program }) => {
      return stockWitness(client, program, generation, place(client.name));
    });
    if (seed === undefined) return stock;
    const mine = [false, true].map((inUse) => {
      return ownWitness(stage, generation, seed, place(inUse ? "own-in-use" : "own"), inUse);
    });
    return [...stock, ...mine];
  });
}

/** Two at once: they mostly wait for programs. */
async function askAll(
  all: readonly Witness[],
  ask: (witness: Witness) => Promise<ReadonlyMap<string, Verdict>>,
): Promise<ReadonlyMap<string, Verdict>[]> {
  const answers: ReadonlyMap<string, Verdict>[] = [];
  let next = 0;
  const work = async () => {
    for (let place = next++; place < all.length; place = next++) {
      const witness = all[place];
      if (witness !== undefined) answers[place] = await ask(witness);
    }
  };
  await Promise.all([work(), work()]);
  return answers;
}

function nothingPublished({ config }: Archive): FeedkeyError {
  return new FeedkeyError("not_found", `no feed is published yet in ${escapeText(config.root)}`, {
    details: { path: config.root },
    hint: "there is nothing that clients could accept: run feedkey publish first",
  });
}

/**
 * Rehearses a step. Nothing outside of a private copy is changed, and the copy is gone afterwards.
 * @throws FeedkeyError what the step itself is refused with, and as `makeStage` and `withPrivateFolder`
 */
export async function rehearse<Result>(archive: Archive, step: Step<Result>): Promise<Rehearsal<Result>> {
  return await withPrivateFolder(async (folder) => {
    const stage = await makeStage(archive, folder);
    const keys = await archiveKeys(stage.archive);
    const bundle = await publishedKeyring(stage.archive);
    const targets = await targetsOf(stage, archive.config.root);
    if (targets.length === 0) throw nothingPublished(archive);
    const wanted = stockClients.filter((client) => targets.some(({ feed }) => client.reads(feed.format)));
    const clients = wanted.map((client) => ({ client, program: findProgram(client.name) }));
    const installed = clients.flatMap(({ client, program }) => (program === undefined ? [] : [{ client, program }]));
    const early = witnesses(stage, [...shippedGenerations(keys), ...bundleGenerations(bundle, undefined)], installed);
    const before = await askAll(early, (witness) => witness.before(targets));

    const result = await step.take(stage);
    const errors = await settle(stage.archive, step.publishWith, step.delegation(result));
    const afterwards = await targetsOf(stage, archive.config.root);
    const after = await askAll(early, (witness) => witness.after(afterwards));
    const late = bundleGenerations(bundle, await publishedKeyring(stage.archive)).slice(1);
    const importers = witnesses(stage, late, installed);
    const imported = await askAll(importers, (witness) => witness.after(afterwards));

    const missing: Verdict = { word: "fails", reason: "the feed is not there" };
    const rowsOf = (witness: Witness, was: ReadonlyMap<string, Verdict>, is: ReadonlyMap<string, Verdict>): Row[] => {
      return [...was].map(([feed, verdict]) => {
        const { generation, client } = witness;
        return { generation, client, feed, before: verdict, after: is.get(feed) ?? missing };
      });
    };
    const holders = early.filter(({ generation }) => generation.kind === "bundle");
    return {
      result,
      rows: [
        ...early.flatMap((witness, place) => rowsOf(witness, before[place] ?? new Map(), after[place] ?? new Map())),
        // Before the step they are those that hold the present bundle.
        ...importers.flatMap((witness, place) => {
          const same = early.indexOf(holders[place] ?? witness);
          return rowsOf(witness, before[same] ?? new Map(), imported[place] ?? new Map());
        }),
      ],
      clients: clients.map(({ client, program }) => ({ name: client.name, program })),
      keys: keys.map(({ raw }) => raw.fingerprint),
      present: archive.config.key.fingerprint,
      errors,
      translate: stage.translate,
    };
  });
}
