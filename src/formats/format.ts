/** The description of a feed format: the names of its files, what a signature covers, and how versions are ordered. */
import type { Data } from "../content.ts";
import type { FileDigests } from "./digests.ts";
import type { PackageIndex } from "./package-index.ts";
import type { Relations } from "./relations.ts";

export type Compression = "none" | "gzip" | "xz" | "zstd" | "bzip2";

/** The compression of each compressed form of an index, by file extension. */
export const compressionOf = { gz: "gzip", xz: "xz", zst: "zstd", bz2: "bzip2" } as const;

export type CompressedForm = keyof typeof compressionOf;

/** The settings of a feed in a profile that determine its files. */
export interface Wanted {
  /** The feed's name. */
  readonly name?: string;
  /** The index file that the profile names, if any. */
  readonly index: string | undefined;
  /** Suite or codename, components and architectures, if the format divides a feed by them. A missing setting means any. */
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
 * clients check only the last signature. `one`: only one signature is allowed, because some clients refuse a file with more.
 */
export type SeveralSignatures = "any" | "last" | "one";

/** How a root that another program wrote is signed. */
export interface Signing {
  /** Tells by a file's name whether the file is a root in this format. feedkey reads a root before it signs the root. */
  isRoot(name: string): boolean;
  readonly several: SeveralSignatures;
  /** Returns the name of the file for the signer's armored certificate. Some clients request this file beside the signature. */
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
 * All that code outside a format's folder needs to know about the format. That code never asks for the format's name. A
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
   * What users need before another key signs. Set only if stock clients require every signature in a file to be good, so that
   * a file may have only one signature.
   */
  readonly oneSignature?: string;
  /**
   * Returns the settings of a client's profile for a feed whose root is in this folder. Set only if a profile needs more than
   * the folder. The settings do not select a list of packages.
   */
  feedAt?(folder: string): Partial<Wanted> & { readonly path: string };
  /** Returns the files that may contain a root's signatures, the best first; no file if the root must contain its signatures. */
  signaturesOf(root: string): readonly string[];
  /**
   * Splits a root that contains its own signatures; returns undefined for other roots. In a format without this method, no
   * root contains its own signatures.
   * @throws FeedkeyError `bad_signature_data` if the root can't be split
   */
  unframe?(file: Uint8Array, name: string): Unframed | undefined;
  /** What a signature covers: the uncompressed text, whichever form is downloaded, or the bytes of the signed file. */
  readonly signs: "text" | "file";
  /** Matches the names of package files. */
  readonly packageName: RegExp;
  /** How feedkey signs the format's roots, if not with a binary and an armored signature in separate files. */
  readonly signing?: Signing;
  /**
   * Reads a root that lists its packages in other files. In a format without this method, the root is itself the list.
   * @throws FeedkeyError `bad_index` if the root is malformed; `wrong_feed` if the root is not that of the wanted feed
   */
  content?(signed: Uint8Array, wanted: Wanted): RootContent;
  /**
   * Returns the settings that select everything that a root lists, if a profile selects among its packages.
   * @throws FeedkeyError `bad_index` if the root is malformed
   */
  everything?(root: Uint8Array): Pick<Wanted, "components" | "architectures">;
  /**
   * How a profile selects among a feed's packages. `suites`: by suite, components and architectures, all required.
   * `architectures`: by architectures, optionally.
   */
  readonly divided?: "suites" | "architectures";
  /** Maximum size of a root in bytes, if smaller than for other indexes. */
  readonly maxRoot?: number;
  /**
   * Whether comparisons of roots ignore trailing blanks in lines and the last line feed. They must if a
   * cleartext-signed message may contain the root, because such a message does not preserve these bytes.
   */
  readonly ignoresBlankEnds?: true;
  /** Whether the format's entries have only a digest and no size. */
  readonly lacksSizes?: true;
  /** How to read the dependencies of packages; undefined if the listed files are not packages. */
  readonly relations?: Relations;
  /** What the stock clients need before a new key signs alone. The text completes "its stock clients need". */
  readonly needs: string;
  /** The stock program that can read only RSA keys, if there is one. */
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

/** Returns the compressed form that the extension of a file name tells; undefined if no extension matches. */
export function formOf(forms: readonly CompressedForm[], name: string): CompressedForm | undefined {
  return forms.find((form) => name.endsWith(`.${form}`));
}

/** Returns the file name without the extension of a compressed form. */
export function withoutForm(forms: readonly CompressedForm[], name: string): string {
  const form = formOf(forms, name);
  return form === undefined ? name : name.slice(0, -form.length - 1);
}
