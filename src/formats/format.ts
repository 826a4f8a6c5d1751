/** Describes a feed format: the names of its files, the data that a signature covers, and the order of versions. */
import type { Data } from "../content.ts";
import type { FileDigests } from "./digests.ts";
import type { PackageIndex } from "./package-index.ts";
import type { Relations } from "./relations.ts";

export type Compression = "none" | "gzip" | "xz" | "zstd" | "bzip2";

/** The compression of each compressed form of an index, by file extension. */
export const compressionOf = { gz: "gzip", xz: "xz", zst: "zstd", bz2: "bzip2" } as const;

export type CompressedForm = keyof typeof compressionOf;

/** The settings in a profile that determine which files a feed has. */
export interface Wanted {
  /** The feed's name. */
  readonly name?: string;
  /** The index file that the profile names, if any. */
  readonly index: string | undefined;
  /** The suite or codename that the profile requests. A missing suite, component or architecture setting means any. */
  readonly suite?: string;
  readonly components?: readonly string[];
  readonly architectures?: readonly string[];
}

/** The names that the keepers gave to a feed, if its root contains them. */
export interface FeedNames {
  readonly origin?: string;
  readonly label?: string;
  readonly suite?: string;
  readonly codename?: string;
  readonly description?: string;
}

/** One form of a part: compressed or not, with its possible paths. */
export interface PartForm {
  /** The extension of a compressed form; undefined for the uncompressed text. */
  readonly form: CompressedForm | undefined;
  readonly file: FileDigests;
  /**
   * Paths below the root's folder, the best first. The client requests the next path if a file is absent, but never if a
   * file is bad.
   */
  readonly places: readonly string[];
}

/** A list of packages that a root names by its digest. */
export interface Part {
  /** Path of the uncompressed text, below the root's folder. */
  readonly path: string;
  /** The digests of the uncompressed text. */
  readonly open: FileDigests;
  /** The forms that the root lists, the best first. */
  readonly forms: readonly PartForm[];
}

/** The contents of a verified root file. Dates are in milliseconds. */
export interface RootContent {
  readonly madeAt: number;
  readonly validUntil: number | undefined;
  /** The names of the repository, by field. A later root must have the same names. */
  readonly identity: Readonly<Record<string, string | undefined>>;
  readonly parts: readonly Part[];
  /** Further listed files that stock clients request, such as lists of the files in packages. Only mirrors need these files. */
  readonly beside: readonly PartForm[];
}

/** A root that contains its own signatures, split into text and signatures. */
export interface Unframed {
  /** The signed text. Nothing else in the file is read. */
  readonly signed: Uint8Array;
  /** The armored signatures. Their type is 0x01: they cover canonical text. */
  readonly signatures: Uint8Array;
}

/** A file that feedkey writes when it signs a root: only the signature, or the root's text with its signature. */
export interface SignatureFile {
  readonly name: string;
  readonly holds: "binary" | "armored" | "framed";
}

/**
 * How stock clients treat several signatures over one root. `any`: one signature by a known key is enough. `last`: some
 * clients check only the last signature. `one`: a file may have only one signature, because some clients refuse more.
 */
export type SeveralSignatures = "any" | "last" | "one";

/** How feedkey signs a root that another program wrote. */
export interface Signing {
  /** Whether a file with this name is a root in this format. feedkey reads a root before signing it. */
  isRoot(name: string): boolean;
  readonly several: SeveralSignatures;
  /** Returns the name of the file for the signer's armored certificate. Some clients request this file along with the signature. */
  certificate?(name: string): string;
  /**
   * Returns the validity period that a root states, in milliseconds; undefined if the root states none. Only the program that
   * wrote the root can renew this period.
   */
  validity?(text: Uint8Array): { readonly since: number; readonly until: number } | undefined;
  /**
   * Returns the files that feedkey writes beside the root, in this order.
   * @param framed whether to write a file that contains both the root's text and its signature
   */
  files(name: string, framed: boolean): readonly SignatureFile[];
}

/**
 * Everything that code outside a format's folder needs to know about the format. That code never tests a format's name. A
 * *root* is the signed file of a feed: the index itself, or a file that lists the indexes by digest.
 */
