/** The options of the keeper's calls. Durations are in milliseconds. */

import type { SignatureForm } from "../formats/formats.ts";
import type { SecretExportOptions } from "../keys/key-store/export-secret.ts";
import type { RevokeReason } from "../keys/revoke.ts";
import type { RotationChoice } from "../keys/rotation/rotation-plan.ts";
import type { Algorithm } from "../openpgp/secret/generate.ts";
import type { ArchiveFeed, Profile } from "../profile/types.ts";
import type { Reporter } from "../refresh/session.ts";
import type { PassphraseSource } from "../signing/signing-key.ts";
import type { Duration, Instant } from "../time.ts";

export interface ArchiveOptions {
  /** The path of `archive.ini`. Without this path, the keeper has only a key store, and writes no bundle. */
  readonly config?: string | undefined;
  /** The key store's folder; by default the folder that the command `feedkey` uses. */
  readonly home?: string | undefined;
  /** The time at which the keeper judges keys and dates signatures; by default each call reads the clock. */
  readonly at?: Instant | undefined;
  /** Whether the keeper works without network. */
  readonly offline?: boolean | undefined;
  /**
   * Returns the passphrase of a locked key. If the property `asks` is true, GnuPG's agent asks for the passphrase of a key in
   * GnuPG. Without this function, the keeper can't use locked keys in the key store.
   */
  readonly passphrase?: PassphraseSource | undefined;
  /**
   * The profile of the archive's clients: its name, its file, or the profile itself. The keeper makes no signature that these
   * clients would refuse.
   */
  readonly profile?: string | Profile | undefined;
  /** The URLs of key servers, such as `hkps://HOST`; by default the key servers in `archive.ini`, or else those in the profile. */
  readonly keyservers?: readonly string[] | undefined;
  /** The path of a PEM file with the CA certificates for the key servers. */
  readonly keyserverCa?: string | undefined;
  /** Receives warnings and progress as they occur. Without a reporter, the caller finds the warnings in each report. */
  readonly reporter?: Partial<Reporter> | undefined;
}

/** The options that most calls take. */
export interface KeeperCallOptions {
  /** Whether the call returns the successful results together with the errors, instead of throwing the most serious error. */
  readonly partial?: boolean | undefined;
}

/** How long before an expiry the keeper warns. */
export interface WarnOptions {
  /**
   * The keeper warns if the key, its signing subkey or a delegation ends within this time, or if a rotation should be finished.
   * The default is 60 days; with 0, the keeper never warns.
   */
  readonly warnWithin?: Duration | undefined;
}

export interface PublishOptions extends KeeperCallOptions, WarnOptions {
  /** The absolute path of a folder to publish, and its feeds, instead of the root and the feeds in `archive.ini`. */
  readonly place?: { readonly root: string; readonly feeds: readonly ArchiveFeed[] } | undefined;
  /** The full fingerprint of the key that signs, after `gpg:` for a key in GnuPG; by default the key in `archive.ini`. */
  readonly key?: string | undefined;
  /** How long the signatures are valid; by default as long as `archive.ini` says, or else 14 days. */
  readonly validFor?: Duration | undefined;
  /** The domain of feedkey's signature notations, for a user ID without an address; by default the domain in `archive.ini`. */
  readonly notationDomain?: string | undefined;
  /** Whether to leave out damaged packages and report an error for each, instead of publishing nothing. */
  readonly skipBad?: boolean | undefined;
  /** Whether to publish an index without packages although the last published index listed packages. */
  readonly allowEmpty?: boolean | undefined;
  /** Whether to replace signature files that another program, such as usign, wrote. */
  readonly force?: boolean | undefined;
  /** Whether to write the trust page even if `archive.ini` does not request the page. */
  readonly page?: boolean | undefined;
  /** Whether to return only the plan, and change nothing. */
  readonly dryRun?: boolean | undefined;
}

