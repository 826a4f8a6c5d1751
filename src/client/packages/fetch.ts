/**
 * Use case: download packages that a verified index lists. feedkey gives a package its final name only after it has verified
 * the whole file (T12).
 */

import { createHash } from "node:crypto";
import { digestFile } from "../../files/file-digest.ts";
import type { StagedStream } from "../../files/staged-stream.ts";
import { timeFor } from "../../net/limits.ts";
import { getResuming } from "../../net/resume.ts";
import { isTooLarge } from "../../packages/part-text.ts";
import { httpError, rootOf } from "../../refresh/download.ts";
import type { Session } from "../../refresh/session.ts";
import type { Duration } from "../../time.ts";
import { packageUrl } from "../../trust/package-path.ts";
import type { Mirrors } from "../mirrors.ts";
import type { Choice } from "../verified-index.ts";
import type { PackageCache } from "./package-cache.ts";
import { badPath, maxUnsized, refuseOther, sizeMismatch, type Wanted, wantedOf } from "./wanted-file.ts";

export interface Fetched {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  /** Whether the file with the right digest existed before, so that feedkey did not download it. */
  readonly present: boolean;
}

/** The place to which feedkey writes a package. */
export interface Target {
  readonly path: string;
  /** Starts to write the file under a temporary name. */
  open(): Promise<StagedStream>;
  /** Gives the verified file its final name, or keeps the file until the caller renames it. */
  settle(file: StagedStream): Promise<void>;
}

/** The size in bytes that feedkey assumes if an index gives no size. The time limit for a mirror depends on this size. */
const expectedUnsized = 256 * 1024 ** 2;

/** Returns the folder, below the archive's root, to which the paths in an index are relative. */
export function packagesFolder({ feed }: Choice["index"]): string {
  return feed.packages === "archive" ? "" : feed.path;
}

/** Downloads one package from one server, verifies the package, and only then gives it its final name. */
async function fromLocation(
  session: Session,
  { index, entry }: Choice,
  wanted: Wanted,
  location: string,
  target: Target,
  onBytes: (count: number) => void,
  within: Duration | undefined,
): Promise<number> {
  const place = packageUrl(location, packagesFolder(index), entry.filename ?? "");
  if ("code" in place) throw badPath(entry, place.reason);
  // feedkey never continues an earlier run's partial download, because it hashes each byte as the byte arrives.
  const file = await target.open();
  try {
    const hash = createHash("sha256");
    const take = async (chunk: Uint8Array) => {
      hash.update(chunk);
      await file.write(chunk);
      onBytes(chunk.length);
    };
    // The limit is one byte more than the expected size, so that feedkey notices a file that is too long.
    const maxBytes = (wanted.size ?? maxUnsized) + 1;
    const terms = { maxBytes, policy: "archive", root: rootOf(location), within } as const;
    const answer = await getResuming(session.options.transport, place.url, terms, take);
    if (answer.status !== 200 && answer.status !== 206) throw httpError(place.url, answer);
    refuseOther(entry, wanted, file.bytes, hash.digest("hex"));
    await target.settle(file);
    return file.bytes;
  } catch (error) {
    await file.discard();
    throw isTooLarge(error) ? sizeMismatch(entry, wanted, "more") : error;
  }
}

/**
 * Fetches one package from the cache or a server, unless the right file is already at the target.
 * @param onBytes receives the number of new bytes, for a progress bar
 * @throws FeedkeyError `no_digest`, `bad_path`, `size_mismatch`, `digest_mismatch`, `unavailable`, `output`
 */
export async function fetchPackage(
  session: Session,
  choice: Choice,
  target: Target,
  { mirrors, cache }: { readonly mirrors: Mirrors; readonly cache?: PackageCache | undefined },
  onBytes: (count: number) => void,
): Promise<Fetched> {
  const wanted = wantedOf(choice.entry, choice.index.feed.format);
  const { sha256 } = wanted;
  const { path } = target;
  const there = digestFile(path);
  if (there?.sha256 === sha256 && there.size === (wanted.size ?? there.size)) {
    onBytes(there.size);
    return { path, sha256, size: there.size, present: true };
  }
  const kept = await cache?.take(wanted, target.open);
  if (kept !== undefined) {
    const size = kept.bytes;
    await target.settle(kept);
    onBytes(size);
    return { path, sha256, size, present: false };
  }
  const total = timeFor(wanted.size ?? expectedUnsized, session.options.transport.limits);
  const size = await mirrors.firstGoodPatiently(
    // The last server has no time limit, because no other server can help if it is slow.
    (location, isLast) => fromLocation(session, choice, wanted, location, target, onBytes, isLast ? undefined : total),
    ({ code }) => code === "output" || code === "bad_path",
  );
  await cache?.add(sha256, path, size);
  return { path, sha256, size, present: false };
}
