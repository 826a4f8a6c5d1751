/** The signature files beside what is published: which of them are written, which go, and which belong to other programs. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { publishedSignatures, type SignatureForm, signatureFiles } from "../formats/formats.ts";
import { foreignSignature } from "../openpgp/check/foreign-signature.ts";
import type { FolderView } from "../signing/published-tree.ts";

/** What is to be signed, and how. */
export interface ToSign {
  /** Names of the files that signatures cover. */
  readonly names: readonly string[];
  readonly form: SignatureForm;
  /** Replace signatures of other programs. */
  readonly force: boolean;
}

/**
 * Signature files there that are no longer published, since `.asc` alone is: they would sign an older index. Another program's stay.
 * @throws FeedkeyError `would_break`: another program's signature has the name of one that is to be written
 */
export async function planSignatureFiles(
  folder: FolderView,
  { names, form, force }: ToSign,
): Promise<readonly string[]> {
  const leftover: string[] = [];
  for (const name of names) {
    const written = publishedSignatures(name, form);
    for (const file of signatureFiles(name)) {
      const bytes = await folder.read(file);
      const whose = bytes === undefined ? undefined : foreignSignature(bytes);
      if (whose !== undefined && written.includes(file) && !force) throw replaces(folder, file, whose);
      if (bytes !== undefined && whose === undefined && !written.includes(file)) leftover.push(file);
    }
  }
  return leftover;
}

function replaces(folder: FolderView, file: string, whose: string): FeedkeyError {
  const path = `${folder.path}/${file}`;
  const isArmored = file.endsWith(".asc");
  return new FeedkeyError("would_break", `${escapeText(path)} is a signature of ${whose}: its clients need it`, {
    details: { path },
    hint: `${isArmored ? "" : "write .asc alone, with signatures = asc in archive.ini or --form asc; "}--force replaces it`,
  });
}
