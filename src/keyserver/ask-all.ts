/** Several key servers about several keys at once, and what their answers come to together. */
import { FeedkeyError } from "../error.ts";
import { keyserverLimits } from "../net/limits.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Answer, Recognise, Unknown } from "./answer.ts";
import { type KeyserverOptions, lookup } from "./hkp.ts";

export interface ServerAnswer {
  readonly server: URL;
  readonly answer: Answer;
}

/** Runs the tasks in order, at most `count` of them at a time. */
async function atMost(count: number, tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = tasks.values();
  // The workers share one iterator: each takes the next task when it is free.
  const worker = async () => {
    for (const task of waiting) await task();
  };
  await Promise.all(Array.from({ length: Math.min(count, tasks.length) }, worker));
}

/** The server answers, if at too great a length: anybody can flood two keys, and the others must be asked about all the same. */
function isTooLong({ error }: Unknown): boolean {
  return error.details.reason === "too_large";
}

/** A server that fails again and again is left alone, or every further key would cost its whole deadline. */
class Standing {
  #failures = 0;
  #last: Unknown | undefined;

  get givenUp(): Unknown | undefined {
    return this.#failures >= keyserverLimits.failures ? this.#last : undefined;
  }

  note(answer: Answer): void {
    const failed = answer.outcome === "unknown" && !isTooLong(answer);
    this.#failures = failed ? this.#failures + 1 : 0;
    this.#last = failed ? answer : undefined;
  }
}

/**
 * Asks every server about every key, six questions at a time.
 * @param recogniser makes the test for one key's blocks
 * @returns for each fingerprint the answer of each server, in the order of `servers`
 */
export async function askAll(
  servers: readonly URL[],
  fingerprints: readonly Fingerprint[],
  recogniser: (fingerprint: Fingerprint) => Recognise,
  options: KeyserverOptions,
): Promise<ReadonlyMap<Fingerprint, readonly ServerAnswer[]>> {
  const standings = servers.map(() => new Standing());
  const answers = new Map<Fingerprint, ServerAnswer[]>();
  const tasks = [...new Set(fingerprints)].flatMap((fingerprint) => {
    const recognise = recogniser(fingerprint);
    const row: ServerAnswer[] = [];
    answers.set(fingerprint, row);
    return servers.map((server, place) => async () => {
      const standing = standings[place];
      const answer = standing?.givenUp ?? (await lookup(server, fingerprint, recognise, options));
      standing?.note(answer);
      row[place] = { server, answer };
    });
  });
  await atMost(keyserverLimits.atOnce, tasks);
  return answers;
}

/** All blocks of several answers, those that are no answer to the question among them. */
export function blocksIn(answers: readonly Answer[]): Uint8Array[] {
  return answers.flatMap((answer) => (answer.outcome === "absent" ? [] : (answer.blocks ?? [])));
}

/**
 * What several answers come to (T11): one proper answer is enough, and all that was found is kept together,
 * so that a revocation which one server hides comes from another.
 */
export function united(answers: readonly Answer[]): Answer {
  const blocks = new Map<string, Uint8Array>();
  for (const answer of answers) {
    if (answer.outcome !== "found") continue;
    for (const block of answer.blocks) blocks.set(Buffer.from(block).toString("latin1"), block);
  }
  if (blocks.size > 0) return { outcome: "found", blocks: [...blocks.values()] };
  const absent = answers.find((answer) => answer.outcome === "absent");
  const unknown = answers.find((answer) => answer.outcome === "unknown");
  return absent ?? unknown ?? { outcome: "unknown", error: nobodyAsked() };
}

function nobodyAsked(): FeedkeyError {
  return new FeedkeyError("unavailable", "no key server was asked", {
    hint: "name key servers in the profile: keyservers = hkps://...",
  });
}
