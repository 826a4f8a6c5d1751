/** Signs an index that another program wrote, as the index's format requires. */
import { basename, dirname, join, resolve } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { SeveralSignatures, Signing } from "../formats/format.ts";
import {
  compressionNamed,
  formatOfRoot,
  formats,
  maxIndexBytes,
  publishedSignatures,
  type SignatureForm,
} from "../formats/formats.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import { detectCompression } from "../packages/compression/compression.ts";
import { summaryForms } from "../profile/summary-forms.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import type { Own } from "../signing/delegate-check.ts";
import { type FolderView, type PublishedFolder, PublishedTree } from "../signing/published-tree.ts";
import { type SignerOf, withOwnKeys } from "../signing/signing-key.ts";
import type { Instant } from "../time.ts";
import { addChecksums } from "./add-checksums.ts";
import type { FileToSign } from "./feed-layout.ts";
import { certificateBeside, inOrder, type KeysAround } from "./feed-signers.ts";
import { type SignOptions, signFile } from "./index-signature.ts";
import { compressIndex } from "./index-text/index-compression.ts";
import { type ListReader, readForeignRoot } from "./layouts/foreign-root.ts";
import { applyPlans, type SignedPlan } from "./publish-apply.ts";
import type { FolderPlan } from "./publish-plan.ts";
import { refuseUnreadableFile, warnOfNone } from "./readable-index.ts";
import { dateAfter } from "./signature-date.ts";
import { planSignatureFiles, signatureNames } from "./signature-files.ts";
import { isSummaryName, staleSignatures, summaryText } from "./summary-files.ts";

interface SignFileOptions extends SignOptions {
  /** For a pkg_summary: whether to add the size and the SHA-256 digest of each package before signing. */
  readonly addChecksums: boolean;
  /** Whether to write the text and its signatures into one file. Only some formats support one file for both. */
  readonly framed: boolean;
  readonly form: SignatureForm;
  /** Whether to sign even an index that no client can read, and to replace signatures that other programs wrote. */
  readonly force: boolean;
  /** The key store's certificates. The new signature has a later date than all earlier signatures by these certificates' keys. */
  readonly own: Own;
  /** Whether the caller requested several keys. If so, feedkey refuses a file that can have only one signature. */
  readonly severally: boolean;
  /** The archive's feed, if its folder is not the file's folder. New signatures are dated after the signatures in the feed's folder. */
  readonly feedAt:
    | { readonly feed: ArchiveFeed; readonly folder: FolderView; readonly signatures: readonly string[] }
    | undefined;
}

export interface SignedIndex {
  readonly index: string;
  readonly files: readonly string[];
  /**
   * The removed signature files. They covered an older index in another form of the summary, or are in a form that feedkey no longer
   * writes.
   */
  readonly removed: readonly string[];
  readonly sha256: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | undefined;
}

/** The result for all files. */
export interface SignedFiles {
  readonly signed: readonly SignedIndex[];
  readonly files: readonly FileToSign[];
  readonly warnings: readonly string[];
}

/** The plan for an index file that feedkey may sign. */
interface FilePlan extends FolderPlan {
  readonly path: string;
  readonly several: SeveralSignatures;
  readonly warnings: readonly string[];
}

/**
 * Reads an index.
 * @throws FeedkeyError `not_found` if the index does not exist; `bad_path` or `output` if the index is unreadable
 */
async function readIndex(folder: PublishedFolder, path: string): Promise<Uint8Array> {
  const index = await folder.read(basename(path), maxIndexBytes);
  if (index !== undefined) return index;
  throw new FeedkeyError("not_found", `the index ${escapeText(path)} does not exist`, {
    details: { path, reason: "ENOENT" },
    hint: "write the index first, and then sign it",
  });
}

/**
 * Refuses options that do not fit the file.
 * @throws FeedkeyError `usage` if the format of the file does not support an option
 */
function refuseMisfit(path: string, signing: Signing | undefined, { severally, framed }: SignFileOptions): void {
  const name = basename(path);
  if (severally && (signing?.several ?? "one") === "one") {
    throw new FeedkeyError("usage", `${escapeText(name)} can be signed by only one key`, {
      hint: "omit --also-key: clients of this format refuse an index unless they have the keys of all signers",
    });
  }
  if (signing === undefined && /^Packages\.(gz|xz|zst|bz2)$/.test(name)) {
    throw new FeedkeyError("usage", `an opkg index must be signed uncompressed, not as ${name}`, {
      hint: `sign ${path.replace(/\.[a-z0-9]+$/, "")}: clients use its signature for the compressed form too`,
    });
  }
  if (framed && !(signing?.files(name, true) ?? []).some(({ holds }) => holds === "framed")) {
    throw new FeedkeyError("usage", `${escapeText(name)} can't contain its own signature`, {
      hint: "omit --clearsign: clients of this format expect the signature in a separate file",
    });
  }
}

