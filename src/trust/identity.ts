/** T1: matches user IDs with the archive's identity. */
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import type { CertificateFacts, UserIdFacts } from "./facts.ts";
import { effectiveRevocation, newest } from "./key-state.ts";

/**
 * Returns the address in a user ID of the form `Name <address>`. The user ID must have exactly one pair of angle brackets, at its end;
 * otherwise the result is undefined. With two pairs, two programs could see two different addresses.
 */
export function addressOf(bytes: string): string | undefined {
  return /^[^<>]*<([^<>]+)>$/.exec(bytes)?.[1];
}

/** Whether the bytes of a user ID are exactly the wanted bytes: no substrings, case folding, trimming or look-alikes. */
export function matchesIdentity(bytes: string, identity: Identity): boolean {
  // Profiles are in UTF-8, but facts keep bytes as `latin1` strings.
  const wanted = identity.kind === "user-id" ? identity.userId : identity.email;
  const wantedBytes = Buffer.from(wanted, "utf8").toString("latin1");
  return identity.kind === "user-id" ? bytes === wantedBytes : addressOf(bytes) === wantedBytes;
}

/** T1: returns the user IDs that match the identity, are self-certified, and are not revoked by their owner. */
export function matchingUserIds(facts: CertificateFacts, identity: Identity, at: Instant): UserIdFacts[] {
  return facts.userIds.filter((userId) => {
    return matchesIdentity(userId.bytes, identity) && isOwned(userId, facts, at);
  });
}

/**
 * Whether a user ID is self-certified and not revoked. A user ID that its owner revoked stays revoked, whatever the reason in the
 * revocation.
 */
export function isOwned(userId: UserIdFacts, facts: CertificateFacts, at: Instant): boolean {
  const selfCertified = newest(userId.selfSignatures, facts.primary, at).length > 0;
  return selfCertified && effectiveRevocation(userId.revocations, at) === undefined;
}
