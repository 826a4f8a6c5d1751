import { isDeepStrictEqual } from "node:util";
import { FeedkeyError } from "../error.ts";
import { ClientState } from "./client-state.ts";
import { attemptsWithoutLock, ClientStateView, patiently } from "./client-state-view.ts";
import { boundPlaces } from "./seed-binding.ts";
import type { StatePlaces } from "./state-places.ts";
import { readSnapshot, refuseUnsafeFolders, type StateSnapshot } from "./state-snapshot.ts";

/** How many times in succession another run may write first. Real runs do not write that often, so more is an error. */
const maxMissed = 10;

/**
 * The state of one profile that several runs may use at the same time. It is read when it is opened, and locked only while it is written.
 * If another run has written in the meantime, nothing is written: this run reads the state again, and the caller judges again. So nothing
 * that another run recorded is lost or ignored.
 */
export class SharedState extends ClientStateView {
  #missed = 0;

  readonly #seeds: readonly string[];

  private constructor(places: StatePlaces, snapshot: StateSnapshot, seeds: readonly string[]) {
    super(places, snapshot, attemptsWithoutLock);
    this.#seeds = seeds;
  }

  /**
   * Opens the state without a lock; waits for the lock only if other runs write so often that no consistent state can be read.
   * @param seeds the fingerprints of the seeds that the profile lists; the state is bound to these seeds
   * @param reset whether the user agrees that feedkey forgets the whole state and starts again from the seeds
   * @throws FeedkeyError `bad_state` if the state is damaged, lost, or newer than this program; `locked` if another run holds the lock;
   * `output` if the disk can't be written
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
   * Locks the state, and runs the action if the state is still as this run last read or wrote it.
   * @param feed the feed whose index is written: another run must not have accepted an index of this feed in the meantime
   * @returns false if another run wrote first: then nothing was written, and this view shows the other run's state
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
      hint: "nothing was written; run the command again when the other runs have ended",
    });
  }
}

/** Whether everything on which a judgement depends is unchanged. The dates of checks may differ, because other runs only add checks. */
function isSame(before: StateSnapshot, now: StateSnapshot, feed: string | undefined): boolean {
  const [a, b] = [before.ledger, now.ledger];
  return (
    isDeepStrictEqual(a.certificates, b.certificates) &&
    a.revocations?.sha256 === b.revocations?.sha256 &&
    isDeepStrictEqual(a.keys, b.keys) &&
    (feed === undefined || isDeepStrictEqual(a.feeds.get(feed), b.feeds.get(feed)))
  );
}
