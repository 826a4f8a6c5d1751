import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FeedkeyError } from "../error.ts";
import { HeldFiles } from "../files/hashed-file.ts";
import { BundleCopies, type BundleCopy } from "./bundle-copies.ts";
import { type Accepted, FeedFolder, type LastIndex } from "./feed-folder.ts";
import type { LedgerFile } from "./ledger.ts";
import { boundPlaces } from "./seed-binding.ts";
import { badState, fileNameFor } from "./state-file.ts";
import type { StatePlaces } from "./state-places.ts";
import { compareWithLedger, readSnapshot, refuseUnsafeFolders, type StateSnapshot } from "./state-snapshot.ts";

export const attemptsWithoutLock = 5;
const pauseMs = 20;

/** A read-only view of one profile's state, as it was when the view was opened. */
export class ClientStateView {
  protected readonly places: StatePlaces;
  protected readonly feedFolder: FeedFolder;
  protected readonly bundleCopies: BundleCopies;
  protected current: StateSnapshot;
  /** The files that this run keeps open, because another program may replace them meanwhile. */
  readonly files = new HeldFiles();
  readonly #attempts: number;

  protected constructor(places: StatePlaces, snapshot: StateSnapshot, attempts: number) {
    this.places = places;
    this.feedFolder = new FeedFolder(places.feeds);
    this.bundleCopies = new BundleCopies(places.bundles);
    this.current = snapshot;
    this.#attempts = attempts;
  }

  /**
   * Opens the state without a lock and creates nothing: for audits, and for users who may only read the state. If no state exists, the view
   * is empty.
   * @param seeds the profile's seeds, to which the state is bound
   * @throws FeedkeyError `bad_state` if the state is damaged, lost, newer than this program, or bound to other seeds
   */
  static async openReadOnly(stateFolder: string, profile: string, seeds?: readonly string[]): Promise<ClientStateView> {
    const places = await boundPlaces(stateFolder, profile, seeds);
    await refuseUnsafeFolders(places);
    const snapshot = await patiently(attemptsWithoutLock, () => readSnapshot(places));
    return new ClientStateView(places, snapshot, attemptsWithoutLock);
  }

  get profile(): string {
    return this.places.profile;
  }

  /** The absolute path of this profile's state folder. */
  get folder(): string {
    return this.places.folder;
  }

  /** Whether something was ever saved. If not, every key is new to this client. */
  get initialised(): boolean {
    return this.current.initialised;
  }

  /** What the client has learned. `ledger.feeds` is enough to notice a rollback; no index need be read for this. */
  get ledger(): LedgerFile {
    return this.current.ledger;
  }

  /** The whole state, as it was last read or written. */
  get snapshot(): StateSnapshot {
    return this.current;
  }

  /** Returns the binary certificates, by fingerprint. */
  certificates(): ReadonlyMap<string, Uint8Array> {
    return this.current.certificates;
  }

  /** Returns the revocations and related packets (T4) as a keyring; undefined if the client knows none. */
  revocations(): Uint8Array | undefined {
    return this.current.revocations;
  }

  /** Returns the copy of the key bundle from a URL; undefined if the copy is missing or damaged. */
  async bundleCopy(url: string): Promise<BundleCopy | undefined> {
    return await this.bundleCopies.read(url);
  }

  /**
   * Returns the last accepted index of a feed, after comparing its bytes with their digests. The index stays open until `files` is closed.
   * @throws FeedkeyError `bad_state` if the index is damaged, gone, or older than the ledger says
   */
  async lastIndex(feed: string): Promise<LastIndex | undefined> {
    return await this.#read(feed, async (accepted) => this.feedFolder.open(accepted, this.files));
  }

  /**
   * Returns the certificates that signed the last accepted indexes. @throws FeedkeyError `bad_state` if the stored data
   * is damaged
   */
  async signers(): Promise<string[]> {
    const signers = [];
    for (const feed of this.ledger.feeds.keys()) {
      const accepted = await this.#read(feed, async (one) => one);
      for (const { certificate } of accepted?.meta.signers ?? []) signers.push(certificate);
    }
    return signers;
  }

  #read<T>(feed: string, read: (accepted: Accepted) => Promise<T>): Promise<T | undefined> {
    return patiently(this.#attempts, async () => {
      const record = this.ledger.feeds.get(feed);
      const path = join(this.places.feeds, fileNameFor(feed));
      const accepted = await this.feedFolder.read(feed);
      if (accepted === undefined) {
        if (record === undefined) return undefined;
        throw badState(path, "is missing, although the ledger says that an index was accepted");
      }
      compareWithLedger(path, accepted.meta, record);
      return await read(accepted);
    });
  }
}

/**
 * Reads state without a lock, and tries again if the state seems damaged. While another run writes, the state can look damaged for a
 * moment; real damage is still there a little later.
 */
export async function patiently<T>(attempts: number, read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof FeedkeyError) || error.code !== "bad_state" || attempt >= attempts) throw error;
      await sleep(pauseMs);
    }
  }
}
