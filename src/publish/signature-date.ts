/** Chooses the date of a new signature. The date must be later than the dates of old signatures, because clients refuse an older index. */
import { FeedkeyError, unlessRefused } from "../error.ts";
import { isFramed, unframe } from "../formats/cleartext.ts";
import { type FileSignature, readSignatureFile } from "../openpgp/check/detached.ts";
import type { KeyIndex } from "../openpgp/check/key-index.ts";
import type { FolderView } from "../signing/published-tree.ts";
import { type Instant, iso, wholeSecond } from "../time.ts";
import { skew } from "../trust/policy.ts";

/**
 * Returns the newest date among the signatures that name any of these keys as their maker. The signatures need not match the present
 * index, because the present index may be new.
 */
async function newestDate(
  folder: FolderView,
  files: readonly string[],
  keys: KeyIndex,
): Promise<{ readonly file: string; readonly date: Instant } | undefined> {
  let newest: { file: string; date: Instant } | undefined;
  for (const file of files) {
    for (const signature of await signaturesIn(folder, file)) {
      if (!("raw" in signature) || keys.candidates(signature.raw).length === 0) continue;
      const date = signature.raw.hashed.createdAt;
      if (date !== undefined && date > (newest?.date ?? 0)) newest = { file, date };
    }
  }
  return newest;
}

/** Reads the signatures in a file. Returns no signature for an unreadable file, because no client has accepted an unreadable file. */
async function signaturesIn(folder: FolderView, file: string): Promise<readonly FileSignature[]> {
  const bytes = await folder.read(file);
  if (bytes === undefined) return [];
  const read = () => readSignatureFile(isFramed(bytes) ? unframe(bytes, file).signatures : bytes, file);
  return unlessRefused(read) ?? [];
}

/**
 * Returns the date for new signatures that replace the signatures in some files. The date is now, or one second after the newest old
 * signature (OpenPGP signatures have dates in whole seconds).
 * @param files the names of the files with the old signatures
 * @param keys the keys whose signatures clients may have accepted
 * @throws FeedkeyError `not_yet_valid` if the date would be so late that clients with a right clock would refuse it
 */
export async function dateAfter(
  folder: FolderView,
  files: readonly string[],
  keys: KeyIndex,
  at: Instant,
): Promise<Instant> {
  const now = wholeSecond(at);
  const newest = await newestDate(folder, files, keys);
  if (newest === undefined) return now;
  const date = Math.max(now, newest.date + 1000);
  if (date <= at + skew) return date;
  throw new FeedkeyError(
    "not_yet_valid",
    `${newest.file} is dated ${iso(newest.date)}, after the present time ${iso(at)}: clients that accepted it would refuse an earlier date`,
    {
      details: { file: newest.file, createdAt: iso(newest.date), at: iso(at) },
      hint: "correct this machine's clock; if the clock was wrong when that file was signed, remove the signature files in the file's folder, and then run the command again",
    },
  );
}
