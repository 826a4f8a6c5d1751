/** Describes everything about a format that feedkey needs to publish a feed. */
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

/** The two parts of a stanza. Together they end with a newline. */
export interface StanzaParts {
  readonly own: Uint8Array;
  readonly added: string;
}

/**
 * A file to sign, with the names and kinds of its signature files. The last signature file always matches the index.
 */
export interface FileToSign extends SignedFile {
  readonly signatures: readonly SignatureFile[];
}

/** The files of a planned index. */
export interface IndexFiles {
  /**
   * The signed files: first the file that is always published, then its other forms. feedkey signs all forms in one run, so no form is
   * ever older than another form.
   */
  readonly signed: readonly [SignedFile, ...SignedFile[]];
  /** The files whose contents change. A file that lists other files comes after them. */
  readonly writes: readonly FileWrite[];
  /** The files to remove, in this order: forms of an older index, and the signatures over them. */
  readonly removes: readonly string[];
}

/** Describes where a feed's root (the signed file) is in the feed's folder. Any program may have written the root. */
export interface RootLayout {
  /** The name of the signed file that is always published. */
  readonly signed: string;
  /**
   * Returns the texts of a feed's package lists, by name. Either the signed file itself is the list, or the signed file names the lists.
   * @param folder the folder with the lists that the signed file names
   * @throws FeedkeyError `bad_index` if a list is missing or wrong
   */
  textsOf(signed: HashedDocument, folder: FolderView): Promise<ReadonlyMap<string, HashedDocument>>;
}

/** The index that a feed should have, and the published signed file. */
export interface ToLayOut {
  readonly feed: ArchiveFeed;
  readonly folder: FolderView;
  /** The index to publish. */
  readonly index: IndexForms;
  /** The published signed file; undefined if no signed file is published. */
  readonly before: HashedDocument | undefined;
  /** Whether the archive has already published or signed exactly these bytes. feedkey does not sign any other published file again. */
  isOwn(file: SignedFile): Promise<boolean>;
  readonly at: Instant;
  /** How long new signatures are valid. */
  readonly validFor: Duration;
  /** The archive's keys that may sign now, the oldest first. */
  readonly signers: readonly Fingerprint[];
}

/** Describes how feedkey builds a feed's index from packages. */
export interface FeedLayout extends RootLayout {
  /**
   * Returns the folder to which paths in the index are relative, if the packages are below this folder. Without this method, paths are
   * relative to the feed's folder.
   */
  baseOf?(feed: Pick<WrittenFeed, "path">): string;
  /**
   * Returns the stanza of a package.
   * @param path the package's path in the index
   * @throws FeedkeyError `bad_package` if the index can't list the package
   */
  stanzaOf(scanned: ScannedPackage, path: string, feed: WrittenFeed): StanzaParts;
  /** Returns the names of all package lists. Without this method, a feed has one list, with the name of the index. */
  listsOf?(feed: WrittenFeed): readonly string[];
  /**
   * Returns the names of the package lists that contain a package.
   * @param path the package's path in the index
   */
  listedIn?(scanned: ScannedPackage, path: string, feed: WrittenFeed): readonly string[];
  /**
   * Returns the published files of an index.
   * @throws FeedkeyError `bad_path` or `output` if a published file is unreadable; `bad_index` if no client would accept a file
   */
  files(given: ToLayOut): Promise<IndexFiles>;
  /** Returns the fields that are missing in a package's own part of the stanza. Clients accept the stanza without these fields. */
  lacking?(own: Uint8Array): readonly string[];
  compareVersions(a: string, b: string): number;
  /**
   * Reads a package list.
   * @throws FeedkeyError `bad_index` if the text is not a package list of this format
   */
  read(text: Uint8Array): PackageIndex;
  /**
   * Checks a package list like `read`, but does not look for packages that appear twice.
   * @param pieces the text, in pieces of whole stanzas
   * @throws FeedkeyError `bad_index` if the text is not a package list of this format
   */
  check(pieces: Iterable<Uint8Array>): void;
}
