/** The signatures that plans want, whoever made the plans: publishing, or a rotation. */

import type { SignerOf } from "../signing/signing-key.ts";
import { type FileSignatures, type IndexSignature, type SignOptions, signIndexBytes } from "./index-signature.ts";
import type { FeedPlan } from "./publish-plan.ts";

/**
 * Signs the index of each plan, in all its forms, for its feed.
 * @returns the signatures by feed name
 * @throws FeedkeyError `revoked`, `expired`... if the key may not sign now
 */
export async function signPlans(
  plans: readonly FeedPlan[],
  key: SignerOf,
  { validFor, notationDomain }: Omit<SignOptions, "feed" | "at">,
): Promise<Map<string, FileSignatures>> {
  const byFeed = new Map<string, FileSignatures>();
  for (const { feed, signed, date } of plans) {
    const signatures = new Map<string, IndexSignature>();
    for (const { name, bytes } of signed) {
      signatures.set(name, await signIndexBytes(bytes, key, { at: date, validFor, feed: feed.name, notationDomain }));
    }
    byFeed.set(feed.name, signatures);
  }
  return byFeed;
}
