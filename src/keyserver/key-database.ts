/** Stores the certificates of the embedded key server in memory, and also in a folder if the caller names a folder. */
import { readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { smallest } from "../extremes.ts";
import { removeLeftovers, writeFileAtomic } from "../files/atomic.ts";
import { acquireLock, type HeldLock } from "../files/lock.ts";
import type { UploadedKey } from "../openpgp/check/key-merger.ts";
import { isFingerprint } from "../store/fingerprint.ts";
import type { Duration, Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { ServerLimits } from "./server-limits.ts";

export type { UploadedKey as ParsedKey };

/** A stored key. */
interface SettledKey {
  readonly bytes: Uint8Array;
  /** The stored keys with a verified certification of this key. */
  readonly certifiedBy: readonly Fingerprint[];
}

/** The OpenPGP functions that the caller passes in. If `parse` or `merge` throws an error, the server refuses the upload. */
export interface KeyMerger {
  parse(armored: Uint8Array): readonly UploadedKey[] | Promise<readonly UploadedKey[]>;
  /** Returns the union of two certificates of one key. */
  merge(old: Uint8Array, fresh: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Returns the key with only those signatures that the key itself or one of the other keys has made. */
  settle(bytes: Uint8Array, others: readonly Uint8Array[]): SettledKey | Promise<SettledKey>;
  armor(bytes: Uint8Array): string;
}

export interface AddOutcome {
  readonly fingerprint: Fingerprint;
  /** The reason why the server did not store the key; undefined if the server stored the key. */
  readonly refused?: string;
}

const fileEnd = ".asc";

/** The maximum number of other keys whose signatures the server checks on one key. The oldest keys come first. */
const mostMakers = 200;

/** A stored key, with the time that decides which keys a full server evicts. */
interface Held {
  readonly key: UploadedKey;
  /**
   * The time of the key's upload, or the earlier time of a key that certifies this key. So a successor counts as
   * uploaded when its predecessor was. Unrelated keys have different times.
   */
  readonly since: Instant;
}

export class KeyDatabase {
  readonly #merger: KeyMerger;
  readonly #limits: ServerLimits;
  readonly #lock: HeldLock | undefined;
  readonly #keys = new Map<Fingerprint, Held>();
  #size = 0;
  #last: Instant = 0;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(merger: KeyMerger, limits: ServerLimits, lock: HeldLock | undefined) {
    this.#merger = merger;
    this.#limits = limits;
    this.#lock = lock;
  }

  /**
   * Opens the database, and creates and locks its folder.
   * @param folder the folder with one file for each key; undefined to keep keys only in memory
   * @param lockWait how long to wait for another run that uses the folder; the default is long enough to take over from a killed run
   * @throws FeedkeyError `locked` if another run uses the folder; `output` if the folder can't be written; `bad_state` if a file does not
   * contain the key in its name
   */
  static async open(
    folder: string | undefined,
    merger: KeyMerger,
    limits: ServerLimits,
    lockWait?: Duration,
  ): Promise<KeyDatabase> {
    if (folder === undefined) return new KeyDatabase(merger, limits, undefined);
    const lock = await acquireLock(folder, { mode: 0o755, waitMs: lockWait });
    const database = new KeyDatabase(merger, limits, lock);
    try {
      await removeLeftovers(folder);
      await database.#load(folder);
    } catch (error) {
      await lock.release();
      throw error;
    }
    return database;
  }

  /**
   * Returns the keys that match a search, the oldest first. The search is a fingerprint or 16-digit key ID, with or without `0x`, or an
   * exact email address.
   */
  find(search: string): UploadedKey[] {
    const id = /^(?:0x)?([0-9a-f]{16}|[0-9a-f]{40}|[0-9a-f]{64})$/i.exec(search)?.[1]?.toUpperCase();
    if (id === undefined) return this.#earliestFirst((key) => key.emails.includes(search));
    if (id.length === 16) return this.#earliestFirst((key) => key.keyIds.includes(id));
    const held = this.#keys.get(id);
    return held === undefined ? [] : [held.key];
  }

  #earliestFirst(isWanted: (key: UploadedKey) => boolean): UploadedKey[] {
    const found = [...this.#keys.values()].filter(({ key }) => isWanted(key));
    return found.sort((a, b) => a.since - b.since).map(({ key }) => key);
  }

  /**
   * Stores the keys in an upload. Merges a key that is already stored with its stored copy.
   * @throws the merger's error if the merger can't read the data; FeedkeyError `output` if a file can't be written, `locked` if another run
   * has taken the folder
   */
  add(armored: Uint8Array): Promise<AddOutcome[]> {
    // The database stores uploads one after another. If two uploads changed the same key at the same time, one change would be lost.
    const outcome = this.#queue.then(() => this.#addNow(armored));
    this.#queue = outcome.catch(() => {});
    return outcome;
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#lock?.release();
  }

  async #addNow(armored: Uint8Array): Promise<AddOutcome[]> {
    const parsed = (await this.#merger.parse(armored)).slice(0, this.#limits.keysPerUpload);
    const keys = parsed.flatMap((key) => this.#meant(key));
    const outcomes = new Map<UploadedKey, string | undefined>();
    for (const key of keys) outcomes.set(key, await this.#addKey(key));
    // The server keeps a signature only if its maker is stored. The maker may come later in the same upload, so the server adds signed
    // keys a second time.
    const names = new Set(keys.flatMap(({ fingerprint, keyIds }) => [fingerprint, ...keyIds]));
    for (const key of keys) {
      if (key.makers?.some((maker) => names.has(maker))) outcomes.set(key, await this.#addKey(key));
    }
    return [...outcomes].map(([{ fingerprint }, refused]) => {
      return { fingerprint, ...(refused === undefined ? {} : { refused }) };
    });
  }

  /**
   * Returns the keys to which an upload may belong. If the upload is a revocation that names only a key ID, returns all stored keys
   * with this key ID.
   */
  #meant(key: UploadedKey): UploadedKey[] {
    if (key.bare !== true || key.fingerprint.length !== 16) return [key];
    const held = this.#earliestFirst(({ keyIds }) => keyIds[0] === key.fingerprint);
    return held.length === 0 ? [key] : held.map(({ fingerprint }) => ({ ...key, fingerprint }));
  }

  /** Stores a key. @returns the reason why the server does not store the key; undefined if the server stores the key */
  async #addKey(fresh: UploadedKey): Promise<string | undefined> {
    const held = this.#keys.get(fresh.fingerprint);
    if (held === undefined && fresh.bare === true) return "the revoked key is not stored here";
    if (!isFingerprint(fresh.fingerprint)) return "the upload does not give the key's full fingerprint";
    if (held === undefined && fresh.nameless === true) return "the key has no self-signed user ID";
    const old = held?.key;
    const whole = old === undefined ? fresh : await this.#reread(await this.#merger.merge(old.bytes, fresh.bytes));
    if (whole?.fingerprint !== fresh.fingerprint) return "the upload can't be merged with the stored key";
    const { key, certifiedBy } = await this.#settle(whole);
    if (key.bytes.length > this.#limits.key) return "the key is too large";
    const before = certifiedBy.flatMap((maker) => this.#keys.get(maker)?.since ?? []);
    const since = smallest([held?.since ?? this.#now(), ...before]);
    const unchanged = old !== undefined && Buffer.compare(old.bytes, key.bytes) === 0;
    if (unchanged && since === held?.since) return undefined;
    const evicted = this.#evictable(key, since, old);
    if (evicted === undefined) return "the server is full";
    for (const one of evicted) await this.#evict(one);
    await this.#write(key, since);
    this.#hold({ key, since });
    return undefined;
  }

  #now(): Instant {
    this.#last = Math.max(Date.now(), this.#last + 1);
    return this.#last;
  }

  /** Returns the key without signatures by keys that are not stored. */
  async #settle(whole: UploadedKey): Promise<{ key: UploadedKey; certifiedBy: readonly Fingerprint[] }> {
    const makers = new Set(whole.makers);
    const others = this.#earliestFirst(({ fingerprint, keyIds }) => {
      return fingerprint !== whole.fingerprint && [fingerprint, ...keyIds].some((name) => makers.has(name));
    });
    const bodies = others.slice(0, mostMakers).map(({ bytes }) => bytes);
    const { bytes, certifiedBy } = await this.#merger.settle(whole.bytes, bodies);
    if (Buffer.compare(bytes, whole.bytes) === 0) return { key: whole, certifiedBy };
    return { key: (await this.#reread(bytes)) ?? whole, certifiedBy };
  }

  /**
   * Returns the keys to evict for a key: the newest keys, but only keys newer than `since`. So an unrelated new key evicts no other key,
   * and many new keys can't keep out a revocation or a successor of an old key.
   * @returns undefined if these evictions would not free enough space
   */
  #evictable(key: UploadedKey, since: Instant, old: UploadedKey | undefined): Fingerprint[] | undefined {
    let keys = this.#keys.size + (old === undefined ? 1 : 0) - this.#limits.keys;
    let bytes = this.#size - (old?.bytes.length ?? 0) + key.bytes.length - this.#limits.allKeys;
    const evicted: Fingerprint[] = [];
    if (keys <= 0 && bytes <= 0) return evicted;
    const latestFirst = [...this.#keys].filter(([name]) => name !== key.fingerprint);
    latestFirst.sort(([, a], [, b]) => b.since - a.since);
    for (const [name, one] of latestFirst) {
      if (keys <= 0 && bytes <= 0) break;
      if (one.since <= since) return undefined;
      evicted.push(name);
      keys -= 1;
      bytes -= one.key.bytes.length;
    }
    return keys <= 0 && bytes <= 0 ? evicted : undefined;
  }

  async #evict(fingerprint: Fingerprint): Promise<void> {
    if (this.#lock !== undefined) {
      await this.#lock.assertHeld();
      await rm(join(this.#lock.folder, fingerprint + fileEnd), { force: true });
    }
    this.#size -= this.#keys.get(fingerprint)?.key.bytes.length ?? 0;
    this.#keys.delete(fingerprint);
  }

  /** Writes a key's file. The file's date stores `since` for the next run. */
  async #write(key: UploadedKey, since: Instant): Promise<void> {
    if (this.#lock === undefined) return;
    const path = join(this.#lock.folder, key.fingerprint + fileEnd);
    await writeFileAtomic(path, this.#merger.armor(key.bytes), { mode: 0o644 }, this.#lock);
    await utimes(path, since / 1000, since / 1000);
  }

  /**
   * Returns the only key in some packets; undefined if there are several keys. Ignores revocations without a certificate, because the
   * parser mistakes a revocation by a designated revoker for a revocation of the revoker's own key.
   */
  async #reread(bytes: Uint8Array): Promise<UploadedKey | undefined> {
    const keys = await this.#merger.parse(Buffer.from(this.#merger.armor(bytes)));
    const [key, ...others] = keys.filter(({ bare }) => bare !== true);
    return others.length === 0 ? key : undefined;
  }

  #hold(held: Held): void {
    const { key, since } = held;
    this.#size += key.bytes.length - (this.#keys.get(key.fingerprint)?.key.bytes.length ?? 0);
    this.#keys.set(key.fingerprint, held);
    this.#last = Math.max(this.#last, since);
  }

  async #load(folder: string): Promise<void> {
    for (const name of (await readdir(folder)).sort()) {
      if (!name.endsWith(fileEnd) || name.startsWith(".")) continue;
      const path = join(folder, name);
      // Armor makes a key about a third larger, so the limit for a file is twice the limit for a key.
      const { size, mtimeMs } = await stat(path);
      const keys = size <= 2 * this.#limits.key ? await this.#tryParse(path) : [];
      const [key, ...others] = keys.filter(({ bare }) => bare !== true);
      if (others.length > 0 || key === undefined || key.fingerprint + fileEnd !== name) {
        const problem = `the key server's file "${path}" does not contain exactly the key in its name`;
        throw new FeedkeyError("bad_state", problem, {
          details: { path },
          hint: "move the file out of the folder, and upload the key again",
        });
      }
      this.#hold({ key, since: Math.floor(mtimeMs) });
    }
    // The run that wrote the files may have kept more signatures, so this run removes signatures by keys that are not stored.
    for (const { key, since } of this.#keys.values()) {
      if ((key.makers?.length ?? 0) > 0) this.#hold({ key: (await this.#settle(key)).key, since });
    }
  }

  async #tryParse(path: string): Promise<readonly UploadedKey[]> {
    const text = await readFile(path);
    try {
      return await this.#merger.parse(text);
    } catch {
      return [];
    }
  }
}
