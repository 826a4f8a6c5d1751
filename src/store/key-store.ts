import * as fs from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FeedkeyError, systemCode, unlessMissing } from "../error.ts";
import { commitStaged, orDiscard, removeLeftovers, stageAll, writeFileAtomic } from "../files/atomic.ts";
import { ensureFolder, refuseWritableByOthers, syncFolder } from "../files/folder.ts";
import { type HeldLock, type LockOptions, withLock } from "../files/lock.ts";
import { readPlainFile } from "../files/plain-file.ts";
import { readPrivateFile } from "../files/private-file.ts";
import { causeInWords, outputError } from "../files/system-error.ts";
import { hexDigits, isFingerprint, requireFingerprint } from "./fingerprint.ts";

/** The reason in a revocation certificate that feedkey made together with the key. */
export type RevocationReason = "compromised" | "superseded" | "retired";

/** The reasons for which feedkey makes a revocation certificate together with a key. */
export const revocationReasons: readonly RevocationReason[] = ["compromised", "superseded", "retired"];

/** The size limit for files in the store, in bytes: an armored certificate of 16 MiB fits. feedkey never writes a larger file. */
const maxFileBytes = 24 * 1024 * 1024;

/** A new key to add to the store. Its parts are ASCII-armored. */
export interface NewKey {
  /** The full fingerprint, in upper-case hex. */
  readonly fingerprint: string;
  readonly privateKey: string;
  readonly certificate: string;
  /**
   * The revocation certificates by reason. Empty if the secret primary key is elsewhere, because no revocation certificate can then be made
   * here.
   */
  readonly revocations: Readonly<Partial<Record<RevocationReason, string>>>;
}

/** The operations on a locked store; see `KeyStore.exclusive`. */
export interface KeyStoreWriter {
  /**
   * Adds a key.
   * @throws FeedkeyError `usage` if the store already has this secret key; `output` if the store can't be written; `locked` if the lock was
   * lost
   */
  add(key: NewKey): Promise<void>;
  /** Replaces a secret key by a secret key that contains everything in the present one. @throws as `putCertificate` does */
  replacePrivate(fingerprint: string, armored: string): Promise<void>;
  /** Adds a certificate, or replaces it by a certificate with which the caller has merged the present one. @throws as `add` does */
  putCertificate(fingerprint: string, armored: string): Promise<void>;
  /**
   * Removes the files of a key if `add` was killed before it wrote the secret key. A key whose secret key is in the store stays. @throws as
   * `add` does
   */
  removeUnfinished(fingerprint: string): Promise<void>;
  /** Removes a secret key; its certificate and its revocation certificates stay. @throws as `add` does */
  removePrivate(fingerprint: string): Promise<void>;
  /** Removes a certificate that has no secret key; its revocation certificates stay. @throws as `add` does */
  removeCertificate(fingerprint: string): Promise<void>;
}

/**
 * The store of the archive's keys: `private/FPR.asc` (mode 0600), `certs/FPR.asc` and `revocations/FPR-REASON.asc` below one folder. The
 * store looks only at file names: callers must check that a file contains the key that its name says.
 */
export class KeyStore {
  /** The absolute path of the store's folder. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Opens a store, which need not exist yet: adding the first key creates the store.
   * @throws FeedkeyError `bad_config` if other users can write to the folder
   */
  static async open(folder: string): Promise<KeyStore> {
    const store = new KeyStore(resolve(folder));
    await refuseWritableByOthers(store.folder, (problem, hint) => {
      return new FeedkeyError("bad_config", problem, { details: { path: store.folder }, hint });
    });
    return store;
  }

  /** Returns the full fingerprints of all certificates, sorted, whether or not their secret keys are in the store. */
  async list(): Promise<string[]> {
    const folder = join(this.folder, "certs");
    const names = (await unlessMissing(fs.readdir(folder), (error) => unreadable(folder, error))) ?? [];
    return names
      .map((name) => name.replace(/\.asc$/, ""))
      .filter((name, at) => isFingerprint(name) && names[at] !== name)
      .sort();
  }

