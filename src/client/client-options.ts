/** Options of a client and its calls, and the form of the calls' reports. */
import type { FeedkeyError } from "../error.ts";
import type { Profile } from "../profile/types.ts";
import type { Reporter } from "../refresh/session.ts";
import type { ExportFormat } from "../stock/export.ts";
import type { Instant } from "../time.ts";

export interface ClientOptions {
  /** A profile's name, the profile's file (with a `/` or ending in `.ini`), or a profile that has already been read. */
  readonly profile: string | Profile;
  /** The folder with the state of all clients on this machine; by default the folder that the command `feedkey` uses. */
  readonly stateFolder?: string | undefined;
  /** The time at which the client judges keys and signatures; by default each call reads the clock. */
  readonly at?: Instant | undefined;
  /** Whether the client works without network: it asks no server, but still reads `file:` URLs. */
  readonly offline?: boolean | undefined;
  /**
   * Whether the caller has just called `refresh`: the client then asks no server, and uses the answers that `refresh` stored.
   */
  readonly justRefreshed?: boolean | undefined;
  /** Receives warnings, notes and progress as they occur. Without a reporter, the caller finds the warnings in each report. */
  readonly reporter?: Partial<Reporter> | undefined;
}

/** The options that most calls take. */
export interface CallOptions {
  /** Whether the call discards the client's stored state and starts from the seeds in the profile. */
  readonly resetState?: boolean | undefined;
  /** Whether the call returns the successful results together with the errors, instead of throwing the most serious error. */
  readonly partial?: boolean | undefined;
}

export interface UpdateOptions extends CallOptions {
  /** The names of the feeds to update; by default, or if the list is empty, all feeds in the profile. */
  readonly feeds?: readonly string[] | undefined;
  /** Whether to accept an index without packages although the last accepted index listed packages. */
  readonly allowEmpty?: boolean | undefined;
  /** Whether to accept an apt repository whose Origin, Label or Codename changed. */
  readonly allowReleaseinfoChange?: boolean | undefined;
}

export interface ListOptions {
  /** Names of packages; `*` and `?` are wildcards. By default all packages. */
  readonly patterns?: readonly string[] | undefined;
  /** Words; the call lists only packages whose name or description contains each word, in upper or lower case. */
  readonly words?: readonly string[] | undefined;
  /** The names of the feeds to list; by default all feeds in the profile. */
  readonly feeds?: readonly string[] | undefined;
  readonly partial?: boolean | undefined;
}

export interface FetchOptions extends CallOptions {
  /** The folder for the packages; the client makes the folder if it is missing. */
  readonly folder: string;
  /** The names of the feeds to fetch from; by default all feeds in the profile. */
  readonly feeds?: readonly string[] | undefined;
}

export interface VerifyOptions extends CallOptions {
  /** The signature file's path; by default `INDEX.sig`, then `INDEX.asc`. */
  readonly signature?: string | undefined;
  /**
   * The name of the feed that the index belongs to; by default the profile's only feed, or the feed whose path ends the index's
   * path.
   */
  readonly feed?: string | undefined;
  /** The paths of package files that the index must list. */
  readonly files?: readonly string[] | undefined;
  /**
   * A folder with packages: the client checks each file that the index lists, and refuses each package that the index does not
   * list. With `complete`, the client also refuses if the folder lacks a listed package.
   */
  readonly folder?: { readonly path: string; readonly complete?: boolean | undefined } | undefined;
  /** Whether to accept an index without packages although the last accepted index listed packages. */
  readonly allowEmpty?: boolean | undefined;
  /** Whether the call ignores the client's earlier indexes, and records nothing in the client's state. */
  readonly audit?: boolean | undefined;
}

export interface VerifyPackagesOptions extends CallOptions {
  /**
   * The name of the feed that the packages belong to. The client needs the name because a delegate may sign only some feeds.
   */
  readonly feed?: string | undefined;
  /** Whether the call records nothing in the client's state. */
  readonly audit?: boolean | undefined;
}

export interface ExportOptions {
  readonly for: ExportFormat;
  /**
   * The names of the feeds that the keyring is for: the keyring includes only those delegates that may sign all these feeds. By
   * default all feeds that the program can read.
   */
  readonly feeds?: readonly string[] | undefined;
}

/** The result of a call, with its errors and warnings. */
export type Report<Found> = Found & {
  /** The refusals. Without `partial`, this list is empty, because the call then throws the most serious refusal. */
  readonly errors: readonly FeedkeyError[];
  /** The warnings of this call, one sentence each. */
  readonly warnings: readonly string[];
};
