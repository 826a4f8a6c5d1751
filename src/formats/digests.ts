/** Describes files that a root or part lists by digest. */

/** A file's size in bytes, and at least one digest in lower-case hex. The file must match every digest given here. */
export interface FileDigests {
  readonly size: number;
  readonly sha256?: string;
  readonly sha512?: string;
}

/** Whether a path is relative and plain: it has no empty, `.` or `..` segment, no backslash and no control character. */
export function isPlainPath(path: string): boolean {
  if (/[\p{Cc}\\\ufffd]/u.test(path)) return false;
  return path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}
