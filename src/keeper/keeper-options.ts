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
  /** Path of `archive.ini`. Without this path the keeper has only the key store, and writes no bundle. */
  readonly config?: string | undefined;
  /** The key store's folder. By default the folder that the command line uses. */
  readonly home?: string | undefined;
  /** A fixed reference time. By default each call reads the clock. */
  readonly at?: Instant | undefined;
  /** Send no request to any server. */
  readonly offline?: boolean | undefined;
  /**
   * Returns the passphrase of a locked key. If the source has `asks`, GnuPG's own agent asks for the passphrase of a key in
   * GnuPG. By default there is no source, and locked keys in the key store can't be used.
   */
  readonly passphrase?: PassphraseSource | undefined;
  /** The clients' profile: its name, its file, or the profile itself. The keeper does not sign what these clients would refuse. */
  readonly profile?: string | Profile | undefined;
  /** URLs of key servers, `hkps://...` each. By default the key servers in `archive.ini`, else those in the profile. */
  readonly keyservers?: readonly string[] | undefined;
  /** Path of a PEM file with the certificates of the authority that vouches for the key servers. */
  readonly keyserverCa?: string | undefined;
  /** Receives warnings and progress as they occur. By default nothing receives these; each report contains the warnings too. */
  readonly reporter?: Partial<Reporter> | undefined;
}

/** The options that most calls take. */
export interface KeeperCallOptions {
  /** Return the successful results together with the errors, instead of throwing the gravest error. */
  readonly partial?: boolean | undefined;
}

/** How long before an expiry the keeper warns. */
export interface WarnOptions {
  /**
   * Warn if the key, its signing subkey or a delegation ends within this time, or a rotation is due. 60 days by default; 0
   * turns the warnings off.
   */
  readonly warnWithin?: Duration | undefined;
}

export interface PublishOptions extends KeeperCallOptions, WarnOptions {
  /** A root folder, as an absolute path, and its feeds, instead of the root and the feeds in `archive.ini`. */
  readonly place?: { readonly root: string; readonly feeds: readonly ArchiveFeed[] } | undefined;
  /** The key that signs: a full fingerprint, after `gpg:` for a key in GnuPG. By default the key in `archive.ini`. */
  readonly key?: string | undefined;
  /** How long the signatures are valid. By default as `archive.ini` says, or 14 days. */
  readonly validFor?: Duration | undefined;
  /** The domain in feedkey's notations, if the key's user ID has no address. By default the domain in `archive.ini`. */
  readonly notationDomain?: string | undefined;
  /** Leave damaged packages out and report an error for each, instead of publishing nothing. */
  readonly skipBad?: boolean | undefined;
  /** Publish an index that became empty. */
  readonly allowEmpty?: boolean | undefined;
  /** Replace signature files that another program, such as usign, wrote. */
  readonly force?: boolean | undefined;
  /** Write the trust page, even if `archive.ini` does not ask for it. */
  readonly page?: boolean | undefined;
  /** Only plan, and change nothing. */
  readonly dryRun?: boolean | undefined;
}

export interface SignOptions extends WarnOptions {
  /**
   * The key that signs: a full fingerprint, after `gpg:` for a key in GnuPG. By default the key in `archive.ini`. During a
   * rotation in which both keys sign, the default also includes the other key.
   */
  readonly key?: string | undefined;
  /**
   * Further keys that sign the index, for clients that know only these keys. Written like `key`. The format must allow several
   * signatures.
   */
  readonly alsoKeys?: readonly string[] | undefined;
  /** The feed that the index is signed for. By default the feed in `archive.ini` that has this index. */
  readonly feed?: string | undefined;
  /** How long the signature is valid. `archive's`: as `archive.ini` says, or 14 days. Undefined: without end. */
  readonly validFor: Duration | "archive's" | undefined;
  /** The domain in feedkey's notations, if the key's user ID has no address. By default the domain in `archive.ini`. */
  readonly notationDomain?: string | undefined;
  /** For a pkg_summary: first add the size and the SHA-256 digest of each package beside the pkg_summary. */
  readonly addChecksums?: boolean | undefined;
  /** For a checksum file: write the text and its signature into one file, INDEX.asc. */
  readonly clearsign?: boolean | undefined;
  /** Which signature files to write: both `.sig` and `.asc`, or only `.asc`. By default as `archive.ini` says, else both. */
  readonly form?: SignatureForm | undefined;
  /** Sign even an index that no client can read, and replace signature files that another program, such as usign, wrote. */
  readonly force?: boolean | undefined;
}

