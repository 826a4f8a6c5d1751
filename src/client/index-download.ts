/** A feed's index and its signature files, from one location. Nothing here is verified yet. */

import { posix } from "node:path";
import { FeedkeyError } from "../error.ts";
import { isFramed } from "../formats/cleartext.ts";
import { formats } from "../formats/formats.ts";
import { timeFor } from "../net/limits.ts";
import type { GetOptions } from "../net/types.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import { isTooLarge, type PartSource } from "../packages/part-text.ts";
import type { Feed } from "../profile/types.ts";
import { downloadFile, inFeed, pastCaches, type Remembered } from "../refresh/download.ts";
import { type Session, withProgress } from "../refresh/session.ts";
import type { LastIndex } from "../store/client-state-view.ts";
import type { Accepted } from "../store/feed-folder.ts";
import type { Duration } from "../time.ts";
import { type Candidate, framedCandidate, type SignatureSource } from "./candidate.ts";
import { largerRootHint, maxSignatureBytes, signedBytes } from "./index-files.ts";

/** One location from which a feed's files are requested. */
export interface Source {
  readonly session: Session;
  readonly location: string;
  readonly feed: Feed;
  /** Maximum size of the index file, in bytes. */
  readonly limit: number;
  /** The remaining milliseconds for this location. */
  readonly left: () => Duration;
  /** Why forms of the index count as missing, if the server did not clearly say so. */
  readonly absences: FeedkeyError[];
}

/** The last accepted index and its signature, for servers that say "not modified". */
export interface RememberedIndex {
  readonly index: Remembered;
  readonly signature: Remembered;
}

/** An index with its signatures, and whether one of them is a stored copy after "not modified". */
export interface DownloadedIndex {
  readonly candidate: Candidate;
  readonly isRemembered: boolean;
}

/** The stored file for "not modified". It is read then, because another run may have accepted a newer one in the meantime. */
export function rememberedIndex({ state }: Session, feed: Feed, { meta }: Accepted): RememberedIndex {
  const { sha256, signatureSha256, versions } = meta;
  let reading: ReturnType<typeof state.lastIndex> | undefined;
  const stored = async () => {
    reading ??= state.lastIndex(feed.name);
    const found = await reading;
    return found?.meta.sha256 === sha256 && found.meta.signatureSha256 === signatureSha256 ? found : undefined;
  };
  // If a file contains its own signatures, the whole file was stored as its signature.
  const file = (found: LastIndex) => (isFramed(found.signature) ? found.signature : found.index);
  return {
    index: { version: versions?.index, bytes: async () => stored().then((found) => found && file(found)) },
    signature: { version: versions?.signature, bytes: async () => (await stored())?.signature },
  };
}

/**
 * The current signature files of an index, requested past caches.
 * @throws FeedkeyError `unavailable` also if there is none, but the server did not clearly say so
 */
async function downloadSignatures(
  { session, location, feed, left }: Source,
  name: string,
  remembered: RememberedIndex | undefined,
): Promise<{ files: SignatureSource[]; areRemembered: boolean }> {
  const files: SignatureSource[] = [];
  const absences: FeedkeyError[] = [];
  let areRemembered = false;
  for (const signatureName of formats[feed.format].signaturesOf(name)) {
    const file = await downloadFile(session, location, inFeed(feed, signatureName), maxSignatureBytes, {
      within: left(),
      onAbsent: (reason) => absences.push(reason),
      remembered: remembered?.signature,
      ...pastCaches,
    });
    if (file === undefined) continue;
    files.push({ name: signatureName, bytes: file.bytes, version: file.version });
    areRemembered ||= file.isRemembered;
  }
  const [unsure] = absences;
  if (files.length === 0 && unsure !== undefined) throw unsure;
  return { files, areRemembered };
}

/**
 * Downloads an index and its signatures.
 * @param headers for the request of the index
 * @param remembered the stored copy, for "not modified"
 * @returns undefined if there is no such index
 * @throws FeedkeyError `unavailable`, `bad_index`
 */
export async function downloadIndex(
  source: Source,
  name: string,
  headers: Pick<GetOptions, "headers">,
  remembered?: RememberedIndex,
): Promise<DownloadedIndex | undefined> {
  const { session, location, feed, limit, left, absences } = source;
  const path = inFeed(feed, name);
  return await withProgress(session, `${feed.name}: ${name}`, undefined, async (onProgress) => {
    const file = await downloadFile(session, location, path, limit, {
      onProgress,
      within: left(),
      onAbsent: (reason) => absences.push(reason),
      remembered: remembered?.index,
      ...headers,
    }).catch((error: unknown) => {
      if (!isTooLarge(error)) throw error;
      const { code, message, details } = error;
      throw new FeedkeyError(code, message, { details, hint: largerRootHint(feed, limit), cause: error });
    });
    if (file === undefined) return undefined;
    const framed = framedCandidate(feed.format, name, file.bytes);
    if (framed !== undefined)
      return { candidate: { ...framed, version: file.version }, isRemembered: file.isRemembered };
    const signatures = await downloadSignatures(source, name, remembered);
    const signed = file.isRemembered ? file.bytes : await signedBytes(feed.format, name, file.bytes, limit);
    return {
      candidate: { name, document: new HashedDocument(signed), version: file.version, signatures: signatures.files },
      isRemembered: file.isRemembered || signatures.areRemembered,
    };
  });
}

/**
 * The parts of a root, from the same location. Each has its own time limit, because its signed size is better known.
 * @param root path of its file below the feed
 */
export function partsBeside(source: Source, root: string, headers: Pick<GetOptions, "headers">): PartSource {
  const { session, location, feed, absences } = source;
  return async (place, limit) => {
    const path = inFeed(feed, posix.join(posix.dirname(root), place));
    const file = await withProgress(session, `${feed.name}: ${place}`, limit, (onProgress) => {
      const within = timeFor(limit, session.options.transport.limits);
      const onAbsent = (reason: FeedkeyError) => absences.push(reason);
      return downloadFile(session, location, path, limit, { onProgress, within, onAbsent, ...headers });
    });
    return file?.bytes;
  };
}
