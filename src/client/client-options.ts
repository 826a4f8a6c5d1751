/** Options of a client and its calls, and the form of the calls' reports. */
import type { FeedkeyError } from "../error.ts";
import type { Profile } from "../profile/types.ts";
import type { Reporter } from "../refresh/session.ts";
import type { ExportFormat } from "../stock/export.ts";
import type { Instant } from "../time.ts";

export interface ClientOptions {
  /** A profile's name, the profile's file (with a `/` or ending in `.ini`), or a profile that has already been read. */
  readonly profile: string | Profile;
  /** The folder of client state on this machine; by default the folder that the command line uses. */
  readonly stateFolder?: string | undefined;
  /** A fixed reference time; by default each call reads the clock. */
  readonly at?: Instant | undefined;
  /** Whether the client asks no server; `file:` URLs still work. */
  readonly offline?: boolean | undefined;
  /**
   * Whether a `refresh` in the same job has just asked the servers: the client then asks no server again and uses the stored
   * answers.
   */
  readonly justRefreshed?: boolean | undefined;
  /** Receives warnings, notes and progress as they occur; by default nothing does. Each report contains the warnings too. */
  readonly reporter?: Partial<Reporter> | undefined;
}

/** Options that every call takes. */
export interface CallOptions {
  /** Whether the call forgets the client's state and starts from the seeds. */
  readonly resetState?: boolean | undefined;
  /** Whether the call returns the successful results together with the errors, instead of throwing the gravest error. */
  readonly partial?: boolean | undefined;
}

export interface UpdateOptions extends CallOptions {
  /** Names of feeds; by default, or if empty, all feeds in the profile. */
  readonly feeds?: readonly string[] | undefined;
  /** Whether to accept an index that became empty. */
  readonly allowEmpty?: boolean | undefined;
  /** Whether to accept an apt repository whose Origin, Label or Codename changed. */
  readonly allowReleaseinfoChange?: boolean | undefined;
}

export interface ListOptions {
  /** Names of packages; `*` and `?` are wildcards. By default all packages. */
  readonly patterns?: readonly string[] | undefined;
  /** Words that must each occur in the name or the description, in upper or lower case. */
  readonly words?: readonly string[] | undefined;
  /** The only feeds to list; by default all. */
  readonly feeds?: readonly string[] | undefined;
  readonly partial?: boolean | undefined;
}

export interface FetchOptions extends CallOptions {
  /** Folder for the package, which is made if it is missing. */
  readonly folder: string;
  /** The only feeds to fetch from; by default all. */
  readonly feeds?: readonly string[] | undefined;
}

export interface VerifyOptions extends CallOptions {
  /** The signature file's path; by default `INDEX.sig`, then `INDEX.asc`. */
  readonly signature?: string | undefined;
  /** The index's feed in the profile; by default the only feed, or the feed whose path is the path of the index. */
  readonly feed?: string | undefined;
  /** Package files that the index must list. */
  readonly files?: readonly string[] | undefined;
  /**
   * A folder in which every listed file is checked and every unlisted package is refused; with `complete`, every missing
   * package too.
   */
  readonly folder?: { readonly path: string; readonly complete?: boolean | undefined } | undefined;
  /** Whether to accept an index that became empty. */
  readonly allowEmpty?: boolean | undefined;
  /** Whether the call compares the index with no earlier index, and records nothing. */
  readonly audit?: boolean | undefined;
}

export interface VerifyPackagesOptions extends CallOptions {
  /** The feed of the packages, because delegates may sign only some feeds. */
  readonly feed?: string | undefined;
  /** Whether the call records nothing. */
  readonly audit?: boolean | undefined;
}

export interface ExportOptions {
  readonly for: ExportFormat;
  /**
   * The feeds that the keyring is for: the keyring includes delegates that may sign all these feeds. By default all feeds that
   * the program reads.
   */
  readonly feeds?: readonly string[] | undefined;
}

/** The result of a call. */
export type Report<Found> = Found & {
  /** The refusals; empty unless `partial` is set, because the call otherwise throws the gravest refusal. */
  readonly errors: readonly FeedkeyError[];
  /** Warnings as sentences. */
  readonly warnings: readonly string[];
};
