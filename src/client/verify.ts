/** Use case: the judgement of `update` on local files, and package files against the verified index. */
import * as fs from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { isPackageName } from "../package/file-names.ts";
import type { Feed, FeedFormat, Profile } from "../profile/types.ts";
import type { AcceptedIndex } from "../trust/freshness.ts";
import { digestOf, refuseOther, wantedOf } from "./fetch.ts";
import { maxIndexFileBytes, maxSignatureBytes, otherForm, signatureNames, signedBytes } from "./index-files.ts";
import type { Judged } from "./knowledge.ts";
import type { Session } from "./session.ts";
import { type Candidate, type VerifiedIndex, verifyIndex } from "./verified-index.ts";

async function readLimited(path: string, limit: number): Promise<Uint8Array | undefined> {
  try {
    const handle = await fs.open(path, "r");
    try {
      const { size } = await handle.stat();
      if (size > limit) {
        throw new FeedkeyError(
          "bad_index",
          `${escapeText(path)} has ${size} bytes, more than the ${limit} that are read`,
          {
            details: { path, size, limit },
            hint: "no index or signature is that large: look where the file comes from",
          },
        );
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    if (systemCode(cause) === undefined) throw cause;
    throw new FeedkeyError("not_found", `${escapeText(path)} can't be read`, {
      cause,
      details: { path, reason: systemCode(cause) },
      hint: "check the path and who may read the file",
    });
  }
}

/**
 * The feed that a local index belongs to: the one named, the only one, or the one whose path the file lies at.
 * @throws FeedkeyError `usage`
 */
export function feedOf(profile: Profile, name: string | undefined, indexPath: string): Feed {
  const names = profile.feeds.map((feed) => feed.name).join(", ");
  const fail = (problem: string) =>
    new FeedkeyError("usage", problem, {
      details: { feeds: profile.feeds.map((feed) => feed.name) },
      hint: `name one with --feed; profile "${profile.name}" has: ${names === "" ? "none" : names}`,
    });
  if (name !== undefined) {
    const found = profile.feeds.find((feed) => feed.name === name);
    if (found === undefined) throw fail(`profile "${profile.name}" has no feed "${escapeText(name)}"`);
    return found;
  }
  const folder = `${dirname(resolve(indexPath))}/`;
  const candidates =
    profile.feeds.length === 1 ? profile.feeds : profile.feeds.filter((f) => folder.endsWith(`/${f.path}/`));
  const [only, ...others] = candidates;
  if (only === undefined || others.length > 0) throw fail(`it is unclear which feed "${escapeText(indexPath)}" is`);
  return only;
}

/** @throws FeedkeyError `not_found` if there is no index, `no_signature` if there is no signature file */
export async function readCandidate(
  format: FeedFormat,
  indexPath: string,
  signaturePath: string | undefined,
): Promise<Candidate> {
  const file = await readLimited(indexPath, maxIndexFileBytes);
  if (file === undefined) {
    throw new FeedkeyError("not_found", `there is no index ${escapeText(indexPath)}`, { details: { path: indexPath } });
  }
  const beside = signatureNames(format, basename(indexPath)).map((name) => join(dirname(indexPath), name));
  const signatures = [];
  for (const path of signaturePath === undefined ? beside : [signaturePath]) {
    const bytes = await readLimited(path, maxSignatureBytes);
    if (bytes !== undefined) signatures.push({ name: escapeText(path), bytes });
  }
  const name = basename(indexPath);
  return { name: escapeText(name), bytes: await signedBytes(format, name, file), signatures };
}

/**
 * Verifies a local index. If its signature does not fit but fits its other form (`Packages` for `Packages.gz`),
 * it says so: then this one is `bad_index`.
 */
export async function verifyLocal(
  session: Session,
  judged: Judged,
  feed: Feed,
  indexPath: string,
  signaturePath: string | undefined,
  options: { readonly compare: boolean; readonly allowEmpty: boolean },
): Promise<VerifiedIndex> {
  const last: AcceptedIndex | undefined = options.compare
    ? (await session.state.lastAccepted(feed.name))?.meta
    : undefined;
  const judgeAt = async (path: string) => {
    const candidate = await readCandidate(feed.format, path, signaturePath);
    return await verifyIndex(candidate, feed, session.profile, judged, last, options.allowEmpty);
  };
  try {
    return await judgeAt(indexPath);
  } catch (error) {
    if (!(error instanceof FeedkeyError) || error.code !== "bad_signature") throw error;
    const form = otherForm(feed.format, basename(indexPath));
    if (form === undefined) throw error;
    const other = join(dirname(indexPath), form);
    const fits = await judgeAt(other).catch(() => undefined);
    if (fits === undefined) throw error;
    const [name, otherName] = [basename(indexPath), basename(other)].map(escapeText);
    throw new FeedkeyError(
      "bad_index",
      `index "${name}" differs from "${otherName}", which is the one that was signed`,
      {
        details: { feed: feed.name, index: name, signed: otherName },
        hint: `use ${otherName}, and have the archive publish both forms anew`,
        cause: error,
      },
    );
  }
}

/** A package file that was found good. */
interface GoodFile {
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * Checks a package file against the index: an entry with its file name must have its digest.
 * @returns its path
 * @throws FeedkeyError `not_found`, `not_listed`, `no_digest`, `bad_path`, `size_mismatch`, `digest_mismatch`
 */
export async function verifyPackageFile(index: VerifiedIndex, path: string): Promise<string> {
  return (await checkPackageFile(index, path)).path;
}

async function checkPackageFile(index: VerifiedIndex, path: string): Promise<GoodFile> {
  const found = await digestOf(path);
  if (found === undefined) {
    throw new FeedkeyError("not_found", `there is no package file ${escapeText(path)}`, { details: { path } });
  }
  const entries = index.packages.findByFile(basename(path));
  const [first] = entries;
  if (first === undefined) {
    throw new FeedkeyError(
      "not_listed",
      `the index of feed "${index.feed.name}" does not list ${escapeText(basename(path))}`,
      {
        details: { path, feed: index.feed.name },
        hint: "it did not come from this feed: do not install it",
      },
    );
  }
  const right = entries.some((entry) => entry.sha256 === found.sha256 && entry.size === found.size);
  if (!right) refuseOther(first, wantedOf(first), found.size, found.sha256);
  return { path, sha256: found.sha256 };
}

async function* packageFilesBelow(folder: string, format: FeedFormat): AsyncGenerator<string> {
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new FeedkeyError("not_found", `the folder ${escapeText(folder)} can't be read`, {
      cause,
      details: { path: folder },
    });
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* packageFilesBelow(path, format);
    // A link is no package file and is refused as none; behind one to a folder nothing would be checked.
    else if (isPackageName(entry.name, format) || (entry.isSymbolicLink() && (await leadsToFolder(path)))) yield path;
  }
}

async function leadsToFolder(link: string): Promise<boolean> {
  const stat = await fs.stat(link).catch(() => undefined);
  return stat?.isDirectory() === true;
}

/**
 * Checks every package file below a folder.
 * @param complete also refuse when a listed package is missing there
 * @returns the paths found good, and every refusal
 */
export async function verifyFolder(
  index: VerifiedIndex,
  folder: string,
  complete: boolean,
  onProgress: (done: number) => void,
): Promise<{ good: string[]; errors: FeedkeyError[] }> {
  const good: string[] = [];
  const errors: FeedkeyError[] = [];
  const seen = new Set<string>();
  const found = new Set<string>();
  const refused = new Set<string>();
  for await (const path of packageFilesBelow(folder, index.feed.format)) {
    seen.add(basename(path));
    try {
      const { sha256 } = await checkPackageFile(index, path);
      good.push(path);
      found.add(`${basename(path)} ${sha256}`);
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      errors.push(error);
      refused.add(basename(path));
    }
    onProgress(seen.size);
  }
  if (!complete) return { good, errors };
  for (const entry of index.packages) {
    const name = entry.filename?.slice(entry.filename.lastIndexOf("/") + 1) ?? "";
    // By digest too: two folders of the archive may have files of one name.
    if (refused.has(name) || found.has(`${name} ${entry.sha256}`)) continue;
    const what = `package "${escapeText(entry.name)}" ${escapeText(entry.version)}`;
    errors.push(
      new FeedkeyError("size_mismatch", `${what} is listed but missing in ${escapeText(folder)}`, {
        details: { package: entry.name, version: entry.version, folder },
        hint: "copy it there, or verify without --complete",
      }),
    );
  }
  return { good, errors };
}
