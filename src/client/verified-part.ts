/** Verifies parts: the lists of packages that a verified root names by their digests. */
import type { Data } from "../content.ts";
import { FeedkeyError } from "../error.ts";
import type { Part } from "../formats/format.ts";
import { maxIndexBytes } from "../formats/formats.ts";
import { fitsDigests, type PartSource, partText, refuseLargePart } from "../packages/part-text.ts";
import type { LastIndex } from "../store/feed-folder.ts";
import { largerIndexHint } from "./index-files.ts";
import type { VerifiedRoot } from "./verified-root.ts";

const key = Symbol("made by the verifier of parts");

/** A part that has the size and digests given in a verified root. Only {@link verifyPart} can make a `VerifiedPart`. */
export class VerifiedPart {
  readonly root: VerifiedRoot;
  readonly part: Part;
  /** The text. A text that the state already has is not in memory. */
  readonly text: Data;
  /** Whether the client's state contains a damaged copy of this text, which this text must replace. */
  readonly mends: boolean;

  constructor(proof: typeof key, root: VerifiedRoot, part: Part, text: Data, mends: boolean) {
    if (proof !== key) throw new FeedkeyError("internal", "a verified part can only come from the verifier");
    this.root = root;
    this.part = part;
    this.text = text;
    this.mends = mends;
  }
}

/** Returns the name under which the client stores the text of a part: the text's digest. */
export function nameOfPart({ open }: Part): string {
  return open.sha256 ?? open.sha512 ?? "";
}

/**
 * Verifies a part: the stored text if it still has the digests in the root, else the text from the source.
 * @param last the last accepted index with its stored parts; undefined if the part must come from the source
 * @throws FeedkeyError as `partText` does
 */
export async function verifyPart(
  root: VerifiedRoot,
  part: Part,
  last: LastIndex | undefined,
  source: PartSource,
): Promise<VerifiedPart> {
  const terms = { feed: root.feed.name, root: root.name, limit: root.feed.maxIndexSize ?? maxIndexBytes };
  try {
    refuseLargePart(part, terms, part.open.size);
    // If the stored text has the right digests, feedkey does not ask the source.
    const kept = last?.readPart(nameOfPart(part));
    if (kept !== undefined && fitsDigests(kept.text, part.open, kept.text.sha256))
      return new VerifiedPart(key, root, part, kept.text, false);
    const damaged = kept?.path;
    const text = await partText(part, { ...terms, damaged }, source);
    return new VerifiedPart(key, root, part, text, damaged !== undefined);
  } catch (error) {
    throw error instanceof FeedkeyError && error.details.part !== undefined ? withHint(error) : error;
  }
}

function withHint({ code, message, details, cause }: FeedkeyError): FeedkeyError {
  const middle = "the mirror is in the middle of an update, or";
  const hint =
    details.reason === "limits"
      ? largerIndexHint
      : code === "unavailable"
        ? `${middle} incomplete: try again later or use another mirror`
        : `${middle} someone changed the file: try again or use another mirror; the last good index stays in use`;
  return new FeedkeyError(code, message, { details, hint, cause });
}
