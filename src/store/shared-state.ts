import { isDeepStrictEqual } from "node:util";
import { FeedkeyError } from "../error.ts";
import { ClientState } from "./client-state.ts";
import { attemptsWithoutLock, ClientStateView, patiently } from "./client-state-view.ts";
import { boundPlaces } from "./seed-binding.ts";
import type { StatePlaces } from "./state-places.ts";
import { readSnapshot, refuseUnsafeFolders, type StateSnapshot } from "./state-snapshot.ts";

/** How many times in a row another run may write first; real runs do not write that often. */
const maxMissed = 10;

/**
 * The state of one profile while other runs may use it too: read when it is opened, and locked only while it is written. If
 * another run wrote first, nothing is written: the state is read again, and the caller judges again. So nothing that another
 * run recorded is lost or ignored.
 */
export class SharedState extends ClientStateView {
  #missed = 0;

  readonly #seeds: readonly string[];

  private constructor(places: StatePlaces, snapshot: StateSnapshot, seeds: readonly string[]) {
    super(places, snapshot, attemptsWithoutLock);
    this.#seeds = seeds;
  }

  /**
   * Opens without a lock, unless other runs write so often that no consistent state can be read.
   * @param seeds fingerprints that the profile lists: the state is bound to them
   * @param reset consent to forget everything and to start from the seeds
   * @throws FeedkeyError `bad_state` when it is damaged, newer than this program, or gone; `locked`, `output`
   */
  static async open(
    stateFolder: string,
    profile: string,
    seeds: readonly string[],
    reset = false,
  ): Promise<SharedState> {
    const places = await boundPlaces(stateFolder, profile, seeds);
    await refuseUnsafeFolders(places);
    const readLocked = async () => {
      const state = await ClientState.open(stateFolder, profile, { reset, seeds });
      await state.close();
      return state.snapshot;
    };
    if (reset) return new SharedState(places, await readLocked(), seeds);
    try {
      const snapshot = await patiently(attemptsWithoutLock, () => readSnapshot(places));
      return new SharedState(places, snapshot, seeds);
    } catch (error) {
      if (!(error instanceof FeedkeyError) || error.code !== "bad_state") throw error;
      return new SharedState(places, await readLocked(), seeds);
    }
  }

  /**
   * Locks the state, and writes if it is still what this run read or wrote last.
   * @param feed whose index is written: another run must not have accepted one meanwhile
   * @returns false if nothing was written because another run wrote first; its state is then the one read
   * @throws FeedkeyError `bad_state`, `locked`, `output`, and what the action throws
   */
  async write(action: (state: ClientState) => Promise<void>, feed?: string): Promise<boolean> {
    const before = this.current;
    const state = await ClientState.open(this.places.root, this.profile, { known: before, seeds: this.#seeds });
    try {
      if (isSame(before, state.snapshot, feed)) {
        await action(state);
        this.#missed = 0;
        return true;
      }
    } finally {
      this.current = state.snapshot;
      await state.close();
    }
    this.#missed += 1;
    if (this.#missed < maxMissed) return false;
    throw new FeedkeyError("locked", `other runs keep writing to "${this.folder}"`, {
      details: { folder: this.folder },
      hint: "nothing was written; run the command again when they have ended",
    });
  }
}

/** Whether nothing has changed on which a judgement depends. Dates of checks are only added. */
function isSame(before: StateSnapshot, now: StateSnapshot, feed: string | undefined): boolean {
  const [a, b] = [before.ledger, now.ledger];
  return (
    isDeepStrictEqual(a.certificates, b.certificates) &&
    a.revocations?.sha256 === b.revocations?.sha256 &&
    isDeepStrictEqual(a.keys, b.keys) &&
    (feed === undefined || isDeepStrictEqual(a.feeds.get(feed), b.feeds.get(feed)))
  );
}
