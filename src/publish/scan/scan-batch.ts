import { type Details, type ErrorCode, FeedkeyError } from "../../error.ts";
import type { PublishedFormat } from "../../profile/types.ts";
import { type ScannedPackage, scanFile } from "./scan-file.ts";
import type { FoundPackage } from "./scan-walk.ts";

/** A FeedkeyError in the form in which it is sent between threads, which loses its class. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Details;
  readonly hint: string | undefined;
}

export type ScanOutcome =
  | { readonly ok: true; readonly scanned: ScannedPackage }
  | { readonly ok: false; readonly path: string; readonly failure: Failure };

/** Scans one file after the other. A bad package is an outcome; only bugs are thrown. */
export async function scanBatch(batch: readonly FoundPackage[], format: unknown): Promise<ScanOutcome[]> {
  const outcomes: ScanOutcome[] = [];
  for (const found of batch) {
    try {
      outcomes.push({ ok: true, scanned: await scanFile(found, format as PublishedFormat) });
    } catch (error) {
      if (!(error instanceof FeedkeyError) || error.code === "internal") throw error;
      const { code, message, details, hint } = error;
      outcomes.push({ ok: false, path: found.path, failure: { code, message, details, hint } });
    }
  }
  return outcomes;
}

/** Makes the error again after it was sent. */
export function errorOf({ code, message, details, hint }: Failure): FeedkeyError {
  return new FeedkeyError(code, message, hint === undefined ? { details } : { details, hint });
}
