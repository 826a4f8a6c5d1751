/** The differences between the formats when a feed is published. */
import type { SignatureFile } from "../formats/format.ts";
import type { PackageIndex } from "../formats/package-index.ts";
import type { ArchiveFeed, WrittenFeed } from "../profile/types.ts";
import type { FolderView } from "../signing/published-tree.ts";
import type { Duration, Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { ScannedPackage } from "./scan/scan.ts";

/** The two parts of a stanza; together they end in a newline. */
export interface StanzaParts {
  readonly own: Uint8Array;
  readonly added: string;
}

/** A package that will be listed. */
export type ToList = Omit<Listed, "stanza"> & StanzaParts;

/** A package with its stanza. */
export interface Listed {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** As in the index. */
  readonly path: string;
  /** SHA-256 of the package file, lower-case hex. */
  readonly sha256: string;
  /** A view into the text of the index. */
  readonly stanza: Uint8Array;
}

export interface FileWrite {
  /** Below the feed's folder. */
  readonly name: string;
  readonly data: Uint8Array;
}

/** A file with its own signature. */
export interface SignedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A file, with the names and kinds of its signature files; the one that is always right comes last. */
export interface FileToSign extends SignedFile {
  readonly signatures: readonly SignatureFile[];
}

/** The files of a planned index. */
export interface IndexFiles {
  /**
   * The signed files: the one that is always there, then its other forms. All are signed together, so that no form is ever older
   * than another.
   */
  readonly signed: readonly [SignedFile, ...SignedFile[]];
  /** Files whose contents are to change: one that lists others comes after them. */
  readonly writes: readonly FileWrite[];
  /** Files to be removed, in this order: forms of an older index, and their signatures. */
  readonly removes: readonly string[];
}

/** Where the root of a feed is in its folder, whoever wrote it. */
export interface RootLayout {
  /** The signed file that is always there. */
  readonly signed: string;
  /**
   * The text of the index: the signed file itself, or the lists that it names.
   * @param folder where the files are that it lists
   * @throws FeedkeyError `bad_index`
   */
  textOf(signed: Uint8Array, folder: FolderView): Promise<Uint8Array>;
  /** @throws FeedkeyError `bad_path`, `output` if a file there can't be read */
  files(given: ToLayOut): Promise<IndexFiles>;
}

/** The wanted state of a feed, and the published one. */
export interface ToLayOut {
  readonly feed: ArchiveFeed;
  readonly folder: FolderView;
  /** The index to publish. */
  readonly text: Uint8Array;
  /** The packages from which it was made, if it was made here. */
  readonly listed: readonly Listed[] | undefined;
  /** The signed file there; undefined if there is none. */
  readonly before: Uint8Array | undefined;
  /** Whether the archive published or signed exactly these bytes before; otherwise the file is not signed again. */
  isOwn(file: SignedFile): Promise<boolean>;
  readonly at: Instant;
  /** How long published signatures are valid. */
  readonly validFor: Duration;
  /** The archive's keys that may sign now, the oldest first. */
  readonly signers: readonly Fingerprint[];
}

/** How a feed's index is made from packages. */
export interface FeedLayout extends RootLayout {
  /** Folder that paths in the index are relative to, if the packages are in it; by default the feed's own. */
  baseOf?(feed: Pick<WrittenFeed, "path">): string;
  /**
   * @param path as in the index
   * @throws FeedkeyError `bad_package` for a package that can't be listed in the index
   */
  stanzaOf(scanned: ScannedPackage, path: string, feed: WrittenFeed): StanzaParts;
  /** Variables that a package's stanza should have but lacks, although clients accept it. */
  lacking(own: Uint8Array): readonly string[];
  compareVersions(a: string, b: string): number;
  /** @throws FeedkeyError `bad_index` */
  read(text: Uint8Array): PackageIndex;
}
