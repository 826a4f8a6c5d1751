/** The files that a summary may lie in: `pkg_summary` and its compressed forms. */
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { type Compression, decompress, detectCompression } from "../package/compression.ts";
import { readIfThere, type SignedFile } from "./feed-layout.ts";

/** As large an index as clients read. */
const maxSummaryBytes = 512 * 1024 * 1024;

/** Every form that clients read, whoever wrote it, with its compression. */
const forms: Readonly<Record<string, Compression>> = {
  pkg_summary: "none",
  "pkg_summary.gz": "gzip",
  "pkg_summary.bz2": "bzip2",
  "pkg_summary.xz": "xz",
  "pkg_summary.zst": "zstd",
};

/** Those that may be there because they were asked for once. */
const ours: readonly string[] = ["pkg_summary.xz", "pkg_summary.zst"];

/** Whether a file is called like a form of a summary. */
export function isSummaryName(name: string): boolean {
  return Object.hasOwn(forms, name);
}

/** The text of a summary. @throws FeedkeyError `bad_index` */
export async function summaryText(bytes: Uint8Array): Promise<Uint8Array> {
  return await decompress(bytes, detectCompression(bytes), maxSummaryBytes, "bad_index");
}

/** Whether a file is what its name says, and holds this text. */
export async function holdsText(name: string, bytes: Uint8Array, text: Uint8Array): Promise<boolean> {
  const kind = forms[name];
  if (kind === undefined || detectCompression(bytes) !== kind) return false;
  try {
    return Buffer.compare(await decompress(bytes, kind, text.length), text) === 0;
  } catch (error) {
    if (!(error instanceof FeedkeyError)) throw error;
    return false;
  }
}

interface OtherForm {
  readonly name: string;
  /** The form itself; undefined if only signatures are left of it. */
  readonly bytes: Uint8Array | undefined;
  readonly signatures: readonly string[];
}

/** The forms in a folder, without those named, that are signed. */
async function signedForms(folder: string, without: readonly string[]): Promise<OtherForm[]> {
  const found: OtherForm[] = [];
  for (const name of Object.keys(forms).filter((form) => !without.includes(form))) {
    const signatures: string[] = [];
    for (const signature of [`${name}.sig`, `${name}.asc`]) {
      if ((await readIfThere(join(folder, signature))) !== undefined) signatures.push(signature);
    }
    if (signatures.length > 0) found.push({ name, bytes: await readIfThere(join(folder, name)), signatures });
  }
  return found;
}

/**
 * What becomes of signed forms that are there though nobody asked for them. One that this program may have written when
 * it was asked for goes. One that another program makes stays, and is signed along where the archive signed these very
 * bytes before and they hold the text; else its signatures go: a rightfully signed older index must never lie beside the
 * new one, and nobody else says how the text is packed that the archive signs.
 * @throws FeedkeyError `output` if a file there can't be read
 */
export async function planOtherForms(
  folder: string,
  text: Uint8Array,
  asked: readonly SignedFile[],
  isOwn: (file: SignedFile) => Promise<boolean>,
): Promise<{ readonly signed: SignedFile[]; readonly removes: string[] }> {
  const signed: SignedFile[] = [];
  const removes: string[] = [];
  const others = await signedForms(
    folder,
    asked.map(({ name }) => name),
  );
  for (const { name, bytes, signatures } of others) {
    // The signatures last: as long as one is there, a run that was cut off is known to have left something to do.
    const isOurs = ours.includes(name);
    if (!isOurs && bytes !== undefined && (await isOwn({ name, bytes })) && (await holdsText(name, bytes, text))) {
      signed.push({ name, bytes });
      continue;
    }
    if (isOurs && bytes !== undefined) removes.push(name);
    for (const signature of signatures) removes.push(signature);
  }
  return { signed, removes };
}

/**
 * Signatures of other forms in the folder that do not hold what this one holds.
 * @param summary a form that is going to be signed
 * @param without forms that are signed anew anyway
 * @throws FeedkeyError `bad_index` if there are such and it can't be decompressed, `output` if a file can't be read
 */
export async function staleSignatures(
  folder: string,
  summary: Uint8Array,
  without: readonly string[],
): Promise<string[]> {
  const others = await signedForms(folder, without);
  if (others.length === 0) return [];
  const text = await summaryText(summary);
  const stale: string[] = [];
  for (const { name, bytes, signatures } of others) {
    if (bytes !== undefined && (await holdsText(name, bytes, text))) continue;
    for (const signature of signatures) stale.push(signature);
  }
  return stale;
}
