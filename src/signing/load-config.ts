/** Reads the archive's configuration. Also parses key names in the form of the configuration and the command line. */
import { resolve } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { readTrustedFile } from "../files/trusted-file.ts";
import { readArchiveConfig } from "../profile/read-archive.ts";
import type { ArchiveConfig } from "../profile/types.ts";
import { isFingerprint } from "../store/fingerprint.ts";
import type { KeyPlace } from "./signer.ts";

/**
 * Reads the archive's configuration (`archive.ini`).
 * @throws FeedkeyError `not_found` if the file can't be read; `bad_config` if the configuration has an error
 */
export async function readConfig(file: string): Promise<ArchiveConfig> {
  try {
    const text = await readTrustedFile(file, { what: "the archive configuration", code: "bad_config" });
    return readArchiveConfig(text.toString("utf8"), resolve(file));
  } catch (cause) {
    if (systemCode(cause) === undefined || cause instanceof FeedkeyError) throw cause;
    throw new FeedkeyError("not_found", `the archive configuration ${escapeText(file)} can't be read`, {
      cause,
      details: { path: file },
    });
  }
}

/**
 * Returns the key that the text names: `FPR` in the key store, or `gpg:FPR` in GnuPG.
 * @throws FeedkeyError `usage` if the text after `gpg:` is not a full fingerprint
 */
export function keyOf(text: string): KeyPlace {
  if (!text.startsWith("gpg:")) return { where: "store", fingerprint: text };
  const fingerprint = text.slice(4).replace(/\s/g, "").toUpperCase();
  if (isFingerprint(fingerprint)) return { where: "gpg", fingerprint };
  throw new FeedkeyError("usage", `"${text}" is not "gpg:" followed by a full fingerprint`);
}
