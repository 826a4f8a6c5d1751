/** Decides about signature files: which are written, which are removed, and which belong to other programs. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { signatureFiles } from "../formats/formats.ts";
import { foreignFile, isOpenPgpFile } from "../openpgp/check/foreign-file.ts";
import type { FolderView } from "../signing/published-tree.ts";
import type { FileToSign } from "./feed-layout.ts";

/** The files that signatures over these are written to. */
export function signatureNames(files: readonly FileToSign[]): string[] {
  return files.flatMap(({ signatures }) => signatures.map(({ name }) => name));
}

/**
 * Signature files to remove because only `.asc` is published now: they would sign an older index. Others stay.
 * @param force replace signatures of other programs
 * @throws FeedkeyError `would_break`: another program's signature has the name of one that is to be written
 */
export async function planSignatureFiles(
  folder: FolderView,
  files: readonly FileToSign[],
  force: boolean,
): Promise<readonly string[]> {
  const written = signatureNames(files);
  const leftover: string[] = [];
  for (const file of new Set([...written, ...files.flatMap(({ name }) => signatureFiles(name))])) {
    const bytes = await folder.read(file);
    if (bytes === undefined) continue;
    if (!written.includes(file)) {
      // A file that can't be read signs nothing, and its origin is unknown.
      if (isOpenPgpFile(bytes)) leftover.push(file);
      continue;
    }
    const what = foreignFile(bytes);
    if (what !== undefined && !force) throw replaces(folder, file, what);
  }
  return leftover;
}

/** The error of a signature file that would be replaced without `--force`. @param what of {@link foreignFile} */
export function replaces(folder: FolderView, file: string, what: string): FeedkeyError {
  const path = `${folder.path}/${file}`;
  const isArmored = file.endsWith(".asc");
  return new FeedkeyError("would_break", `${escapeText(path)} is ${what}: its clients may need it`, {
    details: { path },
    hint: `${isArmored ? "" : "write .asc alone, with signatures = asc in archive.ini or --form asc; "}--force replaces it`,
  });
}
