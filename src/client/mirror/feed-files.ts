/**
 * Downloads all files of a feed that clients request, except packages, from one server, and checks each file against an
 * accepted index.
 */

import { posix } from "node:path";
import { bytesOf, type Data } from "../../content.ts";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { isFramed } from "../../formats/cleartext.ts";
import type { PartForm, RootContent } from "../../formats/format.ts";
import { formatOf, indexFileNames } from "../../formats/formats.ts";
import { timeFor } from "../../net/limits.ts";
import { HashedDocument } from "../../openpgp/packet/hashed-document.ts";
import { fitsDigests } from "../../packages/part-text.ts";
import type { Feed } from "../../profile/types.ts";
import type { Judged } from "../../refresh/certificate-pool.ts";
import { downloadFile, inFeed, pastCaches } from "../../refresh/download.ts";
import { type Session, withProgress } from "../../refresh/session.ts";
import { type Candidate, framedCandidate, type SignatureSource } from "../candidate.ts";
import { indexLimit, indexNames, maxSignatureBytes, signedBytes } from "../index-files.ts";
import type { VerifiedIndex } from "../verified-index.ts";
import { verifyRoot } from "../verified-root.ts";

/** A file that clients request from the mirror. */
export interface FeedFile {
  /** The file's path below the archive's root. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The files of a feed, in the order in which the mirror renames them: a file comes after the files that it refers to. */
export interface FeedFiles {
  /** The lists of packages and other files that the root names by their digests. */
  readonly lists: readonly FeedFile[];
  /** The root in each of its compressed forms. */
  readonly plain: readonly FeedFile[];
  readonly signatures: readonly FeedFile[];
  /** The root that contains its own signatures, if the format has this form; clients request this file first. */
  readonly framed: readonly FeedFile[];
}

/** The accepted index against which feedkey checks the files, and the keys that may sign the index. */
interface Accepted {
  readonly session: Session;
  readonly judged: Judged;
  readonly index: VerifiedIndex;
}

/**
 * Downloads all files of a feed from one server.
 * @throws FeedkeyError `unavailable` if the server lacks a file, or if a file does not belong to the accepted index
 */
export async function feedFiles(accepted: Accepted, location: string): Promise<FeedFiles> {
  const { session, index } = accepted;
  const lists = await listsOf(accepted, location);
  const [framed, plain, signatures]: [FeedFile[], FeedFile[], FeedFile[]] = [[], [], []];
  for (const name of rootNames(index.feed)) {
    const path = inFeed(index.feed, name);
    const limit = indexLimit(index.feed, { size: index.root.signed.length });
    const bytes = await get(session, location, path, limit);
    // In some formats, a detached signature and a root that contains its own signatures have the same name.
    if (bytes === undefined || (signatures.some((one) => one.path === path) && !isFramed(bytes))) continue;
    const whole = framedCandidate(index.feed.format, name, bytes);
    const found = whole === undefined ? await beside(accepted, location, name, bytes, limit) : [];
    if (whole !== undefined) await check(accepted, whole);
    (whole === undefined ? plain : framed).push({ path, bytes });
    for (const one of found) if (!signatures.some((other) => other.path === one.path)) signatures.push(one);
  }
  if (framed.length === 0 && (plain.length === 0 || signatures.length === 0))
    throw changed(index.feed, "the signed index");
  return { lists, plain, signatures, framed };
}

/** Returns the names of all forms of the root that clients may request. */
function rootNames(feed: Feed): readonly string[] {
  const format = formatOf(feed.format);
  // If a signature covers the compressed file and not its text, each form is a separate index, and only one of them was
  // accepted.
  return format.signs === "text" && format.forms.length > 0 ? indexFileNames(format) : indexNames(feed);
}

/**
 * Downloads the signature files of a root and verifies each signature: with a bad signature file, clients of the mirror would
 * refuse what clients of the archive accept.
 */
async function beside(
  accepted: Accepted,
  location: string,
  name: string,
  bytes: Uint8Array,
  limit: number,
): Promise<FeedFile[]> {
  const { session, index } = accepted;
  const { feed } = index;
  const document = new HashedDocument(await signedBytes(feed.format, name, bytes, limit));
  const found: FeedFile[] = [];
  for (const signature of formatOf(feed.format).signaturesOf(name)) {
    const path = inFeed(feed, signature);
    const file = await get(session, location, path, maxSignatureBytes);
    if (file === undefined || isFramed(file)) continue;
    const source: SignatureSource = { name: signature, bytes: file };
    await check(accepted, { name, document, signatures: [source] });
    found.push({ path, bytes: file });
  }
  return found;
}

/** Checks a downloaded root. @throws FeedkeyError if the root has no good signature, or is not the accepted root */
async function check({ session, judged, index }: Accepted, candidate: Candidate): Promise<void> {
  const { feed, root } = index;
  const { sha256, signed } = await verifyRoot(candidate, feed, { profile: session.profile, judged, last: undefined });
  const { ignoresBlankEnds } = formatOf(feed.format);
  const text = (data: Data) => HashedDocument.ofText(bytesOf(data)).covered;
  const isSame =
    sha256 === root.sha256 || (ignoresBlankEnds === true && Buffer.compare(text(signed), text(root.signed)) === 0);
  if (!isSame) throw changed(feed, candidate.name);
}

async function listsOf({ session, index }: Accepted, location: string): Promise<FeedFile[]> {
  const { feed, root } = index;
  const { content } = formatOf(feed.format);
  const { parts, beside: others }: Pick<RootContent, "parts" | "beside"> = content?.(bytesOf(root.signed), feed) ?? {
    parts: [],
    beside: [],
  };
  const files: FeedFile[] = [];
  const take = async (forms: readonly PartForm[]) => {
    let isThere = false;
    for (const form of forms) {
      const got = await listFiles(session, location, index, form);
      isThere ||= got.length > 0;
      for (const one of got) files.push(one);
    }
    return isThere;
  };
  for (const { path, forms } of parts) if (!(await take(forms))) throw changed(feed, path);
  await take(others);
  return files;
}

/**
 * Downloads one form of a list, and returns this form once for each of its paths, the path by digest first. Returns an empty
 * array if the server has the form at none of these paths.
 */
async function listFiles(
  session: Session,
  location: string,
  { feed }: VerifiedIndex,
  { file, places }: PartForm,
): Promise<FeedFile[]> {
  const folder = posix.dirname(rootNames(feed)[0] ?? "");
  const paths = places.map((place) => inFeed(feed, posix.join(folder, place)));
  for (const path of paths) {
    const bytes = await get(session, location, path, file.size);
    if (bytes === undefined) continue;
    if (!fitsDigests(bytes, file)) throw changed(feed, path);
    return paths.map((one) => ({ path: one, bytes }));
  }
  return [];
}

async function get(session: Session, location: string, path: string, limit: number): Promise<Uint8Array | undefined> {
  return await withProgress(session, path, undefined, async (onProgress) => {
    const within = timeFor(limit, session.options.transport.limits);
    const file = await downloadFile(session, location, path, limit, { onProgress, within, ...pastCaches });
    return file && bytesOf(file.bytes);
  });
}

/**
 * Makes the error for a server whose files do not belong to the accepted index: the server is being updated, or is older or
 * newer than the server that gave the index.
 */
function changed(feed: Feed, what: string): FeedkeyError {
  const problem = `${escapeText(what)} of feed "${feed.name}" is missing on the server, or does not belong to the index that was accepted`;
  return new FeedkeyError("unavailable", problem, {
    details: { feed: feed.name, reason: "changed" },
    hint: "the archive is being updated, or the server is incomplete; the mirror was not changed: run the command again later",
  });
}
