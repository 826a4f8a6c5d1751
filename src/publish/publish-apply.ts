/**
 * Carries out a plan. Between the first rename and the last, the signature files have the new signature and the old one, so
 * that one of them fits whichever index a client gets; after a crash in between the next run finishes the work.
 */
import { basename, dirname } from "node:path";
import { FeedkeyError } from "../error.ts";
import { commitStaged, discard, type StagedFile } from "../files/atomic.ts";
import type { HeldLock } from "../files/lock.ts";
import { publishedSignatures, type SignatureForm, signatureFiles } from "../formats/formats.ts";
import { isOpenPgpFile } from "../openpgp/check/foreign-file.ts";
import { armor, dearmor, looksArmored } from "../openpgp/packet/armor.ts";
import type { PublishedFile, PublishedFolder, PublishedTree } from "../signing/published-tree.ts";
import type { FileSignatures } from "./index-signature.ts";
import type { FeedPlan } from "./publish-plan.ts";

const limitOfOldSignatures = 16 * 1024;

/** The packets of the present signature file, to be kept beside the new ones for a moment; none if it can't be read. */
async function oldSignature(folder: PublishedFolder, signedName: string): Promise<Uint8Array> {
  for (const name of signatureFiles(signedName)) {
    const bytes = await folder.read(name).catch((error: unknown) => {
      if (error instanceof FeedkeyError && error.code === "output") return undefined;
      throw error;
    });
    if (bytes === undefined || !isOpenPgpFile(bytes)) continue;
    const binary = looksArmored(bytes) ? Buffer.concat(dearmor(bytes, "SIGNATURE")) : bytes;
    return binary.length > limitOfOldSignatures ? new Uint8Array() : binary;
  }
  return new Uint8Array();
}

function filesWith(packets: Uint8Array, signedName: string, form: SignatureForm | undefined): PublishedFile[] {
  return publishedSignatures(signedName, form).map((name) => {
    return { name, data: name.endsWith(".asc") ? armor(packets, "SIGNATURE") : packets };
  });
}

/**
 * An index in all its forms and their signatures under temporary names, in the order in which they get their final ones.
 * @throws FeedkeyError `bad_path`, `output`
 */
export async function stageIndex(
  { folder, writes }: Pick<FeedPlan, "folder" | "writes">,
  signatures: FileSignatures,
  form: SignatureForm | undefined,
): Promise<StagedFile[]> {
  const both = [];
  for (const [name, { binary }] of writes.length > 0 ? signatures : []) {
    const old = await oldSignature(folder, name);
    // Old before new: a stock client stops at the first signature that it can check, and the old index is still there.
    if (old.length === 0) continue;
    for (const file of filesWith(Buffer.concat([old, binary]), name, form)) both.push(file);
  }
  const fresh = [...signatures].flatMap(([name, { binary }]) => filesWith(binary, name, form));
  return await folder.stage([...both, ...writes, ...fresh]);
}

/** All files of one feed under temporary names, in the order in which they get their final ones. */
async function stageFeed(plan: FeedPlan, signatures: FileSignatures | undefined): Promise<StagedFile[]> {
  await plan.folder.prepare();
  if (signatures === undefined) return await plan.folder.stage(plan.writes);
  return await stageIndex(plan, signatures, plan.feed.signatures);
}

/** The bundle's files under temporary names. */
async function stageBundle(tree: PublishedTree, bundle: readonly PublishedFile[]) {
  const staged: StagedFile[] = [];
  const folders: PublishedFolder[] = [];
  for (const { name, data } of bundle) {
    const folder = tree.folder(dirname(name));
    if (folders.every(({ path }) => path !== folder.path)) {
      folders.push(folder);
      await folder.prepare();
    }
    for (const file of await folder.stage([{ name: basename(name), data }])) staged.push(file);
  }
  return { staged, folders };
}

/**
 * Writes all feeds: everything is on the disk before the first name changes.
 * @param signatures by feed name, for the plans that want one
 * @param bundle named relative to the tree
 * @throws FeedkeyError `bad_path`, `output`, `locked`
 */
export async function applyPlans(
  tree: PublishedTree,
  plans: readonly FeedPlan[],
  signatures: ReadonlyMap<string, FileSignatures>,
  bundle: readonly PublishedFile[],
  lock: HeldLock,
): Promise<void> {
  const staged: StagedFile[] = [];
  try {
    // The bundle first: a client that meets the new signature can find its key.
    const { staged: ofBundle, folders } = await stageBundle(tree, bundle);
    for (const file of ofBundle) staged.push(file);
    for (const plan of plans) {
      for (const file of await stageFeed(plan, signatures.get(plan.feed.name))) staged.push(file);
    }
    await lock.assertHeld();
    for (const folder of [...folders, ...plans.map((plan) => plan.folder)]) await folder.assertInPlace();
    // Before the new index is there: an older one that is signed as well must not be found beside it.
    for (const { folder, removes } of plans) await folder.remove(removes);
  } catch (error) {
    await discard(staged);
    throw error;
  }
  await commitStaged(staged, lock);
}
