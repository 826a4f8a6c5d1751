/** Reads the package lists that a root names by size and digest, from any source. */
import { createHash, type Hash } from "node:crypto";
import { type Data, piecesOf } from "../content.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { FileDigests } from "../formats/digests.ts";
import { compressionOf, type Part, type PartForm } from "../formats/format.ts";
import { canDecompress, decompress } from "./compression/compression.ts";

/**
 * Reads a file that contains a part. The caller checks the bytes. May throw an error with the reason `too_large` if the file is larger
 * than the limit.
 * @param place path below the root's folder
 * @param limit size limit in bytes
 * @param damaged path of a stored text of this part that does not match the root; undefined if there is no such text
 * @returns undefined if the file does not exist
 */
export type PartSource = (place: string, limit: number, damaged: string | undefined) => Promise<Uint8Array | undefined>;

/** The feed and the limit with which a part is read. */
interface PartTerms {
  /** The feed's name; undefined if messages name the feed anyway. */
  readonly feed: string | undefined;
  /** The root's name in messages. */
  readonly root: string;
  /** Maximum size of a list in bytes, compressed or not. */
  readonly limit: number;
  /** The path to give to the source as `damaged`. */
  readonly damaged?: string | undefined;
}

/** Whether an error means that a source sent or announced too many bytes. */
export function isTooLarge(error: unknown): error is FeedkeyError {
  return error instanceof FeedkeyError && error.details.reason === "too_large";
}

/** Whether a text has the given size and every given digest. @param known the text's SHA-256 hash, if the caller has computed it */
export function fitsDigests(text: Data, { size, sha256, sha512 }: FileDigests, known?: Hash): boolean {
  if (text.length !== size || (sha256 ?? sha512) === undefined) return false;
  const has = (hex: string | undefined, hash: () => Hash) => hex === undefined || hash().digest("hex") === hex;
  const hashed = (name: string) => {
    const hash = createHash(name);
    for (const piece of piecesOf(text)) hash.update(piece);
    return hash;
  };
  return has(sha256, () => known?.copy() ?? hashed("sha256")) && has(sha512, () => hashed("sha512"));
}

/**
 * Reads a part in the best available form. Decompresses a file only if its size and digests match the root, and only up to the size
 * that the root gives.
 * @throws FeedkeyError `unavailable` if no form is available; `bad_index` if the file does not match the root, or if the part is
 * larger than the limit (reason `limits`)
 */
export async function partText(part: Part, terms: PartTerms, source: PartSource): Promise<Uint8Array> {
  refuseLargePart(part, terms, part.open.size);
  const kindOf = (form: PartForm["form"]) => (form === undefined ? "none" : compressionOf[form]);
  const known = part.forms.filter(({ form }) => canDecompress(kindOf(form)));
  const readable = known.filter(({ file }) => file.size <= terms.limit);
  const [smallest] = known.map(({ file }) => file.size).sort((a, b) => a - b);
  if (readable.length === 0 && smallest !== undefined) refuseLargePart(part, terms, smallest);
  for (const { form, file, places } of readable) {
    const what = `${part.path} (${form ?? "not compressed"})`;
    for (const place of places) {
      const bytes = await source(place, file.size, terms.damaged).catch((error: unknown) => {
        throw isTooLarge(error) ? otherPart(part, what, terms) : error;
      });
      if (bytes === undefined) continue;
      if (!fitsDigests(bytes, file)) throw otherPart(part, what, terms);
      const text = await decompress(bytes, kindOf(form), part.open.size, "bad_index");
      if (!fitsDigests(text, part.open)) throw otherPart(part, `the decompressed ${part.path}`, terms);
      return text;
    }
  }
  const { feed, root } = terms;
  const there = feed === undefined ? "there is" : `feed "${feed}" has`;
  const lack = known.length > 0 ? "no" : "no form that feedkey can decompress of";
  throw new FeedkeyError("unavailable", `${there} ${lack} ${escapeText(part.path)}, which ${root} lists`, {
    details: { feed, part: part.path },
  });
}

/** Throws if a part is larger than the limit. @param size the part's size in bytes @throws FeedkeyError `bad_index` */
export function refuseLargePart({ path }: Part, { feed, limit }: PartTerms, size: number): void {
  if (size <= limit) return;
  const problem = `${escapeText(path)} has ${size} bytes, but feedkey reads at most ${limit}`;
  throw new FeedkeyError("bad_index", problem, { details: { feed, part: path, limit, reason: "limits" } });
}

function otherPart({ path }: Part, what: string, { feed, root }: PartTerms): FeedkeyError {
  const whose = feed === undefined ? "" : ` of feed "${feed}"`;
  return new FeedkeyError("bad_index", `${escapeText(what)}${whose} does not match ${root}`, {
    details: { feed, part: path },
  });
}
