/** Use case: verify a local index by the same rules as `update` verifies a downloaded index. */

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { HeldFiles } from "../files/hashed-file.ts";
import { readError } from "../files/system-error.ts";
import { formats } from "../formats/formats.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import type { PartSource } from "../packages/part-text.ts";
import type { Feed, FeedFormat, Profile } from "../profile/types.ts";
import type { Judged } from "../refresh/certificate-pool.ts";
import { inFeed } from "../refresh/download.ts";
import type { Session } from "../refresh/session.ts";
import { type Candidate, framedCandidate } from "./candidate.ts";
import { chosenFeeds } from "./chosen-feeds.ts";
import { indexLimit, largerIndexHint, maxSignatureBytes, otherForm, signedBytes } from "./index-files.ts";
import { readingOf } from "./reading.ts";
import { type VerifiedIndex, verifyIndex } from "./verified-index.ts";

/**
 * Reads and hashes a file.
 * @param files keeps the file open
 * @returns undefined if the file is missing
 * @param isNamed whether the user named the file, which may then be a pipe; otherwise a pipe counts as missing
 */
function readLimited(files: HeldFiles, path: string, limit: number, isNamed: boolean): HashedDocument | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | (isNamed ? 0 : constants.O_NONBLOCK));
    const status = fstatSync(descriptor);
    if (!isNamed && !status.isFile()) return undefined;
    const { size } = status;
    if (size > limit) {
      throw tooLarge(path, limit, size);
    }
    // A pipe has no size, so `readPipe` counts the bytes that it reads.
    if (!status.isFile()) return new HashedDocument(readPipe(descriptor, path, limit));
    const taken = descriptor;
    descriptor = undefined;
    const file = files.take(path, taken, size, true);
    return new HashedDocument(file, file.sha256);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT" || (!isNamed && systemCode(cause) === "ENXIO")) return undefined;
    if (systemCode(cause) === undefined) throw cause;
    throw readError(cause, path, { hint: "check the path and who may read the file" });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function tooLarge(path: string, limit: number, size?: number): FeedkeyError {
  const found = size === undefined ? "more bytes than" : `${size} bytes, more than`;
  return new FeedkeyError("bad_index", `${escapeText(path)} has ${found} the limit of ${limit}`, {
    details: { path, limit, reason: "too_large", ...(size === undefined ? {} : { size }) },
    hint: largerIndexHint,
  });
}

/** Reads all bytes from a pipe or device. @throws FeedkeyError `bad_index` if it gives more bytes than the limit */
function readPipe(descriptor: number, path: string, limit: number): Buffer {
  const pieces: Buffer[] = [];
  let total = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(64 * 1024);
    const count = readSync(descriptor, piece);
    if (count === 0) return Buffer.concat(pieces, total);
    total += count;
    if (total > limit) throw tooLarge(path, limit);
    pieces.push(piece.subarray(0, count));
  }
}

/**
 * Returns the feed that a local index belongs to: the given feed, the profile's only feed, or the feed whose path ends the path
 * of the index's folder.
 * @throws FeedkeyError `usage` if no feed matches, or several feeds do
 */
export function feedOf(profile: Profile, name: string | undefined, indexPath: string): Feed {
  const [named] = name === undefined ? [] : chosenFeeds(profile, [name]);
  if (named !== undefined) return named;
  const folder = `${dirname(resolve(indexPath))}/`;
  // In some formats, the root is in a subfolder of the feed's folder.
  const foldersOf = (feed: Feed) => [
    feed.path,
    ...formats[feed.format].roots(feed).map((root) => inFeed(feed, dirname(root))),
  ];
  const isIn = (feed: Feed) => foldersOf(feed).some((path) => folder.endsWith(`/${path}/`));
  const candidates = profile.feeds.length === 1 ? profile.feeds : profile.feeds.filter(isIn);
  const [only, ...others] = candidates;
  if (only !== undefined && others.length === 0) return only;
  const names = profile.feeds.map((feed) => feed.name);
  throw new FeedkeyError("usage", `it is unclear which feed "${escapeText(indexPath)}" belongs to`, {
    details: { feeds: names },
    hint: `choose a feed with --feed; profile "${profile.name}" has: ${names.join(", ")}`,
  });
}

interface Reading {
  /** The size limit for the index in bytes; it applies to the file and to its decompressed text. */
  readonly limit: number;
  /** Whether the user named this index; otherwise feedkey tries this form itself. */
  readonly isNamed: boolean;
}

/**
 * Reads an index and its signatures.
 * @throws FeedkeyError `not_found` if the index is missing
 */
async function readCandidate(
  files: HeldFiles,
  format: FeedFormat,
  indexPath: string,
  signaturePath: string | undefined,
  { limit, isNamed }: Reading,
): Promise<Candidate> {
  const file = readLimited(files, indexPath, limit, isNamed);
  if (file === undefined) {
    throw new FeedkeyError("not_found", `there is no index ${escapeText(indexPath)}`, { details: { path: indexPath } });
  }
  const called = escapeText(basename(indexPath));
  const framed = signaturePath === undefined && framedCandidate(format, basename(indexPath), file.content, called);
  if (framed) return framed;
  const beside = formats[format].signaturesOf(basename(indexPath)).map((name) => join(dirname(indexPath), name));
  const signatures = [];
  for (const path of signaturePath === undefined ? beside : [signaturePath]) {
    const signature = readLimited(files, path, maxSignatureBytes, signaturePath !== undefined);
    if (signature !== undefined) signatures.push({ name: escapeText(path), bytes: signature.bytes });
  }
  const name = basename(indexPath);
  const signed = await signedBytes(format, name, file.content, limit);
  return { name: called, document: signed === file.content ? file : new HashedDocument(signed), signatures };
}

/**
 * Returns a function that reads the parts of a root from the root's folder. If the root's name has the form of the files in
 * /var/lib/apt/lists, the names of the parts have this form too.
 * @param root the root's path
 */
function partsBeside(files: HeldFiles, root: string): PartSource {
  const prefix = /^(.+_)(?:In)?Release$/.exec(basename(root))?.[1];
  return async (place, limit) => {
    const name = prefix === undefined ? place : prefix + place.replaceAll("/", "_");
    return readLimited(files, join(dirname(root), name), limit, false)?.bytes;
  };
}

/**
 * Verifies a local index. Refuses the index with `bad_index` if the signature covers only the other form of the index: for
 * example, `Packages` but not `Packages.gz`.
 */
export async function verifyLocal(
  session: Session,
  judged: Judged,
  feed: Feed,
  indexPath: string,
  signaturePath: string | undefined,
  options: { readonly compare: boolean; readonly allowEmpty: boolean },
): Promise<VerifiedIndex> {
  const last = options.compare ? await session.state.lastIndex(feed.name) : undefined;
  const judgeAt = async (path: string) => {
    const reading = { limit: indexLimit(feed, last?.meta), isNamed: path === indexPath };
    const candidate = await readCandidate(session.state.files, feed.format, path, signaturePath, reading);
    return await verifyIndex(candidate, feed, {
      ...{ profile: session.profile, judged, last, allowEmpty: options.allowEmpty },
      parts: partsBeside(session.state.files, path),
      ignoreKept: true,
      readAs: readingOf(feed),
    });
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
    const problem = `index "${name}" differs from "${otherName}", which is the file that was signed`;
    throw new FeedkeyError("bad_index", problem, {
      details: { feed: feed.name, index: name, signed: otherName },
      hint: `verify ${otherName} instead, and ask the archive's keepers to publish both forms again`,
      cause: error,
    });
  }
}
