/** Files that a root or part lists by digest. */

/** Size in bytes, and digests in lower-case hex: at least one digest exists, and all existing ones must match. */
export interface FileDigests {
  readonly size: number;
  readonly sha256?: string;
  readonly sha512?: string;
}

/** Tells whether a path is relative and plain: no empty, `.` or `..` segment, no backslash, no control character. */
export function isPlainPath(path: string): boolean {
  if (/[\p{Cc}\\\ufffd]/u.test(path)) return false;
  return path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}
