/** Reads the published signatures over a file. The signatures are in separate files, or in one file together with the text. */
import { FeedkeyError, onRefusal } from "../error.ts";
import { escapeText } from "../escape.ts";
import { unframe } from "../formats/cleartext.ts";
import type { SignatureFile } from "../formats/format.ts";
import { checkSignatures, readSignatureFile } from "../openpgp/check/detached.ts";
import type { KeyIndex } from "../openpgp/check/key-index.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import type { FolderView } from "../signing/published-tree.ts";
import type { DataSignature, SignatureFacts } from "../trust/facts.ts";
import type { FileToSign, SignedFile } from "./feed-layout.ts";

/**
 * Verifies the signatures in a signature file over another file.
 * @param held the contents of the signature file
 * @throws FeedkeyError `bad_signature_data` or `no_signature` if the signature file is unusable; `bad_signature` if the signature file
 * contains a different text
 */
export async function presentSignatures(
  file: SignedFile,
  { name, holds }: SignatureFile,
  held: Uint8Array,
  keys: KeyIndex,
): Promise<DataSignature[]> {
  if (holds !== "framed") return await checkSignatures(readSignatureFile(held, name), file.document, keys);
  const { signed, signatures } = unframe(held, name);
  const document = HashedDocument.ofText(file.document.bytes);
  if (Buffer.compare(HashedDocument.ofText(signed).covered, document.covered) !== 0) {
    throw new FeedkeyError(
      "bad_signature",
      `${escapeText(name)} contains a different text from ${escapeText(file.name)}`,
    );
  }
  return await checkSignatures(readSignatureFile(signatures, name), document, keys);
}

/**
 * Whether a signature names this feed and no other feed (T10). A signature that names no feed does not count, because it may cover
 * another feed's file.
 */
export function isForFeed({ notations }: SignatureFacts, feed: string): boolean {
  const names = notations.filter(({ name }) => name.startsWith("feed@"));
  return names.length > 0 && names.every(({ value }) => value === feed);
}

/**
 * Reads the signatures in a file's last signature file, which always matches the index. Returns no signature if the signature file is
 * missing or does not cover the file.
 * @throws FeedkeyError `bad_path` or `output` if the signature file is unreadable
 */
export async function mainSignatures(folder: FolderView, file: FileToSign, keys: KeyIndex): Promise<DataSignature[]> {
  const main = file.signatures.at(-1);
  const held = main && (await folder.read(main.name));
  if (main === undefined || held === undefined) return [];
  return await onRefusal(
    () => presentSignatures(file, main, held, keys),
    () => [],
  );
}
