/** Values that entries of every format have: words that identify a package, and sizes. */

const space = 0x20;

/**
 * Names, versions and architectures identify a package: they must be text that a person can type and compare.
 * @param name of the field, for the message
 * @returns what is wrong with the bytes from `start` to `end`
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
 * A plain decimal number as package managers read it, without sign or leading zero. Undefined for an unreadable one,
 * which is `no_digest` at fetch.
 */
export function readSize(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const size = Number(text);
  return Number.isSafeInteger(size) ? size : undefined;
}
