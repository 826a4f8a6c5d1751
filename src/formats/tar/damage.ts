import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";

/**
 * Returns the error for a damaged package. The code that finds the damage may not know the file's name. The code that opened
 * the file adds the name.
 */
export function damage(what: string, details: Readonly<Record<string, unknown>> = {}): FeedkeyError {
  return new FeedkeyError("bad_package", what, { details });
}

/** Returns an untrusted name between quotes, escaped for the terminal. */
export function quote(name: string): string {
  return `"${escapeText(name)}"`;
}
