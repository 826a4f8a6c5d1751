/** Plans the changes of `publish` in one feed; they are then shown or applied. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { formatOf } from "../formats/formats.ts";
import type { ArchiveFeed, WrittenFeed } from "../profile/types.ts";
import type { FolderView, PublishedFolder, PublishedTree } from "../signing/published-tree.ts";
import type { Duration, Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { packageUrl } from "../trust/package-path.ts";
import type { FileToSign, FileWrite, Listed, ToList } from "./feed-layout.ts";
import { layoutOf, rootOf, toSign } from "./feed-layouts.ts";
import { certificateBeside, inOrder, type Signers, severalOf } from "./feed-signers.ts";
import { indexChanges } from "./index-changes.ts";
import { refuseUnreadable, warnOfEnd, warnOfSize } from "./readable-index.ts";
import type { ScannedPackage } from "./scan/scan.ts";
import { dateAfter } from "./signature-date.ts";
import { planSignatureFiles, signatureNames } from "./signature-files.ts";
import { isOwn, type Vouchers } from "./vouched-file.ts";
import { whySign } from "./why-sign.ts";

/** What changes in one folder. */
export interface FolderPlan {
  readonly folder: PublishedFolder;
  /** The signed files, each with its own signature: the one that is always there, then its other forms. */
  readonly signed: readonly [FileToSign, ...FileToSign[]];
  /** Files whose contents are to change. */
  readonly writes: readonly FileWrite[];
  /** Files to be removed, in this order. */
  readonly removes: readonly string[];
  /** The date of the new signatures. */
  readonly date: Instant;
}

export interface FeedPlan extends FolderPlan {
  readonly feed: ArchiveFeed;
  /** Undefined where another program lists them. */
  readonly packages: number | undefined;
  /** Lines for people: packages that are added, removed or changed. */
  readonly changes: readonly string[];
  /** Who signs it, in the order of their signatures. */
  readonly signers: readonly Fingerprint[];
  /** Why the index is signed again, in all its forms; undefined if the present signatures are good enough. */
  readonly sign: string | undefined;
  /** Notes for the keepers, in words. */
  readonly warnings: readonly string[];
}

/** Path of a package in the index: relative to the feed if it is in it, else to the archive. */
export function indexPath(feed: WrittenFeed, path: string): string {
  const inRoot = feed.packages === "" ? path : `${feed.packages}/${path}`;
  const base = baseOf(feed);
  if (base === "") return inRoot;
  return inRoot.startsWith(`${base}/`) ? inRoot.slice(base.length + 1) : inRoot;
}

