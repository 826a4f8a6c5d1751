/** Classifies a key server's answer as found, absent or unknown (T11). */
import type { FeedkeyError } from "../error.ts";
import { httpFailure, said, unavailable } from "../net/failure.ts";
import type { HttpAnswer } from "../net/types.ts";
import { dearmorToEnd } from "../openpgp/packet/armor.ts";
import { isWhole } from "../openpgp/packet/packets.ts";

export interface Found {
  readonly outcome: "found";
  /** The OpenPGP blocks in the answer, without armor. feedkey has not checked any packet yet. */
  readonly blocks: readonly Uint8Array[];
}

/** A well-formed answer that says that the server does not have the key. */
interface Absent {
  readonly outcome: "absent";
  /** What the server answered: `status 404`, or the text of the answer. */
  readonly how: string;
}

/** A failed request, or an answer that does not show whether the server has the key. */
export interface Unknown {
  readonly outcome: "unknown";
  readonly error: FeedkeyError;
  /**
   * The blocks at the beginning of an answer that is too long or ends early. A revocation in these blocks counts, but the key
   * still counts as unchecked, because the missing part may contain another revocation.
   */
  readonly blocks?: readonly Uint8Array[];
}

export type Answer = Found | Absent | Unknown;

/**
 * Whether a binary block belongs to the requested key. The block may be the key's certificate, or a revocation of the key without a
 * certificate.
 */
export type Recognise = (block: Uint8Array) => boolean;

// For a missing key, onak answers with status 200 and one of these texts (onak 0.6.2). Any other text with status 200 is an error.
const onakNotFound = new Set(["Key not found", "info:1:0"]);

const signaturePacket = 2;
const publicKeyPacket = 6;

/** Whether a body begins with the packet of a public key or of a signature (RFC 9580 section 4.2). */
function looksBinary(body: Uint8Array): boolean {
  const first = body[0] ?? 0;
  if ((first & 0x80) === 0) return false;
  const type = (first & 0x40) === 0 ? (first & 0x3c) >> 2 : first & 0x3f;
  return type === publicKeyPacket || type === signaturePacket;
}

/** Whether a block begins like a packet, and its last packet is incomplete. */
function breaksOff(block: Uint8Array): boolean {
  return ((block[0] ?? 0) & 0x80) !== 0 && !isWhole(block);
}

interface Blocks {
  readonly blocks: readonly Uint8Array[];
  /** Whether a block is incomplete: the armor or a packet does not end. */
  readonly endsEarly: boolean;
}

/**
 * Finds the OpenPGP blocks in a body: all armored blocks, or the whole body if the body is binary. Ignores the content type, which is
 * often wrong.
 */
function blocksOf(body: Uint8Array): Blocks {
  const { blocks, beginning } = dearmorToEnd(body, "PUBLIC KEY BLOCK");
  const armored = beginning === undefined || beginning.length === 0 ? blocks : [...blocks, beginning];
  const isBinary = armored.length === 0 && beginning === undefined && looksBinary(body);
  const found = isBinary ? [body] : armored;
  return { blocks: found, endsEarly: beginning !== undefined || found.some(breaksOff) };
}

/** Runs the caller's test on a block. An error in the test counts as false, so that one bad block does not hide the others. */
function isWanted(block: Uint8Array, recognise: Recognise): boolean {
  try {
    return recognise(block);
  } catch {
    return false;
  }
}

function cutShort(url: URL): FeedkeyError {
  return unavailable(
    url,
    "cut_off",
    "expected complete keys, found an answer that ends early; feedkey used the beginning of the answer",
    {
      status: 200,
      hint: "the server, or a proxy in front of it, is broken: ask another key server too",
    },
  );
}

function tooLong(url: URL, limit: number): FeedkeyError {
  return unavailable(
    url,
    "too_large",
    `expected at most ${limit} bytes, found more; feedkey used the beginning of the answer`,
    {
      status: 200,
      hint: "somebody may have flooded the key with signatures on this server: add to the profile a key server that removes other people's signatures from keys",
    },
  );
}

/** Classifies a server's answer to a request for a key. */
export function readAnswer(url: URL, answer: HttpAnswer, recognise: Recognise): Answer {
  if (answer.status === 404) return { outcome: "absent", how: "status 404" };
  if (answer.status !== 200) return { outcome: "unknown", error: httpFailure(url, answer.status, answer.body) };
  const { blocks, endsEarly } = blocksOf(answer.body);
  const wanted = blocks.filter((block) => isWanted(block, recognise));
  if (answer.isCut === true) return { outcome: "unknown", error: tooLong(url, answer.body.length), blocks: wanted };
  if (endsEarly) return { outcome: "unknown", error: cutShort(url), blocks: wanted };
  if (wanted.length > 0) return { outcome: "found", blocks: wanted };
  const words = Buffer.from(answer.body.subarray(0, 64)).toString("latin1").trim();
  if (blocks.length === 0 && onakNotFound.has(words)) return { outcome: "absent", how: `"${words}"` };
  const found = blocks.length > 0 ? "only other keys" : `no key${said(answer.body)}`;
  return {
    outcome: "unknown",
    error: unavailable(url, "protocol", `expected the key or a plain "not found", found ${found}`, {
      status: 200,
      hint: "the server hides the key, or another program answers instead of the server: ask another key server too",
    }),
  };
}
