/** Decides which of three outcomes a key server's answer has: found, absent or unknown (T11). */
import type { FeedkeyError } from "../error.ts";
import { httpFailure, said, unavailable } from "../net/failure.ts";
import type { HttpAnswer } from "../net/types.ts";
import { dearmorToEnd } from "../openpgp/packet/armor.ts";
import { isWhole } from "../openpgp/packet/packets.ts";

export interface Found {
  readonly outcome: "found";
  /** Binary OpenPGP packets, one block for each armored block. No packet is checked yet. */
  readonly blocks: readonly Uint8Array[];
}

/** The server answered in a well-formed way that it does not have the key. */
interface Absent {
  readonly outcome: "absent";
  /** The answer in words: `status 404`, or the server's own words. */
  readonly how: string;
}

/** Any answer that is neither found nor absent. */
export interface Unknown {
  readonly outcome: "unknown";
  readonly error: FeedkeyError;
  /**
   * The beginning of an answer that is too long or ends early. A revocation in this beginning counts. But the beginning does
   * not answer the question, because a further revocation may follow.
   */
  readonly blocks?: readonly Uint8Array[];
}

export type Answer = Found | Absent | Unknown;

/** Decides whether a binary block is about the wanted key: its certificate, or a bare revocation of it. */
export type Recognise = (block: Uint8Array) => boolean;

// onak answers "not found" with status 200 and exactly these words; any other text with status 200 is an error (seen with
// 0.6.2).
const onakNotFound = new Set(["Key not found", "info:1:0"]);

const signaturePacket = 2;
const publicKeyPacket = 6;

/** Whether the bytes begin like a certificate or a bare revocation (RFC 9580 section 4.2). */
function looksBinary(body: Uint8Array): boolean {
  const first = body[0] ?? 0;
  if ((first & 0x80) === 0) return false;
  const type = (first & 0x40) === 0 ? (first & 0x3c) >> 2 : first & 0x3f;
  return type === publicKeyPacket || type === signaturePacket;
}

/** Whether a block begins with packets but ends with an incomplete packet. */
function breaksOff(block: Uint8Array): boolean {
  return ((block[0] ?? 0) & 0x80) !== 0 && !isWhole(block);
}

interface Blocks {
  readonly blocks: readonly Uint8Array[];
  /** Whether the last block is incomplete, in its armor or within a packet. */
  readonly endsEarly: boolean;
}

/** Finds the OpenPGP blocks in a body: armor anywhere in the body, whatever the content type claims, or else the body itself. */
function blocksOf(body: Uint8Array): Blocks {
  const { blocks, beginning } = dearmorToEnd(body, "PUBLIC KEY BLOCK");
  const armored = beginning === undefined || beginning.length === 0 ? blocks : [...blocks, beginning];
  const isBinary = armored.length === 0 && beginning === undefined && looksBinary(body);
  const found = isBinary ? [body] : armored;
  return { blocks: found, endsEarly: beginning !== undefined || found.some(breaksOff) };
}

/** Asks the caller's test about a block. An error for one block must not lose the others. */
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
    "expected complete keys, found an answer that ends early; its beginning was used",
    {
      status: 200,
      hint: "the server, or a proxy in front of it, is broken: ask another key server too",
    },
  );
}

function tooLong(url: URL, limit: number): FeedkeyError {
  return unavailable(url, "too_large", `expected at most ${limit} bytes, found more; its beginning was used`, {
    status: 200,
    hint: "somebody may have flooded the key with signatures there: add a key server to the profile that removes other people's signatures from keys",
  });
}

/** Reads a server's answer to a request for keys. */
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
      hint: "the server hides the key, or something else answers in its place; ask another key server too",
    }),
  };
}
