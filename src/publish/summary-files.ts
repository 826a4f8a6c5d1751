/** The files of a summary: `pkg_summary` and its compressed forms. */
import { FeedkeyError } from "../error.ts";
import { compressionNamed, formats, indexFileNames, maxIndexBytes, signatureFiles } from "../formats/formats.ts";
import { isOpenPgpFile } from "../openpgp/check/foreign-file.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import { decompress, detectCompression } from "../packages/compression/compression.ts";
import type { FolderView } from "../signing/published-tree.ts";
import type { SignedFile } from "./feed-layout.ts";

const { pkgsrc } = formats;

/** The forms that may be there from an earlier configuration. */
const ours: readonly string[] = ["pkg_summary.xz", "pkg_summary.zst"];

/** Whether a file has the name of a form of a summary. */
export function isSummaryName(name: string): boolean {
  return compressionNamed(pkgsrc, name) !== undefined;
}

/** The text of a summary. @throws FeedkeyError `bad_index` */
export async function summaryText(bytes: Uint8Array): Promise<Uint8Array> {
  return await decompress(bytes, detectCompression(bytes), maxIndexBytes, "bad_index");
}

/** Whether a file has the compression of its name, and this text. */
export async function holdsText(name: string, { bytes }: HashedDocument, text: HashedDocument): Promise<boolean> {
  const kind = compressionNamed(pkgsrc, name);
  if (kind === undefined || detectCompression(bytes) !== kind) return false;
  try {
    return new HashedDocument(await decompress(bytes, kind, text.length)).equals(text);
  } catch (error) {
    if (!(error instanceof FeedkeyError)) throw error;
    return false;
  }
}

interface OtherForm {
  readonly name: string;
  /** The form itself; undefined if only signatures are left of it. */
  readonly document: HashedDocument | undefined;
  readonly signatures: readonly string[];
}

/** The signed forms in a folder, except those given. */
async function signedForms(folder: FolderView, without: readonly string[]): Promise<OtherForm[]> {
  const found: OtherForm[] = [];
  for (const name of indexFileNames(pkgsrc).filter((form) => !without.includes(form))) {
    const signatures: string[] = [];
    for (const signature of signatureFiles(name)) {
      const there = await folder.read(signature);
      // A file that may be another program's must not be removed.
      if (there !== undefined && isOpenPgpFile(there)) signatures.push(signature);
    }
    if (signatures.length > 0) found.push({ name, document: await folder.document(name), signatures });
  }
  return found;
}

/**
 * What to do with signed forms that are no longer configured. One that feedkey may have written is removed. One of another
 * program stays, and is signed too if the archive signed exactly these bytes before and they contain the text; else its
 * signatures are removed: an older signed index must never be beside the new one, and the archive signs only its own
 * compression of a text.
 * @throws FeedkeyError `bad_path`, `output` if a file there can't be read
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
    // The signatures last: while one is there, an interrupted run is known to be unfinished.
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
 * Signatures of other forms in the folder with a different text from this one.
 * @param summary a form that will be signed
 * @param without forms that are signed again anyway
 * @throws FeedkeyError `bad_index` if there are such and it can't be decompressed, `bad_path`, `output` if a file can't be read
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
