/** Wrong rules to plant, but for those about forks and late extensions. */
import { wrongExtensionRules } from "./wrong-extension-rules.ts";
import { type WrongRule, wrongForkRules } from "./wrong-fork-rules.ts";

/** Changes nothing: nobody may notice it. */
export const control: WrongRule = {
  name: "nothing",
  file: "judge.js",
  right: "export function judge(",
  wrong: "export function judge(",
};

const otherRules: readonly WrongRule[] = [
  {
    name: "T1: an address counts anywhere in the user ID",
    file: "identity.js",
    right: "addressOf(bytes) === wantedBytes",
    wrong: "bytes.includes(wantedBytes)",
  },
  {
    name: "T1: a user ID that its owner revoked still counts",
    file: "identity.js",
    right: "selfCertified && effectiveRevocation(userId.revocations, at) === undefined",
    wrong: "selfCertified",
  },
  {
    name: "T3a: a subkey may certify",
    file: "transition.js",
    right: "certification.key !== issuer.primary.fingerprint",
    wrong: "false",
  },
  {
    name: "T3a: the flags of a direct-key signature do not count",
    file: "key-state.js",
    right: "const flags = current.map(",
    wrong: "const flags = newest(userIdSignatures, primary, at).map(",
  },
  {
    name: "T3b: a certification may be older than one of the keys",
    file: "transition.js",
    right: "Math.max(issuer.primary.createdAt, subject.primary.createdAt)",
    wrong: "Math.min(issuer.primary.createdAt, subject.primary.createdAt)",
  },
  {
    name: "T3b: a date just at the end of the skew is in the future",
    file: "policy.js",
    right: "createdAt > at + skew",
    wrong: "createdAt >= at + skew",
  },
  {
    name: "T3b: an expired certification holds",
    file: "transition.js",
    right: "refusal: refusal ?? ended",
    wrong: "refusal",
  },
  {
    name: "T3b: what is not for export holds",
    file: "transition.js",
    right: "!certification.exportable",
    wrong: "false",
  },
  {
    name: "T3b: a withdrawal does not count",
    file: "transition.js",
    right: "return withdrawn ?",
    wrong: "return false ?",
  },
  {
    name: "T3b: a withdrawal counts only for what was made before it",
    file: "transition.js",
    right: "(withdrawal.createdAt ?? 0) <= at + skew",
    wrong: "(withdrawal.createdAt ?? 0) <= at + skew && (withdrawal.createdAt ?? 0) >= certification.createdAt",
  },
  {
    name: "T3c: an expired issuer passes trust on by whatever it made",
    file: "transition.js",
    right: "if (end <= made)",
    wrong: "if (false)",
  },
  {
    name: "T3c, T5: an earlier end of its issuer drops an accepted key",
    file: "transition.js",
    right: "isWide === true || accepted.has(subject.primary.fingerprint)",
    wrong: "isWide === true",
  },
  {
    name: "T3c: an earlier end of its issuer drops no key",
    file: "transition.js",
    right: "isWide === true || accepted.has(subject.primary.fingerprint)",
    wrong: "true",
  },
  {
    name: "T3d: a softly revoked issuer passes trust on",
    file: "transition.js",
    right: "if (revocation === undefined || policy.isWide === true)",
    wrong: 'if (revocation?.kind !== "hard")',
  },
  {
    name: "T3d: the latest of several soft revocations counts",
    file: "key-state.js",
    right: ".sort((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0))[0]",
    wrong: ".sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0))[0]",
  },
  {
    name: "T3e: a weak key may be an issuer",
    file: "transition.js",
    right: "refuseWeakKey(issuer.primary)",
    wrong: "undefined",
  },
  {
    name: "T14: no algorithm has a date",
    file: "policy.js",
    right: "if (at < from)",
    wrong: "if (true)",
  },
  {
    name: "T14: an accepted key goes with its issuer's algorithm",
    file: "transition.js",
    right: "accepted.has(subject.primary.fingerprint) && made < refusedFrom(primary)",
    wrong: "false",
  },
  {
    name: "T14: an accepted key may have been certified after the date",
    file: "transition.js",
    right: "accepted.has(subject.primary.fingerprint) && made < refusedFrom(primary)",
    wrong: "accepted.has(subject.primary.fingerprint)",
  },
  {
    name: "T14: a rival whose algorithm is old is none",
    file: "key-state.js",
    right: "refuseRevoked(facts.revocations, at, what) ?? refuseWeakKey(facts.primary)",
    wrong:
      "refuseRevoked(facts.revocations, at, what) ?? refuseWeakKey(facts.primary) ?? refuseOutdated(facts.primary, at)",
  },
  {
    name: "T14: what a key of an old algorithm certified makes no rival",
    file: "transition.js",
    right: "stands: (refusal ?? ended) === undefined",
    wrong: "stands: (refusal ?? ended ?? refuseOldIssuer(issuer, subject, made, policy)) === undefined",
  },
  {
    name: "T14: a key of an old algorithm delegates",
    file: "delegation.js",
    right: "const state = refusePrimary(issuer, at);",
    wrong:
      "const found = refusePrimary(issuer, at); const state = found?.reason.includes('refused from') ? undefined : found;",
    delegates: true,
  },
  {
    name: "T4: a hard revocation counts only from its date on",
    file: "key-state.js",
    right: 'revocations.find(({ kind }) => kind === "hard")',
    wrong: 'revocations.find(({ kind, createdAt }) => kind === "hard" && (createdAt ?? 0) <= at + skew)',
  },
  {
    name: "T5: the ledger saves no key whose issuer was softly revoked",
    file: "transition.js",
    right: 'policy.retiredIssuers === "accept" || policy.accepted.has(subject.primary.fingerprint)',
    wrong: 'policy.retiredIssuers === "accept"',
  },
  {
    name: "T11: an unchecked key may stand between a fork and what is beyond it",
    file: "fork.js",
    right: "!side.heads.has(key)), ...unchecked]",
    wrong: "!side.heads.has(key))]",
  },
  {
    name: "the first of two self-signatures of one second counts",
    file: "key-state.js",
    right: "other.createdAt === first.createdAt && ends(other) === ends(first)",
    wrong: "other === first",
  },
  {
    name: "T4: a hard-revoked seed still serves",
    file: "chain.js",
    right: "asTheySay.has(seed) && !gone.has(seed)",
    wrong: "asTheySay.has(seed)",
  },
  {
    name: "T11: an unchecked key passes trust on",
    file: "chain.js",
    right: "const barred = new Set([...victims, ...unchecked]);",
    wrong: "const barred = victims;",
  },
  {
    name: "delegation: a certification that delegates makes a successor",
    file: "transition.js",
    right: "const delegates = isDelegation(certification)",
    wrong: "const delegates = false",
    delegates: true,
  },
  {
    name: "delegation: the issuer's older word still holds",
    file: "delegation-offers.js",
    right: "dated.filter(({ certification }) => certification.createdAt === newest)",
    wrong:
      "dated.filter((one) => refuseDelegation(one, { at, identity: { kind: 'user-id', userId: '' } }) === undefined)",
    delegates: true,
  },
  {
    name: "delegation: what is dated in the future replaces what holds now",
    file: "delegation-offers.js",
    right: "createdAt !== undefined && createdAt <= at + skew",
    wrong: "createdAt !== undefined",
    delegates: true,
  },
  {
    name: "delegation: a subkey replaces what the primary key said",
    file: "delegation-offers.js",
    right: "key === issuer.primary.fingerprint && createdAt",
    wrong: "createdAt",
    delegates: true,
  },
  {
    name: "delegation: of two of one second the first counts",
    file: "delegation-offers.js",
    right: "const words = lastWord(delegations, policy.at)",
    wrong: "const words = lastWord(delegations, policy.at).slice(0, 1)",
    delegates: true,
  },
  {
    name: "delegation: it needs no end",
    file: "delegation-offers.js",
    right: "if (certification.expiresAt === undefined)",
    wrong: "if (false)",
    delegates: true,
  },
  {
    name: "delegation: it holds after its end",
    file: "delegation-offers.js",
    right: "if (certification.expiresAt <= at)",
    wrong: "if (false)",
    delegates: true,
  },
  {
    name: "delegation: the user ID may be revoked",
    file: "delegation-offers.js",
    right: "if (!isOwned(userId, subject, at))",
    wrong: "if (false)",
    delegates: true,
  },
  {
    name: "delegation: a delegate may carry the archive's user ID",
    file: "delegation-offers.js",
    right: "if (claimed.some(({ bytes }) => matchesIdentity(bytes, identity)))",
    wrong: "if (false)",
    delegates: true,
  },
  {
    name: "delegation: the trust signature may say another depth",
    file: "delegation-offers.js",
    right: "certification.trust.level === level && certification.trust.amount === amount",
    wrong: "true",
    delegates: true,
  },
  {
    name: "delegation: depth does not count down",
    file: "delegation.js",
    right: "Math.min(depth, holder.depth - 1)",
    wrong: "depth",
    delegates: true,
  },
  {
    name: "delegation: only the last scope counts",
    file: "delegation.js",
    right: "scopes: [...holder.scopes, ...scopes]",
    wrong: "scopes",
    delegates: true,
  },
  {
    name: "delegation: an expired or revoked delegate delegates",
    file: "delegation.js",
    right: "const state = refusePrimary(issuer, at);",
    wrong: "const state = undefined;",
    delegates: true,
  },
  {
    name: "delegation, T11: an unchecked key is a delegate",
    file: "delegation.js",
    right: "input.unchecked.has(subject) || ",
    wrong: "",
    delegates: true,
  },
  {
    name: "delegation: the first path that leads to a delegate counts alone",
    file: "delegation.js",
    right: "count >= maxGrants",
    wrong: "count >= 1",
    delegates: true,
  },
];

export const wrongRules: readonly WrongRule[] = [...otherRules, ...wrongForkRules, ...wrongExtensionRules];
