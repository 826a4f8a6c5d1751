/** ASCII armor (RFC 9580 section 6), read strictly for signature files and leniently for answers of servers. */
import { FeedkeyError } from "../../error.ts";
import { withoutTrailing } from "../../trailing.ts";

export type ArmorKind = "PUBLIC KEY BLOCK" | "PRIVATE KEY BLOCK" | "SIGNATURE";

/** The checksum's remainder for each value of its top four bits. */
const remainders = Array.from({ length: 16 }, (_, bits) => {
  let rest = bits << 20;
  for (let bit = 0; bit < 4; bit++) {
    rest <<= 1;
    if ((rest & 0x1000000) !== 0) rest ^= 0x1864cfb;
  }
  return rest;
});

/** CRC-24 of RFC 9580 section 6.1: GnuPG 2.2 mis-decodes armor without it in rare cases, so feedkey writes it. */
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

/** Armors packets, 64 characters a line, with the checksum, ending in a line feed. */
export function armor(bytes: Uint8Array, kind: ArmorKind): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN PGP ${kind}-----`, "", ...lines, `=${crcText(bytes)}`, `-----END PGP ${kind}-----`, ""].join(
    "\n",
  );
}

/** The binary data of one block's inner lines (between BEGIN and END), or the reason why they are not valid. */
function decodeBody(lines: readonly string[]): Uint8Array | string {
  const blank = lines.findIndex((line) => line.trim() === "");
  if (blank < 0) return "no blank line between the armor headers and the data";
  if (!lines.slice(0, blank).every((line) => /^[A-Za-z][A-Za-z0-9-]*: ?.*$/.test(line.trimEnd()))) {
    return "a line among the armor headers is not a header";
  }
  return decodeData(lines.slice(blank + 1));
}

/**
 * The same, but the blank line may be missing, because editors, web pages and configuration files lose it; in the `Signed-By`
 * of a deb822 file a dot replaces it. Base64 has neither colons nor dots, so headers and data can't be confused.
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
  // Refuse a second encoding of the same bytes (extra bits in the last digit), which would allow unnoticed changes of a
  // signature file.
  if (bytes.toString("base64") !== text) return "the data is not base64 in its canonical form";
  if (checksum !== undefined && checksum.slice(1) !== crcText(bytes)) return "the checksum is wrong";
  return new Uint8Array(bytes);
}

/** The armored blocks of a text. */
export interface Dearmored {
  /** Binary of the blocks that have an end; broken ones are skipped. */
  readonly blocks: readonly Uint8Array[];
  /** For each other block with an end, why it can't be read. */
  readonly broken: readonly string[];
  /** The complete lines of a block without an end; empty if they can't be read. Undefined if every block has an end. */
  readonly beginning: Uint8Array | undefined;
}

/**
 * Every armored block of that kind anywhere in the text (HTML, CRLF, indented, other blocks), and the beginning of one that is
 * cut off. This is for certificates, for which their position in a text does not matter.
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
 * The binary data of every complete block, as found by {@link dearmorToEnd}.
 * @param isCut the text was cut off: the complete lines of a block without an end count too
 */
export function dearmor(bytes: Uint8Array, kind: ArmorKind, isCut = false): Uint8Array[] {
  const { blocks, beginning } = dearmorToEnd(bytes, kind);
  return isCut && beginning !== undefined && beginning.length > 0 ? [...blocks, beginning] : [...blocks];
}

/** Whether a file is armored rather than binary: packets have the top bit of their first octet set. */
export function looksArmored(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0x80) & 0x80) === 0;
}

/**
 * The binary of every block in a file that may contain only armored blocks of that kind and white space (T8).
 * @throws FeedkeyError `bad_signature_data` for anything else
 */
export function dearmorStrictly(bytes: Uint8Array, kind: ArmorKind, what: string): Uint8Array[] {
  const refuse = (why: string, line: number) =>
    new FeedkeyError("bad_signature_data", `${what}, line ${line}: ${why}`, {
      details: { line },
      hint: "the file may contain only the armored block; fetch it again or ask the archive's keepers",
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
