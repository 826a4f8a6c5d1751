/** Manages the keys in a key store: makes, lists, shows, extends, imports, exports, deletes and backs up keys. */
import { resolve } from "node:path";
import type { Report } from "../client/client-options.ts";
import { escapeText } from "../escape.ts";
import { warnOfModes } from "../files/modes.ts";
import type { Extended } from "../keys/extend-key.ts";
import type { Change } from "../keys/import-changes.ts";
import type { DeletionPlan } from "../keys/key-store/delete-key.ts";
import type { KeyDetails, KeyRecord } from "../keys/key-store/describe-key.ts";
import type { SecretExport } from "../keys/key-store/export-secret.ts";
import type { SubkeyAdded } from "../keys/revoke-subkey.ts";
import { ownCertificate } from "../publish/archive.ts";
import { ownCertificates, ownerOf } from "../signing/signing-key.ts";
import { hexDigits } from "../store/fingerprint.ts";
import { type Instant, wholeSecond } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type {
  AddSubkeyOptions,
  DeleteKeyOptions,
  ExportKeysOptions,
  ExportSecretOptions,
  ExtendKeyOptions,
  KeeperCallOptions,
  MakeKeyOptions,
  RevokeOptions,
  WarnOptions,
} from "./keeper-options.ts";
import type { ImportedKey } from "./key-transport.ts";
import type { Done, Opened } from "./opened.ts";

/** The result of making a key. */
export interface MadeKey {
  readonly fingerprint: Fingerprint;
  /** The expiry date; undefined if the key never expires. */
  readonly expiresAt: Instant | undefined;
  readonly isLocked: boolean;
}

export class KeyKeeper {
  readonly #opened: Opened;

  /** Only for this folder: callers of the library get this object from `Keeper.keys`. */
  constructor(opened: Opened) {
    this.#opened = opened;
  }

