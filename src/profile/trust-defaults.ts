/** The trust settings of a profile that does not say otherwise: the strict ones. */
import type { Profile } from "./types.ts";

export const trustDefaults = {
  wkd: false,
  revocationCheck: "always",
  /** Fourteen days: how long clients use a known key without a successful revocation check (T11). */
  grace: 14 * 86_400_000,
  retiredIssuers: "refuse",
  threshold: 1,
  maxIndexAge: undefined,
  requireFeedName: false,
  requireExpiry: false,
} as const satisfies Partial<Profile["trust"]>;
