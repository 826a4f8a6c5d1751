/**
 * The cleartext signature framework (RFC 9580 section 7): a text and the signatures over it in one file. Read as strictly as
 * apt reads it, since programs that split such a file differently see other texts.
 */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { Unframed } from "./format.ts";
import { asBuffer } from "./line-cursor.ts";

const begin = "-----BEGIN PGP SIGNED MESSAGE-----";
const signature = { begin: "-----BEGIN PGP SIGNATURE-----", end: "-----END PGP SIGNATURE-----" } as const;

/** Whether a file begins as a signed text does. */
export function isFramed(file: Uint8Array): boolean {
  return asBuffer(file).toString("latin1", 0, begin.length) === begin;
}

/**
 * Takes a signed text apart. The text comes back as it was signed: without dash escapes, spaces at the ends of lines and
 * carriage returns.
 * @param name of the file, for messages
 * @throws FeedkeyError `bad_signature_data` with the line: anything before or after the frame, a line that is not escaped
 */
export function unframe(file: Uint8Array, name: string): Unframed {
  const lines = asBuffer(file).toString("latin1").split("\n");
  const refuse = (at: number, problem: string) => badFrame(name, at + 1, problem);
  const line = (at: number) => {
    const plain = lines[at]?.replace(/\r$/, "");
    if (plain?.includes("\r") === true) throw refuse(at, "has a carriage return that does not end the line");
    return plain;
  };
  if (line(0) !== begin) throw refuse(0, `must be "${begin}"`);
  let at = 1;
  for (; line(at) !== ""; at++) {
    // RFC 9580 section 7: no other header may stand here, or text could be passed off as signed.
    if (/^Hash: [A-Za-z0-9, -]+$/.test(line(at) ?? "") === false) {
      throw refuse(at, 'is neither a "Hash" header nor the empty line that must follow');
    }
  }
  const text: string[] = [];
  for (at++; line(at) !== signature.begin; at++) {
    const plain = line(at);
    if (plain === undefined) throw refuse(at, "is missing: the signature must follow the text");
    if (plain.startsWith("-") && !plain.startsWith("- ")) throw refuse(at, "begins with a dash that is not escaped");
    text.push(plain.replace(/^- /, "").replace(/[ \t]+$/, ""));
  }
  const first = at;
  while (line(at) !== signature.end) {
    if (at >= lines.length) throw refuse(first, "begins a signature that has no end");
    at++;
  }
  const rest = lines.slice(at + 1);
  if (rest.length > 1 || (rest[0] ?? "") !== "") throw refuse(at + 1, "stands below the signature");
  return {
    signed: Buffer.from(text.map((one) => `${one}\n`).join(""), "latin1"),
    signatures: Buffer.from(`${lines.slice(first, at + 1).join("\n")}\n`, "latin1"),
  };
}

function badFrame(name: string, line: number, problem: string): FeedkeyError {
  return new FeedkeyError("bad_signature_data", `line ${line} of ${escapeText(name)} ${problem}`, {
    details: { line },
    hint: "the file must hold one signed text and nothing else; fetch it again or ask the archive's keepers",
  });
}

/**
 * Puts a text and its signatures together.
 * @param armored the signatures, one armored block
 * @param hashes that they were made with, in OpenPGP's names
 * @throws FeedkeyError `bad_index`: a carriage return or NUL, which would not read back as it is
 */
export function frame(text: Uint8Array, armored: string, hashes: readonly string[]): Uint8Array {
  const plain = asBuffer(text).toString("latin1");
  if (/[\r\0]/.test(plain)) {
    throw new FeedkeyError("bad_index", "the text has a carriage return or a NUL: it can't be signed as text", {
      hint: "write it with line feeds alone",
    });
  }
  const lines = plain.replace(/\n$/, "").replace(/^-/gm, "- -");
  return Buffer.from(`${begin}\nHash: ${hashes.join(", ")}\n\n${lines}\n${armored}`, "latin1");
}
