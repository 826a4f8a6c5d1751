/** The differences between the formats when a feed is published. */
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

/** The two parts of a stanza: put together, they end in a newline. */
export interface StanzaParts {
  readonly own: Uint8Array;
  readonly added: string;
}

/** A file with the names and kinds of the files that its signatures are written to, the one that is always right last. */
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
   * The texts of the lists that the signed file is, or leads to, by name.
   * @param folder where the files are that it lists
   * @throws FeedkeyError `bad_index`
   */
  textsOf(signed: HashedDocument, folder: FolderView): Promise<ReadonlyMap<string, HashedDocument>>;
}

/** The wanted state of a feed, and the published one. */
export interface ToLayOut {
  readonly feed: ArchiveFeed;
  readonly folder: FolderView;
  /** The index that is to be published. */
  readonly index: IndexForms;
  /** The signed file there; undefined if there is none. */
  readonly before: HashedDocument | undefined;
  /** Whether the archive published or signed exactly these bytes before: else the file is not signed again. */
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
  /** Names of all lists; one, called after the index, unless it says otherwise. */
  listsOf?(feed: WrittenFeed): readonly string[];
  /** Which of them a package is in. @param path as in the index */
  listedIn?(scanned: ScannedPackage, path: string, feed: WrittenFeed): readonly string[];
  /** @throws FeedkeyError `bad_path`, `output` if a file there can't be read; `bad_index` for one that no client takes */
  files(given: ToLayOut): Promise<IndexFiles>;
  /** What a package's own part of its stanza should say and does not, though clients accept it. */
  lacking?(own: Uint8Array): readonly string[];
  compareVersions(a: string, b: string): number;
  /** @throws FeedkeyError `bad_index` */
  read(text: Uint8Array): PackageIndex;
  /**
   * Checks a text that comes in pieces of whole stanzas as `read` would, but for packages that appear twice.
   * @throws FeedkeyError `bad_index`
   */
  check(pieces: Iterable<Uint8Array>): void;
}
