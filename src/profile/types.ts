/** Validated configuration: a client's profile and the archive's `archive.ini`. */
import type { FeedNames } from "../formats/format.ts";
import type { FeedFormat, PublishedFormat, SignatureForm } from "../formats/formats.ts";
import type { Duration } from "../time.ts";

export type { FeedFormat, PublishedFormat } from "../formats/formats.ts";

export interface Feed {
  readonly name: string;
  readonly format: FeedFormat;
  /**
   * Folder below the archive's URL, with variables filled in and no leading or trailing slash; empty for the archive itself.
   */
  readonly path: string;
  /** The file to download first, if the profile names that file. */
  readonly index: string | undefined;
  /** The folder that file names in the index are relative to. */
  readonly packages: "feed" | "archive";
  /** Size limit of the index in bytes, compressed or not, if the profile sets a limit. */
  readonly maxIndexSize?: number;
  /**
   * Suite or codename, with variables filled in. Suite, components and architectures are missing if the format is not divided
   * by them.
   */
  readonly suite?: string;
  readonly components?: readonly string[];
  readonly architectures?: readonly string[];
}

/** The identity in the archive's certificates: either a whole user ID or an email address (T1). */
export type Identity =
  | { readonly kind: "user-id"; readonly userId: string }
  | { readonly kind: "user-email"; readonly email: string };

export interface Profile {
  /** The profile's file name without `.ini`. */
  readonly name: string;
  /** The file that the profile was read from. */
  readonly file: string;
  readonly archive: {
    readonly name: string;
    /** The archive's URL, `https:`, `http:` or `file:`, with a trailing slash. */
    readonly url: string;
    readonly mirrors: readonly string[];
    /** Absolute path of PEM certificates for the archive's servers, in addition to the system's certificate authorities. */
    readonly ca: string | undefined;
    /**
     * Absolute path of a file with names, passwords and tokens for the archive's servers; replaces the user's and the system's
     * files.
     */
    readonly credentials?: string;
    /** Where the archive's servers may redirect clients. */
    readonly redirects: "any" | "same-origin";
    readonly identity: Identity;
    readonly verify: "required" | "off";
  };
  readonly trust: {
    /** Absolute path of the keyring, a folder or a file. */
    readonly keyring: string;
    /** Full fingerprints of the seeds, upper case. If empty, commands that use the profile fail with `no_seed`. */
    readonly seeds: readonly string[];
    /** Key servers, `hkps://...` each; empty only if the profile says `none`. */
    readonly keyservers: readonly string[];
    /** Absolute path of PEM certificates for the key servers. */
    readonly keyserverCa: string | undefined;
    readonly wkd: boolean;
    /** `always`, or how long a client relies on a successful check before the client checks again. */
    readonly revocationCheck: "always" | Duration;
    readonly grace: Duration;
    readonly retiredIssuers: "refuse" | "accept";
    readonly threshold: number;
    readonly maxIndexAge: Duration | undefined;
    readonly requireFeedName: boolean;
    /** Whether clients refuse an index whose signature does not expire. */
    readonly requireExpiry: boolean;
  };
  readonly feeds: readonly Feed[];
  /** The values of `${name}` in URLs and paths. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A compressed form of pkg_summary that feedkey can write, by file extension. */
export type SummaryForm = "gz" | "xz" | "zst";

interface AnyFeed {
  readonly name: string;
  /** Folder of the signed file, below the root, without leading or trailing slash; empty for the root itself. */
  readonly path: string;
  /** Which signature files feedkey publishes; both forms by default. */
  readonly signatures?: SignatureForm;
}

/** A feed whose index feedkey writes, from the packages that feedkey finds. */
export interface WrittenFeed extends AnyFeed {
  readonly format: PublishedFormat;
  /** Folder of the package files, below the root; by default the feed's own folder. */
  readonly packages: string;
  /** Forms in which feedkey publishes a pkgsrc feed's summary, `gz` always and first; for opkg's index only `gz`. */
  readonly compress: readonly SummaryForm[];
  /** Settings of an apt suite; only for apt. */
  readonly suite?: SuiteSettings;
}

/** The names of an apt suite, and how the suite is divided. */
export interface SuiteSettings extends FeedNames {
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** Whether the suite's Release file names the keys that may sign the next Release file. */
  readonly signedBy: boolean;
}

/** A feed whose index another program writes; feedkey signs the index unchanged. */
export interface SignedFeed extends AnyFeed {
  readonly format: FeedFormat;
  /** Name of the index file that feedkey signs. */
  readonly index: string;
  readonly packages?: undefined;
  readonly compress?: undefined;
  readonly suite?: undefined;
}

export type ArchiveFeed = WrittenFeed | SignedFeed;

/** The place in an object store where feedkey publishes an archive (docs/object-stores.md). */
export interface BucketPlace {
  readonly bucket: string;
  /** The start of each object's name: empty, or ending with a slash. */
  readonly prefix: string;
  /** `https:` or `http:` URL without a trailing slash; by default the endpoint in the environment, else Amazon's. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

/** The settings in `archive.ini`, for the publishing side. */
export interface ArchiveConfig {
  readonly file: string;
  /** Absolute path of the archive's root. */
  readonly root: string;
  /** The object store to which feedkey uploads the root, if clients do not read the root itself. */
  readonly bucket?: BucketPlace;
  readonly userId: string;
  /** The domain in the names of feedkey's notations; by default the domain of the email address in the key's user ID. */
  readonly notationDomain?: string | undefined;
  /** The full fingerprint of the archive's key, and whether feedkey's store or GnuPG holds the secret key. */
  readonly key: { readonly where: "store" | "gpg"; readonly fingerprint: string };
  readonly validFor: Duration;
  readonly keyservers: readonly string[];
  readonly keyserverCa: string | undefined;
  /** Whether feedkey writes the trust page beside the key bundle. */
  readonly page: boolean;
  readonly feeds: readonly ArchiveFeed[];
}
