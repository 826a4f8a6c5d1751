/** The copy of an archive on which a step is rehearsed: keys, configuration, indexes and bundle. Packages are not copied. */
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FeedkeyError, onRefusal, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { ensureFolder } from "../files/folder.ts";
import { formatOf } from "../formats/formats.ts";
import { backupStore } from "../keys/backup.ts";
import { encodeValue } from "../profile/ini.ts";
import { readArchiveConfig } from "../profile/read-archive.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import type { Archive } from "../publish/archive.ts";
import { filesOf, rootOf } from "../publish/feed-layouts.ts";
import { recordsFolder } from "../publish/published-record.ts";
import { bundleFiles, readBundleFile } from "../signing/published-bundle.ts";
import { PublishedTree } from "../signing/published-tree.ts";
import { KeyStore } from "../store/key-store.ts";
import type { Target } from "./stock-client.ts";

export interface Stage {
  readonly folder: string;
  /** The copy, opened as an archive without key servers. */
  readonly archive: Archive;
  /** A folder for the copies of revocation certificates that the step makes. */
  readonly safe: string;
  /** Replaces the copy's paths in a text with the archive's paths. */
  translate(text: string): string;
}

/** Copies a file if the file exists. */
async function copy(from: string, to: string): Promise<void> {
  try {
    await ensureFolder(dirname(to), 0o700);
    await copyFile(from, to);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return;
    throw new FeedkeyError("output", `${escapeText(from)} can't be copied for the rehearsal`, {
      cause,
      details: { path: from, reason: systemCode(cause) },
    });
  }
}

/** Returns the text of archive.ini with another root, and without key servers or an object store. Keeps everything else. */
function redirected(text: string, root: string): string {
  let section = "";
  const lines = text.split("\n").flatMap((line) => {
    section = /^\s*\[([^\]]*)\]/.exec(line)?.[1]?.trim() ?? section;
    if (section !== "archive") return [line];
    if (/^\s*(keyserver(s|-ca)|root-local|s3-endpoint|s3-region)\s*=/.test(line)) return [];
    return [/^\s*root\s*=/.test(line) ? `root = ${encodeValue(root)}` : line];
  });
  return lines.join("\n");
}

async function copyPublished({ config }: Archive, site: string): Promise<void> {
  const tree = await PublishedTree.open(config.root);
  const put = async (name: string, bytes: Uint8Array | undefined) => {
    if (bytes === undefined) return;
    await ensureFolder(dirname(join(site, name)), 0o700);
    await writeFile(join(site, name), bytes);
  };
  for (const feed of config.feeds) {
    const needed = filesOf(feed);
    const name = rootOf(feed).signed.split(".")[0] ?? "";
    const folder = join(config.root, feed.path);
    await tree.folder(feed.path).refuseOdd(needed);
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const files = entries.filter((entry) => {
      return (
        needed.includes(entry.name) || (entry.isFile() && (entry.name === name || entry.name.startsWith(`${name}.`)))
      );
    });
    for (const file of files) {
      await put(join(feed.path, file.name), await tree.folder(feed.path).read(file.name));
    }
    const root = await tree.folder(feed.path).read(rootOf(feed).signed);
    for (const list of await listsOf(feed, root)) await copy(join(folder, list), join(site, feed.path, list));
  }
  for (const path of bundleFiles) await put(path, await readBundleFile(tree, path));
}

/** Returns the package lists to which a root refers, by their path below the feed's folder: `publish` reads these lists too. */
async function listsOf(feed: ArchiveFeed, root: Uint8Array | undefined): Promise<readonly string[]> {
  const { content } = formatOf(feed.format);
  if (content === undefined || root === undefined) return [];
  // If the root is bad, the clients in the rehearsal will report the error.
  const { parts } = await onRefusal(
    () => content(root, { index: undefined }),
    () => ({ parts: [] }),
  );
  return parts.flatMap(({ forms }) => forms.flatMap(({ places }) => places));
}

/** Copies the key store's records about this archive, but not its caches. */
async function copyRecords(from: Archive, to: Archive): Promise<void> {
  const [source, target] = [recordsFolder(from.store, from.config.root), recordsFolder(to.store, to.config.root)];
  for (const name of ["published.json", "successor", "finishing"]) await copy(join(source, name), join(target, name));
}

/**
 * Copies an archive into a folder. The archive itself is only read.
 * @param folder a private, empty folder
 * @throws FeedkeyError `bad_config` if other users can read a secret key; `output` if the copy can't be written
 */
export async function makeStage(archive: Archive, folder: string): Promise<Stage> {
  const [home, site, file] = [join(folder, "home"), join(folder, "site"), join(folder, "archive.ini")];
  await mkdir(site, { mode: 0o700 });
  await backupStore(archive.store, home);
  await writeFile(file, redirected(await readFile(archive.config.file, "utf8"), site), { mode: 0o600 });
  const config = readArchiveConfig(await readFile(file, "utf8"), file);
  if (config.root !== site || config.bucket !== undefined || config.keyservers.length > 0) {
    throw new FeedkeyError("internal", "the copy of archive.ini leads out of the copy");
  }
  const staged: Archive = { ...archive, config, store: await KeyStore.open(home) };
  await copyPublished(archive, site);
  await copyRecords(archive, staged);
  const safe = join(folder, "safe");
  const places = [
    [file, archive.config.file],
    [site, archive.config.root],
    [home, archive.store.folder],
    [safe, "(a folder for backups)"],
  ] as const;
  return {
    folder,
    archive: staged,
    safe,
    translate: (text) => places.reduce((shown, [from, to]) => shown.replaceAll(from, to), text),
  };
}

/**
 * Returns the feeds in the copy that have an index, as targets for the clients.
 * @param packages the root of the archive itself, which has the package files
 */
export async function targetsOf({ archive }: Stage, packages: string): Promise<Target[]> {
  const targets: Target[] = [];
  for (const feed of archive.config.feeds) {
    const folder = join(archive.config.root, feed.path);
    const index = rootOf(feed).signed;
    const names = await readdir(folder).catch(() => [] as string[]);
    if (names.includes(index))
      targets.push({
        feed,
        folder,
        index,
        published: join(packages, feed.path),
        packages: join(packages, feed.packages ?? feed.path),
      });
  }
  return targets;
}
