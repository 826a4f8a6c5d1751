import { type ErrorCode, FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";

const causes: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "no space is left on the device"],
  ["EDQUOT", "the disk quota is used up"],
  ["EFBIG", "the file would be larger than the limit on file sizes"],
  ["EACCES", "permission denied"],
  ["EPERM", "operation not permitted"],
  ["EROFS", "the file system is read-only"],
  ["EIO", "the device reports an input/output error"],
  ["ENOENT", "no such file or folder"],
  ["ENOTDIR", "a part of the path is not a folder"],
  ["EISDIR", "a folder is in the way"],
  ["ENOTEMPTY", "a folder is in the way"],
  ["EEXIST", "another file is in the way"],
  ["ELOOP", "a symbolic link is in the way"],
  ["EINVAL", "the file system does not accept that name: FAT and exFAT take no colon, for example"],
  ["EILSEQ", "the file system does not accept that name"],
  ["ENAMETOOLONG", "the name is too long"],
  ["EMFILE", "too many files are open"],
  ["ENFILE", "too many files are open"],
]);

/** Describes a system error in words, such as `no space is left on the device`. For an unknown code, gives the code itself. */
export function causeInWords(error: unknown): string {
  const code = systemCode(error) ?? "unknown";
  return causes.get(code) ?? `the system reports ${code}`;
}

/**
 * Makes the error for a needed file that feedkey can't read. Returns a `FeedkeyError` unchanged.
 * @param what the name of the file in the message
 */
export function readError(
  cause: unknown,
  path: string,
  { code = "not_found", what = escapeText(path), hint }: { code?: ErrorCode; what?: string; hint?: string } = {},
): FeedkeyError {
  if (cause instanceof FeedkeyError) return cause;
  return new FeedkeyError(code, `${what} can't be read`, { cause, details: { path, reason: systemCode(cause) }, hint });
}

/**
 * Makes the error `output` from a system error that occurred while writing. Returns any other error (a `FeedkeyError` or a bug)
 * unchanged.
 * @param path the path that could not be written
 */
export function outputError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (error instanceof FeedkeyError || code === undefined) return error;
  return new FeedkeyError("output", `cannot write "${path}": ${causeInWords(error)}`, {
    details: { path, cause: code },
    cause: error,
  });
}
