import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";

/**
 * The error for a damaged package, thrown where the damage is found.
 * Readers of inner layers don't know the file's name: {@link nameThePackage} adds it.
 */
export function damage(what: string, details: Readonly<Record<string, unknown>> = {}): FeedkeyError {
  return new FeedkeyError("bad_package", what, { details });
}

const hints = {
  bad_package: "build the package again, or copy it again",
  not_found: "check that it is there and that you may read it",
};

/** `bad_package` or `not_found` with the package's path put before its message and into `details.path`; others as they are. */
export function nameThePackage(path: string, error: unknown): unknown {
  if (!(error instanceof FeedkeyError) || (error.code !== "bad_package" && error.code !== "not_found")) return error;
  return new FeedkeyError(error.code, `package ${quote(path)}: ${error.message}`, {
    details: { ...error.details, path },
    hint: error.hint ?? hints[error.code],
    cause: error.cause,
  });
}

/** A name from outside between quotes, safe to print. */
export function quote(name: string): string {
  return `"${escapeText(name)}"`;
}
