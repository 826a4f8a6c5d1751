import { type Details, type ErrorCode, FeedkeyError } from "../../error.ts";
import type { PublishedFormat } from "../../profile/types.ts";
import { type ScannedPackage, scanFile } from "./scan-file.ts";
import type { FoundPackage } from "./scan-walk.ts";

/** A file to scan, and its row in the table. */
export interface ToScan {
  readonly row: number;
  readonly found: FoundPackage;
}

/** A FeedkeyError in the form for sending it between threads. A sent error would lose its class. */
interface Failure {
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Details;
  readonly hint: string | undefined;
}

/** The scanned packages in a batch, in columns. Sending many small objects to another thread would take a long time. */
export interface ScannedBatch {
  readonly rows: readonly number[];
  /** The name, version and architecture of each package, each followed by a newline. */
  readonly words: string;
  /** The SHA-256 and MD5 digests of each package, in lower-case hex, all in one string. */
  readonly digests: string;
  /** The size, in bytes, of each package's own part of its stanza. */
  readonly lengths: readonly number[];
  /** The packages' own parts of their stanzas, one after another. */
  readonly own: Uint8Array;
  readonly failed: readonly Failure[];
}

/** Puts scanned packages into columns. @param rows the packages' rows in the table */
export function batchOf(
  rows: readonly number[],
  scanned: readonly ScannedPackage[],
  failed: readonly Failure[] = [],
): ScannedBatch {
  return {
    rows,
    words: scanned.map(({ name, version, architecture }) => `${name}\n${version}\n${architecture}\n`).join(""),
    digests: scanned.map(({ sha256, md5 }) => sha256 + md5).join(""),
    lengths: scanned.map(({ own }) => own.length),
    own: Buffer.concat(scanned.map(({ own }) => own)),
    failed,
  };
}

/** Scans files, one after another. For a bad package, the result contains an error. Throws only for bugs. */
export async function scanBatch(batch: readonly ToScan[], format: unknown): Promise<[ScannedBatch]> {
  const rows: number[] = [];
  const scanned: ScannedPackage[] = [];
  const failed: Failure[] = [];
  for (const { row, found } of batch) {
    try {
      scanned.push(await scanFile(found, format as PublishedFormat));
      rows.push(row);
    } catch (error) {
      if (!(error instanceof FeedkeyError) || error.code === "internal") throw error;
      const { code, message, details, hint } = error;
      failed.push({ path: found.path, code, message, details, hint });
    }
  }
  return [batchOf(rows, scanned, failed)];
}

/** Returns the FeedkeyError from the form in which another thread sent it. */
export function errorOf({ code, message, details, hint }: Failure): FeedkeyError {
  return new FeedkeyError(code, message, hint === undefined ? { details } : { details, hint });
}
