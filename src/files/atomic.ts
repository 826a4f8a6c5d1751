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

export { discard, type StagedFile, type StageOptions } from "./staged-stream.ts";

/** The part of a lock that `commitStaged` needs. */
interface Held {
  assertHeld(): Promise<void>;
}

/**
 * Writes and syncs a file beside its target, under a temporary name.
 * @throws FeedkeyError `output` if the file can't be written; no temporary file is then left
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
 * Gives staged files their final names in the given order, and syncs each folder after its files. A file that refers to another
 * file must come after that file. If one rename fails, the remaining files are discarded.
 * @param lock the lock that must still be held before the first rename
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
      // Even after a power failure, a file in another folder must not refer to a missing file.
      if (next === undefined || dirname(next.path) !== folder) await syncFolder(folder);
    }
  } catch (error) {
    await discard(staged.slice(done));
    throw error;
  }
}

/** Number of files staged at once: a disk syncs several files in the time that one file takes. */
const stagedAtOnce = 16;

/** Stages several files, or none of them if one fails. @throws FeedkeyError `output` if a file can't be written */
export async function stageAll(
  files: readonly { readonly path: string; readonly data: Uint8Array | string; readonly mode: number }[],
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
 * Writes a whole file in one step: readers see the old file or the new file, also after a crash.
 * @throws FeedkeyError `output` if the file can't be written; `locked` if the lock is lost
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
 * @throws FeedkeyError `output` if the link can't be made; `locked` if the lock is lost
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
 * Removes temporary files that a killed run left in a folder. The caller must hold the folder's lock: the temporary files of a
 * living run look the same. Does nothing if the folder is missing.
 * @throws FeedkeyError `output` if the folder can't be read or a file can't be removed
 */
export async function removeLeftovers(folder: string): Promise<void> {
  const names = (await unlessMissing(fs.readdir(folder), (error) => outputError(error, folder))) ?? [];
  const leftovers = names.filter((name) => name.startsWith(".feedkey-") && name.endsWith(".tmp"));
  await discard(leftovers.map((name) => ({ path: join(folder, name), temporary: join(folder, name) })));
}