  /**
   * Parses a fingerprint as a user gives it: in upper or lower case, with or without spaces and `0x`.
   * @throws FeedkeyError `usage` for a key ID or any other text that is not a full fingerprint; `not_found` if the store lacks the key
   */
  async resolve(text: string): Promise<string> {
    const hex = hexDigits(text);
    const known = await this.list();
    if (!isFingerprint(hex)) throw notAFingerprint(text, hex, known);
    if (known.includes(hex) || (await this.hasPrivate(hex))) return hex;
    throw this.#missing(`no key ${hex}`, hex);
  }

  /** Returns the armored certificate. @throws FeedkeyError `not_found` if the store has no such certificate */
  async certificate(fingerprint: string): Promise<string> {
    return this.#read(this.#certificateFile(fingerprint), `no certificate ${fingerprint}`, fingerprint);
  }

  /**
   * Returns the armored secret key.
   * @throws FeedkeyError `not_found` if the store lacks the key; `bad_config` if other users have access to the file
   */
  async privateKey(fingerprint: string): Promise<string> {
    const armored = await readPrivateFile(this.#privateFile(fingerprint));
    if (armored === undefined) throw this.#missing(`no secret key ${fingerprint}`, fingerprint);
    return armored;
  }

  async hasPrivate(fingerprint: string): Promise<boolean> {
    const file = this.#privateFile(fingerprint);
    return (await unlessMissing(fs.lstat(file), (error) => unreadable(file, error))) !== undefined;
  }

  /**
   * Returns the armored revocation certificate that feedkey made together with the key.
   * @throws FeedkeyError `not_found` if it is missing
   */
  async revocation(fingerprint: string, reason: RevocationReason): Promise<string> {
    const file = this.#revocationFile(fingerprint, reason);
    const hint =
      "if you have the revocation certificate in a safe place, feedkey key import FILE revokes the key with it; the secret key is not needed";
    return this.#read(file, `no revocation certificate "${reason}" of ${fingerprint}`, fingerprint, hint);
  }

  /** Adds a key, as `KeyStoreWriter.add` does. */
  async add(key: NewKey): Promise<void> {
    await this.exclusive((writer) => writer.add(key));
  }

  /**
   * Locks the store and runs an action that reads, decides and writes, so that no other run can write in between.
   * @throws FeedkeyError `locked` if another run holds the lock; `output` if the store can't be written; and whatever the action throws
   */
  async exclusive<T>(action: (writer: KeyStoreWriter) => Promise<T>, options: LockOptions = {}): Promise<T> {
    const locked = async (lock: HeldLock) => {
      for (const part of ["private", "certs", "revocations"]) await removeLeftovers(join(this.folder, part));
      return await action({
        add: (key) => this.#add(key, lock),
        replacePrivate: async (fingerprint, armored) => {
          await writeFileAtomic(this.#privateFile(fingerprint), armored, { mode: 0o600 }, lock);
        },
        putCertificate: async (fingerprint, armored) => {
          const file = this.#certificateFile(fingerprint);
          await ensureFolder(dirname(file), 0o755);
          await writeFileAtomic(file, armored, { mode: 0o644 }, lock);
        },
        removeUnfinished: async (fingerprint) => {
          if (await this.hasPrivate(fingerprint)) return;
          const revocations = revocationReasons.map((reason) => this.#revocationFile(fingerprint, reason));
          await this.#remove([this.#certificateFile(fingerprint), ...revocations], lock);
        },
        removePrivate: (fingerprint) => this.#remove([this.#privateFile(fingerprint)], lock),
        removeCertificate: (fingerprint) => this.#remove([this.#certificateFile(fingerprint)], lock),
      });
    };
    return await withLock(this.folder, locked, options);
  }

  async #add(key: NewKey, lock: HeldLock): Promise<void> {
    if (await this.hasPrivate(key.fingerprint)) {
      throw new FeedkeyError("usage", `the key store already has the secret key ${key.fingerprint}`, {
        details: { fingerprint: key.fingerprint, path: this.folder },
      });
    }
    await ensureFolder(join(this.folder, "revocations"), 0o700);
    await ensureFolder(join(this.folder, "certs"), 0o755);
    await ensureFolder(join(this.folder, "private"), 0o700);
    // The secret key is written last, so that a crash never leaves a key that can sign but has no revocation certificate.
    const staged = await stageAll([
      ...revocationReasons.flatMap((reason) => {
        const data = key.revocations[reason];
        return data === undefined ? [] : [{ path: this.#revocationFile(key.fingerprint, reason), data, mode: 0o600 }];
      }),
      { path: this.#certificateFile(key.fingerprint), data: key.certificate, mode: 0o644 },
      { path: this.#privateFile(key.fingerprint), data: key.privateKey, mode: 0o600 },
    ]);
    await orDiscard(staged, async () => {
      // The files are renamed in two steps, so that all other files are on the disk before the secret key gets its final name.
      await commitStaged(staged.slice(0, -1), lock);
      await commitStaged(staged.slice(-1), lock);
    });
  }

  async #remove(files: readonly string[], lock: HeldLock): Promise<void> {
    await lock.assertHeld();
    for (const file of files) {
      try {
        await fs.rm(file, { force: true });
        await syncFolder(dirname(file));
      } catch (error) {
        throw outputError(error, file);
      }
    }
  }

  /** Whether two stores share one file for a key, through a link or a mount. Then the other store does not have a second copy. */
  async shares(other: KeyStore, part: "private" | "certs", fingerprint: string): Promise<boolean> {
    const [here, there] = await Promise.all(
      [this, other].map(async (store) => {
        const file = part === "private" ? store.#privateFile(fingerprint) : store.#certificateFile(fingerprint);
        return await fs.stat(file, { bigint: true }).catch((error) => Promise.reject(unreadable(file, error)));
      }),
    );
    return here?.dev === there?.dev && here?.ino === there?.ino;
  }

  /** Whether an archive was published with keys from this store. */
  async hasPublished(): Promise<boolean> {
    return (await fs.readdir(join(this.folder, "archives")).catch(() => [])).length > 0;
  }

  /** Returns the reasons for which the key can be revoked with a revocation certificate in this store. */
  async revocationsOf(fingerprint: string): Promise<RevocationReason[]> {
    const found: RevocationReason[] = [];
    for (const reason of revocationReasons) {
      const there = await fs.stat(this.#revocationFile(fingerprint, reason)).catch(() => undefined);
      if (there?.isFile() === true) found.push(reason);
    }
    return found;
  }

  async #read(file: string, problem: string, fingerprint: string, hint?: string): Promise<string> {
    try {
      const read = readPlainFile(file, maxFileBytes, { follow: true });
      if ("bytes" in read) return read.bytes.toString("utf8");
      throw new FeedkeyError("bad_config", `cannot read "${file}": it ${read.problem}`, {
        details: { path: file },
        hint: "restore the file from a backup",
      });
    } catch (error) {
      if (systemCode(error) === "ENOENT") throw this.#missing(problem, fingerprint, hint);
      if (systemCode(error) === undefined) throw error;
      throw unreadable(file, error);
    }
  }

  #privateFile(fingerprint: string): string {
    return join(this.folder, "private", `${requireFingerprint(fingerprint)}.asc`);
  }

  #certificateFile(fingerprint: string): string {
    return join(this.folder, "certs", `${requireFingerprint(fingerprint)}.asc`);
  }

  #revocationFile(fingerprint: string, reason: RevocationReason): string {
    return join(this.folder, "revocations", `${requireFingerprint(fingerprint)}-${reason}.asc`);
  }

  #missing(problem: string, fingerprint: string, hint?: string): FeedkeyError {
    return new FeedkeyError("not_found", `${problem} in the key store "${this.folder}"`, {
      details: { fingerprint, path: this.folder },
      hint:
        hint ??
        "choose another key store with --home; if the key was lost, restore it with feedkey key restore DIR; if you never had a key, make one with feedkey keygen",
    });
  }
}

function notAFingerprint(text: string, hex: string, known: readonly string[]): FeedkeyError {
  // A v4 key ID is the end of the fingerprint, a v6 key ID is its beginning (RFC 9580 section 5.5.4).
  const meant = /^[0-9A-F]{8,}$/.test(hex) ? known.filter((one) => one.endsWith(hex) || one.startsWith(hex)) : [];
  return new FeedkeyError("usage", `"${text}" is not a full fingerprint`, {
    details: { given: text },
    hint:
      meant.length === 0
        ? "give all 40 or 64 hex digits: others can make a key with the same key ID"
        : `a key ID does not identify a key; did you mean ${meant.join(" or ")}?`,
  });
}

function unreadable(path: string, error: unknown): FeedkeyError {
  return new FeedkeyError("bad_config", `cannot read "${path}": ${causeInWords(error)}`, {
    details: { path },
    cause: error,
  });
}
