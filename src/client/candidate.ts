/** A root that claims to be the feed's root and is ready to be judged. */
import { FeedkeyError } from "../error.ts";
import { isFramed, unframe } from "../formats/cleartext.ts";
import type { Unframed } from "../formats/format.ts";
import { formats } from "../formats/formats.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import type { FeedFormat } from "../profile/types.ts";
import type { LastIndex } from "../store/client-state-view.ts";
import type { FileVersion } from "../store/file-version.ts";

/** A file with signatures. */
export interface SignatureSource {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly version?: FileVersion | undefined;
  /** The armored signatures in the file, if the file also contains the signed text. */
  readonly within?: Uint8Array;
}

/** A root with the signature files found beside it. */
export interface Candidate {
  /** The root's file name or URL, for messages. */
  readonly name: string;
  /** The bytes that a signature covers. */
  readonly document: HashedDocument;
  /** The server's validators of the downloaded file. */
  readonly version?: FileVersion | undefined;
  /** Signatures in the order in which they are tried; the first good signature is used. */
  readonly signatures: readonly SignatureSource[];
}

/**
 * Returns a candidate from a root that contains its own signatures; undefined for other roots.
 * @param name the file's name
 * @param called the name of the file in messages
 * @throws FeedkeyError `bad_signature_data` if the signed text can't be read
 */
export function framedCandidate(
  format: FeedFormat,
  name: string,
  file: Uint8Array,
  called = name,
): Candidate | undefined {
  const framed = formats[format].unframe?.(file, name);
  return framed && candidateOf(framed, file, called);
}

function candidateOf(framed: Unframed, file: Uint8Array, called: string): Candidate {
  const signatures = [{ name: called, bytes: file, within: framed.signatures }];
  return { name: called, document: HashedDocument.ofText(framed.signed), signatures };
}

/**
 * Returns the accepted root, unchanged. If the root contained its own signatures, the client stored the whole file as its
 * signature.
 * @throws FeedkeyError `bad_state` if the stored index is not the text that this file contains
 */
export function acceptedCandidate({ meta, index, signature }: LastIndex): Candidate {
  const name = "its signature";
  const detached = [{ name, bytes: signature }];
  if (!isFramed(signature))
    return { name: meta.source, document: new HashedDocument(index.bytes, index.sha256), signatures: detached };
  const candidate = candidateOf(unframe(signature, name), signature, name);
  if (Buffer.compare(candidate.document.bytes, index.bytes) === 0) return { ...candidate, name: meta.source };
  throw new FeedkeyError(
    "bad_state",
    `the stored index of feed "${meta.feed}" and its stored signature do not belong together`,
    {
      details: { feed: meta.feed },
      hint: "run feedkey update, which downloads both again",
    },
  );
}
