/** Plans the changes that `publish` makes in one feed. The caller then shows the plan or carries it out. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { formatOf } from "../formats/formats.ts";
import type { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import type { FolderView, PublishedFolder, PublishedTree } from "../signing/published-tree.ts";
import type { Duration, Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { FileToSign, FileWrite, IndexFiles, SignedFile } from "./feed-layout.ts";
import { layoutOf, rootOf, toSign } from "./feed-layouts.ts";
import { certificateBeside, inOrder, type Signers, severalOf } from "./feed-signers.ts";
import { indexChanges } from "./index-text/index-changes.ts";
import { type IndexForms, refuseLarge } from "./index-text/index-forms.ts";
import type { MadeRecord } from "./published-record.ts";
import { warnOfEnd, warnOfSize } from "./readable-index.ts";
import { dateAfter } from "./signature-date.ts";
import { planSignatureFiles, signatureNames } from "./signature-files.ts";
import { isOwn, type Vouchers } from "./vouched-file.ts";
import { whySign } from "./why-sign.ts";

/** The planned changes in one folder. */
export interface FolderPlan {
  readonly folder: PublishedFolder;
  /** The signed files, each with its own signatures: first the file that is always published, then its other forms. */
  readonly signed: readonly [FileToSign, ...FileToSign[]];
  /** The files whose contents change. */
  readonly writes: readonly FileWrite[];
  /** The files to remove, in this order. */
  readonly removes: readonly string[];
  /** The date of the new signatures. */
  readonly date: Instant;
}

export interface FeedPlan extends FolderPlan {
  readonly feed: ArchiveFeed;
  /** The number of packages; undefined if another program writes the index. */
  readonly packages: number | undefined;
  /** Lines that tell keepers which packages are added, removed or changed. */
  readonly changes: readonly string[];
  /** The keys that sign the index, in the order of their signatures. */
  readonly signers: readonly Fingerprint[];
  /** The reason to sign the index again, in all its forms; undefined if the present signatures can stay. */
  readonly sign: string | undefined;
  /** Warnings for the keepers, as sentences. */
  readonly warnings: readonly string[];
  /** The entry about this index for the record; undefined if feedkey did not build the index from known packages. */
  readonly made: MadeRecord | undefined;
}

/** The new index of a feed. */
export interface IndexText {
  /** The number of packages; undefined if another program writes the index. */
  readonly packages: number | undefined;
  /** The size, in bytes, of the index's text or of its largest package list. */
  readonly bytes: number;
  /** The files of the index; undefined if feedkey signs the published root unchanged. */
  readonly forms: IndexForms | undefined;
  /** For the record: a digest of the index's packages and settings; undefined if they are not known. */
  readonly from?: string | undefined;
  /** Notes about the index for the keepers, as sentences. */
  readonly notes?: readonly string[];
  /** For each omitted package file, an error with the reason. */
  readonly bad?: readonly FeedkeyError[];
}

/** Whether the plan changes anything. */
export function changesAnything({ writes, removes, sign }: Pick<FeedPlan, "writes" | "removes" | "sign">): boolean {
  return writes.length > 0 || removes.length > 0 || sign !== undefined;
}

interface PlanTerms {
  readonly at: Instant;
  readonly validFor: Duration;
  readonly allowEmpty: boolean;
  /** Whether to replace signatures that other programs wrote. */
  readonly force: boolean;
  /** The archive's keys that may sign now, the oldest first. */
  readonly signers: readonly Fingerprint[];
  /** The evidence that decides which published files feedkey may sign again. */
  readonly vouchers: Vouchers;
}

/** Whether the published index is readable and lists no packages. */
function isEmpty(texts: ReadonlyMap<string, HashedDocument> | undefined): boolean {
  return texts !== undefined && [...texts.values()].every(({ length }) => length === 0);
}

