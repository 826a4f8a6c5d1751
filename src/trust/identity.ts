/** T1: matches user IDs with the archive's identity. */
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import type { CertificateFacts, UserIdFacts } from "./facts.ts";
import { effectiveRevocation, newest } from "./key-state.ts";

/**
 * The address of a user ID in the form `Name <address>`; undefined unless it has exactly one pair of angle
 * brackets, at its end: with two of them, two readers could see two addresses.
 */
export function addressOf(bytes: string): string | undefined {
  return /^[^<>]*<([^<>]+)>$/.exec(bytes)?.[1];
}

/** Whether a user ID's bytes are the wanted ones: no substring, no case folding, no trimming, no look-alikes. */
export function matchesIdentity(bytes: string, identity: Identity): boolean {
  // Profiles are UTF-8; facts keep bytes as latin1 strings.
  const wanted = identity.kind === "user-id" ? identity.userId : identity.email;
  const wantedBytes = Buffer.from(wanted, "utf8").toString("latin1");
  return identity.kind === "user-id" ? bytes === wantedBytes : addressOf(bytes) === wantedBytes;
}

/** T1: the user IDs that match, are self-certified and not revoked by their owner. */
export function matchingUserIds(facts: CertificateFacts, identity: Identity, at: Instant): UserIdFacts[] {
  return facts.userIds.filter((userId) => {
    return matchesIdentity(userId.bytes, identity) && isOwned(userId, facts, at);
  });
}

/** Self-certified and not revoked, softly or hard: a user ID that its owner revoked stays revoked. */
export function isOwned(userId: UserIdFacts, facts: CertificateFacts, at: Instant): boolean {
  const selfCertified = newest(userId.selfSignatures, facts.primary, at).length > 0;
  return selfCertified && effectiveRevocation(userId.revocations, at) === undefined;
}