export interface SignOptions extends WarnOptions {
  /**
   * The full fingerprint of the key that signs, with the prefix `gpg:` for a key in GnuPG; by default the key in `archive.ini`,
   * and during a rotation in which both keys sign, also the other key.
   */
  readonly key?: string | undefined;
  /**
   * Further keys that sign the index, for clients that know only these keys; each written like `key`. The format must allow
   * several signatures.
   */
  readonly alsoKeys?: readonly string[] | undefined;
  /** The name of the feed that the index belongs to; by default the feed in `archive.ini` that has this index. */
  readonly feed?: string | undefined;
  /**
   * How long the signature is valid. With `archive's`, as long as `archive.ini` says, or else 14 days; if undefined, the
   * signature never expires.
   */
  readonly validFor: Duration | "archive's" | undefined;
  /** The domain of feedkey's signature notations, for a user ID without an address; by default the domain in `archive.ini`. */
  readonly notationDomain?: string | undefined;
  /** For a pkg_summary: whether to add the size and SHA-256 of each package in the same folder before signing. */
  readonly addChecksums?: boolean | undefined;
  /** For a checksum file: whether to write the text and its signature into one file, INDEX.asc. */
  readonly clearsign?: boolean | undefined;
  /**
   * Which signature files to write: both `.sig` and `.asc`, or only `.asc`; by default those that `archive.ini` requests, or
   * else both.
   */
  readonly form?: SignatureForm | undefined;
  /** Whether to sign an index that no client can read, and to replace signature files that another program, such as usign, wrote. */
  readonly force?: boolean | undefined;
}

export interface RotateOptions extends KeeperCallOptions, Omit<RotationChoice, "step"> {
  /** `begin` makes and certifies the successor; `finish` lets the successor sign; `at-once` does both. */
  readonly step: "begin" | "finish" | "at-once";
  /** The time until the new key expires; by default the new key never expires. */
  readonly lifetime?: Duration | undefined;
  /** Returns the passphrase for the new key. Without this function, the new key has no passphrase. */
  readonly newPassphrase?: (() => Promise<string | undefined>) | undefined;
}

export interface RevokeOptions extends KeeperCallOptions {
  readonly reason: RevokeReason;
  /** Whether to revoke the key even if clients would lose their trust chain. */
  readonly force?: boolean | undefined;
}

export interface AddSubkeyOptions extends KeeperCallOptions {
  /** Ed25519 by default. */
  readonly algorithm?: Algorithm | undefined;
  /** The time until the subkey expires; by default the subkey expires with its primary key. */
  readonly lifetime?: Duration | undefined;
  /**
   * The path of the file for the machine that signs. The keeper writes the key to this file, without the secret of the primary key.
   */
  readonly output: string;
}

export interface SignPackagesOptions extends KeeperCallOptions {
  /** The full fingerprint of an RSA key in the key store. */
  readonly key: string;
  /**
   * The folder for the signed packages; the keeper makes the folder if it is missing. By default each signed package replaces
   * the unsigned package.
   */
  readonly folder?: string | undefined;
}

export interface MakeKeyOptions {
  /** The key's user ID, as `Name <address>`. */
  readonly userId: string;
  /** Ed25519 by default. */
  readonly algorithm?: Algorithm | undefined;
  /** The time until the key expires; by default the key never expires. */
  readonly lifetime?: Duration | undefined;
  /** The key's passphrase; by default the key has no passphrase. */
  readonly passphrase?: string | undefined;
  /**
   * The folder of another key store, to which the keeper writes the whole key. The keeper's own key store then has only the
   * secret of a signing subkey.
   */
  readonly offlinePrimary?: string | undefined;
  /** Whether to make a master key, which delegates to other keys and never signs an index. */
  readonly certifyOnly?: boolean | undefined;
}

export interface ExtendKeyOptions extends KeeperCallOptions {
  /** The time from now until the key expires. */
  readonly lifetime: Duration;
}

export interface ExportKeysOptions {
  /**
   * The program that will read the export. The keeper leaves out certificates that this program can't read, and refuses to
   * export a secret key that it can't read.
   */
  readonly for?: "gpg" | undefined;
  /** The file to which the keeper also writes the export; a file with a secret key has mode 0600. */
  readonly output?: string | undefined;
}

export interface ExportSecretOptions extends ExportKeysOptions, SecretExportOptions {}

export interface DeleteKeyOptions {
  /** The folder of a backup or another key store that also has all secrets of the key. */
  readonly backup?: string | undefined;
  /** Whether to delete the key even if the keeper knows no copy of the key, or the key is still needed. */
  readonly force?: boolean | undefined;
}

export interface DelegateOptions extends KeeperCallOptions {
  /** The full fingerprint of the key that delegates. */
  readonly key: string;
  /** The feeds that the delegate may sign: names, or patterns such as `extra-*`. */
  readonly feeds: readonly string[];
  /** How many levels of further delegations the delegate may make; by default 0. */
  readonly depth?: number | undefined;
  /** How long the delegation is valid. */
  readonly expires: Duration;
  /** The domain of feedkey's signature notations, for a user ID without an address; by default the domain in `archive.ini`. */
  readonly notationDomain?: string | undefined;
  /** The file to which the keeper writes the delegate's certificate and all certificates on its path, for the delegate. */
  readonly output?: string | undefined;
}

export type WithdrawOptions = Pick<DelegateOptions, "key" | "output" | "partial">;
