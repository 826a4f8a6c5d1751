/** What a format of feeds says of itself: how its files are called, what a signature covers, how versions are ordered. */
import type { FileDigests } from "./digests.ts";
import type { PackageIndex } from "./package-index.ts";
import type { Relations } from "./relations.ts";

export type Compression = "none" | "gzip" | "xz" | "zstd" | "bzip2";

/** Compressed forms of an index, by the ending of their names. */
export const compressionOf = { gz: "gzip", xz: "xz", zst: "zstd", bz2: "bzip2" } as const;

export type CompressedForm = keyof typeof compressionOf;

/** What a profile says of a feed that tells which files it has. */
export interface Wanted {
  /** The feed's name. */
  readonly name?: string;
  /** File to download first, where the profile names one. */
  readonly index: string | undefined;
  /** Suite or codename, components and architectures, where the format is divided by them; those that are not given mean any. */
  readonly suite?: string;
  readonly components?: readonly string[];
  readonly architectures?: readonly string[];
}

/** What the keepers of a feed call it, where its root says that. */
export interface FeedNames {
  readonly origin?: string;
  readonly label?: string;
  readonly suite?: string;
  readonly codename?: string;
  readonly description?: string;
}

/** One form of a part, and where it may lie. */
export interface PartForm {
  /** Undefined: it is not compressed. */
  readonly form: CompressedForm | undefined;
  readonly file: FileDigests;
  /** Paths below the root's folder, the best first. The next one is asked for where one is absent, never where one is bad. */
  readonly places: readonly string[];
}

/** A list of packages that a root vouches for by its digest alone. */
export interface Part {
  /** Of the text, below the root's folder. */
  readonly path: string;
  /** What it must decompress to. */
  readonly open: FileDigests;
  /** The best first. */
  readonly forms: readonly PartForm[];
}

/** What a verified root says. Dates are in milliseconds. */
export interface RootContent {
  readonly madeAt: number;
  readonly validUntil: number | undefined;
  /** What it calls the repository that it is of, by field; a later root must say the same. */
  readonly identity: Readonly<Record<string, string | undefined>>;
  readonly parts: readonly Part[];
  /** Further files that it lists and stock clients ask for, such as lists of the files in packages: only for mirrors. */
  readonly beside: readonly PartForm[];
}

/** A root that holds its signatures itself, taken apart. */
export interface Unframed {
  /** The text that was signed: all of the file that is ever read. */
  readonly signed: Uint8Array;
  /** Its signatures, armored. They are of type 0x01, over text. */
  readonly signatures: Uint8Array;
}

/** A file that signing a root writes: only the signature, or framed together with the root's text. */
export interface SignatureFile {
  readonly name: string;
  readonly holds: "binary" | "armored" | "framed";
}

/**
 * What stock clients make of several signatures over one root. `any`: one by a key that they know is enough. `last`: some look at
 * the last one alone. `one`: there must be one alone, since some refuse what holds another.
 */
export type SeveralSignatures = "any" | "last" | "one";

/** How a root that another program wrote is signed. */
export interface Signing {
  /** Whether a file is one of this format's roots, by its name: then it is read before it is signed. */
  isRoot(name: string): boolean;
  readonly several: SeveralSignatures;
  /** The file with the certificate of who signs, armored, that some clients ask for beside the signature. */
  certificate?(name: string): string;
  /** From when to when a root says that it is valid; undefined if it says nothing of it. Only who wrote it can say it anew. */
  validity?(text: Uint8Array): { readonly since: number; readonly until: number } | undefined;
  /** The files that are written beside it, in this order. @param framed whether one that holds the text too is asked for */
  files(name: string, framed: boolean): readonly SignatureFile[];
}

/**
 * What everything else asks a format instead of knowing its name. A root is the file that the trust in a feed starts
 * from: it is signed, and what it lists by digest is as good as it.
 */
export interface Format {
  /** The name of the index that is not compressed. */
  readonly index: string;
  /** Its compressed forms that can be read. */
  readonly forms: readonly CompressedForm[];
  /** The file that is always published, and always signed. */
  readonly published: string;
  /** The same where it is called after the feed. */
  publishedAs?(feed: string): string;
  /** Roots to ask for, below the feed, the best first. The next one is asked for where one is absent, never where one is bad. */
  roots(wanted: Wanted): readonly string[];
  /**
   * Its programs take a file of signatures only if every one in it is good, so one with several is refused: what each of their users needs
   * before another key signs.
   */
  readonly oneSignature?: string;
  /** What a client's profile says of a feed whose root lies in this folder, where it is not that folder alone; no list of packages is chosen. */
  feedAt?(folder: string): Partial<Wanted> & { readonly path: string };
  /** The files that may hold the signatures of a root, the best first; none for one that must hold them itself. */
  signaturesOf(root: string): readonly string[];
  /**
   * Splits a root that contains its own signatures; undefined for a root that does not. A format without this method has no such roots.
   * @throws FeedkeyError `bad_signature_data`
   */
  unframe?(file: Uint8Array, name: string): Unframed | undefined;
  /** What a signature covers: the text, whichever form is downloaded, or the file as it lies there. */
  readonly signs: "text" | "file";
  /** Names of package files. */
  readonly packageName: RegExp;
  /** How its roots are signed, if otherwise than with a binary and an armored signature beside them. */
  readonly signing?: Signing;
  /**
   * Reads a root that lists its packages in other files. Without this, it is its own list.
   * @throws FeedkeyError `bad_index`; `wrong_feed` if it is not what is wanted
   */
  content?(signed: Uint8Array, wanted: Wanted): RootContent;
  /** By what a profile chooses among its packages: suite, components and architectures, all of them given; or architectures alone, if it likes. */
  readonly divided?: "suites" | "architectures";
  /** Bytes that a root may have, if fewer than other indexes. */
  readonly maxRoot?: number;
  /** Blanks at the ends of a root's lines, and the end of its last line, mean nothing: a signed text comes without them. */
  readonly ignoresBlankEnds?: true;
  /** Its entries give no size: a file is known by its digest alone. */
  readonly lacksSizes?: true;
  /** What its packages need of each other; undefined: they are no packages. */
  readonly relations?: Relations;
  /** What its stock clients need before only a new key signs: the end of "its stock clients need". */
  readonly needs: string;
  /** The stock program that can follow RSA keys alone, if there is such a one. */
  readonly rsaReader?: string;
  /** Negative if `a` is older, positive if newer, 0 if neither. */
  compareVersions(a: string, b: string): number;
  /**
   * Checks the text of an index and makes its packages findable. The text's memory is shared, not copied.
   * @param wanted leaves out packages of other architectures, where the format is divided by them alone
   * @throws FeedkeyError `bad_index` with the line
   */
  read(text: Uint8Array, wanted?: Wanted): PackageIndex;
}

/** The form that a name ends as; undefined for one that is not compressed. */
export function formOf(forms: readonly CompressedForm[], name: string): CompressedForm | undefined {
  return forms.find((form) => name.endsWith(`.${form}`));
}

/** The name without the ending of a compressed form. */
export function withoutForm(forms: readonly CompressedForm[], name: string): string {
  const form = formOf(forms, name);
  return form === undefined ? name : name.slice(0, -form.length - 1);
}