export interface RotateOptions extends KeeperCallOptions, Omit<RotationChoice, "step"> {
  /** `begin` makes and certifies the successor; `finish` lets the successor sign; `at-once` does both. */
  readonly step: "begin" | "finish" | "at-once";
  /** How long until the new key expires. By default the new key never expires. */
  readonly lifetime?: Duration | undefined;
  /** Returns the passphrase for the new key. By default the new key has no passphrase. */
  readonly newPassphrase?: (() => Promise<string | undefined>) | undefined;
}

export interface RevokeOptions extends KeeperCallOptions {
  readonly reason: RevokeReason;
  /** Revoke even if clients would lose their chain. */
  readonly force?: boolean | undefined;
}

export interface AddSubkeyOptions extends KeeperCallOptions {
  /** Ed25519 by default. */
  readonly algorithm?: Algorithm | undefined;
  /** How long until the subkey expires. By default the subkey expires with its primary key. */
  readonly lifetime?: Duration | undefined;
  /** Path of the file for the machine that signs. The file gets the key without the secret of its primary key. */
  readonly output: string;
}

export interface SignPackagesOptions extends KeeperCallOptions {
  /** The full fingerprint of an RSA key in the key store. */
  readonly key: string;
  /** Folder for the signed packages, created if missing. By default each signed package replaces the unsigned package. */
  readonly folder?: string | undefined;
}

export interface MakeKeyOptions {
  /** `Name <address>`. */
  readonly userId: string;
  /** Ed25519 by default. */
  readonly algorithm?: Algorithm | undefined;
  /** How long until the key expires. By default the key never expires. */
  readonly lifetime?: Duration | undefined;
  /** The key's passphrase. By default the key has no passphrase. */
  readonly passphrase?: string | undefined;
  /** Folder of another key store that gets the whole key. The keeper's own key store keeps only a signing subkey. */
  readonly offlinePrimary?: string | undefined;
  /** Make a master key, which delegates and never signs an index. */
  readonly certifyOnly?: boolean | undefined;
}

export interface ExtendKeyOptions extends KeeperCallOptions {
  /** How long until the key expires. */
  readonly lifetime: Duration;
}

export interface ExportKeysOptions {
  /** Leave out what this program can't read. The keeper refuses to export a secret key that the program can't read. */
  readonly for?: "gpg" | undefined;
  /** Also write the export to this file; a file with a secret key gets mode 0600. */
  readonly output?: string | undefined;
}

export interface ExportSecretOptions extends ExportKeysOptions, SecretExportOptions {}

export interface DeleteKeyOptions {
  /** Folder of a backup, or of another key store, that also has all secrets of the key. */
  readonly backup?: string | undefined;
  /** Delete the key even if no copy is known, or the key is still needed. */
  readonly force?: boolean | undefined;
}

export interface DelegateOptions extends KeeperCallOptions {
  /** The full fingerprint of the key that delegates. */
  readonly key: string;
  /** Names or globs of feeds. */
  readonly feeds: readonly string[];
  /** How many further delegations may follow this delegation in a path. By default 0. */
  readonly depth?: number | undefined;
  /** How long the delegation is valid. */
  readonly expires: Duration;
  /** The domain in feedkey's notations, if the key's user ID has no address. By default the domain in `archive.ini`. */
  readonly notationDomain?: string | undefined;
  /** File that gets the certified certificate and all certificates on its path, for the delegate. */
  readonly output?: string | undefined;
}

export type WithdrawOptions = Pick<DelegateOptions, "key" | "output" | "partial">;
