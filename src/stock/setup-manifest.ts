/** The record of the files that `setup` wrote below a root, so that only these are replaced or removed, and only if unchanged. */
import { FeedkeyError } from "../error.ts";
import { refuseWritableByOthers } from "../files/folder.ts";
import type { TargetRoot } from "../files/target-root.ts";
import { StateReader } from "../store/state-reader.ts";

/** The setup that an entry belongs to. */
export interface SetupId {
  readonly program: string;
  readonly profile: string;
}

export interface SetupEntry {
  /** `block`: some lines of somebody else's file. `export`: a keyring, which a timer keeps changing. */
  readonly kind: "file" | "block" | "link" | "export";
  /** Of the file, the block or the link's target; undefined for an export. */
  readonly sha256: string | undefined;
  /** The digest of the previous file while it is being replaced: after a killed run, either may be there. */
  readonly previous: string | undefined;
  /** The file with the block was made for it. */
  readonly created: boolean;
  readonly by: readonly SetupId[];
}

export interface SetupManifest {
  /** By path below the root without a leading slash, in the order in which they were written. */
  readonly entries: ReadonlyMap<string, SetupEntry>;
  /** Folders that had to be made. */
  readonly folders: readonly string[];
}

export const manifestFolder = "var/lib/feedkey/setup";
export const manifestName = `${manifestFolder}/manifest.json`;

export const emptyManifest: SetupManifest = { entries: new Map(), folders: [] };

const version = 1;

function badManifest(path: string, problem: string, hint?: string): FeedkeyError {
  return new FeedkeyError("bad_state", `the record of what feedkey set up, ${path}, ${problem}`, {
    details: { path },
    hint: hint ?? "restore it, or move it away: what was set up then counts as somebody else's and is left alone",
  });
}

/** Whether two are the same setup. */
export function isSameSetup(a: SetupId, b: SetupId): boolean {
  return a.program === b.program && a.profile === b.profile;
}

/**
 * Reads `manifest.json`.
 * @param path for messages
 * @throws FeedkeyError `bad_state` when it is damaged or newer than this program
 */
export function parseManifest(bytes: Uint8Array, path: string): SetupManifest {
  const read = new StateReader(path, badManifest);
  const file = read.document(bytes, version, ["entries", "folders"]);
  const entries = read.list(file.get("entries"), "entries", (value) => {
    const entry = read.object(value, "an entry", ["path", "kind", "sha256?", "previous?", "created?", "by"]);
    const name = read.text(entry.get("path"), "the path of an entry");
    const kind = read.oneOf(entry.get("kind"), name, ["file", "block", "link", "export"]);
    const digest = (key: string) => (entry.has(key) ? read.digest(entry.get(key), name) : undefined);
    if ((digest("sha256") === undefined) !== (kind === "export"))
      throw read.damage(name, "a digest too few or too many");
    const by = read.list(entry.get("by"), name, (one): SetupId => {
      const id = read.object(one, name, ["program", "profile"]);
      return { program: read.text(id.get("program"), name), profile: read.text(id.get("profile"), name) };
    });
    const created = entry.has("created") && read.flag(entry.get("created"), name);
    return [name, { kind, sha256: digest("sha256"), previous: digest("previous"), created, by }] as const;
  });
  return {
    entries: new Map(entries),
    folders: read.list(file.get("folders"), "folders", (folder) => read.text(folder, "folders")),
  };
}

/** Writes `manifest.json`. */
export function serializeManifest({ entries, folders }: SetupManifest): Uint8Array {
  const document = {
    version,
    entries: [...entries].map(([path, { created, ...entry }]) => ({ path, ...entry, ...(created ? { created } : {}) })),
    folders: [...folders],
  };
  return Buffer.from(`${JSON.stringify(document, null, 2)}\n`, "utf8");
}

/** Reads the record of a system. @throws FeedkeyError `bad_state`, also where others can write to it: anyone who can write to the record chooses what a removal removes */
export async function readManifest(root: TargetRoot): Promise<SetupManifest> {
  const folder = await root.hostPath(manifestFolder);
  await refuseWritableByOthers(folder, (problem, hint) => {
    return new FeedkeyError("bad_state", `the record of what feedkey set up is not safe: ${problem}`, {
      details: { path: folder },
      hint,
    });
  });
  const found = await root.look(manifestName);
  if (found.kind === "absent") return emptyManifest;
  if (found.kind === "file") return parseManifest(found.bytes, await root.hostPath(manifestName));
  throw new FeedkeyError("bad_state", `the record of what feedkey set up, /${manifestName}, is not a plain file`, {
    hint: "find out who put it there, then remove it",
  });
}
