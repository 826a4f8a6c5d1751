import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { FeedkeyError, systemCode } from "../error.ts";
import { causeInWords } from "../files/system-error.ts";

/** The hint if only a reset helps. */
export const startAgain =
  "if you accept to forget what was learned, start again from the profile's seeds with --reset-state";

/** The error for unusable client state, which is never repaired silently, because it contains revocations. */
export function badState(path: string, problem: string, hint = startAgain): FeedkeyError {
  return new FeedkeyError("bad_state", `the client state "${path}" ${problem}`, { details: { path }, hint });
}

/** State that exists but can't be read. */
export function unreadable(path: string, error: unknown): FeedkeyError {
  // If only the permission is missing, nothing is lost, so the hint is not `--reset-state`.
  const forbidden = systemCode(error) === "EACCES" || systemCode(error) === "EPERM";
  const hint = forbidden ? "run as the user that owns it" : startAgain;
  return badState(path, `cannot be read: ${causeInWords(error)}`, hint);
}

/** SHA-256 in lower-case hex. */
export function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** A file of the state, or undefined if there is none. @throws FeedkeyError `bad_state` */
export async function readStateFile(path: string): Promise<Uint8Array | undefined> {
  try {
    return await fs.readFile(path);
  } catch (error) {
    return absent(path, error);
  }
}

/** The same for one of thousands of small files: the way to another thread and back takes ten times as long as to read it. */
export function readSmallFile(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    return absent(path, error);
  }
}

function absent(path: string, error: unknown): undefined {
  if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
  throw unreadable(path, error);
}

/** The names in a folder of the state; none if it is missing. @throws FeedkeyError `bad_state` */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await fs.readdir(folder)).sort();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw unreadable(folder, error);
  }
}

/**
 * Encodes a name as a part of a path, without collisions: letters, digits and `._+-` stay, other bytes become `%XX`, so that a
 * feed called `../x` or `.lock` is a file like any other.
 * @throws FeedkeyError `bad_profile` when it is empty or too long
 */
export function fileNameFor(name: string): string {
  const encoded = [...Buffer.from(name, "utf8")]
    .map((byte, at) => {
      const character = String.fromCharCode(byte);
      const plain = at === 0 ? /[A-Za-z0-9_+-]/ : /[A-Za-z0-9._+-]/;
      return plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
  if (encoded !== "" && encoded.length <= 200) return encoded;
  throw new FeedkeyError("bad_profile", `"${name}" cannot be the name of a folder`, {
    details: { name },
    hint: "give the profile and its feeds names of 1 to 200 letters, digits, dots, hyphens and underscores",
  });
}
