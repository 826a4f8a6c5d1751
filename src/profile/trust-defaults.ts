/** The default trust settings of a profile. They are strict, so that a profile has to say where it wants less. */
import type { Feed, Profile } from "./types.ts";

export const trustDefaults = {
  wkd: false,
  revocationCheck: "always",
  /** Fourteen days: how long clients may use a known key after its last good revocation check (T11). */
  grace: 14 * 86_400_000,
  retiredIssuers: "refuse",
  threshold: 1,
  maxIndexAge: undefined,
  requireFeedName: false,
  requireExpiry: false,
} as const satisfies Partial<Profile["trust"]>;

type Archive = Profile["archive"];

interface OneSeed extends Pick<Profile, "name" | "file">, Pick<Archive, "url" | "redirects" | "identity"> {
  readonly keyring: string;
  readonly seed: string;
  readonly feeds?: readonly Feed[];
}

/** Returns a profile with the defaults and one seed, but without key servers. */
export function profileWithoutServers({ name, file, keyring, seed, feeds = [], ...archive }: OneSeed): Profile {
  return {
    name,
    file,
    archive: { name, mirrors: [], ca: undefined, verify: "required", ...archive },
    trust: { keyring, seeds: [seed], keyservers: [], keyserverCa: undefined, ...trustDefaults, grace: 0 },
    feeds,
    variables: {},
  };
}
