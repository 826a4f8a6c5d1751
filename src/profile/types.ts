/** The types of configuration after validation: a client's profile and the archive's `archive.ini`. */
import type { FeedNames } from "../formats/format.ts";
import type { FeedFormat, PublishedFormat, SignatureForm } from "../formats/formats.ts";
import type { Duration } from "../time.ts";

export type { FeedFormat, PublishedFormat } from "../formats/formats.ts";

export interface Feed {
  readonly name: string;
  readonly format: FeedFormat;
  /** The feed's folder below the archive's URL, with variables filled in and no leading or trailing slash; empty for the archive itself. */
  readonly path: string;
  /** The name of the file to download first; undefined if the profile does not name it. */
  readonly index: string | undefined;
  /** The folder to which the file names in the index are relative. */
  readonly packages: "feed" | "archive";
  /** The size limit of the index in bytes, compressed or not; undefined if the profile sets no limit. */
  readonly maxIndexSize?: number;
  /**
   * The suite or codename, with variables filled in. Only apt's feeds have suites and components, and only some formats have architectures.
   */
  readonly suite?: string;
  readonly components?: readonly string[];
  readonly architectures?: readonly string[];
}

/** The archive's identity in its keys' certificates (T1): either a whole user ID or only the email address in it. */
export type Identity =
  | { readonly kind: "user-id"; readonly userId: string }
  | { readonly kind: "user-email"; readonly email: string };

export interface Profile {
  /** The profile's file name without `.ini`. */
  readonly name: string;
  /** The path of the profile's file. */
  readonly file: string;
  readonly archive: {
    readonly name: string;
    /** The archive's URL (`https:`, `http:` or `file:`), with a trailing slash. */
    readonly url: string;
    readonly mirrors: readonly string[];
    /**
     * The absolute path of a file with certificates (PEM) of certificate authorities for the archive's servers, in addition to the system's
     * authorities.
     */
    readonly ca: string | undefined;
    /**
     * The absolute path of a file with names, passwords and tokens for the archive's servers. It replaces the user's and the system's
     * files.
     */
    readonly credentials?: string;
    /** The servers to which the archive's servers may redirect clients. */
    readonly redirects: "any" | "same-origin";
    readonly identity: Identity;
    readonly verify: "required" | "off";
  };
  readonly trust: {
    /** The absolute path of the keyring: a folder or a file. */
    readonly keyring: string;
    /** The full fingerprints of the seeds, in upper case. If the list is empty, commands that use the profile fail with `no_seed`. */
    readonly seeds: readonly string[];
    /** The key servers, each as `hkps://...`; empty only if the profile says `none`. */
    readonly keyservers: readonly string[];
    /** The absolute path of a file with certificates (PEM) of certificate authorities for the key servers. */
    readonly keyserverCa: string | undefined;
    readonly wkd: boolean;
    /** `always`, or how long a client relies on a good check before it asks again. */
    readonly revocationCheck: "always" | Duration;
    readonly grace: Duration;
    readonly retiredIssuers: "refuse" | "accept";
    readonly threshold: number;
    readonly maxIndexAge: Duration | undefined;
    readonly requireFeedName: boolean;
    /** Whether clients refuse an index whose signature has no expiry. */
    readonly requireExpiry: boolean;
  };
  readonly feeds: readonly Feed[];
  /** The values of `${name}` in URLs and paths. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The file extension of a compressed pkg_summary that feedkey can write. */
export type SummaryForm = "gz" | "xz" | "zst";

interface AnyFeed {
  readonly name: string;
  /** The folder of the signed file, below the root, without leading or trailing slash; empty for the root itself. */
  readonly path: string;
  /** The signature files that feedkey publishes: `.sig`, `.asc` or both; both by default. */
  readonly signatures?: SignatureForm;
}

/** A feed whose index feedkey writes from the packages that it finds. */
export interface WrittenFeed extends AnyFeed {
  readonly format: PublishedFormat;
  /** The folder of the package files, below the root; by default the feed's own folder. */
  readonly packages: string;
  /** The forms in which feedkey publishes a pkgsrc feed's summary, `gz` always and first; for an opkg feed only `gz`. */
  readonly compress: readonly SummaryForm[];
  /** The settings of an apt suite; only apt feeds have them. */
  readonly suite?: SuiteSettings;
}

/** The names of an apt suite, and its components and architectures. */
export interface SuiteSettings extends FeedNames {
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** Whether the suite's Release file names the keys that may sign the next Release file. */
  readonly signedBy: boolean;
}

/** A feed whose index another program writes. feedkey signs this index unchanged. */
export interface SignedFeed extends AnyFeed {
  readonly format: FeedFormat;
  /** The name of the index file that feedkey signs. */
  readonly index: string;
  readonly packages?: undefined;
  readonly compress?: undefined;
  readonly suite?: undefined;
}

export type ArchiveFeed = WrittenFeed | SignedFeed;

/** The place in an object store where feedkey publishes an archive (docs/object-stores.md). */
export interface BucketPlace {
  readonly bucket: string;
  /** The beginning of each object's name: empty, or with a slash at its end. */
  readonly prefix: string;
  /**
   * The URL of the object store's server (`https:` or `http:`), without a trailing slash; if undefined, the endpoint in the environment,
   * else Amazon's.
   */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

/** The settings in `archive.ini`, for the archive's keepers. */
export interface ArchiveConfig {
  readonly file: string;
  /** The absolute path of the archive's root. */
  readonly root: string;
  /** The object store to which feedkey uploads the root; undefined if clients read the root itself. */
  readonly bucket?: BucketPlace;
  readonly userId: string;
  /** The domain in the names of feedkey's notations; if undefined, the domain of the email address in the key's user ID. */
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
