/** Reads keys and certificates that the user gives as files or bytes. */

import { open } from "node:fs/promises";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { readUpTo } from "../files/plain-file.ts";
import { readError } from "../files/system-error.ts";
import type { Request } from "../keys/delegate.ts";
import { limits } from "../openpgp/packet/limits.ts";
import { hexDigits, isFingerprint } from "../store/fingerprint.ts";

/** The size limit in bytes. feedkey accepts keyrings up to half this size; armor makes a keyring larger by about a third. */
const maxInputBytes = 2 * limits.keyringBytes;

/** Reads a file or pipe that the user names. @throws FeedkeyError `not_found`; `usage` if it has too many bytes */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    const handle = await open(path);
    try {
      const bytes = await readUpTo(handle, maxInputBytes + 1);
      if (bytes.length <= maxInputBytes) return bytes;
    } finally {
      await handle.close();
    }
    throw new FeedkeyError("usage", `${escapeText(path)} has more than ${maxInputBytes} bytes`, {
      details: { path, most: maxInputBytes },
      hint: "make a file with only the certificates that you need, and give that file",
    });
  } catch (cause) {
    throw readError(cause, path);
  }
}

/**
 * Returns the bytes of a delegate's certificate from bytes or a file, or its fingerprint if the certificate is in the key store.
 * @throws FeedkeyError as `readInput` does
 */
export async function readRequest(request: Uint8Array | string): Promise<Request> {
  if (typeof request !== "string") return request;
  const hex = hexDigits(request);
  return isFingerprint(hex) ? hex : await readInput(request);
}
