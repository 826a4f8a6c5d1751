/** Options of a client and its calls, and the form of their reports. */
import type { FeedkeyError } from "../error.ts";
import type { Profile } from "../profile/types.ts";
import type { Reporter } from "../refresh/session.ts";
import type { ExportFormat } from "../stock/export.ts";
import type { Instant } from "../time.ts";

export interface ClientOptions {
  /** A profile's name, its file (with a `/` or ending in `.ini`), or a profile that has been read already. */
  readonly profile: string | Profile;
  /** The folder of client state on this machine. By default as on the command line. */
  readonly stateFolder?: string | undefined;
  /** A fixed reference time. By default the clock is read for each call. */
  readonly at?: Instant | undefined;
  /** Ask no server; `file:` still works. */
  readonly offline?: boolean | undefined;
  /** A `refresh` of the same job has just asked: no server is asked again, and its answers count. */
  readonly justRefreshed?: boolean | undefined;
  /** Gets warnings, notes and progress as they occur. None by default; warnings are in each report too. */
  readonly reporter?: Partial<Reporter> | undefined;
}

/** What every call takes. */
export interface CallOptions {
  /** Forget the state and start from the seeds. */
  readonly resetState?: boolean | undefined;
  /** Return the successful results together with the errors, instead of throwing the gravest error. */
  readonly partial?: boolean | undefined;
}

export interface UpdateOptions extends CallOptions {
  /** Names of feeds. By default, or if empty, all of the profile. */
  readonly feeds?: readonly string[] | undefined;
  /** Accept an index that became empty. */
  readonly allowEmpty?: boolean | undefined;
  /** Accept an apt repository whose Origin, Label or Codename changed. */
  readonly allowReleaseinfoChange?: boolean | undefined;
}

export interface ListOptions {
  /** Names of packages; `*` and `?` match any letters. By default all. */
  readonly patterns?: readonly string[] | undefined;
  /** Words: each must be a part of the name or of the description, in any case. */
  readonly words?: readonly string[] | undefined;
  /** Only of these feeds. */
  readonly feeds?: readonly string[] | undefined;
  readonly partial?: boolean | undefined;
}

export interface FetchOptions extends CallOptions {
  /** Folder for the package; it is made if missing. */
  readonly folder: string;
  /** Only from these feeds. */
  readonly feeds?: readonly string[] | undefined;
}

export interface VerifyOptions extends CallOptions {
  /** The signature's path. By default `INDEX.sig`, then `INDEX.asc`. */
  readonly signature?: string | undefined;
  /** Its feed in the profile. By default the only one, or the one whose path is that of the index. */
  readonly feed?: string | undefined;
  /** Package files that the index must list. */
  readonly files?: readonly string[] | undefined;
  /** A folder in which every listed file is checked and unlisted packages are refused; `complete`: missing ones too. */
  readonly folder?: { readonly path: string; readonly complete?: boolean | undefined } | undefined;
  /** Accept an index that became empty. */
  readonly allowEmpty?: boolean | undefined;
  /** Compare with no earlier index, and record nothing. */
  readonly audit?: boolean | undefined;
}

export interface VerifyPackagesOptions extends CallOptions {
  /** The feed of the packages, because delegates may sign only some feeds. */
  readonly feed?: string | undefined;
  /** Record nothing. */
  readonly audit?: boolean | undefined;
}

export interface ExportOptions {
  readonly for: ExportFormat;
  /**
   * The feeds that the keyring is for: it includes delegates that may sign all of these. By default all feeds that the program
   * reads.
   */
  readonly feeds?: readonly string[] | undefined;
}

/** The result of a call. */
export type Report<Found> = Found & {
  /** The refusals. Without `partial` this is empty: the gravest is thrown. */
  readonly errors: readonly FeedkeyError[];
  /** Warnings, in words. */
  readonly warnings: readonly string[];
};
