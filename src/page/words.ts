/** The trust page's verdicts, in words for people who do not know how keys certify each other. */
import type { ErrorCode } from "../error.ts";

/**
 * Whether the page found something wrong (`refused`) or could not check something (`unchecked`). If everything was checked and good, there
 * is no mark.
 */
export type Mark = "refused" | "unchecked";

interface Words {
  readonly mark: Mark;
  readonly title: string;
  readonly advice: string;
}

const doNotInstall = "Do not install anything from it, and tell the archive's keepers.";

const refusals: Readonly<Partial<Record<ErrorCode, Omit<Words, "mark">>>> = {
  untrusted_signer: {
    title: "Not signed by a key that your fingerprint leads to",
    advice: "Compare the fingerprint with its source, digit by digit. If it is right, somebody else signed this.",
  },
  bad_signature: {
    title: "Changed after it was signed",
    advice:
      "The list of packages and its signature do not fit each other. Try again in a few minutes: the archive may be in the middle of an update. If the error stays, do not install anything from this feed.",
  },
  no_signature: { title: "Not signed", advice: doNotInstall },
  bad_signature_data: {
    title: "The signature file contains something other than signatures",
    advice: "A damaged upload or a server in between may be the reason. Do not install anything from this feed.",
  },
  revoked: {
    title: "The key was revoked",
    advice: `The key's owner has declared it unusable, perhaps because it was stolen. ${doNotInstall}`,
  },
  expired: {
    title: "The key has expired",
    advice: "The archive's keepers must extend the key, or sign with its successor. Check this device's clock too.",
  },
  not_yet_valid: {
    title: "Dated in the future",
    advice: "Check this device's clock first: every date is compared with it.",
  },
  weak_algorithm: {
    title: "Signed in a way that is no longer safe",
    advice: "The archive's keepers must sign with a modern key and hash.",
  },
  stale: {
    title: "The signature has expired",
    advice:
      "Somebody may be showing you an old list of packages, without the security updates since. Check this device's clock, then ask the archive's keepers.",
  },
  wrong_feed: {
    title: "Signed for something else",
    advice: `The archive has the list of another feed or repository in the place of this feed's list. ${doNotInstall}`,
  },
  fork: {
    title: "Two keys claim to be the successor of the same key",
    advice:
      "One of these keys may be a thief's, and this page can't tell which. Ask the archive's keepers, over another channel, which key is theirs.",
  },
  bad_index: {
    title: "The list of packages is damaged",
    advice: "Try again in a few minutes. If the error stays, tell the archive's keepers.",
  },
  digest_mismatch: {
    title: "Not the file that the archive lists",
    advice: "The file was changed or damaged. Do not install it. Download it again, and compare it again.",
  },
  size_mismatch: {
    title: "Not the file that the archive lists: it has another size",
    advice: "The download may have been cut off, or somebody changed the file. Do not install it.",
  },
  not_listed: {
    title: "No feed that was checked here lists this file",
    advice: "The file did not come from this archive, was replaced by a newer file, or was renamed. Do not install it.",
  },
  no_digest: {
    title: "The archive gives no SHA-256 for this file",
    advice: "So this page can't tell whether it is the right file. Do not install it.",
  },
  bad_path: { title: "The archive lists this file in a place that is not allowed", advice: doNotInstall },
};

const obstacles: Readonly<Partial<Record<ErrorCode, Omit<Words, "mark">>>> = {
  usage: {
    title: "This is not a full fingerprint",
    advice:
      "A full fingerprint has 40 or 64 digits, 0 to 9 and A to F; spaces do not matter. A shorter key ID is not enough.",
  },
  not_found: {
    title: "Not found",
    advice: "A file that is needed for this check is not on the server, so nothing was checked.",
  },
  unavailable: {
    title: "Could not be fetched",
    advice: "The server did not answer as it should, so nothing was checked. Try again.",
  },
};

/** The words for errors about the visitor's fingerprint, if they differ from those about a signature. */
const ofFingerprint: Readonly<Partial<Record<ErrorCode, Omit<Words, "mark">>>> = {
  untrusted_signer: {
    title: "No key of this archive has this fingerprint",
    advice:
      "Compare the fingerprint with its source, digit by digit. If it is right, this is not the archive that you are looking for, or somebody has replaced its keys.",
  },
  bad_certificate: {
    title: "The archive's keys can't be used",
    advice:
      "The file with the keys is damaged, or a part is missing that may contain a revocation. Tell the archive's keepers.",
  },
};

/**
 * Returns the words for an error's code. A code without its own words counts as refused.
 * @param about whether the error is about the visitor's fingerprint, or about something that should be signed
 */
export function wordsOf(code: ErrorCode, about: "fingerprint" | "signed"): Words {
  const special = about === "fingerprint" ? ofFingerprint[code] : undefined;
  if (special !== undefined) return { mark: "refused", ...special };
  const obstacle = obstacles[code];
  if (obstacle !== undefined) return { mark: "unchecked", ...obstacle };
  return { mark: "refused", ...(refusals[code] ?? { title: "Refused", advice: doNotInstall }) };
}

/** Returns a fingerprint in groups of four digits, for reading aloud. */
export function grouped(fingerprint: string): string {
  return fingerprint.replace(/(.{4})(?=.)/g, "$1 ");
}

const units = ["bytes", "KB", "MB", "GB"] as const;

/** Returns a size in words, such as `1.5 MB`. */
export function sizeText(bytes: number): string {
  const unit = bytes < 1000 ? 0 : bytes < 1e6 ? 1 : bytes < 1e9 ? 2 : 3;
  const value = bytes / 1000 ** unit;
  return `${unit === 0 ? String(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Returns a time to the minute, in UTC. @param at a time in RFC 3339 */
export function momentText(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

/** What the page never checks, even if all its checks are good. */
export const notChecked = [
  "Key servers. A key that was revoked only there, and not in the archive's own files, still passes.",
  "Whether there is a newer list of packages. An older list passes if its signature is good and has not expired.",
  "This page itself. It comes from the archive: whoever controls the archive can change what the page does and says, but can't change a program on your own machine.",
] as const;
