/** The certificates of the embedded key server: in memory, and in a folder where one is given. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { removeLeftovers, writeFileAtomic } from "../store/atomic.ts";
import { isFingerprint } from "../store/fingerprint.ts";
import { acquireLock, type HeldLock } from "../store/lock.ts";
import type { Duration } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { ServerLimits } from "./server-limits.ts";

/** What is known of one key in an upload. */
export interface ParsedKey {
  /** Upper-case hex; for a bare revocation that of the key it is about. */
  readonly fingerprint: Fingerprint;
  /** Key IDs of the key and its subkeys, 16 upper-case hex digits each. */
  readonly keyIds: readonly string[];
  readonly emails: readonly string[];
  /** For listings; the addresses stand in where they are missing. */
  readonly userIds?: readonly string[];
  /** Binary packets. */
  readonly bytes: Uint8Array;
  /** A revocation without its key: merged into a key that is held, refused otherwise. */
  readonly bare?: boolean;
}

/** The OpenPGP side, passed in. Whatever `parse` or `merge` throws refuses the upload. */
export interface KeyMerger {
  parse(armored: Uint8Array): readonly ParsedKey[] | Promise<readonly ParsedKey[]>;
  /** The union of two certificates of one key. */
  merge(old: Uint8Array, fresh: Uint8Array): Uint8Array | Promise<Uint8Array>;
  armor(bytes: Uint8Array): string;
}

export interface AddOutcome {
  readonly fingerprint: Fingerprint;
  /** Why it was not stored; undefined if it was. */
  readonly refused?: string;
}

const fileEnd = ".asc";

export class KeyDatabase {
  readonly #merger: KeyMerger;
  readonly #limits: ServerLimits;
  readonly #lock: HeldLock | undefined;
  readonly #keys = new Map<Fingerprint, ParsedKey>();
  #size = 0;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(merger: KeyMerger, limits: ServerLimits, lock: HeldLock | undefined) {
    this.#merger = merger;
    this.#limits = limits;
    this.#lock = lock;
  }

  /**
   * @param folder where keys outlive the process, one file each; made and locked here. Undefined: memory only
   * @param lockWait milliseconds to wait for another run; by default long enough to take over from a killed one
   * @throws FeedkeyError `locked`, `output`; `bad_state` for a file that is not the key it is named after
   */
  static async open(
    folder: string | undefined,
    merger: KeyMerger,
    limits: ServerLimits,
    lockWait?: Duration,
  ): Promise<KeyDatabase> {
    if (folder === undefined) return new KeyDatabase(merger, limits, undefined);
    const lock = await acquireLock(folder, { mode: 0o755, ...(lockWait === undefined ? {} : { waitMs: lockWait }) });
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

  /** Keys that a search names: `0x` and a fingerprint or a 16-digit key ID, or exactly an address. */
  find(search: string): ParsedKey[] {
    const id = /^(?:0x)?([0-9a-f]{16}|[0-9a-f]{40}|[0-9a-f]{64})$/i.exec(search)?.[1]?.toUpperCase();
    if (id === undefined) return [...this.#keys.values()].filter((key) => key.emails.includes(search));
    if (id.length === 16) return [...this.#keys.values()].filter((key) => key.keyIds.includes(id));
    const key = this.#keys.get(id);
    return key === undefined ? [] : [key];
  }

  /**
   * Takes an upload in: each key new, or merged with the one that is held.
   * @throws what the merger throws for data that it can't read, FeedkeyError `output`, `locked`
   */
  add(armored: Uint8Array): Promise<AddOutcome[]> {
    // One upload after the other: two that merge into the same key at once would lose one of them.
    const outcome = this.#queue.then(() => this.#addNow(armored));
    this.#queue = outcome.catch(() => {});
    return outcome;
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#lock?.release();
  }

  async #addNow(armored: Uint8Array): Promise<AddOutcome[]> {
    const outcomes: AddOutcome[] = [];
    for (const key of (await this.#merger.parse(armored)).slice(0, this.#limits.keysPerUpload)) {
      const refused = await this.#addKey(key);
      outcomes.push({ fingerprint: key.fingerprint, ...(refused === undefined ? {} : { refused }) });
    }
    return outcomes;
  }

  /** Stores a key, or says why not. */
  async #addKey(fresh: ParsedKey): Promise<string | undefined> {
    if (!isFingerprint(fresh.fingerprint)) return "it has no full fingerprint";
    const old = this.#keys.get(fresh.fingerprint);
    if (old === undefined && fresh.bare === true) return "the key that it revokes is not held here";
    if (old === undefined && this.#keys.size >= this.#limits.keys) return "the server is full";
    const key = old === undefined ? fresh : await this.#reread(await this.#merger.merge(old.bytes, fresh.bytes));
    if (key?.fingerprint !== fresh.fingerprint) return "it cannot be merged with the key that is held";
    if (key.bytes.length > this.#limits.key) return "it is too large";
    if (this.#size - (old?.bytes.length ?? 0) + key.bytes.length > this.#limits.allKeys) return "the server is full";
    if (old !== undefined && Buffer.compare(old.bytes, key.bytes) === 0) return undefined;
    if (this.#lock !== undefined) {
      const path = join(this.#lock.folder, key.fingerprint + fileEnd);
      await writeFileAtomic(path, this.#merger.armor(key.bytes), { mode: 0o644 }, this.#lock);
    }
    this.#hold(key);
    return undefined;
  }

  /** The only key in some packets. */
  async #reread(bytes: Uint8Array): Promise<ParsedKey | undefined> {
    const keys = await this.#merger.parse(Buffer.from(this.#merger.armor(bytes)));
    return keys.length === 1 ? keys[0] : undefined;
  }

  #hold(key: ParsedKey): void {
    this.#size += key.bytes.length - (this.#keys.get(key.fingerprint)?.bytes.length ?? 0);
    this.#keys.set(key.fingerprint, key);
  }

  async #load(folder: string): Promise<void> {
    for (const name of (await readdir(folder)).sort()) {
      if (!name.endsWith(fileEnd) || name.startsWith(".")) continue;
      const path = join(folder, name);
      // Armor is a third larger than what it holds.
      const keys = (await stat(path)).size <= 2 * this.#limits.key ? await this.#tryParse(path) : [];
      const [key] = keys;
      if (keys.length !== 1 || key === undefined || key.fingerprint + fileEnd !== name || key.bare === true) {
        throw new FeedkeyError(
          "bad_state",
          `the key server's file "${path}" does not hold the one key it is named after`,
          {
            details: { path },
            hint: "move it out of the folder, and upload the key again",
          },
        );
      }
      this.#hold(key);
    }
  }

  async #tryParse(path: string): Promise<readonly ParsedKey[]> {
    const text = await readFile(path);
    try {
      return await this.#merger.parse(text);
    } catch {
      return [];
    }
  }
}
