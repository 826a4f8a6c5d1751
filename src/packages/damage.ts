import { FeedkeyError } from "../error.ts";
import { quote } from "../formats/tar/damage.ts";

export { damage, quote } from "../formats/tar/damage.ts";

const hints = {
  bad_package: "build the package again, or copy the package again",
  not_found: "check that the file exists and that you may read it",
};

/**
 * Adds the package's path to the message and to `details.path` of a `bad_package` or `not_found` error. Returns other errors
 * unchanged.
 */
export function nameThePackage(path: string, error: unknown): unknown {
  if (!(error instanceof FeedkeyError) || (error.code !== "bad_package" && error.code !== "not_found")) return error;
  return new FeedkeyError(error.code, `package ${quote(path)}: ${error.message}`, {
    details: { ...error.details, path },
    hint: error.hint ?? hints[error.code],
    cause: error.cause,
  });
}
