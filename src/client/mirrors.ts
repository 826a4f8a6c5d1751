/**
 * The archive's servers, in the order in which the client asks them. After a failure, a server comes last until a request to
 * this server succeeds.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { FeedkeyError, mostSeriousOf } from "../error.ts";
import { locations } from "../refresh/download.ts";
import type { Session } from "../refresh/session.ts";
import type { Duration } from "../time.ts";

/** The reasons for failures that the next request to the same server will probably meet too. */
const lasting: ReadonlySet<unknown> = new Set(["dns", "connect", "tls", "timeout", "cut_off"]);

/** Whether an error is a fault of the server, and not just of one file. */
function isServers({ code, details }: FeedkeyError): boolean {
  return code === "unavailable" ? lasting.has(details.reason) : code === "digest_mismatch" || code === "size_mismatch";
}

/** Whether a request may succeed if the client repeats it after a moment. */
function isPassing({ code, details }: FeedkeyError): boolean {
  if (code !== "unavailable") return false;
  return details.reason === "cut_off" || Number(details.status) >= 500 || details.status === 429;
}

/** The delay in milliseconds before the client asks all servers again after a failure that may be temporary. */
const pause: Duration = 1000;

/** Maximum number of delays without a success between them: a server that stays broken must not delay every file. */
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
   * Tries an action with each server until the action succeeds. After each failure, reports why the client tries the next server.
   * @param action receives the server's URL, and whether this server is the last
   * @param isOwn whether every other server would give the same error
   * @throws the most serious error: a refusal is more serious than an unreachable server
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
    throw mostSeriousOf(errors) ?? new FeedkeyError("internal", "the profile has no location");
  }

  /** Works as {@link firstGood}, but tries all servers once more after a delay if the failure may be temporary. */
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

  /** Reports an error: a refusal as a warning, an unreachable server only as a note. */
  #tell(error: FeedkeyError, location: string): void {
    const { reporter } = this.#session.options;
    const text = `${location}: ${error.message}; trying the next mirror`;
    if (error.code === "unavailable") reporter.note(text);
    else reporter.warn(text);
  }
}
