/** Decides which signature files feedkey writes, which files it removes, and which files belong to other programs. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { signatureFiles } from "../formats/formats.ts";
import { foreignFile, isOpenPgpFile } from "../openpgp/check/foreign-file.ts";
import type { FolderView } from "../signing/published-tree.ts";
import type { FileToSign } from "./feed-layout.ts";

/** Returns the names of the files' signature files. */
export function signatureNames(files: readonly FileToSign[]): string[] {
  return files.flatMap(({ signatures }) => signatures.map(({ name }) => name));
}

/**
 * Finds the signature files to remove if feedkey now publishes only `.asc`, because these files would soon cover an older index. Files that
 * other programs wrote stay.
 * @param force whether to replace signatures that other programs wrote
 * @throws FeedkeyError `would_break` if another program's file has the name of a signature file to write
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
      // An unreadable file is useless as a signature, and its writer is unknown. So the file stays.
      if (isOpenPgpFile(bytes)) leftover.push(file);
      continue;
    }
    const what = foreignFile(bytes);
    if (what !== undefined && !force) throw replaces(folder, file, what);
  }
  return leftover;
}

/**
 * Returns the error for another program's signature file, which feedkey replaces only with `--force`.
 * @param what the result of {@link foreignFile}
 */
export function replaces(folder: FolderView, file: string, what: string): FeedkeyError {
  const path = `${folder.path}/${file}`;
  const isArmored = file.endsWith(".asc");
  return new FeedkeyError("would_break", `${escapeText(path)} is ${what}, which some clients may need`, {
    details: { path },
    hint: `${isArmored ? "" : "write only the .asc file, with signatures = asc in archive.ini or --form asc; "}--force replaces that file`,
  });
}
