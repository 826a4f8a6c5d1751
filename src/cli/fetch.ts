/** `feedkey fetch`: download and verify packages that verified indexes list. */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { acceptedIndex, choose } from "../client/choose.ts";
import { type Choice, type Fetched, fetchPackage } from "../client/fetch.ts";
import { refresh } from "../client/refresh.ts";
import type { Session } from "../client/session.ts";
import type { VerifiedIndex } from "../client/verified-index.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { Feed } from "../profile/types.ts";
import type { Context } from "./context.ts";
import type { Outcome } from "./run.ts";
import { chosenFeeds } from "./update.ts";

export interface FetchOptions {
  readonly output: string;
  readonly feed?: string[];
  readonly resetState?: boolean;
  readonly all?: boolean;
}

/** Downloads under way at once: enough to hide latency, few enough to be polite. */
const atOnce = 4;

async function fetchAll(
  choices: readonly Choice[],
  one: (choice: Choice) => Promise<Fetched>,
): Promise<{ fetched: Fetched[]; errors: FeedkeyError[] }> {
  const fetched = new Map<number, Fetched>();
  const errors = new Map<number, FeedkeyError>();
  const queue = [...choices.entries()];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [place, choice] = next;
      try {
        fetched.set(place, await one(choice));
      } catch (error) {
        if (!(error instanceof FeedkeyError)) throw error;
        errors.set(place, error);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const inOrder = <T>(found: Map<number, T>) => [...found].sort(([a], [b]) => a - b).map(([, value]) => value);
  return { fetched: inOrder(fetched), errors: inOrder(errors) };
}

/** The indexes that still stand; one that does not (its signer was revoked, it has become stale) keeps no other from serving. */
async function acceptedIndexes(session: Session, feeds: readonly Feed[]) {
  const judged = await refresh(session);
  const indexes: VerifiedIndex[] = [];
  const errors: FeedkeyError[] = [];
  for (const feed of feeds) {
    try {
      const index = await acceptedIndex(session, judged, feed);
      if (index !== undefined) indexes.push(index);
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      errors.push(error);
    }
  }
  return { indexes, errors };
}

/** Fetches what is asked for; one refused package does not keep the others from coming. @throws FeedkeyError `usage`, `not_found` */
export async function fetch(context: Context, requests: readonly string[], options: FetchOptions): Promise<Outcome> {
  if (requests.length === 0 && options.all !== true) {
    throw new FeedkeyError("usage", "no package is named", {
      hint: "name packages as NAME or NAME=VERSION, or use --all",
    });
  }
  return await context.withSession({ resetState: options.resetState === true }, async (session) => {
    const { indexes, errors } = await acceptedIndexes(session, chosenFeeds(session.profile, options.feed ?? []));
    if (indexes.length === 0 && errors.length === 0) {
      throw new FeedkeyError("not_found", "no index was accepted yet", { hint: 'run "feedkey update" first' });
    }
    if (indexes.length === 0) return { text: "", json: { packages: [] }, errors };
    const choices: Choice[] = [];
    for (const request of requests) {
      try {
        choices.push(choose(request, indexes));
      } catch (error) {
        if (!(error instanceof FeedkeyError)) throw error;
        errors.push(error);
      }
    }
    if (options.all === true) {
      for (const index of indexes) for (const entry of index.packages) choices.push({ index, entry });
    }
    const folder = resolve(options.output);
    await mkdir(folder, { recursive: true });
    const total = choices.reduce((sum, { entry }) => sum + (entry.size ?? 0), 0);
    const bar = context.reporter.progress("packages", total);
    let received = 0;
    const result = await fetchAll(choices, (choice) => {
      return fetchPackage(session, choice, folder, (count) => {
        received += count;
        bar.update(received);
      });
    }).finally(() => bar.stop());
    return {
      text: result.fetched.map(({ path, present }) => `${escapeText(path)}${present ? " (was there)" : ""}`).join("\n"),
      json: { packages: result.fetched },
      errors: [...errors, ...result.errors],
    };
  });
}
