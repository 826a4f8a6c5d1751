import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Data, piecesOf } from "../content.ts";
import { unlessMissing } from "../error.ts";
import { syncFolder } from "./folder.ts";
import {
  discard,
  keepAtExit,
  moveIntoPlace,
  removeAtExit,
  type StagedFile,
  StagedStream,
  type StageOptions,
} from "./staged-stream.ts";
import { outputError } from "./system-error.ts";
import { temporaryName } from "./temporary-name.ts";

export { discard, orDiscard, type StagedFile, type StageOptions } from "./staged-stream.ts";

/** The method of a lock that `commitStaged` needs. */
interface Held {
  assertHeld(): Promise<void>;
}

/**
 * Writes and syncs a file under a temporary name, in the folder of its final name.
 * @throws FeedkeyError `output` if feedkey can't write the file; the temporary file is then gone
 */
export async function stageFile(path: string, data: Data | string, options: StageOptions = {}): Promise<StagedFile> {
  const stream = await StagedStream.open(path, options);
  try {
    const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
    for (const piece of piecesOf(bytes)) await stream.writeNow(piece);
  } catch (error) {
    await stream.discard();
    throw error;
  }
  return stream.finish();
}

/**
 * Gives staged files their final names in the given order, and syncs each folder after its files. The caller must list a file
 * after all files that it refers to. If a rename fails, discards the remaining files.
 * @param lock the lock that this run must still hold before the first rename
 * @throws FeedkeyError `output`, `locked`
 */
export async function commitStaged(staged: readonly StagedFile[], lock?: Held): Promise<void> {
  let done = 0;
  try {
    await lock?.assertHeld();
    for (const file of staged) {
      await moveIntoPlace(file);
      done += 1;
      const [folder, next] = [dirname(file.path), staged[done]];
      // Without this sync, a file in the next folder could refer to a missing file after a power failure.
      if (next === undefined || dirname(next.path) !== folder) await syncFolder(folder);
    }
  } catch (error) {
    await discard(staged.slice(done));
    throw error;
  }
}

/** Number of files that `stageAll` writes at the same time: a disk can sync several files in the time that one file takes. */
const stagedAtOnce = 16;

/** Stages several files; after an error, no temporary file is left. @throws FeedkeyError `output` if feedkey can't write a file */
export async function stageAll(
  files: readonly { readonly path: string; readonly data: Data | string; readonly mode: number }[],
): Promise<StagedFile[]> {
  const staged: StagedFile[] = [];
  for (let at = 0; at < files.length; at += stagedAtOnce) {
    const some = files.slice(at, at + stagedAtOnce);
    const ended = await Promise.allSettled(some.map(({ path, data, mode }) => stageFile(path, data, { mode })));
    for (const one of ended) if (one.status === "fulfilled") staged.push(one.value);
    const failed = ended.find(({ status }) => status === "rejected");
    if (failed?.status !== "rejected") continue;
    await discard(staged);
    throw failed.reason;
  }
  return staged;
}

/**
 * Replaces a whole file in one step: readers see either the old file or the new file, even after a crash.
 * @throws FeedkeyError `output` if feedkey can't write the file; `locked` if this run has lost the lock
 */
export async function writeFileAtomic(
  path: string,
  data: Data | string,
  options: StageOptions = {},
  lock?: Held,
): Promise<void> {
  await commitStaged([await stageFile(path, data, options)], lock);
}

/**
 * Makes a symbolic link, or changes its target, in one step.
 * @throws FeedkeyError `output` if feedkey can't make the link; `locked` if this run has lost the lock
 */
export async function replaceLink(link: string, target: string, lock?: Held): Promise<void> {
  const temporary = join(dirname(link), temporaryName());
  removeAtExit(temporary);
  try {
    await fs.symlink(target, temporary);
  } catch (error) {
    keepAtExit(temporary);
    throw outputError(error, link);
  }
  await commitStaged([{ path: link, temporary }], lock);
}

/**
 * Removes all temporary files in a folder, which killed runs have left. The caller must hold the folder's lock: otherwise the
 * files may belong to a run that is still writing them. Does nothing if the folder is missing.
 * @throws FeedkeyError `output` if the folder can't be read or a file can't be removed
 */
export async function removeLeftovers(folder: string): Promise<void> {
  const names = (await unlessMissing(fs.readdir(folder), (error) => outputError(error, folder))) ?? [];
  const leftovers = names.filter((name) => name.startsWith(".feedkey-") && name.endsWith(".tmp"));
  await discard(leftovers.map((name) => ({ path: join(folder, name), temporary: join(folder, name) })));
}
