/** Use case: the judgement of `update` on local files, and package files against the verified index. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { HashedDocument } from "../openpgp/hashed-document.ts";
import { isPackageName } from "../package/file-names.ts";
import type { Feed, FeedFormat, Profile } from "../profile/types.ts";
import type { DigestThreads } from "../store/digest-threads.ts";
import { type FileDigest, readHashed } from "../store/file-digest.ts";
import { ReadAhead } from "../store/read-ahead.ts";
import { refuseOther, wantedOf } from "./fetch.ts";
import { maxIndexFileBytes, maxSignatureBytes, otherForm, signatureNames, signedBytes } from "./index-files.ts";
import type { Judged } from "./knowledge.ts";
import type { Session } from "./session.ts";
import { type Candidate, lastIndex, type VerifiedIndex, verifyIndex } from "./verified-index.ts";

/** A file, read and hashed at once. Undefined if there is none. */
function readLimited(path: string, limit: number): HashedDocument | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    const status = fstatSync(descriptor);
    const { size } = status;
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
    // A pipe does not tell its size.
    if (!status.isFile()) return new HashedDocument(readFileSync(descriptor));
    const { bytes, sha256 } = readHashed(descriptor, size);
    return new HashedDocument(bytes, sha256);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    if (systemCode(cause) === undefined) throw cause;
    throw new FeedkeyError("not_found", `${escapeText(path)} can't be read`, {
      cause,
      details: { path, reason: systemCode(cause) },
      hint: "check the path and who may read the file",
    });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
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

/** Begins to read an index that is going to be a candidate. */
export function readIndexAhead(indexPath: string): ReadAhead {
  return new ReadAhead(indexPath, maxIndexFileBytes);
}

/**
 * @param ahead the index, if it was begun to be read before
 * @throws FeedkeyError `not_found` if there is no index, `no_signature` if there is no signature file
 */
