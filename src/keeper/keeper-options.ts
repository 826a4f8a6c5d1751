/** Options of an archive's keeper. Lengths of time are in milliseconds. */
import type { SignatureForm } from "../formats/formats.ts";
import type { RevokeReason } from "../keys/revoke.ts";
import type { Algorithm } from "../openpgp/secret/generate.ts";
import type { ArchiveFeed, Profile } from "../profile/types.ts";
import type { Reporter } from "../refresh/session.ts";
import type { PassphraseSource } from "../signing/signing-key.ts";
import type { Duration, Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";

export interface ArchiveOptions {
  /** Path of `archive.ini`. Without it there is only the key store, and no bundle is written. */
  readonly config?: string | undefined;
  /** The key store's folder. By default as on the command line. */
  readonly home?: string | undefined;
  /** A fixed reference time. By default the clock is read for each call. */
  readonly at?: Instant | undefined;
  /** Ask no server. */
  readonly offline?: boolean | undefined;
  /** Returns the passphrase of a locked key; also of a key in GnuPG, unless it has `asks`. By default there is none. */
  readonly passphrase?: PassphraseSource | undefined;
  /** The profile of its clients, by name, file or already read: what they would refuse is not signed. */
  readonly profile?: string | Profile | undefined;
  /** Key servers, `hkps://...` each. By default those of `archive.ini`, else of the profile. */
  readonly keyservers?: readonly string[] | undefined;
  /** Path of PEM certificates of the key servers' authority. */
  readonly keyserverCa?: string | undefined;
  /** Gets warnings and progress as they occur. None by default; warnings are in each report too. */
  readonly reporter?: Partial<Reporter> | undefined;
}

/** What every call takes. */
export interface KeeperCallOptions {
  /** Return the successful results together with the errors, instead of throwing the gravest error. */
  readonly partial?: boolean | undefined;
}

/** Warnings before something expires. */
export interface WarnOptions {
  /** Warn of what ends within this time: the key, its signing subkey, a delegation, a rotation that is due. 60 days by default; 0: never. */
  readonly warnWithin?: Duration | undefined;
}

export interface PublishOptions extends KeeperCallOptions, WarnOptions {
  /** A folder and its feeds, instead of those of `archive.ini`. The root is absolute. */
  readonly place?: { readonly root: string; readonly feeds: readonly ArchiveFeed[] } | undefined;
  /** A full fingerprint, with `gpg:` for a key in GnuPG. By default the key of `archive.ini`. */
  readonly key?: string | undefined;
  /** How long the signatures are valid. By default as `archive.ini` says, or 14 days. */
  readonly validFor?: Duration | undefined;
  /** Of feedkey's notations, where the key's user ID has no address. By default that of `archive.ini`. */
  readonly notationDomain?: string | undefined;
  /** Leave damaged packages out, with an error for each, instead of publishing nothing. */
  readonly skipBad?: boolean | undefined;
  /** Publish an index that became empty. */
  readonly allowEmpty?: boolean | undefined;
  /** Replace signature files that another program, such as usign, wrote. */
  readonly force?: boolean | undefined;
  /** Write the trust page, even if `archive.ini` does not ask for it. */
  readonly page?: boolean | undefined;
  /** Plan only, and change nothing. */
  readonly dryRun?: boolean | undefined;
}

export interface SignOptions extends WarnOptions {
  /**
   * A full fingerprint, with `gpg:` for a key in GnuPG. By default the key of `archive.ini`, and during a rotation also the
   * other key if both sign.
   */
  readonly key?: string | undefined;
  /** Further keys that sign it, for clients that know only these, if the format allows several signatures. Written like `key`. */
  readonly alsoKeys?: readonly string[] | undefined;
  /** The feed that it is signed for. By default the feed in `archive.ini` with this index. */
  readonly feed?: string | undefined;
  /** How long the signature is valid: as `archive.ini` says, or 14 days; undefined: without end. */
  readonly validFor: Duration | "archive's" | undefined;
  /** Of feedkey's notations, where the key's user ID has no address. By default that of `archive.ini`. */
  readonly notationDomain?: string | undefined;
  /** First add size and SHA-256 of the packages beside it to a pkg_summary. */
  readonly addChecksums?: boolean | undefined;
  /** For a checksum file: write the text and its signature into one file, INDEX.asc. */
  readonly clearsign?: boolean | undefined;
  /** Which signature files are written: both, or `.asc` alone. By default as `archive.ini` says, else both. */
  readonly form?: SignatureForm | undefined;
  /** Sign even what no client can read, and replace signature files of another program, such as usign. */
  readonly force?: boolean | undefined;
}

export interface RotateOptions extends KeeperCallOptions {
  /** `begin` makes and certifies the successor, `finish` lets it sign; `at-once` is both. */
  readonly step: "begin" | "finish" | "at-once";
  /** Algorithm of the new key; by default Ed25519, or RSA if there is a pkgsrc feed and the present key is RSA. */
  readonly algorithm?: Algorithm | undefined;
  /** When the new key expires, counted from now. By default never. */
  readonly lifetime?: Duration | undefined;
  /** How long both keys are in use; 30 days by default. */
  readonly overlap?: Duration | undefined;
  /** A key of the key store that is to follow, instead of a new one. */
  readonly to?: Fingerprint | undefined;
  /** Folder for copies of the new key's revocation certificates. */
  readonly backup?: string | undefined;
  /** Gives the passphrase for a new key. By default it has none. */
  readonly newPassphrase?: (() => Promise<string | undefined>) | undefined;
  /** After finishing, revoke the old key as superseded, unless clients lose their chain. */
  readonly retire?: boolean | undefined;
  /** Continue without a backup, before the overlap ends, or even if clients lose their chain. */
  readonly force?: boolean | undefined;
}

export interface RevokeOptions extends KeeperCallOptions {
  readonly reason: RevokeReason;
  /** Revoke even if clients lose their chain. */
  readonly force?: boolean | undefined;
}

export interface AddSubkeyOptions extends KeeperCallOptions {
  /** Ed25519 by default. */
  readonly algorithm?: Algorithm | undefined;
  /** When the subkey expires, counted from now. By default with its key. */
  readonly lifetime?: Duration | undefined;
  /** File for the machine that signs: the key without its primary's secret. */
  readonly output: string;
}

export interface SignPackagesOptions extends KeeperCallOptions {
  /** A full fingerprint of an RSA key in the store. */
  readonly key: string;
  /** Folder for the signed packages; it is made if missing. By default each replaces the unsigned one. */
  readonly folder?: string | undefined;
}

export interface MakeKeyOptions {
  /** `Name <address>`. */
  readonly userId: string;
  /** Ed25519 by default. */
  readonly algorithm?: Algorithm | undefined;
  /** When the key expires, counted from now. By default never. */
  readonly lifetime?: Duration | undefined;
  /** The key's passphrase. By default none. */
  readonly passphrase?: string | undefined;
  /** Folder of the key store that gets the whole key; this one keeps a signing subkey. */
  readonly offlinePrimary?: string | undefined;
  /** A master key: it delegates, and never signs an index. */
  readonly certifyOnly?: boolean | undefined;
}

export interface ExtendKeyOptions extends KeeperCallOptions {
  /** Counted from now. */
  readonly lifetime: Duration;
}

export interface ExportKeysOptions {
  /** Leave out what that program can't read; a secret key that it can't read is refused. */
  readonly for?: "gpg" | undefined;
  /** Write a file too; a secret key with mode 0600. */
  readonly output?: string | undefined;
}

export interface ExportSecretOptions extends ExportKeysOptions {
  /** Leave the primary key's secret out: for a machine that only signs. */
  readonly withoutPrimary?: boolean | undefined;
}

export interface DeleteKeyOptions {
  /** A backup, or another key store, that has all secrets of the key too. */
  readonly backup?: string | undefined;
  /** Delete even if no copy is known, or the key is still needed. */
  readonly force?: boolean | undefined;
}

export interface DelegateOptions extends KeeperCallOptions {
  /** The key that delegates, a full fingerprint. */
  readonly key: string;
  /** Names or globs of feeds. */
  readonly feeds: readonly string[];
  /** How many further delegations may follow; none by default. */
  readonly depth?: number | undefined;
  /** How long it is valid. */
  readonly expires: Duration;
  /** Of feedkey's notations, where the key's user ID has no address. By default that of `archive.ini`. */
  readonly notationDomain?: string | undefined;
  /** Write the certified certificate there, with its whole path, for the delegate. */
  readonly output?: string | undefined;
}

export type WithdrawOptions = Pick<DelegateOptions, "key" | "output" | "partial">;