export interface Format {
  /** The name of the uncompressed index. */
  readonly index: string;
  /** The compressed forms of the index that feedkey can read. */
  readonly forms: readonly CompressedForm[];
  /** The name of the index file that feedkey always publishes and signs. */
  readonly published: string;
  /** Returns the name of the published file for a feed, if the format names this file after the feed. */
  publishedAs?(feed: string): string;
  /**
   * Returns the paths of the roots to request, below the feed, the best first. The client requests the next root if a root is
   * absent, but never if a root is bad.
   */
  roots(wanted: Wanted): readonly string[];
  /**
   * What users need before another key signs the feed. Set only if stock clients require every signature in a file to be good.
   * A file in this format may then have only one signature.
   */
  readonly oneSignature?: string;
  /**
   * Returns the profile settings for a feed whose root is in this folder. Set only if a profile needs more than the folder. The
   * settings do not select a list of packages.
   */
  feedAt?(folder: string): Partial<Wanted> & { readonly path: string };
  /** Returns the names of files that may contain a root's signatures, the best first. Empty if the root contains its signatures. */
  signaturesOf(root: string): readonly string[];
  /**
   * Splits a root that contains its own signatures; returns undefined for other roots. In a format without this method, no
   * root contains its own signatures.
   * @throws FeedkeyError `bad_signature_data` if the root can't be split
   */
  unframe?(file: Uint8Array, name: string): Unframed | undefined;
  /** The data that a signature covers: the uncompressed text, even if a compressed form is downloaded, or the bytes of the signed file. */
  readonly signs: "text" | "file";
  /** Matches the names of package files. */
  readonly packageName: RegExp;
  /** How feedkey signs the format's roots. Without this setting, feedkey writes a binary and an armored signature in separate files. */
  readonly signing?: Signing;
  /**
   * Reads a root that names other files as its package lists. In a format without this method, the root itself is the list.
   * @throws FeedkeyError `bad_index` if the root is malformed; `wrong_feed` if the root belongs to another feed
   */
  content?(signed: Uint8Array, wanted: Wanted): RootContent;
  /**
   * Returns the settings that select every package that a root lists. Only formats whose profiles select packages have this method.
   * @throws FeedkeyError `bad_index` if the root is malformed
   */
  everything?(root: Uint8Array): Pick<Wanted, "components" | "architectures">;
  /**
   * How a profile selects among a feed's packages. `suites`: by suite, components and architectures, all required.
   * `architectures`: by architectures, which are optional.
   */
  readonly divided?: "suites" | "architectures";
  /** The size limit for a root in bytes, if it is lower than the limit for other indexes. */
  readonly maxRoot?: number;
  /**
   * Whether feedkey ignores trailing blanks in lines and the last line feed when it compares roots. A cleartext-signed message
   * does not preserve these bytes.
   */
  readonly ignoresBlankEnds?: true;
  /** Whether the format's entries have only a digest and no size. */
  readonly lacksSizes?: true;
  /** How to read the dependencies of packages; undefined if the listed files are not packages. */
  readonly relations?: Relations;
  /** What the stock clients need before only the new key signs. The text completes "its stock clients need". */
  readonly needs: string;
  /** The name of a stock program that can read only RSA keys, if one exists. */
  readonly rsaReader?: string;
  /** Returns a negative number if version `a` is older than `b`, a positive number if `a` is newer, else 0. */
  compareVersions(a: string, b: string): number;
  /**
   * Checks the text of an index and returns its packages for look-ups. The result shares the text's memory, or
   * reads the text again.
   * @param wanted selects architectures, if the format divides a feed only by architectures
   * @throws FeedkeyError `bad_index`, with the line, if the text is malformed
   */
  read(text: Data, wanted?: Wanted): PackageIndex;
}

/** Returns the compressed form that matches a file name's extension; undefined if no form matches. */
export function formOf(forms: readonly CompressedForm[], name: string): CompressedForm | undefined {
  return forms.find((form) => name.endsWith(`.${form}`));
}

/** Returns a file name without its extension for a compressed form. */
export function withoutForm(forms: readonly CompressedForm[], name: string): string {
  const form = formOf(forms, name);
  return form === undefined ? name : name.slice(0, -form.length - 1);
}
