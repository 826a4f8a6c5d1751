import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";

/** Whether a text is a full fingerprint: 40 (v4) or 64 (v6) upper-case hex digits. */
export function isFingerprint(text: string): boolean {
  return /^([0-9A-F]{40}|[0-9A-F]{64})$/.test(text);
}

/** Returns the hex digits of a fingerprint or key ID that people may write in any case, with spaces, or with `0x`. */
export function hexDigits(text: string): string {
  return text.replace(/\s/g, "").replace(/^0x/i, "").toUpperCase();
}

/**
 * Returns a text that is a full fingerprint, which can safely be part of a path, and refuses every other text.
 * @throws FeedkeyError `usage` if the text is not a full fingerprint
 */
export function requireFingerprint(text: string): string {
  if (isFingerprint(text)) return text;
  throw new FeedkeyError("usage", `"${text}" is not a full fingerprint`, {
    details: { given: text },
    hint: "give all 40 or 64 hex digits",
  });
}

/**
 * Returns the fingerprint in a text, with or without spaces. @throws FeedkeyError `usage` for a key ID, which does not
 * identify a key
 */
export function fullFingerprint(text: string): string {
  const hex = hexDigits(text);
  if (isFingerprint(hex)) return hex;
  throw new FeedkeyError("usage", `"${escapeText(text)}" is not a full fingerprint`, {
    hint: "give all 40 or 64 hex digits; get them from the archive's keepers, not from the archive itself",
  });
}
