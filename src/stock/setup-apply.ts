/** Carries out the plan of a setup. If the run is killed at any point, the next run can repeat the setup or undo it. */

import { dirname } from "node:path";
import { FeedkeyError } from "../error.ts";
import type { TargetRoot } from "../files/target-root.ts";
import { clearKeys } from "./export.ts";
import { divide } from "./setup-item.ts";
import { removeKeyring } from "./setup-keyring.ts";
import { manifestFolder, manifestName, type SetupManifest, serializeManifest } from "./setup-manifest.ts";
import type { SetupPlan, Step } from "./setup-plan.ts";

async function write(
  root: TargetRoot,
  { item, found }: Step,
  writeKeyring: ((path: string) => Promise<void>) | undefined,
): Promise<void> {
  if (item === undefined) return;
  if (item.kind === "export") await writeKeyring?.(item.path);
  if (item.kind === "file") await root.write(item.path, item.data);
  if (item.kind === "link") await root.link(item.path, item.target);
  if (item.kind !== "block") return;
  if (found.kind !== "file") return await root.write(item.path, Buffer.from(item.text, "utf8"));
  const rest = divide(found.bytes.toString("utf8"))?.rest ?? "";
  const text = item.isLast ? `${rest}${/[^\n]$/.test(rest) ? "\n" : ""}${item.text}` : item.text + rest;
  await root.write(item.path, Buffer.from(text, "utf8"), found.mode, found.owner);
}

async function remove(
  root: TargetRoot,
  { kind, path, found }: Step,
  { created, program }: { readonly created: boolean; readonly program: string },
): Promise<void> {
  if (kind === "export") {
    await clearKeys(program, await root.hostPath(path));
    return await removeKeyring(root, path, found);
  }
  const rest = kind === "block" && found.kind === "file" ? divide(found.bytes.toString("utf8"))?.rest : undefined;
  // If the file existed before the setup, only feedkey's lines are removed.
  if (rest === undefined || (rest === "" && created) || found.kind !== "file") return await root.remove(path);
  await root.write(path, Buffer.from(rest, "utf8"), found.mode, found.owner);
}

async function save(root: TargetRoot, manifest: SetupManifest): Promise<void> {
  if (manifest.entries.size === 0) await root.remove(manifestName);
  else await root.write(manifestName, serializeManifest(manifest));
}

/**
 * Carries out a plan. The record is written first. It lists everything that will be written, so that after a killed run feedkey knows which
 * files are its own.
 * @param program the program that is set up
 * @param writeKeyring writes the export to a path below the root
 * @throws FeedkeyError `output` or `bad_path` if a file can't be written
 */
export async function applySetup(
  root: TargetRoot,
  plan: SetupPlan,
  program: string,
  writeKeyring: ((path: string) => Promise<void>) | undefined,
): Promise<void> {
  // Killed runs may have left temporary files beside every file in the record, even if the file itself was never written.
  const folders = new Set([manifestFolder, ...[...plan.intent.entries.keys()].map((path) => dirname(path))]);
  for (const folder of folders) await root.removeLeftovers(folder);
  await save(root, plan.intent);
  try {
    for (const step of plan.steps) {
      if (step.action === "create" || step.action === "replace") await write(root, step, writeKeyring);
      else if (step.action === "remove") {
        await remove(root, step, { created: plan.intent.entries.get(step.path)?.created === true, program });
      }
    }
    await save(root, plan.settled);
  } catch (error) {
    if (!(error instanceof FeedkeyError)) throw error;
    throw new FeedkeyError(error.code, error.message, {
      cause: error,
      details: error.details,
      hint: error.hint ?? "what was done so far is recorded: run the command again, or undo it with --remove",
    });
  }
}
