/** Changes one line of `archive.ini` and nothing else. */
import { readFile, realpath, stat } from "node:fs/promises";
import { FeedkeyError } from "../error.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import { withValue } from "../profile/edit-ini.ts";
import { readArchiveConfig } from "../profile/read-archive.ts";
import type { Fingerprint } from "../trust/facts.ts";

/**
 * Makes another key the archive's present key.
 * @throws FeedkeyError `bad_config`: when the line with the key can't be changed; `output`: when the file can't be written
 */
export async function switchKey(file: string, from: Fingerprint, to: Fingerprint): Promise<void> {
  const text = await readFile(file, "utf8");
  const next = withValue(text, "archive", "key", to);
  const before = readArchiveConfig(text, file).key.fingerprint;
  const after = readArchiveConfig(next, file).key.fingerprint;
  if (before !== from || after !== to) {
    throw new FeedkeyError("bad_config", `the line "key" of ${file} could not be changed from ${from} to ${to}`, {
      hint: "change the line yourself, then run the command again",
    });
  }
  // If the file is a symbolic link, the link stays, and its target changes. The target keeps its permissions.
  const target = await realpath(file);
  await writeFileAtomic(target, next, { mode: (await stat(target)).mode & 0o777 });
}
