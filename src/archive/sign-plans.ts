/** The signatures that plans want, whoever made the plans: publishing, or a rotation. */
import type { FeedPlan } from "./publish-plan.ts";
import { type IndexSignature, type SignOptions, signIndexBytes } from "./sign-index.ts";
import type { SignerOf } from "./signing-key.ts";

/**
 * Signs the index of each plan for its feed.
 * @returns the signatures by feed name
 * @throws FeedkeyError `revoked`, `expired`... if the key may not sign now
 */
export async function signPlans(
  plans: readonly FeedPlan[],
  key: SignerOf,
  { at, validFor }: Omit<SignOptions, "feed">,
): Promise<Map<string, IndexSignature>> {
  const signatures = new Map<string, IndexSignature>();
  for (const { feed, signed } of plans) {
    signatures.set(feed.name, await signIndexBytes(signed, key, { at, validFor, feed: feed.name }));
  }
  return signatures;
}
