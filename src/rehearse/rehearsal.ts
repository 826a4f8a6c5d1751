/** Use case: takes a step (such as a rotation) on a copy of the archive, and runs every client before and after the step. */
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { findProgram } from "../files/programs.ts";
import type { Archive } from "../publish/archive.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { makeStage, type Stage, targetsOf } from "./archive-copy.ts";
import { archiveKeys, bundleGenerations, type Generation, publishedKeyring, shippedGenerations } from "./generation.ts";
import { withPrivateFolder } from "./private-folder.ts";
import { type Delegation, settle } from "./republish.ts";
import type { Verdict } from "./stock-client.ts";
import { stockClients } from "./stock-clients.ts";
import { type Installed, ownWitness, setUpWitness, stockWitness, usesOf, type Witness } from "./witness.ts";

/** The verdicts of one client in one generation on one feed, before and after the step. */
export interface Row {
  readonly generation: Pick<Generation, "kind" | "seed">;
  readonly client: string;
  readonly feed: string;
  readonly before: Verdict;
  readonly after: Verdict;
}

export interface Rehearsal<Result> {
  /** What the step returned. */
  readonly result: Result;
  readonly rows: readonly Row[];
  /** The stock clients for the archive's formats. `program` is undefined if a client is not installed. */
  readonly clients: readonly { readonly name: string; readonly program: string | undefined }[];
  /** The archive's keys, the oldest first. */
  readonly keys: readonly Fingerprint[];
  readonly present: Fingerprint;
  /** The errors of publishing the copy after the step. */
  readonly errors: readonly FeedkeyError[];
  /** Replaces the copy's paths in a text with the archive's paths. */
  readonly translate: Stage["translate"];
}

/** A step to rehearse on the copy. */
interface Step<Result> {
  take(stage: Stage): Promise<Result>;
  /** The key to put into archive.ini after the step, before the next publication. */
  readonly publishWith: Fingerprint | undefined;
  /**
   * Returns the delegation that the step made; undefined if it made none.
   * @param result what the step returned
   */
  delegation(result: Result): Delegation | undefined;
}

/** Tells whether a client accepted the feed before the step and does not accept it after the step. */
export function breaks({ before, after }: Row): boolean {
  return before.word === "accepts" && after.word !== "accepts";
}

/** Returns all clients of a generation, each with a folder of its own. */
function witnesses(stage: Stage, generation: Generation, installed: readonly Installed[]): Witness[] {
  const { kind, seed } = generation;
  const place = (name: string, inUse: boolean) => {
    return join(stage.folder, "clients", `${seed ?? kind}-${name}${inUse ? "-in-use" : ""}`);
  };
  const stock = installed
    .filter(({ client }) => kind === "shipped" || client.takesBundle !== false)
    .flatMap((one) => {
      return usesOf(one.client).map((inUse) => stockWitness(one, generation, place(one.client.name, inUse), inUse));
    });
  if (seed === undefined) return stock;
  return [...stock, ...[false, true].map((inUse) => ownWitness(stage, generation, seed, place("own", inUse), inUse))];
}

/** Returns the stock clients that `feedkey setup` has set up with the archive's present key as the seed. */
function setUpWitnesses(stage: Stage, shipped: readonly Generation[], installed: readonly Installed[]): Witness[] {
  const present = shipped.find(({ seed }) => seed === stage.archive.config.key.fingerprint);
  if (present === undefined) return [];
  return installed.flatMap((one) => {
    return usesOf(one.client).flatMap((inUse) => {
      const folder = join(stage.folder, "clients", `set-up-${one.client.name}${inUse ? "-in-use" : ""}`);
      return setUpWitness(stage, one, present, folder, inUse) ?? [];
    });
  });
}

/**
 * Asks two witnesses at a time, because they mostly wait for other programs. Clients in use come first: at its first run, a client in use
 * is new, so its verdict also counts for new clients.
 */
async function askAll(
  all: readonly Witness[],
  ask: (witness: Witness) => Promise<ReadonlyMap<string, Verdict>>,
): Promise<ReadonlyMap<string, Verdict>[]> {
  const answers: ReadonlyMap<string, Verdict>[] = [];
  const queue = [...all.entries()].sort(([, a], [, b]) => Number(b.inUse) - Number(a.inUse));
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) answers[next[0]] = await ask(next[1]);
  };
  await Promise.all([work(), work()]);
  return answers;
}

function nothingPublished({ config }: Archive): FeedkeyError {
  if (config.feeds.length === 0) {
    return new FeedkeyError(
      "usage",
      `${escapeText(config.file)} lists no feed: there is nothing that clients could accept`,
      {
        details: { path: config.file },
        hint: "feedkey revoke --dry-run shows which clients would lose their chain",
      },
    );
  }
  return new FeedkeyError("not_found", `no feed is published yet in ${escapeText(config.root)}`, {
    details: { path: config.root },
    hint: "there is nothing that clients could accept: run feedkey publish first",
  });
}

/**
 * Rehearses a step. feedkey changes only a private copy of the archive, and removes this copy afterwards.
 * @throws FeedkeyError the step's own errors, and those of `makeStage` and `withPrivateFolder`
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
    const asked = new Map<string, Promise<Verdict>>();
    const installed = clients.flatMap(({ client, program }) => {
      return program === undefined ? [] : [{ client, program, asked }];
    });
    const shipped = shippedGenerations(keys);
    const bundles = bundle === undefined ? undefined : bundleGenerations(stage.archive, bundle);
    const of = (generation: Generation | undefined) => {
      return generation === undefined ? [] : witnesses(stage, generation, installed);
    };
    const all = [
      ...shipped.flatMap(of),
      ...of(bundles?.kept),
      ...setUpWitnesses(stage, shipped, installed),
      ...of(bundles?.renewed),
    ];
    const before = await askAll(all, (witness) => witness.before(targets));

    const result = await step.take(stage);
    const errors = await settle(stage.archive, step.publishWith, step.delegation(result));
    const afterwards = await targetsOf(stage, archive.config.root);
    const after = await askAll(all, (witness) => witness.after(afterwards));

    const missing: Verdict = { word: "fails", reason: "the feed is not there" };
    return {
      result,
      rows: all.flatMap(({ generation, client }, place) => {
        return [...(before[place] ?? [])].map(([feed, verdict]): Row => {
          return { generation, client, feed, before: verdict, after: after[place]?.get(feed) ?? missing };
        });
      }),
      clients: clients.map(({ client, program }) => ({ name: client.name, program })),
      keys: keys.map(({ raw }) => raw.fingerprint),
      present: archive.config.key.fingerprint,
      errors,
      translate: stage.translate,
    };
  });
}
