/**
 * Carries out a plan. Between the first rename and the last, the signature files contain both the old and the new signature. So
 * one signature matches whichever index a client gets. After a crash in between, the next run finishes the work.
 */
import { basename, dirname } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { commitStaged, discard, type StagedFile } from "../files/atomic.ts";
import type { HeldLock } from "../files/lock.ts";
import type { PublishedFile, PublishedFolder, PublishedTree } from "../signing/published-tree.ts";
import type { FileToSign } from "./feed-layout.ts";
import { type FileSignatures, writtenSignature } from "./index-signature.ts";
import type { FolderPlan } from "./publish-plan.ts";
import { signaturePackets } from "./signature-packets.ts";

/** A plan with its signatures. */
export interface SignedPlan {
  readonly plan: FolderPlan;
  readonly signatures: readonly FileSignatures[];
}

/** Returns the packets in the present signature file, to keep beside the new packets for a moment; none if it can't be read. */
async function oldSignature(folder: PublishedFolder, { signatures }: FileToSign): Promise<Uint8Array> {
  for (const { name } of signatures.filter(({ holds }) => holds !== "framed").toReversed()) {
    const bytes = await folder.read(name).catch((error: unknown) => {
      if (error instanceof FeedkeyError && error.code === "output") return undefined;
      throw error;
    });
    const packets = bytes && signaturePackets(bytes);
    if (packets !== undefined) return packets;
  }
  return new Uint8Array();
}

/**
 * Writes an index in all its forms, and the signatures, under temporary names. Returns the files in the order of the renames.
 * @throws FeedkeyError `bad_path`, `output`
 */
async function stageFolder({ plan: { folder, writes }, signatures }: SignedPlan): Promise<StagedFile[]> {
  const both: PublishedFile[] = [];
  const isChanged = ({ file }: FileSignatures) => writes.some(({ name }) => name === file.name);
  for (const made of signatures.some(isChanged) ? signatures : []) {
    const old = await oldSignature(folder, made.file);
    // The old signature comes first: a stock client stops at the first signature by a known key, and the old index is still in place.
    if (old.length === 0) continue;
    for (const one of made.file.signatures) if (one.holds !== "framed") both.push(writtenSignature(one, made, old));
  }
  const fresh = signatures.flatMap((made) => made.file.signatures.map((one) => writtenSignature(one, made)));
  return await folder.stage([...both, ...writes, ...fresh]);
}

/** Writes the bundle's files under temporary names. */
async function stageBundle(tree: PublishedTree, bundle: readonly PublishedFile[]): Promise<StagedFile[]> {
  const staged: StagedFile[] = [];
  for (const { name, data } of bundle) {
    for (const file of await tree.folder(dirname(name)).stage([{ name: basename(name), data }])) staged.push(file);
  }
  return staged;
}

/** Throws if another program has written a signed file again since feedkey read it. @throws FeedkeyError `locked` */
async function refuseChanged({ plan: { folder, writes }, signatures }: SignedPlan): Promise<void> {
  for (const { name, document } of signatures.map(({ file }) => file)) {
    if (writes.some((one) => one.name === name)) continue;
    const now = await folder.document(name);
    if (now?.equals(document) === true) continue;
    throw new FeedkeyError("locked", `${escapeText(`${folder.path}/${name}`)} changed while it was being signed`, {
      details: { path: `${folder.path}/${name}` },
      hint: "run the command again once the program that writes the file has ended",
    });
  }
}

/** The bundle to put in place together with the indexes, and the lock. */
interface WithBundle {
  readonly tree: PublishedTree;
  /** The bundle's files. Their paths are relative to the tree. */
  readonly bundle: readonly PublishedFile[];
  readonly lock: HeldLock;
}

/**
 * Carries out plans. Everything is on the disk before the first rename.
 * @param all undefined for files that are signed individually: then nothing is locked, and leftovers of killed runs stay
 * @throws FeedkeyError `bad_path`, `output`, `locked`
 */
export async function applyPlans(plans: readonly SignedPlan[], all: WithBundle | undefined): Promise<void> {
  const staged: StagedFile[] = [];
  const ofBundle = all?.bundle.map(({ name }) => ({ folder: all.tree.folder(dirname(name)), writes: [] })) ?? [];
  const places = [...ofBundle, ...plans.map(({ plan }) => plan)];
  try {
    // Prepare all folders before anything is staged, because two feeds may share a folder.
    if (all !== undefined) for (const { folder, writes } of places) await folder.prepare(writes);
    // The bundle comes first, so that a client with the new signature can find the signing key.
    for (const file of all === undefined ? [] : await stageBundle(all.tree, all.bundle)) staged.push(file);
    for (const one of plans) for (const file of await stageFolder(one)) staged.push(file);
    await all?.lock.assertHeld();
    for (const { folder, writes } of places) await folder.assertInPlace(writes);
    for (const one of plans) await refuseChanged(one);
    // Remove old forms before the new index is in place: no older signed index may be beside the new index.
    for (const { plan } of plans) await plan.folder.remove(plan.removes);
  } catch (error) {
    await discard(staged);
    throw error;
  }
  await commitStaged(staged, all?.lock);
}
