/** Reads a profile, and the CA files that the profile names. */
import { readError } from "../../files/system-error.ts";
import { readTrustedFile } from "../../files/trusted-file.ts";
import { readProfile } from "../../profile/read-profile.ts";
import type { Profile } from "../../profile/types.ts";

/**
 * Reads a profile.
 * @param file the profile's path
 * @throws FeedkeyError `bad_profile` if the profile is not valid; `not_found` if the file can't be read
 */
export async function loadProfile(file: string): Promise<Profile> {
  return readProfile(await readText(file), file);
}

async function readText(file: string): Promise<string> {
  try {
    return (await readTrustedFile(file, { what: "the profile", code: "bad_profile" })).toString("utf8");
  } catch (cause) {
    throw readError(cause, file, { what: file });
  }
}

/**
 * Returns the CA certificates in a file that a profile names, for a transport.
 * @throws FeedkeyError `bad_profile` if the file can't be read, or other users can change it
 */
export async function readCa(file: string | undefined): Promise<{ ca: string } | Record<string, never>> {
  if (file === undefined) return {};
  try {
    const use = { what: "the file of CA certificates", code: "bad_profile" } as const;
    return { ca: (await readTrustedFile(file, use)).toString("utf8") };
  } catch (cause) {
    const hint = 'check the lines "ca" and "keyserver-ca" of the profile';
    throw readError(cause, file, { code: "bad_profile", what: `the file of CA certificates ${file}`, hint });
  }
}
