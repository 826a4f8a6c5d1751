import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";

/**
 * The error for a damaged package, thrown where the damage is found.
 * Readers of inner layers don't know the file's name: whoever opened the file adds it.
 */
export function damage(what: string, details: Readonly<Record<string, unknown>> = {}): FeedkeyError {
  return new FeedkeyError("bad_package", what, { details });
}

/** A name from outside between quotes, safe to print. */
export function quote(name: string): string {
  return `"${escapeText(name)}"`;
}
