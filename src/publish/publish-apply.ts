/**
 * Carries out a plan. From the first rename to the last, the signature files contain both the old and the new signature. So one of the
 * signatures always matches the index that a client gets. If the run crashes, the next run finishes the work.
 */
import { basename, dirname } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { commitStaged, orDiscard, type StagedFile } from "../files/atomic.ts";
import type { HeldLock } from "../files/lock.ts";
import { signaturePackets } from "../openpgp/check/signature-packets.ts";
import type { PublishedFile, PublishedFolder, PublishedTree } from "../signing/published-tree.ts";
import type { FileToSign } from "./feed-layout.ts";
import { type FileSignatures, writtenSignature } from "./index-signature.ts";
import type { FolderPlan } from "./publish-plan.ts";

/** A plan, and the signatures that the plan needs. */
export interface SignedPlan {
  readonly plan: FolderPlan;
  readonly signatures: readonly FileSignatures[];
}

/**
 * Returns the packets in the present signature file; empty if the file is unreadable. These packets stay together with the new packets
 * until the new index is in place.
 */
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
 * Writes an index in all its forms, and the signatures, under temporary names.
 * @returns the files, in the order in which the caller must rename them
 * @throws FeedkeyError `bad_path` or `output` if feedkey can't write a file
 */
async function stageFolder({ plan: { folder, writes }, signatures }: SignedPlan): Promise<StagedFile[]> {
  const both: PublishedFile[] = [];
  const isChanged = ({ file }: FileSignatures) => writes.some(({ name }) => name === file.name);
  for (const made of signatures.some(isChanged) ? signatures : []) {
    const old = await oldSignature(folder, made.file);
    // The old signature comes first, because the old index is still in place at this moment, and a stock client stops at the first
    // signature by a known key.
    if (old.length === 0) continue;
    for (const one of made.file.signatures) if (one.holds !== "framed") both.push(writtenSignature(one, made, old));
  }
  const fresh = signatures.flatMap((made) => made.file.signatures.map((one) => writtenSignature(one, made)));
  return await folder.stage([...both, ...writes, ...fresh]);
}

/** Writes the key bundle's files under temporary names. */
async function stageBundle(tree: PublishedTree, bundle: readonly PublishedFile[]): Promise<StagedFile[]> {
  const staged: StagedFile[] = [];
  for (const { name, data } of bundle) {
    for (const file of await tree.folder(dirname(name)).stage([{ name: basename(name), data }])) staged.push(file);
  }
  return staged;
}

/**
 * Throws if another program has changed a signed file after feedkey read the file.
 * @throws FeedkeyError `locked` if a signed file changed
 */
async function refuseChanged({ plan: { folder, writes }, signatures }: SignedPlan): Promise<void> {
  for (const { name, document } of signatures.map(({ file }) => file)) {
    if (writes.some((one) => one.name === name)) continue;
    const now = await folder.document(name);
    if (now?.equals(document) === true) continue;
    throw new FeedkeyError("locked", `${escapeText(`${folder.path}/${name}`)} changed while feedkey was signing it`, {
      details: { path: `${folder.path}/${name}` },
      hint: "run the command again when the program that writes the file has ended",
    });
  }
}

/** The key bundle and the published tree, for renaming the bundle's files together with the indexes. */
interface WithBundle {
  readonly tree: PublishedTree;
  /** The files of the key bundle. Their paths are relative to the published tree. */
  readonly bundle: readonly PublishedFile[];
  readonly lock: HeldLock;
}

/**
 * Carries out plans. All new files are on the disk before the first rename.
 * @param all undefined if feedkey signs files outside a publication; feedkey then locks nothing, and keeps temporary files of killed runs
 * @throws FeedkeyError `bad_path` or `output` if feedkey can't write a file; `locked` if a file has changed or feedkey has lost the lock
 */
export async function applyPlans(plans: readonly SignedPlan[], all: WithBundle | undefined): Promise<void> {
  const staged: StagedFile[] = [];
  const ofBundle = all?.bundle.map(({ name }) => ({ folder: all.tree.folder(dirname(name)), writes: [] })) ?? [];
  const places = [...ofBundle, ...plans.map(({ plan }) => plan)];
  await orDiscard(staged, async () => {
    // feedkey prepares all folders before it writes any file, because two feeds may share a folder, and preparing removes temporary files.
    if (all !== undefined) for (const { folder, writes } of places) await folder.prepare(writes);
    // feedkey renames the key bundle first, so that every client that gets the new signature also finds the signing key.
    for (const file of all === undefined ? [] : await stageBundle(all.tree, all.bundle)) staged.push(file);
    for (const one of plans) for (const file of await stageFolder(one)) staged.push(file);
    await all?.lock.assertHeld();
    for (const { folder, writes } of places) await folder.assertInPlace(writes);
    for (const one of plans) await refuseChanged(one);
    // feedkey removes old forms before the new index is in place, so that the folder never contains both an older and a newer signed index.
    for (const { plan } of plans) await plan.folder.remove(plan.removes);
  });
  await commitStaged(staged, all?.lock);
}
