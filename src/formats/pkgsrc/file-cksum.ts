/** `FILE_CKSUM` of pkg_summary(5): the name of a digest and its hex digits. */

/** Hex digits of the digests that digest(1) knows. */
const lengths: Readonly<Record<string, number>> = {
  md5: 32,
  sha1: 40,
  rmd160: 40,
  tiger: 48,
  sha224: 56,
  sha256: 64,
  sha384: 96,
  sha512: 128,
  blake2s: 64,
};

export interface FileCksum {
  /** In lower case. */
  readonly algorithm: string;
  /** Lower-case hex. */
  readonly hex: string;
}

const shape = /^[ \t]*([A-Za-z][A-Za-z0-9-]*)(?:[ \t]+|:[ \t]*)([0-9A-Fa-f]+)[ \t]*$/;

/**
 * Reads `sha256 HEX` and `sha256:HEX`, the digest's name in any case.
 * @returns the checksum, or what is wrong with it
 */
export function parseFileCksum(text: string): FileCksum | string {
  const [, name = "", digits = ""] = shape.exec(text) ?? [];
  if (name === "") return "is not the name of a hash algorithm, a space and hex digits";
  const algorithm = name.toLowerCase().replace(/^sha-/, "sha");
  const length = lengths[algorithm];
  if (length !== undefined && digits.length !== length) {
    return `has ${digits.length} characters instead of the ${length} hex digits of ${algorithm}`;
  }
  return { algorithm, hex: digits.toLowerCase() };
}

/** The one spelling that feedkey writes. @param sha256 lower-case hex, 64 digits */
export function formatFileCksum(sha256: string): string {
  return `sha256 ${sha256}`;
}
