import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Data } from "../content.ts";
import { FeedkeyError, systemCode } from "../error.ts";
import { commitStaged, orDiscard, removeLeftovers, stageAll, writeFileAtomic } from "../files/atomic.ts";
import { ensureFolder, syncFolder } from "../files/folder.ts";
import { acquireLock, type HeldLock } from "../files/lock.ts";
import { outputError } from "../files/system-error.ts";
import { iso } from "../time.ts";
import type { BundleCopy } from "./bundle-copies.ts";
import { ClientStateView } from "./client-state-view.ts";
import { type AcceptedIndex, type AcceptedPart, serializeFeedMeta } from "./feed-meta.ts";
import { requireFingerprint } from "./fingerprint.ts";
import { type CertificateRecord, type Ledger, type LedgerFile, parseLedger, serializeLedger } from "./ledger.ts";
import { boundPlaces } from "./seed-binding.ts";
import { readStateFile, sha256 } from "./state-file.ts";
import type { StatePlaces } from "./state-places.ts";
import { readSnapshot, refuseUnsafeFolders, type StateSnapshot } from "./state-snapshot.ts";

interface OpenOptions {
  /** The profile's seeds, to which the state is bound. */
  readonly seeds?: readonly string[];
  /** Whether the user agrees that feedkey forgets the whole state and starts again from the seeds. */
  readonly reset?: boolean;
  /** How long to wait, in milliseconds, until another run releases its lock. */
  readonly waitMs?: number;
  /** The state as this run read it before; certificates that have not changed since are not read again. */
  readonly known?: StateSnapshot;
}

/**
 * The state of one profile, locked against other runs until `close`. Each method either does its work completely and durably, or has no
 * effect that the next run sees. So a killed run leaves either the old state or the new state. All methods throw FeedkeyError `output` if
 * the disk can't be written, and `locked` if the lock was lost.
 */
