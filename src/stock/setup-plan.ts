/** Plans a setup from the wanted items, the existing files and feedkey's record of earlier setups. Nothing is changed yet. */
import { hash } from "node:crypto";
import { FeedkeyError } from "../error.ts";
import type { Found } from "../files/target-root.ts";
import { homeRecord } from "./gnupg-home.ts";
import { divide, type Item, inTarget } from "./setup-item.ts";
import { isSameSetup, type SetupEntry, type SetupId, type SetupManifest } from "./setup-manifest.ts";

/** An item that the setup wants, and what exists at its path. */
export interface Wanted {
  readonly item: Item;
  readonly found: Found;
  /** For an export: whether a GnuPG home without keys is at the path, such as opkg makes by itself. */
  readonly isSpare: boolean;
}

/** An item that an earlier setup wrote and that is no longer wanted, and what exists at its path. */
export interface Spent {
  readonly path: string;
  readonly found: Found;
  /** For an export: why feedkey may not remove the file or folder; undefined if it may. */
  readonly foreign: string | undefined;
}

export interface Step {
  /** What happens to the item. `later`: the timer's first run will write this keyring. */
  readonly action: "create" | "replace" | "keep" | "later" | "remove" | "leave";
  readonly kind: Item["kind"];
  readonly path: string;
  readonly found: Found;
  /** The item to write; undefined for a removal. */
  readonly item: Item | undefined;
  /** The reason, if the setup leaves something in place. */
  readonly reason: string | undefined;
}

export interface SetupPlan {
  readonly steps: readonly Step[];
  /** The record to write before the first step. If the run is killed, this record shows which files are feedkey's. */
  readonly intent: SetupManifest;
  /** The record to write after the last step. */
  readonly settled: SetupManifest;
}

function wantedDigest(item: Item): string | undefined {
  if (item.kind === "file") return hash("sha256", item.data);
  if (item.kind === "block") return hash("sha256", item.text);
  return item.kind === "link" ? hash("sha256", item.target) : undefined;
}

const kinds = { file: "a file", link: "a link", folder: "a folder", other: "not a plain file", absent: "nothing" };

/** Returns the digest of what is at an item's path ("" for an export, undefined if nothing exists); or what is in the way. */
function presentDigest(kind: Item["kind"], found: Found): { readonly digest?: string; readonly obstacle?: string } {
  if (found.kind === "absent") return {};
  if (kind === "link" && found.kind === "link") return { digest: hash("sha256", found.target) };
  if (kind === "export" && found.kind === "folder" && found.names.length === 0) return {};
  if (kind === "export" && (found.kind === "file" || found.kind === "folder")) return { digest: "" };
  if (found.kind !== "file" || kind === "link")
    return { obstacle: `is ${kinds[found.kind]}, which feedkey did not make` };
  if (kind === "file") return { digest: hash("sha256", found.bytes) };
  const divided = divide(found.bytes.toString("utf8"));
  if (divided === undefined)
    return { obstacle: "has one of feedkey's two marks without the other, or more than one pair" };
  return divided.block === undefined ? {} : { digest: hash("sha256", divided.block) };
}

const changed = "was changed since feedkey wrote it";

function isKnown(entry: SetupEntry | undefined, present: string): boolean {
  return entry !== undefined && (entry.kind === "export" || [entry.sha256, entry.previous].includes(present));
}

function isHomeOfOurs(found: Found): boolean {
  return found.kind === "folder" && found.names.includes(homeRecord);
}

interface Decision {
  readonly step: Step;
  /** The item's entry in the new record; undefined if the item is not feedkey's. */
  readonly entry: SetupEntry | undefined;
}

