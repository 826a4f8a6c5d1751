/**
 * The record of the files that `setup` wrote below a root. feedkey replaces or removes only files in this record, and only if nobody has
 * changed them.
 */
import { FeedkeyError } from "../error.ts";
import { refuseWritableByOthers } from "../files/folder.ts";
import type { TargetRoot } from "../files/target-root.ts";
import { StateReader } from "../store/state-reader.ts";

/** The setup to which an entry belongs. */
export interface SetupId {
  readonly program: string;
  readonly profile: string;
}

export interface SetupEntry {
  /** What the entry stands for. `block`: feedkey's lines in another program's file. `export`: a keyring, which the timer changes. */
  readonly kind: "file" | "block" | "link" | "export";
  /** The SHA-256 digest of the file, the block or the link's target; undefined for an export. */
  readonly sha256: string | undefined;
  /** While the file is being replaced: the digest of the old file. If the run is killed, either the old or the new file is in place. */
  readonly previous: string | undefined;
  /** Whether feedkey created the file that contains the block. */
  readonly created: boolean;
  readonly by: readonly SetupId[];
}

export interface SetupManifest {
  /** The entries in the order in which feedkey wrote the files, by path below the root without a leading slash. */
  readonly entries: ReadonlyMap<string, SetupEntry>;
  /** The folders that feedkey made. */
  readonly folders: readonly string[];
}

export const manifestFolder = "var/lib/feedkey/setup";
export const manifestName = `${manifestFolder}/manifest.json`;

const emptyManifest: SetupManifest = { entries: new Map(), folders: [] };

const version = 1;

function badManifest(path: string, problem: string, hint?: string): FeedkeyError {
  return new FeedkeyError("bad_state", `the record of what feedkey set up, ${path}, ${problem}`, {
    details: { path },
    hint:
      hint ??
      "restore the file from a backup, or move it away: without this record, feedkey leaves all earlier setups as they are",
  });
}

/** Tells whether two IDs name the same setup. */
export function isSameSetup(a: SetupId, b: SetupId): boolean {
  return a.program === b.program && a.profile === b.profile;
}

/**
 * Reads `manifest.json`.
 * @param path the file's path, for messages
 * @throws FeedkeyError `bad_state` if the record is damaged or newer than this program
 */
function parseManifest(bytes: Uint8Array, path: string): SetupManifest {
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

/** Returns the contents of `manifest.json`. */
export function serializeManifest({ entries, folders }: SetupManifest): Uint8Array {
  const document = {
    version,
    entries: [...entries].map(([path, { created, ...entry }]) => ({ path, ...entry, ...(created ? { created } : {}) })),
    folders: [...folders],
  };
  return Buffer.from(`${JSON.stringify(document, null, 2)}\n`, "utf8");
}

/**
 * Reads the record of a system.
 * @throws FeedkeyError `bad_state` if the record is damaged or newer than this program, or if other users can write to it: they could
 * choose which files `--remove` removes
 */
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
