/** The archive's servers, in the order in which they are asked: one that fails in this run comes last until it works again. */
import { setTimeout as sleep } from "node:timers/promises";
import { FeedkeyError, gravestOf } from "../error.ts";
import { locations } from "../refresh/download.ts";
import type { Session } from "../refresh/session.ts";
import type { Duration } from "../time.ts";

/** Failures that will probably occur at the next request to the same server too. */
const lasting: ReadonlySet<unknown> = new Set(["dns", "connect", "tls", "timeout", "cut_off"]);

/** Whether the server itself failed, and not just the request for one file. */
function isServers({ code, details }: FeedkeyError): boolean {
  return code === "unavailable" ? lasting.has(details.reason) : code === "digest_mismatch" || code === "size_mismatch";
}

/** Failures that may be over in a moment. */
function isPassing({ code, details }: FeedkeyError): boolean {
  if (code !== "unavailable") return false;
  return details.reason === "cut_off" || Number(details.status) >= 500 || details.status === 429;
}

/** The delay before all servers are asked again, if each failed in a way that may be temporary. */
const pause: Duration = 1000;

/** How often in a row: a server that stays broken must not delay every file. */
const mostPauses = 8;

export class Mirrors {
  readonly #session: Pick<Session, "options" | "profile">;
  readonly #failing = new Set<string>();
  #pauses = 0;

  constructor(session: Pick<Session, "options" | "profile">) {
    this.#session = session;
  }

  get inOrder(): readonly string[] {
    const all = locations(this.#session.profile);
    const isFailing = (location: string) => this.#failing.has(location);
    return [...all.filter((one) => !isFailing(one)), ...all.filter(isFailing)];
  }

  /**
   * Tries an action with each server until one succeeds, and reports why another one was asked.
   * @param action gets whether this is the last server
   * @param isOwn whether no other server can help with this refusal
   * @throws the gravest error: a refusal is graver than an unreachable server
   */
  async firstGood<T>(
    action: (location: string, isLast: boolean) => Promise<T>,
    isOwn: (error: FeedkeyError) => boolean,
  ): Promise<T> {
    const errors: FeedkeyError[] = [];
    const order = this.inOrder;
    for (const [place, location] of order.entries()) {
      const isLast = place === order.length - 1;
      try {
        const found = await action(location, isLast);
        this.#failing.delete(location);
        this.#pauses = 0;
        return found;
      } catch (error) {
        if (!(error instanceof FeedkeyError) || isOwn(error)) throw error;
        if (isServers(error)) this.#failing.add(location);
        if (!isLast) this.#tell(error, location);
        errors.push(error);
      }
    }
    throw gravestOf(errors) ?? new FeedkeyError("internal", "the profile has no location");
  }

  /** The same, and once more after a moment where that may help. */
  async firstGoodPatiently<T>(
    action: (location: string, isLast: boolean) => Promise<T>,
    isOwn: (error: FeedkeyError) => boolean,
  ): Promise<T> {
    try {
      return await this.firstGood(action, isOwn);
    } catch (error) {
      if (!(error instanceof FeedkeyError) || !isPassing(error) || this.#pauses === mostPauses) throw error;
      this.#pauses++;
      await sleep(pause);
      return await this.firstGood(action, isOwn);
    }
  }

  /** What is wrong must be known; what is away is of interest to the curious. */
  #tell(error: FeedkeyError, location: string): void {
    const { reporter } = this.#session.options;
    const text = `${location}: ${error.message}; the next mirror is asked`;
    if (error.code === "unavailable") reporter.note(text);
    else reporter.warn(text);
  }
}
