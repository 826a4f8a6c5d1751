/** Downloads a feed's index and its signature files from one location. The caller must still verify the downloaded files. */

import { posix } from "node:path";
import { bytesOf } from "../content.ts";
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
import type { LastIndex } from "../store/feed-folder.ts";
import type { Duration } from "../time.ts";
import { type Candidate, framedCandidate, type SignatureSource } from "./candidate.ts";
import { largerRootHint, maxSignatureBytes, signedBytes } from "./index-files.ts";

/** A server from which the client requests a feed's files, with the limits of these requests. */
export interface Source {
  readonly session: Session;
  readonly location: string;
  readonly feed: Feed;
  /** Size limit of the index file in bytes. */
  readonly limit: number;
  /** Returns how many milliseconds the client may still spend on this server. */
  readonly left: () => Duration;
  /**
   * The server's unclear answers about compressed forms of the index: each form counts as missing, although the server did not
   * clearly say so.
   */
  readonly absences: FeedkeyError[];
}

/** The last accepted index and its signature, which the client uses if the server answers "not modified". */
export interface RememberedIndex {
  readonly index: Remembered;
  readonly signature: Remembered;
}

/**
 * An index with its signatures, and whether the index or a signature is a stored copy because the server answered "not
 * modified".
 */
interface DownloadedIndex {
  readonly candidate: Candidate;
  readonly isRemembered: boolean;
}

/** Returns the stored files for servers that answer "not modified". */
export function rememberedIndex({ meta, index, signature }: LastIndex): RememberedIndex {
  // For a root that contains its own signatures, the client stored the whole file in place of a signature.
  const file = isFramed(signature) ? { bytes: signature } : { bytes: index, sha256: index.sha256 };
  return {
    index: { version: meta.versions?.index, stored: file },
    signature: { version: meta.versions?.signature, stored: { bytes: signature } },
  };
}

/**
 * Downloads the signature files of an index, and asks HTTP caches for the current versions.
 * @throws FeedkeyError `unavailable` if a download fails, or if the server gives no signature file but does not clearly say
 *   that there is none
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
    files.push({ name: signatureName, bytes: bytesOf(file.bytes), version: file.version });
    areRemembered ||= file.isRemembered;
  }
  const [unsure] = absences;
  if (files.length === 0 && unsure !== undefined) throw unsure;
  return { files, areRemembered };
}

/**
 * Downloads an index and its signatures.
 * @param headers the headers for the request for the index
 * @param remembered the stored files, for the answer "not modified"
 * @returns undefined if the server has no index with this name
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
      candidate: {
        name,
        document: new HashedDocument(signed, file.sha256),
        version: file.version,
        signatures: signatures.files,
      },
      isRemembered: file.isRemembered || signatures.areRemembered,
    };
  });
}

/**
 * Returns a function that downloads the parts of a root from the server that gave the root. The time limit for each part
 * depends on the part's size, which the root gives.
 * @param root the root's path in the feed
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
    return file && bytesOf(file.bytes);
  };
}