export class ClientState extends ClientStateView {
  readonly #lock: HeldLock;
  readonly #seeds: readonly string[] | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(places: StatePlaces, snapshot: StateSnapshot, lock: HeldLock, seeds?: readonly string[]) {
    super(places, snapshot, 1);
    this.#lock = lock;
    this.#seeds = seeds;
  }

  /**
   * Opens and locks the state of a profile. No file is created before something is saved.
   * @throws FeedkeyError `bad_state` if the state is damaged, lost, newer than this program, or bound to other seeds; `locked` if another
   * run holds the lock; `output` if the disk can't be written
   */
  static async open(stateFolder: string, profile: string, options: OpenOptions = {}): Promise<ClientState> {
    const places = await boundPlaces(stateFolder, profile, options.seeds);
    await refuseUnsafeFolders(places);
    await ensureFolder(places.root, 0o755);
    const lock = await acquireLock(places.folder, { mode: 0o755, waitMs: options.waitMs });
    try {
      if (options.reset === true) await forget(places, lock);
      for (const folder of [places.folder, places.certificates, places.feeds, places.bundles])
        await removeLeftovers(folder);
      const snapshot = await readSnapshot(places, options.known);
      const state = new ClientState(places, snapshot, lock, options.seeds);
      if (snapshot.initialised) await mark(places);
      if (snapshot.healed) await state.#write(snapshot.ledger);
      await state.feedFolder.removeStrays();
      return state;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Saves what the client learned about keys. */
  async saveLedger(next: Ledger): Promise<void> {
    await this.#inTurn(() => this.#write({ ...this.ledger, keys: next.keys, checks: next.checks }));
  }

  /** Saves certificates, which the caller has merged with the present certificates; unchanged certificates are not written. */
  async putCertificates(certificates: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await this.#inTurn(async () => {
      const before = this.ledger.certificates;
      const changed = [...certificates].filter(([name, bytes]) => before.get(name)?.sha256 !== sha256(bytes));
      if (changed.length > 0) await this.#replaceCertificates(new Map(changed));
    });
  }

  /** Saves revocations and related packets, which the caller has merged with the present ones; unchanged data is not written. */
  async putRevocations(bytes: Uint8Array): Promise<void> {
    await this.#inTurn(async () => {
      const before = this.ledger.revocations?.sha256 ?? null;
      const digest = sha256(bytes);
      if (before === digest || (before === null && bytes.length === 0)) return;
      const file = { path: this.places.revocations, data: bytes, mode: 0o644 };
      await this.#replaceRecorded([file], (isChanging) => {
        const previous = isChanging ? { previous: before } : {};
        return { ...this.ledger, revocations: { sha256: digest, ...previous } };
      });
      this.current = { ...this.current, revocations: bytes };
    });
  }

  /** Saves copies of key bundles as they were downloaded. */
  async keepBundles(copies: readonly BundleCopy[]): Promise<void> {
    await this.#inTurn(() => this.bundleCopies.keep(copies, this.#lock));
  }

  /**
   * Makes an index the last accepted index of its feed, together with its signature.
   * @throws FeedkeyError `rollback` if the index is older than the last accepted index, or has the same date but different bytes (T9). The
   * verifier has checked this before; the check here is a second safeguard
   */
  async acceptIndex(
    feed: string,
    accepted: {
      readonly index: Data;
      readonly signature: Uint8Array;
      readonly meta: AcceptedIndex;
      /**
       * The package lists (parts) that the index names, by the digests of their texts; for indexes that list packages only in such parts.
       */
      readonly parts?: ReadonlyMap<string, AcceptedPart>;
    },
  ): Promise<void> {
    const { index, signature, parts = new Map<string, AcceptedPart>() } = accepted;
    const { createdAt, acceptedAt, signers, source, entries, readAs, versions } = accepted.meta;
    const meta = {
      ...{ feed, createdAt, acceptedAt, signers, source, entries, readAs, versions },
      sha256: sha256(index),
      size: index.length,
      signatureSha256: sha256(signature),
    };
    if (meta.sha256 !== accepted.meta.sha256) {
      throw new FeedkeyError("internal", `the index of feed "${feed}" is not the one that was verified`);
    }
    await this.#inTurn(async () => {
      this.#refuseRollback(feed, meta);
      const there = await this.feedFolder.read(feed);
      const present = there?.meta;
      const same = present?.createdAt === createdAt && present.sha256 === meta.sha256;
      const isDamaged = [...parts.values()].some(({ mends }) => mends);
      const isWhole = !isDamaged && there !== undefined && (await this.feedFolder.hasParts(there, parts));
      if (same && present.signatureSha256 === meta.signatureSha256 && isWhole) {
        const next = { ...present, entries, readAs, versions };
        if (serializeFeedMeta(next) !== serializeFeedMeta(present)) await this.feedFolder.rewriteMeta(next, this.#lock);
        return;
      }
      // The ledger is written first: to the next run, an index without a ledger would look like a state that lost its ledger.
      if (!this.initialised) await this.#write(this.ledger);
      // The index is written before the ledger. If the run is killed between these two writes, the next run finds an index that is newer
      // than the ledger says, and updates the ledger. In the opposite order, the next run would find an older index than the ledger says,
      // which looks like a rollback.
      await this.feedFolder.replace(meta, index, signature, this.#lock, parts);
      const feeds = new Map(this.ledger.feeds).set(feed, { createdAt, sha256: meta.sha256 });
      await this.#write({ ...this.ledger, feeds });
      await this.feedFolder.removeStrays();
    });
  }

  /** Releases the lock. */
  async close(): Promise<void> {
    await this.#last;
    await this.#lock.release();
  }

  /** Runs one write after another, even if the caller does not wait. Each write starts from the result of the previous write. */
  #inTurn(write: () => Promise<void>): Promise<void> {
    const result = this.#last.then(write).catch(async (error) => {
      // Only the disk shows how far the failed write got. The next write continues from there.
      this.current = await readSnapshot(this.places).catch(() => this.current);
      throw error;
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #write(ledger: LedgerFile): Promise<void> {
    const bound = this.#seeds === undefined ? ledger : { ...ledger, seeds: this.#seeds };
    const text = Buffer.from(serializeLedger(bound, this.places.profile), "utf8");
    // The new text is parsed before it is written, so that an unreadable file never replaces a readable file.
    const next = parseLedger(text, this.places.ledger, this.places.profile);
    const present = await readStateFile(this.places.ledger);
    const isThere = this.initialised && present !== undefined && text.equals(present);
    if (!isThere) await writeFileAtomic(this.places.ledger, text, { mode: 0o644 }, this.#lock);
    if (!this.initialised) await mark(this.places);
    this.current = { ...this.current, initialised: true, ledger: next };
  }

  async #replaceCertificates(changed: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await ensureFolder(this.places.certificates, 0o755);
    const files = [...changed].map(([fingerprint, data]) => {
      return { path: join(this.places.certificates, `${requireFingerprint(fingerprint)}.pgp`), data, mode: 0o644 };
    });
    const before = this.ledger.certificates;
    await this.#replaceRecorded(files, (isChanging) => {
      const next = new Map<string, CertificateRecord>(before);
      for (const [fingerprint, bytes] of changed) {
        const previous = isChanging ? { previous: before.get(fingerprint)?.sha256 ?? null } : {};
        next.set(fingerprint, { sha256: sha256(bytes), ...previous });
      }
      return { ...this.ledger, certificates: next };
    });
    this.current = { ...this.current, certificates: new Map([...this.current.certificates, ...changed]) };
  }

  /**
   * Replaces files whose digests are in the ledger, in three steps: first the ledger allows the old and the new files, then the files
   * change, then the ledger allows only the new files. So if the run is killed between these steps, the files do not count as damaged;
   * damage at any other time is noticed.
   */
  async #replaceRecorded(
    files: Parameters<typeof stageAll>[0],
    record: (isChanging: boolean) => LedgerFile,
  ): Promise<void> {
    const staged = await stageAll(files);
    await orDiscard(staged, async () => {
      await this.#write(record(true));
      await commitStaged(staged, this.#lock);
    });
    await this.#write(record(false));
  }

  #refuseRollback(feed: string, meta: AcceptedIndex): void {
    const seen = this.ledger.feeds.get(feed);
    if (seen === undefined || meta.createdAt > seen.createdAt) return;
    if (meta.createdAt === seen.createdAt && meta.sha256 === seen.sha256) return;
    const sameDate = meta.createdAt === seen.createdAt;
    const problem = sameDate
      ? `index of feed "${feed}" has the same date as the last accepted index, ${iso(seen.createdAt)}, but different contents`
      : `index of feed "${feed}" dates from ${iso(meta.createdAt)}, and is older than the last accepted index, of ${iso(seen.createdAt)}`;
    throw new FeedkeyError("rollback", problem, {
      details: { feed, got: iso(meta.createdAt), seen: iso(seen.createdAt) },
      hint: "the mirror is out of date or someone replays an old index; the last good index stays in use",
    });
  }
}

/**
 * Creates the marker file. It tells a state that was lost from a state that never existed. It is empty, so that it is never half written.
 */
async function mark(places: StatePlaces): Promise<void> {
  await ensureFolder(dirname(places.marker), 0o755);
  try {
    const handle = await fs.open(places.marker, "wx", 0o644);
    await handle.close();
  } catch (error) {
    if (systemCode(error) === "EEXIST") return;
    throw outputError(error, places.marker);
  }
  await syncFolder(dirname(places.marker));
}

/**
 * Removes a profile's state: the ledger first, the marker last. If the run is killed in between, the state counts as lost, and the user
 * must repeat the reset. So a state is never half forgotten without notice.
 */
async function forget(places: StatePlaces, lock: HeldLock): Promise<void> {
  await lock.assertHeld();
  const { ledger, feeds, bundles, certificates, revocations, marker } = places;
  for (const path of [ledger, feeds, bundles, certificates, revocations, marker]) {
    try {
      await fs.rm(path, { recursive: true, force: true });
    } catch (error) {
      throw outputError(error, path);
    }
    if (path === ledger) await syncFolder(places.folder);
  }
  await syncFolder(places.folder);
}
