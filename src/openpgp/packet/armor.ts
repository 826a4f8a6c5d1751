/** Reads and writes ASCII armor (RFC 9580 section 6). Reads signature files strictly, and server answers leniently. */
import { FeedkeyError } from "../../error.ts";
import { withoutTrailing } from "../../trailing.ts";

type ArmorKind = "PUBLIC KEY BLOCK" | "PRIVATE KEY BLOCK" | "SIGNATURE";

/** The remainder of the checksum for each value of its top four bits. */
const remainders = Array.from({ length: 16 }, (_, bits) => {
  let rest = bits << 20;
  for (let bit = 0; bit < 4; bit++) {
    rest <<= 1;
    if ((rest & 0x1000000) !== 0) rest ^= 0x1864cfb;
  }
  return rest;
});

/**
 * Computes the CRC-24 checksum (RFC 9580 section 6.1). feedkey writes this checksum into armor, because GnuPG 2.2 sometimes decodes
 * armor without a checksum wrongly.
 */
export function crc24(bytes: Uint8Array): number {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc = (crc << 4) ^ (remainders[((crc >> 20) ^ (byte >> 4)) & 15] ?? 0);
    crc = (crc << 4) ^ (remainders[((crc >> 20) ^ byte) & 15] ?? 0);
  }
  return crc & 0xffffff;
}

function crcText(bytes: Uint8Array): string {
  const crc = crc24(bytes);
  return Buffer.from([crc >> 16, (crc >> 8) & 0xff, crc & 0xff]).toString("base64");
}

/** Returns packets in ASCII armor, with 64 characters in each line, the checksum, and a line feed at the end. */
export function armor(bytes: Uint8Array, kind: ArmorKind): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN PGP ${kind}-----`, "", ...lines, `=${crcText(bytes)}`, `-----END PGP ${kind}-----`, ""].join(
    "\n",
  );
}

/**
 * Decodes the lines between the BEGIN and END lines of one block. Returns the binary data, or the reason why the lines are
 * invalid.
 */
function decodeBody(lines: readonly string[]): Uint8Array | string {
  const blank = lines.findIndex((line) => line.trim() === "");
  if (blank < 0) return "no blank line between the armor headers and the data";
  if (!lines.slice(0, blank).every((line) => /^[A-Za-z][A-Za-z0-9-]*: ?.*$/.test(line.trimEnd()))) {
    return "a line among the armor headers is not a header";
  }
  return decodeData(lines.slice(blank + 1));
}

/**
 * Decodes a block like `decodeBody`, but accepts a block without the blank line, because editors, web pages and configuration
 * files lose blank lines. Also accepts a dot in place of the blank line, as in the `Signed-By` field of a deb822 file. Base64
 * contains neither colons nor dots, so the function can't mistake data for armor headers.
 */
function decodeLenientBody(lines: readonly string[]): Uint8Array | string {
  const isAround = (line: string) => /^(\.?|[A-Za-z][A-Za-z0-9-]*:( .*)?)$/.test(line.trim());
  const first = lines.findIndex((line) => !isAround(line));
  return decodeData(first < 0 ? [] : lines.slice(first));
}

function decodeData(lines: readonly string[]): Uint8Array | string {
  const data = lines.map((line) => line.trim()).filter((line) => line !== "");
  const checksum = data.at(-1)?.startsWith("=") === true ? data.pop() : undefined;
  const text = data.join("");
  if (text === "" || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return "the data is not base64";
  const bytes = Buffer.from(text, "base64");
  // feedkey refuses other encodings of the same bytes (with extra bits in the last digit). Otherwise a signature file could change
  // unnoticed.
  if (bytes.toString("base64") !== text) return "the data is not base64 in its canonical form";
  if (checksum !== undefined && checksum.slice(1) !== crcText(bytes)) return "the checksum is wrong";
  return new Uint8Array(bytes);
}

/** The armored blocks in a text. */
export interface Dearmored {
  /** The binary data of the readable blocks with an END line. */
  readonly blocks: readonly Uint8Array[];
  /** For each unreadable block with an END line, the reason why feedkey can't read it. */
  readonly broken: readonly string[];
  /**
   * The data in the complete lines of a block without an END line; empty if these lines are unreadable. Undefined if every block
   * has an END line.
   */
  readonly beginning: Uint8Array | undefined;
}

/**
 * Finds every armored block of one kind anywhere in a text: in HTML, with CRLF, indented, or among other blocks. Also finds the
 * beginning of a block that is cut off. Used for certificates, which may be anywhere in a text.
 */
export function dearmorToEnd(bytes: Uint8Array, kind: ArmorKind): Dearmored {
  const blocks: Uint8Array[] = [];
  const broken: string[] = [];
  let inner: string[] | undefined;
  for (const line of Buffer.from(bytes)
    .toString("latin1")
    .split(/\r\n?|\n/)) {
    const mark = line.trim();
    if (mark.endsWith(`-----BEGIN PGP ${kind}-----`)) {
      if (inner !== undefined) broken.push("another armored block begins within it");
      inner = [];
    } else if (mark.startsWith(`-----END PGP ${kind}-----`) && inner !== undefined) {
      const block = decodeLenientBody(inner);
      if (typeof block === "string") broken.push(block);
      else blocks.push(block);
      inner = undefined;
    } else inner?.push(line);
  }
  if (inner === undefined) return { blocks, broken, beginning: undefined };
  const beginning = decodeLenientBody(inner.slice(0, -1));
  return { blocks, broken, beginning: typeof beginning === "string" ? new Uint8Array(0) : beginning };
}

/**
 * Returns the binary data of every complete block that {@link dearmorToEnd} finds.
 * @param isCut whether the text was cut off; if so, the complete lines of a block without an END line count too
 */
export function dearmor(bytes: Uint8Array, kind: ArmorKind, isCut = false): Uint8Array[] {
  const { blocks, beginning } = dearmorToEnd(bytes, kind);
  return isCut && beginning !== undefined && beginning.length > 0 ? [...blocks, beginning] : [...blocks];
}

/** Whether a file is armored, not binary. In a binary packet, the top bit of the first octet is set. */
export function looksArmored(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0x80) & 0x80) === 0;
}

/**
 * Returns the binary data of every block in a file. The file may contain only armored blocks of one kind and white space (T8).
 * @param what the file's name in messages
 * @throws FeedkeyError `bad_signature_data` if the file contains anything else
 */
export function dearmorStrictly(bytes: Uint8Array, kind: ArmorKind, what: string): Uint8Array[] {
  const refuse = (why: string, line: number) =>
    new FeedkeyError("bad_signature_data", `${what}, line ${line}: ${why}`, {
      details: { line },
      hint: "the file may contain only the armored block; fetch the file again or ask the archive's keepers",
    });
  const blocks: Uint8Array[] = [];
  let inner: string[] | undefined;
  let begin = 0;
  for (const [index, line] of Buffer.from(bytes).toString("latin1").split(/\r?\n/).entries()) {
    const mark = withoutTrailing(line);
    if (inner === undefined) {
      if (mark === `-----BEGIN PGP ${kind}-----`) {
        inner = [];
        begin = index + 1;
      } else if (mark !== "") throw refuse("text outside the armor", index + 1);
    } else if (mark === `-----END PGP ${kind}-----`) {
      const block = decodeBody(inner);
      if (typeof block === "string") throw refuse(block, index + 1);
      blocks.push(block);
      inner = undefined;
    } else inner.push(line);
  }
  if (inner !== undefined) throw refuse("the armor that begins here has no end", begin);
  return blocks;
}
