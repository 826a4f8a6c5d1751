import { createHash, hash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import type { Data } from "../content.ts";
import { FeedkeyError, systemCode, unlessMissing } from "../error.ts";
import { HashedFile } from "../files/hashed-file.ts";
import { causeInWords } from "../files/system-error.ts";

/** The hint for errors after which the user can only start again. */
export const startAgain =
  "if you do not mind losing the client state, start again from the profile's seeds with --reset-state";

/** Makes the error for client state that can't be used. feedkey never repairs damaged state silently, because revocations may be lost. */
export function badState(path: string, problem: string, hint = startAgain): FeedkeyError {
  return new FeedkeyError("bad_state", `the client state "${path}" ${problem}`, { details: { path }, hint });
}

/** Makes the error for state that exists but can't be read. */
export function unreadable(path: string, error: unknown): FeedkeyError {
  // If only the permission is missing, nothing is lost, so the hint does not suggest `--reset-state`.
  const forbidden = systemCode(error) === "EACCES" || systemCode(error) === "EPERM";
  const hint = forbidden ? "run feedkey as the user that owns the file" : startAgain;
  return badState(path, `cannot be read: ${causeInWords(error)}`, hint);
}

/** Returns the SHA-256 digest of data in lower-case hex. */
export function sha256(data: Data | string): string {
  if (typeof data === "string" || data instanceof Uint8Array) return hash("sha256", data);
  if (data instanceof HashedFile) return data.sha256.digest("hex");
  const whole = createHash("sha256");
  for (const piece of data.pieces()) whole.update(piece);
  return whole.digest("hex");
}

/**
 * Reads a file of the state; returns undefined if the file is missing. @throws FeedkeyError `bad_state` if the file
 * can't be read
 */
export async function readStateFile(path: string): Promise<Uint8Array | undefined> {
  try {
    return await fs.readFile(path);
  } catch (error) {
    return absent(path, error);
  }
}

/**
 * Reads one of thousands of small files. The read is synchronous, because an asynchronous read takes ten times as long: it goes through
 * another thread.
 */
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

/**
 * Returns the names in a folder of the state; empty if the folder is missing. @throws FeedkeyError `bad_state` if it
 * can't be read
 */
export async function namesIn(folder: string): Promise<string[]> {
  const names = await unlessMissing(fs.readdir(folder), (error) => unreadable(folder, error));
  return names?.sort() ?? [];
}

/**
 * Encodes a name for use in a path: letters, digits and `._+-` stay, other bytes and a leading dot become `%XX`. Different names never get
 * the same path, and a feed called `../x` or `.lock` gets an ordinary file.
 * @throws FeedkeyError `bad_profile` if the name is empty or too long
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
