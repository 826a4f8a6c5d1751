/** The profile of a client that has one seed and asks no key server. */
import { readProfile } from "../../src/profile/read-profile.ts";
import type { Profile } from "../../src/profile/types.ts";

/** @param identity the line that says whom the archive's keys must name */
export function seededProfile(
  seed: { readonly fingerprint: string },
  identity = "user-email = archive@example.org",
): Profile {
  return readProfile(
    [
      "[archive]",
      "name = Example",
      "url = https://example.org/",
      identity,
      "[trust]",
      "keyring = keys",
      `seeds = ${seed.fingerprint}`,
      "keyservers = none",
      "[feed base]",
      "format = opkg",
      "path = base",
    ].join("\n"),
    "/nowhere/example.ini",
  );
}