export async function readCandidate(
  format: FeedFormat,
  indexPath: string,
  signaturePath: string | undefined,
  ahead?: ReadAhead,
): Promise<Candidate> {
  const early = ahead?.path === indexPath ? await ahead.found : undefined;
  const file = early ? new HashedDocument(early.bytes, early.sha256) : readLimited(indexPath, maxIndexFileBytes);
  if (file === undefined) {
    throw new FeedkeyError("not_found", `there is no index ${escapeText(indexPath)}`, { details: { path: indexPath } });
  }
  const beside = signatureNames(format, basename(indexPath)).map((name) => join(dirname(indexPath), name));
  const signatures = [];
  for (const path of signaturePath === undefined ? beside : [signaturePath]) {
    const signature = readLimited(path, maxSignatureBytes);
    if (signature !== undefined) signatures.push({ name: escapeText(path), bytes: signature.bytes });
  }
  const name = basename(indexPath);
  const signed = await signedBytes(format, name, file.bytes);
  return { name: escapeText(name), document: signed === file.bytes ? file : new HashedDocument(signed), signatures };
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
  options: { readonly compare: boolean; readonly allowEmpty: boolean; readonly ahead?: ReadAhead },
): Promise<VerifiedIndex> {
  const last = options.compare ? await lastIndex(session, feed) : undefined;
  const judgeAt = async (path: string) => {
    const candidate = await readCandidate(feed.format, path, signaturePath, options.ahead);
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

/**
 * Checks a package file against the index: an entry with its file name must have its digest.
 * @param place where it lies in a folder with the packages of the feed; its name alone where that means nothing
 * @param found what digesting the file gave
 * @throws FeedkeyError `not_found`, `not_listed`, `no_digest`, `bad_path`, `size_mismatch`, `digest_mismatch`
 */
function checkPackageFile(index: VerifiedIndex, path: string, place: string, found: FileDigest | undefined): void {
  if (found === undefined) {
    throw new FeedkeyError("not_found", `there is no package file ${escapeText(path)}`, { details: { path } });
  }
  const entries = nearest(index.packages.findByFile(basename(path)), place);
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
  const right = entries.find((entry) => entry.sha256 === found.sha256 && entry.size === found.size) ?? first;
  refuseOther(right, wantedOf(right), found.size, found.sha256);
}

/**
 * Of entries with one file name those whose path has most in common with the file's, from its end: what lies at the place
 * of one package must not pass for another that is called the same.
 */
function nearest<Listed extends { readonly filename: string | undefined }>(
  entries: readonly Listed[],
  place: string,
): Listed[] {
  const wanted = place.split("/").reverse();
  const common = ({ filename = "" }: Listed) => {
    const segments = filename.split("/").reverse();
    const differing = segments.findIndex((segment, i) => segment !== wanted[i]);
    return differing === -1 ? segments.length : differing;
  };
  const most = Math.max(...entries.map(common));
  return entries.filter((entry) => common(entry) === most);
}

/** What came of the files: the paths found good, and every refusal. */
export interface CheckedFiles {
  readonly good: readonly string[];
  readonly errors: readonly FeedkeyError[];
}

/**
 * Checks package files against the index.
 * @param folder that they lie in, as the feed's packages do; undefined: they may lie anywhere
 */
export async function verifyFiles(
  index: VerifiedIndex,
  paths: readonly string[],
  threads: DigestThreads,
  onProgress: (done: number) => void,
  folder?: string,
): Promise<CheckedFiles & { readonly digests: ReadonlyMap<string, string> }> {
  const good: string[] = [];
  const errors: FeedkeyError[] = [];
  const digests = new Map<string, string>();
  const digest = await threads.digest(paths, onProgress);
  for (const [position, path] of paths.entries()) {
    try {
      const found = digest(position);
      checkPackageFile(index, path, folder === undefined ? basename(path) : relative(folder, path), found);
      good.push(path);
      digests.set(path, found?.sha256 ?? "");
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      errors.push(error);
    }
  }
  return { good, errors, digests };
}

async function packageFilesBelow(folder: string, format: FeedFormat): Promise<string[]> {
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new FeedkeyError("not_found", `the folder ${escapeText(folder)} can't be read`, {
      cause,
      details: { path: folder },
    });
  });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await packageFilesBelow(path, format)));
    // A link is no package file and is refused as none; behind one to a folder nothing would be checked.
    else if (isPackageName(entry.name, format) || (entry.isSymbolicLink() && (await leadsToFolder(path)))) {
      found.push(path);
    }
  }
  return found;
}

async function leadsToFolder(link: string): Promise<boolean> {
  const stat = await fs.stat(link).catch(() => undefined);
  return stat?.isDirectory() === true;
}

/**
 * Checks every package file below a folder.
 * @param complete also refuse when a listed package is missing there
 */
export async function verifyFolder(
  index: VerifiedIndex,
  folder: string,
  complete: boolean,
  threads: DigestThreads,
  onProgress: (done: number) => void,
): Promise<CheckedFiles> {
  const paths = await packageFilesBelow(folder, index.feed.format);
  const { good, errors, digests } = await verifyFiles(index, paths, threads, onProgress, folder);
  if (!complete) return { good, errors };
  const found = new Set([...digests].map(([path, sha256]) => `${basename(path)} ${sha256}`));
  const refused = new Set(paths.filter((path) => !digests.has(path)).map((path) => basename(path)));
  const missing: FeedkeyError[] = [];
  for (const entry of index.packages) {
    const name = entry.filename?.slice(entry.filename.lastIndexOf("/") + 1) ?? "";
    // By digest too: two folders of the archive may have files of one name.
    if (refused.has(name) || found.has(`${name} ${entry.sha256}`)) continue;
    const what = `package "${escapeText(entry.name)}" ${escapeText(entry.version)}`;
    missing.push(
      new FeedkeyError("size_mismatch", `${what} is listed but missing in ${escapeText(folder)}`, {
        details: { package: entry.name, version: entry.version, folder },
        hint: "copy it there, or verify without --complete",
      }),
    );
  }
  return { good, errors: [...errors, ...missing] };
}
