/** Chooses the date of a new signature: after the signatures that it replaces, because clients refuse an older index. */
import { FeedkeyError } from "../error.ts";
import { isFramed, unframe } from "../formats/cleartext.ts";
import { type FileSignature, readSignatureFile } from "../openpgp/check/detached.ts";
import type { KeyIndex } from "../openpgp/check/key-index.ts";
import type { FolderView } from "../signing/published-tree.ts";
import { type Instant, iso } from "../time.ts";
import { skew } from "../trust/policy.ts";

const second = 1000;

/** Returns the newest date among signatures that name one of these keys. They need not match the index, which may be new. */
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

/** Reads the signatures in a file. Returns none for an unreadable file, because no client has accepted it. */
async function signaturesIn(folder: FolderView, file: string): Promise<readonly FileSignature[]> {
  const bytes = await folder.read(file);
  try {
    if (bytes === undefined) return [];
    return readSignatureFile(isFramed(bytes) ? unframe(bytes, file).signatures : bytes, file);
  } catch (error) {
    if (error instanceof FeedkeyError) return [];
    throw error;
  }
}

/**
 * Returns the date for new signatures that replace the signatures in some files: now, or a second after the newest old signature.
 * OpenPGP packets have dates in whole seconds.
 * @param files names of the files with the old signatures
 * @param keys the keys whose signatures clients may have accepted
 * @throws FeedkeyError `not_yet_valid` if the published date is later than clients with a right clock accept
 */
export async function dateAfter(
  folder: FolderView,
  files: readonly string[],
  keys: KeyIndex,
  at: Instant,
): Promise<Instant> {
  const now = Math.floor(at / second) * second;
  const newest = await newestDate(folder, files, keys);
  if (newest === undefined) return now;
  const date = Math.max(now, newest.date + second);
  if (date <= at + skew) return date;
  throw new FeedkeyError(
    "not_yet_valid",
    `${newest.file} is dated ${iso(newest.date)}, after the present time ${iso(at)}: clients that accepted it would refuse an earlier date`,
    {
      details: { file: newest.file, createdAt: iso(newest.date), at: iso(at) },
      hint: "correct this machine's clock; if the clock was wrong when that file was signed, remove the signature files in its folder, then run the command again",
    },
  );
}
