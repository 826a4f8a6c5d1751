/** How the formats differ when feedkey publishes a feed. */
import type { SignatureFile } from "../formats/format.ts";
import type { PackageIndex } from "../formats/package-index.ts";
import type { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import type { ArchiveFeed, WrittenFeed } from "../profile/types.ts";
import type { FolderView } from "../signing/published-tree.ts";
import type { Duration, Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { FileWrite, IndexForms, SignedFile } from "./index-text/index-forms.ts";
import type { ScannedPackage } from "./scan/scan.ts";

export type { FileWrite, SignedFile } from "./index-text/index-forms.ts";

/** The two parts of a stanza. Together they end in a newline. */
export interface StanzaParts {
  readonly own: Uint8Array;
  readonly added: string;
}

/** A file to sign, with the names and kinds of its signature files. The signature file that is always right comes last. */
export interface FileToSign extends SignedFile {
  readonly signatures: readonly SignatureFile[];
}

/** The files of a planned index. */
export interface IndexFiles {
  /**
   * The signed files: first the file that is always published, then its other forms. feedkey signs all forms together, so that
   * no form is ever older than another.
   */
  readonly signed: readonly [SignedFile, ...SignedFile[]];
  /** Files whose contents change. A file that lists other files comes after these. */
  readonly writes: readonly FileWrite[];
  /** Files to remove, in this order: forms of an older index, and their signatures. */
  readonly removes: readonly string[];
}

/** Where a feed's root is in the feed's folder, whichever program wrote the root. */
export interface RootLayout {
  /** The name of the signed file that is always published. */
  readonly signed: string;
  /**
   * Returns the texts of a feed's package lists, by name: the signed file itself, or the lists that the signed file names.
   * @param folder the folder with the listed files
   * @throws FeedkeyError `bad_index`
   */
  textsOf(signed: HashedDocument, folder: FolderView): Promise<ReadonlyMap<string, HashedDocument>>;
}

/** The wanted state and the published state of a feed. */
export interface ToLayOut {
  readonly feed: ArchiveFeed;
  readonly folder: FolderView;
  /** The index to publish. */
  readonly index: IndexForms;
  /** The published signed file; undefined if none is published. */
  readonly before: HashedDocument | undefined;
  /** Tells whether the archive published or signed exactly these bytes before. Other files are not signed again. */
  isOwn(file: SignedFile): Promise<boolean>;
  readonly at: Instant;
  /** How long published signatures are valid. */
  readonly validFor: Duration;
  /** The archive's keys that may sign now, the oldest first. */
  readonly signers: readonly Fingerprint[];
}

/** How a feed's index is made from packages. */
export interface FeedLayout extends RootLayout {
  /** Returns the folder that paths in the index are relative to, if the packages are below it. By default the feed's folder. */
  baseOf?(feed: Pick<WrittenFeed, "path">): string;
  /**
   * Returns the stanza of a package.
   * @param path the package's path as the index gives it
   * @throws FeedkeyError `bad_package` if the index can't list the package
   */
  stanzaOf(scanned: ScannedPackage, path: string, feed: WrittenFeed): StanzaParts;
  /** Returns the names of all lists. Without this method a feed has one list, named after the index. */
  listsOf?(feed: WrittenFeed): readonly string[];
  /** Returns the names of the lists that contain a package. @param path the package's path as the index gives it */
  listedIn?(scanned: ScannedPackage, path: string, feed: WrittenFeed): readonly string[];
  /**
   * Returns the files of the planned index.
   * @throws FeedkeyError `bad_path`, `output` if a published file can't be read; `bad_index` if no client would accept a file
   */
  files(given: ToLayOut): Promise<IndexFiles>;
  /** Returns the fields that a package's own part of the stanza should have but lacks. Clients accept the stanza anyway. */
  lacking?(own: Uint8Array): readonly string[];
  compareVersions(a: string, b: string): number;
  /** @throws FeedkeyError `bad_index` */
  read(text: Uint8Array): PackageIndex;
  /**
   * Checks a text as `read` does, except for packages that appear twice. The text comes in pieces of whole stanzas.
   * @throws FeedkeyError `bad_index`
   */
  check(pieces: Iterable<Uint8Array>): void;
}
