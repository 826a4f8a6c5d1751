/** Checks that clients can read an index before feedkey signs the index. Uses the clients' own reader and limits. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { Signing } from "../formats/format.ts";
import { compressionNamed, formats, singleNames, usualIndexBytes } from "../formats/formats.ts";
import { type Instant, iso } from "../time.ts";
import { summaryText } from "./summary-files.ts";

/** An index that clients can read. */
interface ReadableIndex {
  readonly packages: number;
  /** Warnings for the keepers, as sentences. */
  readonly warnings: readonly string[];
}

/**
 * Warns if new clients would refuse an index because of its size. Clients accept a large index only if their profile allows the size, or if
 * they have already accepted an index of at least half the size.
 * @param what the index's name in messages
 * @param bytes the size of the index's text, or of the signed file
 */
export function warnOfSize(what: string, bytes: number, usual = usualIndexBytes): string[] {
  if (bytes <= usual) return [];
  return [
    `${what} has ${bytes} bytes: new clients accept at most ${usual}, unless their profile sets max-index-size for the feed`,
  ];
}

/**
 * Warns if more than half of the validity period of another program's root has passed.
 * @param what the root's name in messages
 */
export function warnOfEnd(what: string, signing: Signing | undefined, text: Uint8Array, at: Instant): string[] {
  const found = signing?.validity?.(text);
  if (found === undefined || (found.until - at) * 2 >= found.until - found.since) return [];
  const words = found.until <= at ? "so clients refuse it now" : "which is soon";
  return [`${what} is valid until ${iso(found.until)}, ${words}: run the program again that wrote this file`];
}

/**
 * Reads an index as clients do.
 * @param what the index's name in messages
 * @throws FeedkeyError `bad_index` if every client would refuse the index; with the line number if a line is malformed
 */
export function refuseUnreadable<Read>(what: string, hint: string, read: () => Read): Read {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof FeedkeyError)) throw cause;
    throw new FeedkeyError(cause.code, `clients would refuse ${what}: ${cause.message}`, {
      details: cause.details,
      hint,
      cause,
    });
  }
}

/**
 * Warns if an index lists no packages.
 * @param what the index's name in messages
 * @param packages the number of packages in the index
 */
export function warnOfNone(what: string, packages: number): string[] {
  if (packages > 0) return [];
  return [
    `${what} lists no packages: a client that has accepted packages in this feed refuses the empty index until its user runs feedkey update --allow-empty`,
  ];
}

/**
 * Reads a file like a client, before feedkey signs the file. Uses the format that the file's name suggests, else any format that fits.
 * @param name the file's name
 * @param what the file's name in messages
 * @throws FeedkeyError `bad_index` if no client could read the file
 */
export async function refuseUnreadableFile(name: string, what: string, bytes: Uint8Array): Promise<ReadableIndex> {
  const named = singleNames.find((format) => compressionNamed(formats[format], name) !== undefined);
  const hint =
    "correct the program that wrote the index, and sign again; --force signs the index unchanged, for other clients that can read it";
  const errors: FeedkeyError[] = [];
  for (const format of named === undefined ? singleNames : [named]) {
    try {
      const text = formats[format].signs === "file" ? await summaryText(bytes) : bytes;
      const packages = refuseUnreadable(what, hint, () => formats[format].read(text).count);
      const readable = { packages, warnings: warnOfSize(what, text.length) };
      if (readable.packages > 0) return readable;
      if (named !== undefined) return { ...readable, warnings: warnOfNone(what, readable.packages) };
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      errors.push(error);
    }
  }
  const [error] = errors;
  if (named !== undefined && error !== undefined) {
    throw new FeedkeyError(error.code, error.message, { details: error.details, hint, cause: error });
  }
  throw new FeedkeyError("bad_index", `${what} is not an index of ${singleNames.join(" or ")}`, {
    details: { name: escapeText(name), line: error?.details.line },
    hint: "--force signs the file unchanged, for clients of another format",
  });
}
