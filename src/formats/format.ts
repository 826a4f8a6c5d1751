/** The description of a feed format: names of its files, what a signature covers, how versions are ordered. */
import type { FileDigests } from "./digests.ts";
import type { PackageIndex } from "./package-index.ts";
import type { Relations } from "./relations.ts";

export type Compression = "none" | "gzip" | "xz" | "zstd" | "bzip2";

/** Compressed forms of an index, by file extension. */
export const compressionOf = { gz: "gzip", xz: "xz", zst: "zstd", bz2: "bzip2" } as const;

export type CompressedForm = keyof typeof compressionOf;

/** The settings of a feed in a profile that determine its files. */
export interface Wanted {
  /** The feed's name. */
  readonly name?: string;
  /** File to download first, if the profile names one. */
  readonly index: string | undefined;
  /** Suite or codename, components and architectures, if the format is divided by them; a missing setting means any. */
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

/** One form of a part, and its possible paths. */
export interface PartForm {
  /** Undefined: it is not compressed. */
  readonly form: CompressedForm | undefined;
  readonly file: FileDigests;
  /** Paths below the root's folder, the best first. The next one is requested if one is absent, never if one is bad. */
  readonly places: readonly string[];
}

/** A list of packages that a root names by its digest. */
export interface Part {
  /** Path of the text, below the root's folder. */
  readonly path: string;
  /** The digests of its decompressed text. */
  readonly open: FileDigests;
  /** The best first. */
  readonly forms: readonly PartForm[];
}

/** The contents of a verified root. Dates are in milliseconds. */
export interface RootContent {
  readonly madeAt: number;
  readonly validUntil: number | undefined;
  /** The names of its repository, by field; a later root must have the same. */
  readonly identity: Readonly<Record<string, string | undefined>>;
  readonly parts: readonly Part[];
  /** Further files that it lists and stock clients ask for, such as lists of the files in packages: only for mirrors. */
  readonly beside: readonly PartForm[];
}

/** A root that contains its own signatures, split into text and signatures. */
export interface Unframed {
  /** The signed text; nothing else of the file is read. */
  readonly signed: Uint8Array;
  /** Its signatures, armored. They are of type 0x01, over text. */
  readonly signatures: Uint8Array;
}

/** A file that is written when a root is signed: only the signature, or the root's text with its signature. */
export interface SignatureFile {
  readonly name: string;
  readonly holds: "binary" | "armored" | "framed";
}

/**
 * How stock clients treat several signatures over one root. `any`: one by a known key is enough. `last`: some clients check
 * only the last one. `one`: only one is allowed, because some clients refuse a file with others.
 */
export type SeveralSignatures = "any" | "last" | "one";

/** How a root that another program wrote is signed. */
export interface Signing {
  /** Whether a file is one of this format's roots, by its name: then it is read before it is signed. */
  isRoot(name: string): boolean;
  readonly several: SeveralSignatures;
  /** The file with the signer's certificate, armored, which some clients request beside the signature. */
  certificate?(name: string): string;
  /**
   * The dates between which a root says that it is valid; undefined if it has none. Only the program that wrote the root can
   * renew them.
   */
  validity?(text: Uint8Array): { readonly since: number; readonly until: number } | undefined;
  /** The files that are written beside the root, in this order. @param framed whether to write a file that contains the text too */
  files(name: string, framed: boolean): readonly SignatureFile[];
}

/**
 * All that other code needs to know about a format, so that it need not know its name. A *root* is the signed file of a feed:
 * the index itself, or a file that lists the indexes by digest.
 */
export interface Format {
  /** The name of the index that is not compressed. */
  readonly index: string;
  /** Its compressed forms that can be read. */
  readonly forms: readonly CompressedForm[];
  /** The file that is always published, and always signed. */
  readonly published: string;
  /** The same, if the file is named after the feed. */
  publishedAs?(feed: string): string;
  /** Roots to request, below the feed, the best first. The next one is requested if one is absent, never if one is bad. */
  roots(wanted: Wanted): readonly string[];
  /**
   * Set if stock clients require every signature in a file to be good, so that there may be only one: it says what users need
   * before another key signs.
   */
  readonly oneSignature?: string;
  /**
   * The settings of a client's profile for a feed whose root is in this folder, if more than the folder is needed; selects no
   * list of packages.
   */
  feedAt?(folder: string): Partial<Wanted> & { readonly path: string };
  /** The files that may contain the signatures of a root, the best first; none if the root must contain them itself. */
  signaturesOf(root: string): readonly string[];
  /**
   * Splits a root that contains its own signatures; undefined for a root that does not. A format without this method has no such roots.
   * @throws FeedkeyError `bad_signature_data`
   */
  unframe?(file: Uint8Array, name: string): Unframed | undefined;
  /** What a signature covers: the text, whatever form is downloaded, or the bytes of the file. */
  readonly signs: "text" | "file";
  /** Names of package files. */
  readonly packageName: RegExp;
  /** How its roots are signed, if not with a binary and an armored signature in separate files. */
  readonly signing?: Signing;
  /**
   * Reads a root that lists its packages in other files. Without this, it is its own list.
   * @throws FeedkeyError `bad_index`; `wrong_feed` if it is not what is wanted
   */
  content?(signed: Uint8Array, wanted: Wanted): RootContent;
  /** What to ask a root for to get everything that it lists, where a profile chooses. @throws FeedkeyError `bad_index` */
  everything?(root: Uint8Array): Pick<Wanted, "components" | "architectures">;
  /**
   * How a profile selects among its packages: by suite, components and architectures, all required; or optionally by
   * architectures.
   */
  readonly divided?: "suites" | "architectures";
  /** Maximum size of a root in bytes, if smaller than for other indexes. */
  readonly maxRoot?: number;
  /**
   * Trailing blanks in a root's lines, and its last line feed, are ignored, because a cleartext-signed message does not
   * preserve them.
   */
  readonly ignoresBlankEnds?: true;
  /** Its entries have no size, only a digest. */
  readonly lacksSizes?: true;
  /** The dependencies of its packages; undefined: its files are not packages. */
  readonly relations?: Relations;
  /** What its stock clients need before a new key signs alone; completes "its stock clients need". */
  readonly needs: string;
  /** The stock program that can read only RSA keys, if there is one. */
  readonly rsaReader?: string;
  /** Negative if `a` is older, positive if newer, 0 if neither. */
  compareVersions(a: string, b: string): number;
  /**
   * Checks the text of an index and makes its packages findable. The text's memory is shared, not copied.
   * @param wanted selects architectures, if the format is divided only by them
   * @throws FeedkeyError `bad_index` with the line
   */
  read(text: Uint8Array, wanted?: Wanted): PackageIndex;
}

/** The compressed form according to the extension of a name; undefined if not compressed. */
export function formOf(forms: readonly CompressedForm[], name: string): CompressedForm | undefined {
  return forms.find((form) => name.endsWith(`.${form}`));
}

/** The name without the extension of a compressed form. */
export function withoutForm(forms: readonly CompressedForm[], name: string): string {
  const form = formOf(forms, name);
  return form === undefined ? name : name.slice(0, -form.length - 1);
}