  /** Warns if a folder is on a file system without modes, so that other users may read the secret keys in the folder. */
  async #warnOfModes(folder: string, warn: (text: string) => void): Promise<void> {
    const warning = await warnOfModes(folder);
    if (warning !== undefined) warn(escapeText(warning));
  }

  /** Makes a key, its certificate and its revocation certificates. @throws FeedkeyError `usage`, `output`, `bad_config` */
  async make(options: MakeKeyOptions): Promise<Report<MadeKey>> {
    const { makeKey } = await import("../keys/key-store/make-key.ts");
    const { userId, algorithm = "ed25519", lifetime, passphrase, offlinePrimary, certifyOnly } = options;
    const { at } = this.#opened;
    return await this.#opened.run({}, async (reporter) => {
      const terms = { userId, algorithm, at, lifetime, passphrase, offlinePrimary, certifyOnly };
      const fingerprint = await makeKey(this.#opened.store, terms);
      if (offlinePrimary !== undefined) await this.#warnOfModes(offlinePrimary, (text) => reporter.warn(text));
      const expiresAt = lifetime === undefined ? undefined : wholeSecond(at) + lifetime;
      return { fingerprint, expiresAt, isLocked: passphrase !== undefined };
    });
  }

  /** Lists the keys in the key store, the newest last, and warns about keys that end soon. @throws FeedkeyError `bad_config` */
  async list(options: WarnOptions = {}): Promise<Report<{ readonly keys: readonly KeyRecord[] }>> {
    const { listAndWarn } = await import("./ends-ahead.ts");
    return await this.#opened.run({}, (reporter) => listAndWarn(this.#opened, options, reporter));
  }

  /** Returns the primary key of a subkey; undefined if no key in the key store has this subkey. @throws FeedkeyError `bad_config` */
  async ownerOf(subkey: string): Promise<Fingerprint | undefined> {
    return ownerOf(await ownCertificates(this.#opened.store), hexDigits(subkey));
  }

  /**
   * Returns all data about one key in the key store.
   * @param text the fingerprint of the key or of one of its subkeys
   * @throws FeedkeyError `usage`, `not_found`, `bad_config`
   */
  async show(text: string): Promise<KeyDetails> {
    const { describeKey } = await import("../keys/key-store/describe-key.ts");
    const { store, at } = this.#opened;
    const own = await ownCertificates(store);
    const name = ownerOf(own, hexDigits(text)) ?? (await store.resolve(text));
    return await describeKey(store, own, own.get(name) ?? (await ownCertificate(store, name)), at);
  }

  /**
   * Changes or removes the passphrase of a key.
   * @param next returns the new passphrase, or undefined for no passphrase; called only after the present passphrase has opened
   *   the key
   * @throws FeedkeyError `usage`, `not_found`, `bad_config` if the present passphrase is wrong, `locked`, `output`
   */
  async changePassphrase(text: string, next: () => Promise<string | undefined>): Promise<Fingerprint> {
    const { changePassphrase } = await import("../keys/key-store/change-passphrase.ts");
    return await changePassphrase(this.#opened.store, text, this.#opened.passphrase, next);
  }

  async #deleteTerms({ backup, force = false }: DeleteKeyOptions) {
    return { config: (await this.#opened.found())?.config, backup, force, at: this.#opened.at };
  }

  /**
   * Returns what `delete` would delete, and the reasons why it would refuse.
   * @throws FeedkeyError `usage`, `not_found`, `bad_config`
   */
  async planDeletion(text: string, options: DeleteKeyOptions = {}): Promise<DeletionPlan> {
    const { planDeletion } = await import("../keys/key-store/delete-key.ts");
    return await planDeletion(this.#opened.store, text, await this.#deleteTerms(options));
  }

  /**
   * Deletes a secret key, and its certificate if no other certificate depends on this certificate. Keeps the key's revocation
   * certificates.
   * @throws FeedkeyError `usage` if the caller names no copy of the key, or the key signs for the archive or has delegated;
   *   `not_found`, `output`
   */
  async delete(text: string, options: DeleteKeyOptions = {}): Promise<DeletionPlan> {
    const { deleteKey } = await import("../keys/key-store/delete-key.ts");
    return await deleteKey(this.#opened.store, text, await this.#deleteTerms(options));
  }

  /**
   * Exports certificates, armored: the named certificates, or all certificates if no fingerprint is given.
   * @throws FeedkeyError `usage`, `not_found`, `bad_config`, `output`
   */
  async export(
    fingerprints: readonly string[] = [],
    options: ExportKeysOptions = {},
  ): Promise<{ readonly fingerprints: readonly Fingerprint[]; readonly armored: string }> {
    return await (await import("./key-transport.ts")).exportCertificates(this.#opened, fingerprints, options);
  }

  /**
   * Exports a secret key with its certificate and the certificates of its predecessors. A locked key stays locked.
   * @throws FeedkeyError `usage` if GnuPG can't read the key, or the export would contain no secret; `not_found`, `bad_config`,
   * `output`
   */
  async exportSecret(text: string, options: ExportSecretOptions = {}): Promise<Report<SecretExport>> {
    const { exportSecretKey } = await import("./key-transport.ts");
    return await this.#opened.run({}, (reporter) => exportSecretKey(this.#opened, text, options, reporter));
  }

  /**
   * Imports keys, certificates and revocations that were made elsewhere. Publishes the certificates in the bundle and on the
   * key servers.
   * @param files paths of files, or contents of files
   * @throws FeedkeyError `not_found`, `bad_certificate`; `bad_config` if a passphrase is missing or wrong; without `partial`
   *   also the reason why an imported key could not be published
   */
  async import(
    files: readonly (string | Uint8Array)[],
    options: KeeperCallOptions = {},
  ): Promise<Report<Done & { readonly imported: readonly ImportedKey[]; readonly changes: readonly Change[] }>> {
    const { importFiles } = await import("./key-transport.ts");
    return await this.#opened.run(options, (reporter) => importFiles(this.#opened, files, reporter));
  }

  /**
   * Extends a key and its subkeys, even if the key has expired, and publishes the extended certificate.
   * @throws FeedkeyError as `import` does; `usage` if the key would expire earlier than before, or never expires; `not_found`,
   *   `revoked`, `bad_config`
   */
  async extend(
    fingerprint: string,
    { lifetime, partial }: ExtendKeyOptions,
  ): Promise<Report<Done & Extended & { readonly isHandedOn: boolean }>> {
    const { extendKey } = await import("../keys/extend-key.ts");
    const { store, at, passphrase } = this.#opened;
    return await this.#opened.run({ partial }, async (reporter) => {
      const extended = await extendKey(store, { fingerprint, lifetime, at, passphrase });
      const handed = await this.#opened.handOn([extended.fingerprint], reporter);
      return { ...extended, ...handed, isHandedOn: this.#opened.handsOn };
    });
  }

  /**
   * Revokes a subkey of a key in the key store. Publishes the revocation in the bundle and on the key servers. Clients keep
   * their trust chains, because chains lead over primary keys.
   * @throws FeedkeyError as `rotate` does; `not_found` if no key in the key store has this subkey; `bad_config` if the key store
   *   lacks the primary key's secret
   */
  async revokeSubkey(
    subkey: string,
    options: Pick<RevokeOptions, "reason" | "partial">,
  ): Promise<Report<Done & { readonly fingerprint: Fingerprint; readonly subkey: Fingerprint }>> {
    const { takeBackSubkey } = await import("./subkeys.ts");
    return await this.#opened.run(options, (reporter) => takeBackSubkey(this.#opened, subkey, options, reporter));
  }

  /**
   * Makes a signing subkey for a primary key whose secret is in the key store. Publishes the subkey in the bundle and on the key
   * servers.
   * @throws FeedkeyError as `rotate` does; `bad_config` if the key store lacks the primary key's secret
   */
  async addSubkey(fingerprint: string, options: AddSubkeyOptions): Promise<Report<Done & SubkeyAdded>> {
    const { giveSubkey } = await import("./subkeys.ts");
    return await this.#opened.run(options, (reporter) => giveSubkey(this.#opened, fingerprint, options, reporter));
  }

  /**
   * Copies the key store, and reads the copy again to check it.
   * @returns the absolute path of the copy, and the copied keys
   * @throws FeedkeyError `output`, `bad_config`
   */
  async backup(folder: string): Promise<Report<{ readonly folder: string; readonly keys: readonly Fingerprint[] }>> {
    const { backupStore } = await import("../keys/backup.ts");
    return await this.#opened.run({}, async (reporter) => {
      const keys = await backupStore(this.#opened.store, folder);
      await this.#warnOfModes(resolve(folder), (text) => reporter.warn(text));
      return { folder: resolve(folder), keys };
    });
  }

  /**
   * Copies the keys in a backup into the key store. Does not change keys that the key store already has.
   * @throws FeedkeyError `not_found` if the folder contains no backup; `bad_certificate`
   */
  async restore(
    folder: string,
  ): Promise<Report<{ readonly restored: readonly Fingerprint[]; readonly kept: readonly Fingerprint[] }>> {
    const { restoreStore } = await import("../keys/backup.ts");
    return await this.#opened.run({}, async (reporter) => {
      await this.#warnOfModes(resolve(folder), (text) => reporter.warn(text));
      return await restoreStore(this.#opened.store, resolve(folder));
    });
  }
}
