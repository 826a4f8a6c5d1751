/** The verifier of parts: lists of packages that a verified root vouches for. Their digests alone say that they are its own. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { FileDigests } from "../formats/digests.ts";
import { compressionOf, type Part, type PartForm } from "../formats/format.ts";
import { maxIndexBytes } from "../formats/formats.ts";
import { decompress } from "../packages/compression/compression.ts";
import { type Accepted, partPath } from "../store/feed-folder.ts";
import { isTooLarge, largerIndexHint } from "./index-files.ts";
import type { VerifiedRoot } from "./verified-root.ts";

const key = Symbol("made by the verifier of parts");

/** A part whose size and digests are those of its root. Only {@link verifyPart} can make one, of a verified root. */
export class VerifiedPart {
  readonly root: VerifiedRoot;
  readonly part: Part;
  readonly text: Uint8Array;

  constructor(proof: typeof key, root: VerifiedRoot, part: Part, text: Uint8Array) {
    if (proof !== key) throw new FeedkeyError("internal", "a verified part can only come from the verifier");
    this.root = root;
    this.part = part;
    this.text = text;
  }
}

/**
 * Where parts come from. Nothing that it gives is believed.
 * @param place below the folder of the root
 * @param limit bytes that it may have
 * @param damaged where a text of the part is kept that does not fit the root; undefined if none is kept
 * @returns undefined if there is none
 */
export type PartSource = (place: string, limit: number, damaged: string | undefined) => Promise<Uint8Array | undefined>;

/** Under what name the text of a part is kept: its digest. */
export function nameOfPart({ open }: Part): string {
  return open.sha256 ?? open.sha512 ?? "";
}

/**
 * Verifies a part: one that was accepted before, or one from the source. Nothing is decompressed before it has the size and digests that the root gives, and then to no more than
 * the size that the root gives.
 * @throws FeedkeyError `unavailable` if it is nowhere; `bad_index` if what is there is not what the root lists
 */
export async function verifyPart(
  root: VerifiedRoot,
  part: Part,
  last: Accepted | undefined,
  source: PartSource,
): Promise<VerifiedPart> {
  const limit = root.feed.maxIndexSize ?? maxIndexBytes;
  refuseLarge(root, part.path, part.open.size, limit);
  const kept = last && (await keptPart(last, part));
  if (kept !== undefined && fits(kept, part.open)) return new VerifiedPart(key, root, part, kept);
  const damaged = kept && partPath(last.indexPath, nameOfPart(part));
  const readable = part.forms.filter(({ file }) => file.size <= limit);
  const [smallest] = part.forms.map(({ file }) => file.size).sort((a, b) => a - b);
  if (readable.length === 0 && smallest !== undefined) refuseLarge(root, part.path, smallest, limit);
  for (const form of readable) {
    const what = `${part.path} (${form.form ?? "not compressed"})`;
    const bytes = await readForm(form, source, damaged).catch((error: unknown) => {
      throw isTooLarge(error) ? otherPart(root, what) : error;
    });
    if (bytes === undefined) continue;
    if (!fits(bytes, form.file)) throw otherPart(root, what);
    const kind = form.form === undefined ? "none" : compressionOf[form.form];
    const text = await decompress(bytes, kind, part.open.size, "bad_index");
    if (!fits(text, part.open)) throw otherPart(root, `what ${part.path} decompresses to`);
    return new VerifiedPart(key, root, part, text);
  }
  const problem = `feed "${root.feed.name}" has no ${escapeText(part.path)}, which its root lists`;
  throw new FeedkeyError("unavailable", problem, {
    details: { feed: root.feed.name, part: part.path },
    hint: "the mirror is in the middle of an update, or incomplete: try again later or use another mirror",
  });
}

/** The text that was accepted last, where it is the same: then nothing is asked for. */
async function keptPart(last: Accepted, part: Part): Promise<Uint8Array | undefined> {
  try {
    return await readFile(partPath(last.indexPath, nameOfPart(part)));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

async function readForm(
  { places, file }: PartForm,
  source: PartSource,
  damaged: string | undefined,
): Promise<Uint8Array | undefined> {
  for (const place of places) {
    const bytes = await source(place, file.size, damaged);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

/** @throws FeedkeyError `bad_index` */
function refuseLarge({ feed }: VerifiedRoot, path: string, size: number, limit: number): void {
  if (size <= limit) return;
  const problem = `${escapeText(path)} has ${size} bytes, more than the ${limit} that are read`;
  throw new FeedkeyError("bad_index", problem, {
    details: { feed: feed.name, part: path, limit, reason: "limits" },
    hint: largerIndexHint,
  });
}

/** Size and every digest that is given. */
function fits(bytes: Uint8Array, { size, sha256, sha512 }: FileDigests): boolean {
  const has = (algorithm: string, hex: string | undefined) => {
    return hex === undefined || createHash(algorithm).update(bytes).digest("hex") === hex;
  };
  return bytes.length === size && (sha256 ?? sha512) !== undefined && has("sha256", sha256) && has("sha512", sha512);
}

function otherPart({ feed, name }: VerifiedRoot, what: string): FeedkeyError {
  return new FeedkeyError("bad_index", `${escapeText(what)} of feed "${feed.name}" is not what ${name} lists`, {
    details: { feed: feed.name },
    hint: "the mirror is in the middle of an update, or someone changed the file: try again or use another mirror; the last good index stays in use",
  });
}
