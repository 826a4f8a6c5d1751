/** Use case: sign an existing index. `INDEX.asc` and `INDEX.sig` have the same signature. */

import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { commitStaged } from "../files/atomic.ts";
import { compressionNamed, formatOfRoot, formats, signatureFiles } from "../formats/formats.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { detectCompression } from "../packages/compression/compression.ts";
import { summaryForms } from "../profile/summary-forms.ts";
import { type PublishedFolder, PublishedTree } from "../signing/published-tree.ts";
import { type SignerOf, withOwnKeys } from "../signing/signing-key.ts";
import type { Instant } from "../time.ts";
import { addChecksums } from "./add-checksums.ts";
import type { FileWrite } from "./feed-layout.ts";
import { compressIndex } from "./index-compression.ts";
import { signIndexBytes } from "./index-signature.ts";
import { stageIndex } from "./publish-apply.ts";
import { refuseUnreadableFile } from "./readable-index.ts";
import { onlyKey, planRoot, readIndex, type SignedIndex, type SignFileOptions } from "./sign-root.ts";
import { dateAfter } from "./signature-date.ts";
import { planSignatureFiles } from "./signature-files.ts";
import { isSummaryName, staleSignatures, summaryText } from "./summary-files.ts";

/** An index file that may be signed. */
interface SignPlan {
  readonly path: string;
  readonly folder: PublishedFolder;
  readonly bytes: Uint8Array;
  readonly writes: readonly FileWrite[];
  /** Names of signature files. */
  readonly removes: readonly string[];
  readonly date: Instant;
  readonly warnings: readonly string[];
}

async function planIndexFile(
  path: string,
  together: readonly string[],
  signers: KeyIndex,
  { addChecksums, framed, form, force, at }: SignFileOptions,
): Promise<SignPlan> {
  const name = basename(path);
  if (/^Packages\.(gz|xz|zst|bz2)$/.test(name)) {
    throw new FeedkeyError("usage", `an opkg index is signed in its plain form, not as ${name}`, {
      hint: `sign ${path.replace(/\.[a-z0-9]+$/, "")}: its signature serves the compressed form too`,
    });
  }
  if (framed) {
    throw new FeedkeyError("usage", `${escapeText(name)} is not a file that can be one with its signature`, {
      hint: "leave --clearsign out: its clients look for a signature beside it",
    });
  }
  const folder = (await PublishedTree.open(dirname(path))).folder("");
  const there = await readIndex(folder, path);
  const bytes = addChecksums ? await withChecksums(path, there) : there;
  const { warnings } = force ? { warnings: [] } : await refuseUnreadableFile(name, escapeText(path), bytes);
  const removes = [
    ...(await planSignatureFiles(folder, { names: [name], form, force })),
    ...(await staleBeside(folder, path, bytes, together)),
  ];
  const date = await dateAfter(folder, signatureFiles(name), signers, at);
  const writes = bytes === there ? [] : [{ name, data: bytes }];
  return { path, folder, bytes, writes, removes, date, warnings };
}

/** Writes what a plan says. */
async function signPlanned(
  { path, folder, bytes, writes, removes, date }: SignPlan,
  key: SignerOf,
  options: SignFileOptions,
): Promise<SignedIndex> {
  const signature = await signIndexBytes(bytes, key, { ...options, at: date });
  const staged = await stageIndex({ folder, writes }, new Map([[basename(path), signature]]), options.form);
  await folder.remove(removes);
  await commitStaged(staged);
  return {
    index: path,
    files: [...new Set(staged.map((file) => join(dirname(path), basename(file.path))))],
    removed: removes.map((file) => join(dirname(path), file)),
    sha256: createHash("sha256").update(bytes).digest("hex"),
    createdAt: signature.createdAt,
    expiresAt: signature.expiresAt,
  };
}

/**
 * Signs index files and writes the signature files beside each; none is signed unless all may be. Of a summary's other forms
 * there the signatures are removed where they cover another index: an older one must never lie signed beside the new one.
 * @throws FeedkeyError `not_found`, `bad_path`, `usage` for the compressed form of an opkg index; `bad_index` for what clients
 *   would refuse; `would_break` where another program's signature is in the way; and as `signIndexBytes`
 */
export async function signIndexFiles(
  paths: readonly string[],
  keys: readonly [SignerOf, ...SignerOf[]],
  options: SignFileOptions,
): Promise<{ readonly signed: readonly SignedIndex[]; readonly warnings: readonly string[] }> {
  const signers = await KeyIndex.of([...options.own.values()].map(withOwnKeys));
  const steps: (() => Promise<SignedIndex>)[] = [];
  const warnings: string[] = [];
  for (const path of paths) {
    const signing = formatOfRoot(basename(path))?.signing;
    if (signing !== undefined) {
      steps.push(await planRoot(path, signing, keys, signers, options));
      continue;
    }
    const plan = await planIndexFile(path, paths, signers, options);
    const key = onlyKey(path, keys);
    steps.push(() => signPlanned(plan, key, options));
    for (const warning of plan.warnings) warnings.push(warning);
  }
  const signed: SignedIndex[] = [];
  for (const step of steps) signed.push(await step());
  return { signed, warnings };
}

/** Names of signature files beside a summary that sign an older one. */
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

/** The summary with checksums, in the compression that it has. @throws FeedkeyError `usage` and as `addChecksums` */
async function withChecksums(path: string, there: Uint8Array): Promise<Uint8Array> {
  const name = basename(path);
  const kind = detectCompression(there);
  const form = summaryForms.find((one) => name.endsWith(`.${one}`));
  // feedkey does not write bzip2.
  if (kind === "bzip2" || kind !== compressionNamed(formats.pkgsrc, name)) {
    throw new FeedkeyError(
      "usage",
      `--add-checksums is for pkg_summary, .gz, .xz and .zst, not for ${escapeText(name)}`,
      {
        hint: "add the checksums to pkg_summary itself, then compress it; the name must match the compression",
      },
    );
  }
  const text = await summaryText(there);
  const added = await addChecksums(text, dirname(path));
  if (Buffer.compare(added, text) === 0) return there;
  return form === undefined ? added : await compressIndex(added, form);
}
