/** Finds the files of a summary: `pkg_summary` and its compressed forms. */
import { onRefusal } from "../error.ts";
import { compressionNamed, formats, indexFileNames, maxIndexBytes, signatureFiles } from "../formats/formats.ts";
import { isOpenPgpFile } from "../openpgp/check/foreign-file.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import { decompress, detectCompression } from "../packages/compression/compression.ts";
import type { FolderView } from "../signing/published-tree.ts";
import type { SignedFile } from "./feed-layout.ts";

const { pkgsrc } = formats;

/** The compressed forms that feedkey may have written under an earlier configuration. */
const ours: readonly string[] = ["pkg_summary.xz", "pkg_summary.zst"];

/** Whether a file name is the name of a summary, compressed or not. */
export function isSummaryName(name: string): boolean {
  return compressionNamed(pkgsrc, name) !== undefined;
}

/**
 * Decompresses a summary.
 * @throws FeedkeyError `bad_index` if feedkey can't decompress the summary
 */
export async function summaryText(bytes: Uint8Array): Promise<Uint8Array> {
  return await decompress(bytes, detectCompression(bytes), maxIndexBytes, "bad_index");
}

/** Whether a file has the compression that the file's name suggests, and contains this text. */
export async function holdsText(name: string, { bytes }: HashedDocument, text: HashedDocument): Promise<boolean> {
  const kind = compressionNamed(pkgsrc, name);
  if (kind === undefined || detectCompression(bytes) !== kind) return false;
  return await onRefusal(
    async () => new HashedDocument(await decompress(bytes, kind, text.length)).equals(text),
    () => false,
  );
}

interface OtherForm {
  readonly name: string;
  /** The file with this form; undefined if only its signatures still exist. */
  readonly document: HashedDocument | undefined;
  readonly signatures: readonly string[];
}

/** Finds the signed forms of a summary in a folder, except the forms `without`. */
async function signedForms(folder: FolderView, without: readonly string[]): Promise<OtherForm[]> {
  const found: OtherForm[] = [];
  for (const name of indexFileNames(pkgsrc).filter((form) => !without.includes(form))) {
    const signatures: string[] = [];
    for (const signature of signatureFiles(name)) {
      const there = await folder.read(signature);
      // Only OpenPGP signatures count, because feedkey must not remove a file that may belong to another program.
      if (there !== undefined && isOpenPgpFile(there)) signatures.push(signature);
    }
    if (signatures.length > 0) found.push({ name, document: await folder.document(name), signatures });
  }
  return found;
}

/**
 * Plans the changes to signed forms that are no longer configured. feedkey removes a form that it may have written itself, and keeps a form
 * that another program wrote. feedkey signs a kept form again if the archive has signed exactly these bytes before and they contain the
 * text. Otherwise feedkey removes the form's signatures. An older signed index must never be beside the new index, and the archive does
 * not sign bytes that somebody else compressed.
 * @throws FeedkeyError `bad_path` or `output` if a published file is unreadable
 */
export async function planOtherForms(
  folder: FolderView,
  text: () => Promise<HashedDocument>,
  asked: readonly SignedFile[],
  isOwn: (file: SignedFile) => Promise<boolean>,
): Promise<{ readonly signed: SignedFile[]; readonly removes: string[] }> {
  const signed: SignedFile[] = [];
  const removes: string[] = [];
  const others = await signedForms(
    folder,
    asked.map(({ name }) => name),
  );
  for (const { name, document, signatures } of others) {
    // feedkey removes signatures last. After an interrupted run, a remaining signature tells the next run that a form is left.
    const isOurs = ours.includes(name);
    const isTheirs = !isOurs && document !== undefined && (await isOwn({ name, document }));
    if (isTheirs && (await holdsText(name, document, await text()))) {
      signed.push({ name, document });
      continue;
    }
    if (isOurs && document !== undefined) removes.push(name);
    for (const signature of signatures) removes.push(signature);
  }
  return { signed, removes };
}

/**
 * Finds the signatures over other forms in the folder whose text differs from this summary's text.
 * @param summary a form that feedkey will sign
 * @param without the names of forms that feedkey signs again anyway
 * @throws FeedkeyError `bad_index` if the folder has other signed forms and feedkey can't decompress the summary; `bad_path` or `output`
 * if a file is unreadable
 */
export async function staleSignatures(
  folder: FolderView,
  summary: Uint8Array,
  without: readonly string[],
): Promise<string[]> {
  const others = await signedForms(folder, without);
  if (others.length === 0) return [];
  const text = new HashedDocument(await summaryText(summary));
  const stale: string[] = [];
  for (const { name, document, signatures } of others) {
    if (document !== undefined && (await holdsText(name, document, text))) continue;
    for (const signature of signatures) stale.push(signature);
  }
  return stale;
}
