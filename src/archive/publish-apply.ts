/**
 * Carrying a plan out. Between the first rename and the last, the signature files hold the new signature and the
 * old one, so that whichever index a client meets, one of them fits; a crash in between leaves it so, and the next
 * run finishes the work.
 */
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemCode } from "../error.ts";
import { armor, dearmor, looksArmored } from "../openpgp/armor.ts";
import { commitStaged, discard, removeLeftovers, type StagedFile, stageAll } from "../store/atomic.ts";
import { ensureFolder, syncFolder } from "../store/folder.ts";
import type { HeldLock } from "../store/lock.ts";
import { outputError } from "../store/system-error.ts";
import type { FeedPlan } from "./publish-plan.ts";
import type { FileSignatures } from "./sign-plans.ts";

const limitOfOldSignatures = 16 * 1024;

/** The packets of the signature file there, to be kept beside the new one for a moment; none if it makes no sense. */
async function oldSignature(folder: string, signedName: string): Promise<Uint8Array> {
  try {
    const bytes = await fs.readFile(join(folder, `${signedName}.sig`));
    const binary = looksArmored(bytes) ? Buffer.concat(dearmor(bytes, "SIGNATURE")) : bytes;
    return binary.length > limitOfOldSignatures ? new Uint8Array() : binary;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return new Uint8Array();
  }
}

function signatureFiles(folder: string, signedName: string, packets: Uint8Array) {
  return [
    { path: join(folder, `${signedName}.asc`), data: armor(packets, "SIGNATURE"), mode: 0o644 },
    { path: join(folder, `${signedName}.sig`), data: packets, mode: 0o644 },
  ];
}

/**
 * An index in all its forms and their signatures under temporary names, in the order in which they get their final ones.
 * @throws FeedkeyError `output`
 */
export async function stageIndex(
  { folder, writes }: Pick<FeedPlan, "folder" | "writes">,
  signatures: FileSignatures,
): Promise<StagedFile[]> {
  const both = [];
  for (const [name, { binary }] of writes.length > 0 ? signatures : []) {
    const old = await oldSignature(folder, name);
    // Old before new: a stock client stops at the first signature that it can judge, and the old index is still there.
    if (old.length === 0) continue;
    for (const file of signatureFiles(folder, name, Buffer.concat([old, binary]))) both.push(file);
  }
  const fresh = [...signatures].flatMap(([name, { binary }]) => signatureFiles(folder, name, binary));
  return await stageAll([...both, ...indexFiles(folder, writes), ...fresh]);
}

/**
 * Removes files of a folder that must not be there any more, in the order given.
 * @throws FeedkeyError `output`
 */
export async function removeFiles(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await fs.rm(join(folder, name), { force: true }).catch((error: unknown) => {
      throw outputError(error, join(folder, name));
    });
  }
  if (names.length > 0) await syncFolder(folder);
}

function indexFiles(folder: string, writes: FeedPlan["writes"]) {
  return writes.map(({ name, data }) => ({ path: join(folder, name), data, mode: 0o644 }));
}

/** Everything of one feed on the disk under temporary names, in the order in which it gets its final ones. */
async function stageFeed(plan: FeedPlan, signatures: FileSignatures | undefined): Promise<StagedFile[]> {
  await ensureFolder(plan.folder, 0o755);
  await removeLeftovers(plan.folder);
  return signatures === undefined
    ? await stageAll(indexFiles(plan.folder, plan.writes))
    : await stageIndex(plan, signatures);
}

/**
 * Writes all feeds: everything is on the disk before the first name changes.
 * @param signatures by feed name, for the plans that want one
 * @throws FeedkeyError `output`, `locked`
 */
export async function applyPlans(
  plans: readonly FeedPlan[],
  signatures: ReadonlyMap<string, FileSignatures>,
  bundle: readonly { readonly path: string; readonly data: Uint8Array | string }[],
  lock: HeldLock,
): Promise<void> {
  const staged: StagedFile[] = [];
  for (const folder of new Set(bundle.map(({ path }) => dirname(path)))) {
    await ensureFolder(folder, 0o755);
    await removeLeftovers(folder);
  }
  try {
    // The bundle first: a client that meets the new signature can find its key.
    for (const file of await stageAll(bundle.map((file) => ({ ...file, mode: 0o644 })))) staged.push(file);
    for (const plan of plans) {
      for (const file of await stageFeed(plan, signatures.get(plan.feed.name))) staged.push(file);
    }
    await lock.assertHeld();
    // Before the new index is there: an older one that is signed as well must not be found beside it.
    for (const { folder, removes } of plans) await removeFiles(folder, removes);
  } catch (error) {
    await discard(staged);
    throw error;
  }
  await commitStaged(staged, lock);
}
