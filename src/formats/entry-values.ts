/** Checks values that entries in every format have: package sizes, and the words that identify a package. */

const space = 0x20;

/**
 * Returns the problem with the bytes from `start` to `end`; undefined if they are a valid word. Names, versions and
 * architectures identify a package, so a person must be able to type and compare them.
 * @param name the field's name, for the message
 */
export function wordProblem(name: string, bytes: Buffer, start: number, end: number): string | undefined {
  if (start === end) return `has an empty "${name}"`;
  let ascii = true;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte <= space || byte === 0x7f) return `has a space or control character in "${name}"`;
    if (byte >= 0x80) ascii = false;
  }
  if (!ascii && /[\p{Cc}\s\ufffd]/u.test(bytes.toString("utf8", start, end))) {
    return `has a "${name}" that is not UTF-8 or has a space or control character`;
  }
  return undefined;
}

/**
 * Reads a plain decimal number, without a sign or leading zero, as package managers do. Returns undefined for any other text;
 * feedkey then reports `no_digest` when it fetches the package.
 */
export function readSize(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const size = Number(text);
  return Number.isSafeInteger(size) ? size : undefined;
}
