/** Validated configuration: the client's profile and the archive's own file. */
import type { FeedNames } from "../formats/format.ts";
import type { FeedFormat, PublishedFormat, SignatureForm } from "../formats/formats.ts";
import type { Duration } from "../time.ts";

export type { FeedFormat, PublishedFormat } from "../formats/formats.ts";

export interface Feed {
  readonly name: string;
  readonly format: FeedFormat;
  /** Folder below the archive's URL, variables filled in, no leading or trailing slash; empty for the archive itself. */
  readonly path: string;
  /** File to download first, if the profile names one. */
  readonly index: string | undefined;
  /** The folder to which an entry's file name is relative. */
  readonly packages: "feed" | "archive";
  /** Maximum size of its index in bytes, compressed or not, if the profile gives one. */
  readonly maxIndexSize?: number;
  /** Suite or codename, variables filled in; components; architectures: if the format is divided by them. */
  readonly suite?: string;
  readonly components?: readonly string[];
  readonly architectures?: readonly string[];
}

/** The identity in the archive's certificates: exactly one of the two (T1). */
export type Identity =
  | { readonly kind: "user-id"; readonly userId: string }
  | { readonly kind: "user-email"; readonly email: string };

export interface Profile {
  /** The file's name without `.ini`. */
  readonly name: string;
  /** The file it was read from. */
  readonly file: string;
  readonly archive: {
    readonly name: string;
    /** With a trailing slash. `https:`, `http:` or `file:`. */
    readonly url: string;
    readonly mirrors: readonly string[];
    /** Absolute path of PEM certificates for the archive's own servers, in addition to the system's authorities. */
    readonly ca: string | undefined;
    /** Absolute path of names, passwords and tokens for its servers, instead of the user's and the system's files. */
    readonly credentials?: string;
    /** Where its servers' redirects may lead. */
    readonly redirects: "any" | "same-origin";
    readonly identity: Identity;
    readonly verify: "required" | "off";
  };
  readonly trust: {
    /** Folder or file, absolute. */
    readonly keyring: string;
    /** Full fingerprints, upper case. If empty, commands that use the profile fail with `no_seed`. */
    readonly seeds: readonly string[];
    /** `hkps://...`; empty only if the profile says `none`. */
    readonly keyservers: readonly string[];
    /** Absolute path of PEM certificates for the key servers. */
    readonly keyserverCa: string | undefined;
    readonly wkd: boolean;
    /** `always`, or the age up to which a good check is used again. */
    readonly revocationCheck: "always" | Duration;
    readonly grace: Duration;
    readonly retiredIssuers: "refuse" | "accept";
    readonly threshold: number;
    readonly maxIndexAge: Duration | undefined;
    readonly requireFeedName: boolean;
    /** Refuse an index whose signature has no expiry. */
    readonly requireExpiry: boolean;
  };
  readonly feeds: readonly Feed[];
  /** The values of `${name}` in URLs and paths. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A compressed form of pkg_summary that can be written, by file extension. */
export type SummaryForm = "gz" | "xz" | "zst";

interface AnyFeed {
  readonly name: string;
  /** Folder of the signed file, below the root, no leading or trailing slash; empty for the root itself. */
  readonly path: string;
  /** Which signature files are published; both by default. */
  readonly signatures?: SignatureForm;
}

/** A feed whose index feedkey writes, from the packages that it finds. */
export interface WrittenFeed extends AnyFeed {
  readonly format: PublishedFormat;
  /** Folder of the package files, below the root; the feed's own folder by default. */
  readonly packages: string;
  /** Forms in which a pkgsrc feed's summary is published, `gz` always and first; opkg's index has none but `gz`. */
  readonly compress: readonly SummaryForm[];
  /** Only for apt. */
  readonly suite?: SuiteSettings;
}

/** How an apt suite is divided, and its names. */
export interface SuiteSettings extends FeedNames {
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** Whether its Release file names the keys that may sign the next one. */
  readonly signedBy: boolean;
}

/** A feed whose index another program writes: feedkey signs it as it is. */
export interface SignedFeed extends AnyFeed {
  readonly format: FeedFormat;
  /** Name of the file that is signed. */
  readonly index: string;
  readonly packages?: undefined;
  readonly compress?: undefined;
  readonly suite?: undefined;
}

export type ArchiveFeed = WrittenFeed | SignedFeed;

/** Where in an object store an archive is published (docs/object-stores.md). */
export interface BucketPlace {
  readonly bucket: string;
  /** Before each object's name: empty, or with a slash at its end. */
  readonly prefix: string;
  /** `https:` or `http:`, without a slash at its end; by default what the environment says, else Amazon's. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

/** `archive.ini`: the publishing side. */
export interface ArchiveConfig {
  readonly file: string;
  /** Absolute. */
  readonly root: string;
  /** What the root is uploaded to, if it is not what clients read. */
  readonly bucket?: BucketPlace;
  readonly userId: string;
  /** The domain of feedkey's notations; by default that of the address in the key's user ID. */
  readonly notationDomain?: string | undefined;
  /** A full fingerprint, or one that stays in GnuPG. */
  readonly key: { readonly where: "store" | "gpg"; readonly fingerprint: string };
  readonly validFor: Duration;
  readonly keyservers: readonly string[];
  readonly keyserverCa: string | undefined;
  /** Whether the trust page is written beside the key bundle. */
  readonly page: boolean;
  readonly feeds: readonly ArchiveFeed[];
}