async function planIndexFile(
  path: string,
  together: readonly string[],
  keys: KeysAround<SignerOf>,
  signers: KeyIndex,
  options: SignFileOptions,
): Promise<FilePlan> {
  const { form, framed, force } = options;
  const name = basename(path);
  const format = formatOfRoot(name);
  const signing = format?.signing;
  refuseMisfit(path, signing, options);
  const folder = (await PublishedTree.open(dirname(path))).folder("");
  const there = await readIndex(folder, path);
  const bytes = options.addChecksums ? await withChecksums(path, there) : there;
  const what = escapeText(path);
  const warnings = force
    ? []
    : format === undefined
      ? (await refuseUnreadableFile(name, what, bytes)).warnings
      : warnOfNone(what, await readForeignRoot({ format, bytes, what, ...whereabouts(folder, name, options) }));
  const signed = [
    { name, document: new HashedDocument(bytes), signatures: publishedSignatures(name, signing, form, framed) },
  ] as const;
  const unused = await planSignatureFiles(folder, signed, force);
  const removes = [...unused, ...(await staleBeside(folder, path, bytes, together))];
  const beside = await dateAfter(folder, [...signatureNames(signed), ...unused], signers, options.at);
  const { folder: place = folder, signatures = [] } = options.feedAt ?? {};
  const date = Math.max(beside, await dateAfter(place, signatures, signers, options.at));
  const certificates = await certificateBeside(folder, name, signing, keys, options.at);
  const writes = [...(bytes === there ? [] : [{ name, data: bytes }]), ...certificates];
  return { path, folder, signed, writes, removes, date, several: signing?.several ?? "one", warnings };
}

/** Returns the folder of a root's package lists while feedkey signs the root, and the feed to which the root belongs. */
function whereabouts(folder: PublishedFolder, name: string, { feedAt, at }: SignFileOptions) {
  // reprepro writes all new files with this ending, has feedkey sign the root, and then renames the files. aptly has feedkey sign a copy
  // of the root in another folder.
  const ending = /\.new$/.exec(name)?.[0];
  const list: ListReader = async (place) => {
    const renamed = ending === undefined ? undefined : await folder.readOnce(place + ending);
    return renamed ?? (await folder.readOnce(place)) ?? (await feedAt?.folder.readOnce(place));
  };
  const hint =
    "run the program that wrote the index again; --force signs the index unchanged, for other clients that can read it";
  return { feed: feedAt?.feed, list, at, hint };
}

/**
 * Signs index files, and writes the signature files beside each index. If feedkey may not sign one of the indexes, it signs no index.
 * Removes signatures over other forms of a summary if they cover another index, so that no older signed form is beside the new index.
 * @throws FeedkeyError `not_found`, `bad_path`; `usage` for the compressed form of an opkg index, or for several keys if only one key may
 * sign; `bad_index` if clients would refuse an index; `would_break` if feedkey would have to replace another program's signature; and
 * the errors of `signFile`
 */
export async function signIndexFiles(
  paths: readonly string[],
  keys: KeysAround<SignerOf>,
  options: SignFileOptions,
): Promise<SignedFiles> {
  const signers = await KeyIndex.of([...options.own.values()].map(withOwnKeys));
  const plans: FilePlan[] = [];
  for (const path of paths) plans.push(await planIndexFile(path, paths, keys, signers, options));
  const made: (SignedPlan & { readonly signed: SignedIndex })[] = [];
  for (const plan of plans) {
    const [file] = plan.signed;
    const signatures = await signFile(file, inOrder(plan.several, keys), { ...options, at: plan.date });
    made.push({ plan, signatures: [signatures], signed: told(plan, signatures) });
  }
  await applyPlans(made, undefined);
  const warnings = plans.flatMap((plan) => plan.warnings);
  return { signed: made.map(({ signed }) => signed), files: plans.map(({ signed: [file] }) => file), warnings };
}

function told(
  { path, signed, writes, removes }: FilePlan,
  { createdAt, expiresAt }: Pick<SignedIndex, "createdAt" | "expiresAt">,
): SignedIndex {
  const beside = (name: string) => join(dirname(path), name);
  return {
    index: path,
    files: [...writes.map(({ name }) => name), ...signatureNames(signed)].map(beside),
    removed: removes.map(beside),
    sha256: signed[0].document.sha256,
    createdAt,
    expiresAt,
  };
}

/** Returns the names of the signature files beside a summary that cover an older summary. */
async function staleBeside(
  beside: PublishedFolder,
  path: string,
  bytes: Uint8Array,
  together: readonly string[],
): Promise<string[]> {
  if (!isSummaryName(basename(path))) return [];
  const [folder, own] = [dirname(path), basename(path)];
  const also = together.filter((other) => resolve(dirname(other)) === resolve(folder)).map((other) => basename(other));
  return await staleSignatures(beside, bytes, [own, ...also]);
}

/**
 * Returns the summary with checksums, compressed as before.
 * @throws FeedkeyError `usage` if feedkey can't write this compression, and the errors of `addChecksums`
 */
async function withChecksums(path: string, there: Uint8Array): Promise<Uint8Array> {
  const name = basename(path);
  const kind = detectCompression(there);
  const form = summaryForms.find((one) => name.endsWith(`.${one}`));
  // feedkey does not write bzip2.
  if (kind === "bzip2" || kind !== compressionNamed(formats.pkgsrc, name)) {
    throw new FeedkeyError(
      "usage",
      `--add-checksums can't write ${escapeText(name)}: it accepts only pkg_summary, or pkg_summary.gz, .xz or .zst if the file is compressed as its name says`,
      {
        hint: "add the checksums to pkg_summary itself, and then compress pkg_summary",
      },
    );
  }
  const text = await summaryText(there);
  const added = await addChecksums(text, dirname(path));
  if (Buffer.compare(added, text) === 0) return there;
  if (form === undefined) return added;
  const pieces = [];
  for await (const piece of compressIndex(added, form)) pieces.push(piece);
  return Buffer.concat(pieces);
}
