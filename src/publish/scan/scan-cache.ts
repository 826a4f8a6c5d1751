/**
 * Results of earlier scans, so that only new packages are read. Anyone who can write the cache can choose the published
 * digests, so it is private, in the keeper's store, and one that is damaged, foreign or open to others is ignored as a whole.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { writeFileAtomic } from "../../files/atomic.ts";
import type { Instant } from "../../time.ts";
import { readRecords, type ScanCache, writeRecords } from "./scan-cache-format.ts";
import type { FileIdentity } from "./scan-walk.ts";

// Change this whenever the records or the checks of packages change, so that all packages are read again.
const MAGIC = Buffer.from("feedkey scan cache 4\n", "latin1");
const DIGEST_SIZE = 32;

/** The coarsest time resolution of file systems; a later write within the same step is invisible. */
const RACY_MS = 2000;

/**
 * Whether a file was unchanged long enough before the scan that a later change must show in its times (like git's "racy"
 * index entries).
 */
export function isSettled(identity: FileIdentity, scanStartedAt: Instant): boolean {
  const settledNs = BigInt(scanStartedAt - RACY_MS) * 1_000_000n;
  return identity.modifiedNs < settledNs && identity.changedNs < settledNs;
}

/** Reads a cache; an empty one if there is none, or it can't be trusted. */
export async function loadScanCache(file: string): Promise<ScanCache> {
  const bytes = await readPrivate(file).catch(() => undefined);
  if (bytes === undefined) return new Map();
  const start = MAGIC.length + DIGEST_SIZE;
  const digest = bytes.subarray(MAGIC.length, start);
  const body = bytes.subarray(start);
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC) || !sha256(body).equals(digest)) return new Map();
  return readRecords(body) ?? new Map();
}

/**
 * Saves a cache with mode 0600, completely or not at all.
 * @throws FeedkeyError `output`
 */
export async function saveScanCache(file: string, cache: ScanCache): Promise<void> {
  const start = MAGIC.length + DIGEST_SIZE;
  const bytes = writeRecords(cache, start);
  MAGIC.copy(bytes);
  sha256(bytes.subarray(start)).copy(bytes, MAGIC.length);
  await writeFileAtomic(file, bytes, { mode: 0o600 });
}

async function readPrivate(file: string): Promise<Buffer | undefined> {
  const handle = await fs.open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { mode, uid } = await handle.stat();
    const isOwn = uid === process.geteuid?.() && (mode & 0o022) === 0;
    return isOwn ? await handle.readFile() : undefined;
  } finally {
    await handle.close();
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
