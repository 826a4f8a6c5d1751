/** Asks several key servers about several keys at the same time, and combines the answers. */
import { FeedkeyError } from "../error.ts";
import { type FailureReason, unavailable } from "../net/failure.ts";
import { keyserverLimits } from "../net/limits.ts";
import { countdown } from "../net/retry-after.ts";
import type { Duration } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Answer, Found, Recognise, Unknown } from "./answer.ts";
import { type KeyserverOptions, lookup, search } from "./hkp.ts";

interface ServerAnswer {
  readonly server: URL;
  readonly answer: Answer;
}

interface InquiryOptions extends KeyserverOptions {
  /** The time after which feedkey sends no further requests to a server; by default the transport's limit of 60 seconds. */
  readonly total?: Duration;
}

/** Starts tasks in order, and runs at most `count` tasks at the same time. */
async function atMost(count: number, tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = tasks.values();
  // The workers share one iterator: each free worker takes the next task.
  const worker = async () => {
    for (const task of waiting) await task();
  };
  await Promise.all(Array.from({ length: Math.min(count, tasks.length) }, worker));
}

/** Reasons for failures that do not depend on the requested key. After such a failure, the next request to the server fails too. */
const unreachable: ReadonlySet<unknown> = new Set<FailureReason>(["dns", "connect", "tls", "offline"]);

/** The answer for a key about which feedkey did not ask the server, because the time limit for this server had passed. */
interface Unasked extends Unknown {
  readonly unasked: true;
}

/** Whether feedkey did not ask the server about a key, because the time limit for this server had passed. */
export function isUnasked(answer: Answer): answer is Unasked {
  return "unasked" in answer;
}

/** The requests to one server. Each server has a separate lane, so that a slow server does not delay the others. */
class Lane {
  readonly server: URL;
  readonly #options: InquiryOptions;
  readonly #total: Duration;
  #unreached = 0;
  #last: Unknown | undefined;
  #left: Duration;
  /** The certificates in this server's answers to searches, by fingerprint. feedkey does not request these certificates again. */
  readonly #found = new Map<Fingerprint, Found>();

  constructor(server: URL, options: InquiryOptions) {
    this.server = server;
    this.#options = options;
    this.#total = options.total ?? options.transport.limits.keyserverRun;
    this.#left = this.#total;
  }

  /**
   * Searches the server for an email address. Remembers only certificates from a complete answer, because an answer that ends
   * early may lack a revocation.
   */
  async search(address: string, divide: Divide): Promise<Answer> {
    const answer = await search(this.server, address, this.#options);
    if (answer.outcome !== "found") return answer;
    for (const [key, certificate] of answer.blocks.flatMap(divide)) {
      this.#found.set(key, { outcome: "found", blocks: [...(this.#found.get(key)?.blocks ?? []), certificate] });
    }
    return answer;
  }

  /** Asks the server about the keys, in the given order. */
  async ask(
    questions: readonly (readonly [Fingerprint, Recognise])[],
    take: (fingerprint: Fingerprint, answer: Answer) => void,
  ): Promise<void> {
    const left = countdown(this.#left);
    for (const [fingerprint] of questions) {
      const found = this.#found.get(fingerprint);
      if (found !== undefined) take(fingerprint, found);
    }
    const open = questions.filter(([fingerprint]) => !this.#found.has(fingerprint));
    await atMost(
      keyserverLimits.atOnce,
      open.map(([fingerprint, recognise]) => async () => {
        // feedkey stops asking a server only after failures to connect. Other failures may concern only one key, because a thief can
        // flood a key with signatures.
        const down = this.#unreached >= keyserverLimits.failures ? this.#last : undefined;
        const unasked = left() === 0 ? this.#timeIsOver(fingerprint) : undefined;
        take(fingerprint, down ?? unasked ?? (await this.#lookup(fingerprint, recognise)));
      }),
    );
    this.#left = left();
  }

  async #lookup(fingerprint: Fingerprint, recognise: Recognise): Promise<Answer> {
    const answer = await lookup(this.server, fingerprint, recognise, this.#options);
    const failed = answer.outcome === "unknown" && unreachable.has(answer.error.details.reason);
    this.#unreached = failed ? this.#unreached + 1 : 0;
    this.#last = failed ? answer : undefined;
    return answer;
  }

  #timeIsOver(fingerprint: Fingerprint): Unasked {
    const found = `not asked about ${fingerprint}: the time limit for this server, ${this.#total / 1000} seconds, has passed`;
    const error = unavailable(this.server, "timeout", found, {
      hint: "the server is slow or does not answer: try again later, or add another key server to the profile",
    });
    return { outcome: "unknown", error, unasked: true };
  }
}

/** Splits a binary block into certificates with their fingerprints. Leaves out revocations without a certificate. */
type Divide = (block: Uint8Array) => (readonly [Fingerprint, Uint8Array])[];

/** Asks several servers in several rounds. One time limit for each server covers all rounds. */
export class Inquiry {
  readonly #lanes: readonly Lane[];

  constructor(servers: readonly URL[], options: InquiryOptions) {
    this.#lanes = servers.map((server) => new Lane(server, options));
  }

  /**
   * Searches every server for the keys with an email address. If a server's answer is complete, {@link ask} does not ask the server again
   * about the keys in the answer. Usually the answer contains all keys of an archive, so one request to each server is enough.
   * @returns the answer of each server, in the order of the servers
   */
  async search(address: string, divide: Divide): Promise<readonly Answer[]> {
    return await Promise.all(this.#lanes.map((lane) => lane.search(address, divide)));
  }

  /**
   * Asks every server about every key, in the given order, with at most six requests to each server at the same time.
   * @param recogniser returns a function that tells which blocks belong to one key
   * @returns for each fingerprint, the answer of each server, in the order of the servers
   */
  async ask(
    fingerprints: readonly Fingerprint[],
    recogniser: (fingerprint: Fingerprint) => Recognise,
  ): Promise<ReadonlyMap<Fingerprint, readonly ServerAnswer[]>> {
    const answers = new Map<Fingerprint, ServerAnswer[]>(fingerprints.map((fingerprint) => [fingerprint, []]));
    const questions = [...answers.keys()].map((fingerprint) => [fingerprint, recogniser(fingerprint)] as const);
    const ask = (lane: Lane, place: number) =>
      lane.ask(questions, (fingerprint, answer) => {
        const row = answers.get(fingerprint);
        if (row !== undefined) row[place] = { server: lane.server, answer };
      });
    await Promise.all(this.#lanes.map(ask));
    return answers;
  }
}

/** Asks several servers about several keys, with one round of an {@link Inquiry}. */
export function askAll(
  servers: readonly URL[],
  fingerprints: readonly Fingerprint[],
  recogniser: (fingerprint: Fingerprint) => Recognise,
  options: InquiryOptions,
): Promise<ReadonlyMap<Fingerprint, readonly ServerAnswer[]>> {
  return new Inquiry(servers, options).ask(fingerprints, recogniser);
}

/** Returns all blocks in several answers, including incomplete answers. */
export function blocksIn(answers: readonly Answer[]): Uint8Array[] {
  return answers.flatMap((answer) => (answer.outcome === "absent" ? [] : (answer.blocks ?? [])));
}

/**
 * Combines the servers' answers about one key (T11). One usable answer is enough. The result contains the blocks from all servers, so one
 * server can't hide a revocation that another server returns.
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
    hint: "add key servers to the profile: keyservers = hkps://...",
  });
}
