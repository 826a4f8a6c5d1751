/** The default trust settings of a profile. They are strict, so that a profile has to say where it wants less. */
import type { Profile } from "./types.ts";

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