async function filesFor(
  feed: ArchiveFeed,
  folder: FolderView,
  index: IndexForms | undefined,
  before: HashedDocument | undefined,
  terms: PlanTerms,
): Promise<IndexFiles> {
  if (index !== undefined && feed.packages !== undefined) {
    const own = (file: SignedFile) => isOwn(feed, folder, file, terms.vouchers);
    return await layoutOf(feed).files({ ...terms, feed, folder, index, before, isOwn: own });
  }
  if (before === undefined) throw new FeedkeyError("internal", `feed "${feed.name}" has no root to sign`);
  return { signed: [{ name: rootOf(feed).signed, document: before }], writes: [], removes: [] };
}

/**
 * Plans the changes in one feed.
 * @param folder a snapshot of the feed's published folder
 * @param index the index to publish
 * @param keys the keys that may sign the index
 * @throws FeedkeyError `bad_package`, `bad_path`; `bad_index` if no client would accept the index; `would_break` if feedkey would have to
 * replace another program's signature; `not_found` if all packages have disappeared and `allowEmpty` is not set
 */
export async function planFeed(
  tree: PublishedTree,
  feed: ArchiveFeed,
  folder: FolderView,
  { packages, bytes, forms, from, notes = [], bad = [] }: IndexText,
  keys: Signers,
  terms: PlanTerms,
): Promise<FeedPlan> {
  const layout = rootOf(feed);
  const before = await folder.document(layout.signed);
  // If feedkey can't read a published file, it replaces the file.
  const textsBefore = async () => before && (await layout.textsOf(before, folder).catch(() => undefined));
  if (packages === 0 && before !== undefined && !terms.allowEmpty && !isEmpty(await textsBefore())) {
    const [first] = bad;
    const why = first === undefined ? "" : `; ${bad.length} can't be published, the first because ${first.message}`;
    throw new FeedkeyError(
      "not_found",
      `feed "${feed.name}" has no packages any more, but its published index still lists packages${why}`,
      {
        details: {
          feed: feed.name,
          folder: tree.folder(feed.packages ?? feed.path).path,
          bad: bad.map(({ message }) => message),
        },
        hint:
          first === undefined
            ? "check that the folder with the packages is mounted; if the feed must be empty, use --allow-empty"
            : "run the command without --skip-bad to see the problem with each package; if the feed must be empty, use --allow-empty",
      },
    );
  }
  const { writes, ...files } = await filesFor(feed, folder, forms, before, terms);
  const [root, ...others] = files.signed;
  const { signing } = formatOf(feed.format);
  const beside = await certificateBeside(folder, root.name, signing, keys, terms.at);
  const signed = [toSign(feed, root), ...others.map((file) => toSign(feed, file))] as const;
  const removes = [...files.removes, ...(await planSignatureFiles(folder, signed, terms.force))];
  const same = before?.equals(root.document) === true;
  const signers = inOrder(severalOf(feed), keys);
  const sign = same ? await whySign(folder, signed, signers, feed, terms) : "the index changes";
  const what = `the index of feed "${feed.name}"`;
  refuseLarge(what, root.document.length, formatOf(feed.format).maxRoot);
  const isAsIs = forms === undefined || feed.packages === undefined;
  const changes =
    same || isAsIs || forms.areKnown
      ? []
      : indexChanges((await textsBefore()) ?? new Map(), await forms.texts(), layoutOf(feed).read);
  // The date must also be later than the dates of the removed signatures, because a client may have accepted one of these signatures.
  const date = await dateAfter(folder, [...signatureNames(signed), ...removes], terms.vouchers.signers, terms.at);
  const alone = severalOf(feed) === "one" ? [] : keys.missing;
  return {
    feed,
    folder: tree.folder(feed.path),
    signed,
    packages,
    made: from === undefined ? undefined : { from, packages: packages ?? 0, bytes, notes, files: forms?.digests ?? {} },
    changes: changes.map(escapeText),
    writes: [...writes, ...beside],
    removes,
    signers: signers.map(({ raw }) => raw.fingerprint),
    sign,
    date,
    warnings: [
      ...warnOfSize(what, bytes),
      ...(feed.packages === undefined ? warnOfEnd(what, signing, root.document.bytes, terms.at) : []),
      ...alone.map((why) => `feed "${feed.name}" is not signed by both keys of the rotation: ${why}`),
    ],
  };
}
