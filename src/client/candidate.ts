/** The downloaded or local file that may be a feed's root (the signed file), before feedkey verifies its signatures. */
import { bytesOf, type Data } from "../content.ts";
import { FeedkeyError } from "../error.ts";
import { isFramed, unframe } from "../formats/cleartext.ts";
import type { Unframed } from "../formats/format.ts";
import { formats } from "../formats/formats.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import type { FeedFormat } from "../profile/types.ts";
import type { LastIndex } from "../store/feed-folder.ts";
import type { FileVersion } from "../store/file-version.ts";

/** A file that contains signatures: a detached signature file, or a root that contains its own signatures. */
export interface SignatureSource {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly version?: FileVersion | undefined;
  /** The armored signatures in the file, if the file also contains the signed text. */
  readonly within?: Uint8Array;
}

/** A root that feedkey has not verified yet, with the signatures that feedkey found for this root. */
export interface Candidate {
  /** The root's file name or URL, for messages. */
  readonly name: string;
  /** The bytes that the signatures must cover. */
  readonly document: HashedDocument;
  /** The validators (ETag and date) that the server sent with the root. */
  readonly version?: FileVersion | undefined;
  /** The signatures in the order in which feedkey tries them; feedkey uses the first good signature. */
  readonly signatures: readonly SignatureSource[];
}

/**
 * Splits a root that contains its own signatures into text and signatures; undefined if the root does not contain signatures.
 * @param name the file's name
 * @param called the file's name in messages
 * @throws FeedkeyError `bad_signature_data` if the signed text can't be read
 */
export function framedCandidate(format: FeedFormat, name: string, file: Data, called = name): Candidate | undefined {
  const { unframe } = formats[format];
  if (unframe === undefined) return undefined;
  const bytes = bytesOf(file);
  const framed = unframe(bytes, name);
  return framed && candidateOf(framed, bytes, called);
}

function candidateOf(framed: Unframed, file: Uint8Array, called: string): Candidate {
  const signatures = [{ name: called, bytes: file, within: framed.signatures }];
  return { name: called, document: HashedDocument.ofText(framed.signed), signatures };
}

/**
 * Makes a candidate from the stored root and signature of the last accepted index. For a root that contains its own signatures,
 * the client stored the whole file in place of a signature.
 * @throws FeedkeyError `bad_state` if the stored index is not the text in the stored signature file
 */
export function acceptedCandidate({ meta, index, signature }: LastIndex): Candidate {
  const name = "its signature";
  const detached = [{ name, bytes: signature }];
  if (!isFramed(signature))
    return { name: meta.source, document: new HashedDocument(index, index.sha256), signatures: detached };
  const candidate = candidateOf(unframe(signature, name), signature, name);
  if (Buffer.compare(candidate.document.bytes, bytesOf(index)) === 0) return { ...candidate, name: meta.source };
  throw new FeedkeyError(
    "bad_state",
    `the stored signature of feed "${meta.feed}" does not cover the feed's stored index`,
    {
      details: { feed: meta.feed },
      hint: "run feedkey update, which downloads the index and its signature again",
    },
  );
}
