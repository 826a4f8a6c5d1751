import { isDeepStrictEqual } from "node:util";
import { FeedkeyError } from "../error.ts";
import { ClientState } from "./client-state.ts";
import { attemptsWithoutLock, ClientStateView, patiently } from "./client-state-view.ts";
import { boundPlaces } from "./seed-binding.ts";
import type { StatePlaces } from "./state-places.ts";
import { readSnapshot, refuseUnsafeFolders, type StateSnapshot } from "./state-snapshot.ts";

/** How many times in succession another run may write first; real runs do not write that often. */
const maxMissed = 10;

/**
 * The state of one profile that other runs may use at the same time: the state is read when it is opened, and locked only
 * while it is written. If another run wrote first, nothing is written: the state is read again, and the caller judges again.
 * So nothing that another run recorded is lost or ignored.
 */
export class SharedState extends ClientStateView {
  #missed = 0;

  readonly #seeds: readonly string[];

  private constructor(places: StatePlaces, snapshot: StateSnapshot, seeds: readonly string[]) {
    super(places, snapshot, attemptsWithoutLock);
    this.#seeds = seeds;
  }

  /**
   * Opens the state without a lock, unless other runs write so often that no consistent state can be read.
   * @param seeds the fingerprints of the seeds that the profile lists; the state is bound to these seeds
   * @param reset whether the user consents to forget everything and to start from the seeds
   * @throws FeedkeyError `bad_state` if the state is damaged, newer than this program, or gone; `locked`; `output`
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
   * Locks the state, and runs the action if the state is still what this run last read or wrote.
   * @param feed the feed whose index is written: another run must not have accepted an index of this feed meanwhile
   * @returns false if nothing was written because another run wrote first; this view then shows the other run's state
   * @throws FeedkeyError `bad_state`, `locked`, `output`, and whatever the action throws
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

/**
 * Whether everything on which a judgement depends is unchanged. Dates of checks need no comparison, because runs only
 * add them.
 */
function isSame(before: StateSnapshot, now: StateSnapshot, feed: string | undefined): boolean {
  const [a, b] = [before.ledger, now.ledger];
  return (
    isDeepStrictEqual(a.certificates, b.certificates) &&
    a.revocations?.sha256 === b.revocations?.sha256 &&
    isDeepStrictEqual(a.keys, b.keys) &&
    (feed === undefined || isDeepStrictEqual(a.feeds.get(feed), b.feeds.get(feed)))
  );
}