function baseOf(feed: WrittenFeed): string {
  return layoutOf(feed).baseOf?.(feed) ?? feed.path;
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The new index of a feed. */
export interface IndexText {
  readonly text: Uint8Array;
  /** Undefined where another program lists them. */
  readonly packages: number | undefined;
  /** What it was made of, if it was made here. */
  readonly listed?: readonly Listed[];
  /** Why package files of the feed are left out. */
  readonly bad?: readonly FeedkeyError[];
}

/**
 * The index of the packages found: sorted by name, version, architecture and path, so that the same packages give the same
 * bytes.
 * @returns the bytes, and the packages whose control data can't be written into an index
 */
export function makeIndex(
  feed: WrittenFeed,
  scanned: readonly ScannedPackage[],
): IndexText & { readonly listed: readonly Listed[]; readonly bad: readonly FeedkeyError[] } {
  const layout = layoutOf(feed);
  const found: ToList[] = [];
  const bad: FeedkeyError[] = [];
  for (const one of scanned) {
    try {
      const path = indexPath(feed, one.path);
      refusePath(feed, path);
      const { name, version, architecture, sha256 } = one;
      found.push({ name, version, architecture, path, sha256, ...layout.stanzaOf(one, path, feed) });
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      const message = `package ${escapeText(one.path)}: ${error.message}`;
      bad.push(
        new FeedkeyError(error.code, message, {
          details: { ...error.details, path: one.path },
          cause: error,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        }),
      );
    }
  }
  found.sort((a, b) => {
    return (
      byText(a.name, b.name) ||
      layout.compareVersions(a.version, b.version) ||
      byText(a.version, b.version) ||
      byText(a.architecture, b.architecture) ||
      byText(a.path, b.path)
    );
  });
  refuseTwins(found);
  return { ...writeText(found), packages: found.length, bad };
}

/** T12: packages that clients would refuse to fetch are not published. @throws FeedkeyError `bad_path` */
function refusePath(feed: WrittenFeed, path: string): void {
  const place = packageUrl("https://archive.invalid/", baseOf(feed), path);
  if (!("code" in place)) return;
  throw new FeedkeyError(place.code, `clients would refuse it: ${escapeText(place.reason)}`, {
    hint: "rename the file, then publish again",
  });
}

/** The text of an index, written in one go to save memory. */
function writeText(found: readonly ToList[]): { text: Uint8Array; listed: Listed[] } {
  const newline = 0x0a;
  const length = found.reduce((sum, { own, added }) => sum + own.length + Buffer.byteLength(added) + 1, 0);
  const text = Buffer.allocUnsafeSlow(length);
  let end = 0;
  const listed = found.map(({ own, added, ...one }) => {
    const start = end;
    text.set(own, start);
    end = start + own.length;
    end += text.write(added, end);
    text[end++] = newline;
    return { ...one, stanza: text.subarray(start, end - 1) };
  });
  return { text, listed };
}

/** Two files of one name, version and architecture: clients could get either (T13). */
function refuseTwins(listed: readonly ToList[]): void {
  for (const [i, one] of listed.entries()) {
    const next = listed[i + 1];
    if (next?.name !== one.name || next.version !== one.version || next.architecture !== one.architecture) continue;
    const what = `${one.name} ${one.version} ${one.architecture}`;
    throw new FeedkeyError(
      "bad_package",
      `two packages are both ${escapeText(what)}: ${escapeText(one.path)} and ${escapeText(next.path)}`,
      {
        details: { paths: [one.path, next.path] },
        hint: "remove one of them: clients must never have to guess",
      },
    );
  }
}

/** Whether the plan changes anything. */
export function changesAnything({ writes, removes, sign }: Pick<FeedPlan, "writes" | "removes" | "sign">): boolean {
  return writes.length > 0 || removes.length > 0 || sign !== undefined;
}

export interface PlanTerms {
  readonly at: Instant;
  readonly validFor: Duration;
  readonly allowEmpty: boolean;
  /** Replace signatures of other programs. */
  readonly force: boolean;
  /** The archive's keys that may sign now, the oldest first. */
  readonly signers: readonly Fingerprint[];
  /** Which published files may be signed again. */
  readonly vouchers: Vouchers;
}

const unreadableHint = "check the control data of the package in that line, or report a bug";

/**
 * Plans one feed.
 * @param folder what is published there, read once
 * @param index the index that is to be published
 * @param keys who may sign it
 * @throws FeedkeyError `bad_package`, `bad_path`; `bad_index` if no client would take the index; `would_break` if another
 * program's signature is in the way; `not_found` if all packages vanished and that was not allowed
 */
export async function planFeed(
  tree: PublishedTree,
  feed: ArchiveFeed,
  folder: FolderView,
  { text, packages, listed, bad = [] }: IndexText,
  keys: Signers,
  terms: PlanTerms,
): Promise<FeedPlan> {
  const layout = rootOf(feed);
  const before = await folder.read(layout.signed);
  // A file that can't be read is replaced.
  const oldText = before && (await layout.textOf(before, folder).catch(() => undefined));
  if (packages === 0 && before !== undefined && oldText?.length !== 0 && !terms.allowEmpty) {
    const [first] = bad;
    const why = first === undefined ? "" : `; ${bad.length} can't be published, the first because ${first.message}`;
    throw new FeedkeyError(
      "not_found",
      `no package is left for feed "${feed.name}", whose published index lists some${why}`,
      {
        details: {
          feed: feed.name,
          folder: tree.folder(feed.packages ?? feed.path).path,
          bad: bad.map(({ message }) => message),
        },
        hint:
          first === undefined
            ? "is the folder mounted? if the feed really is to be empty, use --allow-empty"
            : "run it without --skip-bad to see what is wrong with each; if the feed really is to be empty, use --allow-empty",
      },
    );
  }
  const { writes, ...files } = await layout.files({
    ...{ feed, folder, text, listed, before, at: terms.at, validFor: terms.validFor, signers: terms.signers },
    isOwn: (file) => isOwn(feed, folder, file, terms.vouchers),
  });
  const [root, ...others] = files.signed;
  const { signing } = formatOf(feed.format);
  const beside = await certificateBeside(folder, root.name, signing, keys, terms.at);
  const signed = [toSign(feed, root), ...others.map((file) => toSign(feed, file))] as const;
  const removes = [...files.removes, ...(await planSignatureFiles(folder, signed, terms.force))];
  const same = before !== undefined && Buffer.compare(before, signed[0].bytes) === 0;
  const signers = inOrder(severalOf(feed), keys);
  const sign = same ? await whySign(folder, signed, signers, feed, terms) : "the index changes";
  const what = `the index of feed "${feed.name}"`;
  // The existing file was checked when it was read.
  const { warnings } =
    same || listed === undefined || feed.packages === undefined
      ? { warnings: warnOfSize(what, text.length) }
      : refuseUnreadable(what, feed.format, text, unreadableHint);
  const changes = same || feed.packages === undefined ? [] : indexChanges(oldText, text, listed, layoutOf(feed).read);
  // Including files that will be removed: a client may have accepted them, so their dates count.
  const date = await dateAfter(folder, [...signatureNames(signed), ...removes], terms.vouchers.signers, terms.at);
  const alone = severalOf(feed) === "one" ? [] : keys.missing;
  return {
    feed,
    folder: tree.folder(feed.path),
    signed,
    packages,
    changes: changes.map(escapeText),
    writes: [...writes, ...beside],
    removes,
    signers: signers.map(({ raw }) => raw.fingerprint),
    sign,
    date,
    warnings: [
      ...warnings,
      ...(feed.packages === undefined ? warnOfEnd(what, signing, text, terms.at) : []),
      ...alone.map((why) => `feed "${feed.name}" is not signed by both keys of the rotation: ${why}`),
    ],
  };
}