function decide({ item, found, isSpare }: Wanted, entry: SetupEntry | undefined, id: SetupId): Decision | string {
  const other = entry?.by.find(({ profile }) => profile !== id.profile);
  if (other !== undefined) return `belongs to the setup of ${other.program} for profile ${other.profile}`;
  const { digest: present, obstacle } = presentDigest(item.kind, found);
  if (obstacle !== undefined) return obstacle;
  const wanted = wantedDigest(item);
  const by = [...(entry?.by ?? []).filter((one) => !isSameSetup(one, id)), id];
  const created = entry?.created ?? (item.kind === "block" && found.kind === "absent");
  const record = (sha256 = wanted, previous?: string) => ({ kind: item.kind, sha256, previous, created, by });
  const step = (action: Step["action"]): Step => {
    return { action, kind: item.kind, path: item.path, found, item, reason: undefined };
  };
  if (present === undefined || isSpare) return { step: step("create"), entry: record() };
  if (present === wanted) {
    // The file already has the wanted contents, but feedkey did not write it. So `--remove` will leave it in place.
    if (entry === undefined) return { step: step("keep"), entry: undefined };
    return { step: step("keep"), entry: isKnown(entry, present) ? record() : { ...entry, by } };
  }
  if (isKnown(entry, present) || isHomeOfOurs(found))
    return { step: step("replace"), entry: record(wanted, present === "" ? undefined : present) };
  return entry === undefined ? "is there already, and feedkey did not write it" : changed;
}

function refusal(conflicts: readonly { readonly path: string; readonly problem: string }[]): FeedkeyError {
  const [first] = conflicts;
  const rest = conflicts.length > 1 ? ` (and ${conflicts.length - 1} more)` : "";
  const message = `${inTarget(first?.path ?? "")} ${first?.problem ?? ""}${rest}; nothing was changed`;
  return new FeedkeyError("output", message, {
    details: { conflicts: conflicts.map(({ path, problem }) => ({ path: inTarget(path), problem })) },
    hint: "check that file, and move it away if it is not needed; if another setup wrote it, undo that setup with --remove",
  });
}

function dispose({ path, found, foreign }: Spent, entry: SetupEntry): Step | undefined {
  const { digest: present, obstacle } = presentDigest(entry.kind, found);
  // The item was already removed. But beside an export, a killed run may have left temporary files.
  if (present === undefined && obstacle === undefined && entry.kind !== "export") return undefined;
  const reason = obstacle ?? (entry.kind === "export" || isKnown(entry, present ?? "") ? foreign : changed);
  const action = reason === undefined ? "remove" : "leave";
  return { action, kind: entry.kind, path, found, item: undefined, reason };
}

/**
 * Plans a setup; if nothing is wanted, plans the removal of a setup.
 * @param spent this setup's items in the record that are no longer wanted
 * @param folders the missing folders for the wanted items
 * @throws FeedkeyError `output` if a file that feedkey did not write is in the way
 */
export function planSetup(
  id: SetupId,
  wanted: readonly Wanted[],
  spent: readonly Spent[],
  folders: readonly string[],
  manifest: SetupManifest,
): SetupPlan {
  const steps: Step[] = [];
  const conflicts: { path: string; problem: string }[] = [];
  const intent = new Map(manifest.entries);
  for (const one of wanted) {
    const { path } = one.item;
    const decision = decide(one, manifest.entries.get(path), id);
    if (typeof decision === "string") {
      conflicts.push({ path, problem: decision });
      continue;
    }
    steps.push(decision.step);
    if (decision.entry !== undefined) intent.set(path, decision.entry);
  }
  if (conflicts.length > 0) throw refusal(conflicts);
  const settled = new Map<string, SetupEntry>(
    [...intent].map(([path, entry]) => [path, { ...entry, previous: undefined }]),
  );
  // Items are removed in the reverse order of writing: a timer goes before the files that it uses.
  for (const one of [...spent].reverse()) {
    const entry = manifest.entries.get(one.path);
    if (entry === undefined) continue;
    const by = entry.by.filter((other) => !isSameSetup(other, id));
    if (by.length > 0) {
      settled.set(one.path, { ...entry, by });
      continue;
    }
    const step = dispose(one, entry);
    if (step !== undefined) steps.push(step);
    settled.delete(one.path);
  }
  const made = [...new Set([...manifest.folders, ...folders])];
  return {
    steps,
    intent: { entries: intent, folders: made },
    settled: { entries: settled, folders: made },
  };
}
