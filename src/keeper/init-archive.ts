/** Makes a new archive: a key in the key store, the folder to publish, and an `archive.ini` with a first feed. */
import { lstat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { FeedkeyError, unlessMissing } from "../error.ts";
import { escapeText } from "../escape.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import { ensureFolder } from "../files/folder.ts";
import { formatOf, type PublishedFormat } from "../formats/formats.ts";
import { encodeValue } from "../profile/ini.ts";
import { readArchiveConfig } from "../profile/read-archive.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Keeper } from "./open-archive.ts";

export interface NewArchive {
  /** The path of the new `archive.ini`. */
  readonly file: string;
  /** The folder to publish. `archive.ini` must not be in this folder or in a folder below it. */
  readonly root: string;
  /** The user ID for all keys of the archive, as "Name <address>". */
  readonly userId: string;
  readonly feed: {
    readonly name: string;
    readonly format: PublishedFormat;
    /** The architectures of the feed's packages, separated by spaces, if the format has a list of packages for each architecture. */
    readonly architectures?: string;
  };
  /** The key's passphrase; undefined for a key without a passphrase. */
  readonly passphrase: string | undefined;
}

export { publishedNames } from "../formats/formats.ts";

/** Tells whether a feed in this format is a suite, with a package list for each architecture. */
export function isSuite(format: PublishedFormat): boolean {
  return formatOf(format).divided === "suites";
}

const lifetime = 2 * 365 * 86_400_000;

function textOf({ file, root, userId, feed }: NewArchive, fingerprint: Fingerprint): string {
  const folder = relative(resolve(file, ".."), root);
  return [
    "[archive]",
    `root = ${encodeValue(folder)}`,
    `user-id = ${encodeValue(userId)}`,
    `key = ${fingerprint}`,
    "",
    `[feed ${feed.name}]`,
    `format = ${encodeValue(feed.format)}`,
    ...(isSuite(feed.format)
      ? [`path = ${encodeValue(`dists/${feed.name}`)}`, "packages = pool", "components = main"]
      : [`path = ${encodeValue(feed.name)}`]),
    ...(feed.architectures === undefined ? [] : [`architectures = ${encodeValue(feed.architectures)}`]),
    "",
  ].join("\n");
}

/**
 * Makes the key, the folder and `archive.ini`. Checks the settings and the path of `archive.ini` before it makes the key.
 * @throws FeedkeyError `output` if the file already exists; `bad_config`, `usage`
 */
export async function initArchive(
  keeper: Keeper,
  options: NewArchive,
): Promise<{ fingerprint: Fingerprint; feedFolder: string }> {
  const terms = { ...options, file: resolve(options.file), root: resolve(options.root) };
  if ((await unlessMissing(lstat(terms.file))) !== undefined) {
    throw new FeedkeyError("output", `there is a file ${escapeText(terms.file)} already`, {
      details: { path: terms.file },
      hint: "run the command in another folder, or add what is missing to the file yourself",
    });
  }
  readArchiveConfig(textOf(terms, "0".repeat(40)), terms.file);
  const { userId, passphrase } = terms;
  const { fingerprint } = await keeper.keys.make({ userId, algorithm: "ed25519", lifetime, passphrase });
  const feedFolder = join(terms.root, isSuite(terms.feed.format) ? "pool" : terms.feed.name);
  await ensureFolder(feedFolder, 0o755);
  await writeFileAtomic(terms.file, textOf(terms, fingerprint), { mode: 0o644 });
  return { fingerprint, feedFolder };
}
