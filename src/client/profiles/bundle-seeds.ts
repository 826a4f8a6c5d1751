/**
 * Takes the seeds for a profile from an archive's bundle. The user got the seeds' fingerprints from another source, and feedkey
 * verifies the certificates.
 */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { RawCertificate } from "../../openpgp/certificate/certificate.ts";
import { keepVerified } from "../../openpgp/certificate/merge.ts";
import { KeyIndex } from "../../openpgp/check/key-index.ts";
import { readFacts } from "../../openpgp/check/read-facts.ts";
import type { Identity } from "../../profile/types.ts";
import type { Reporter } from "../../refresh/session.ts";
import type { Instant } from "../../time.ts";
import type { CertificateFacts, Fingerprint, UserIdFacts } from "../../trust/facts.ts";
import { addressOf, isOwned, matchesIdentity } from "../../trust/identity.ts";
import { effectiveRevocation, refusePrimary } from "../../trust/key-state.ts";

/** The time at which feedkey judges the seeds, and the reporter for warnings. */
interface Taking {
  readonly at: Instant;
  readonly reporter: Reporter;
}

interface BundleSeeds {
  /** The seeds' certificates. feedkey keeps only verified packets, because strangers may have added packets to the bundle. */
  readonly certificates: readonly RawCertificate[];
  /**
   * The identity by which clients recognize the archive's keys: the user ID that all seeds have, else the email address that
   * all seeds have, else the first seed's user ID.
   */
  readonly identity: Identity;
}

/**
 * Finds the seeds' certificates in a bundle and verifies them.
 * @throws FeedkeyError `untrusted_signer` if the bundle lacks a seed; `revoked`, `bad_certificate` if a certificate can't be a seed
 */
export async function takeSeeds(
  taking: Taking,
  bundle: ReadonlyMap<Fingerprint, RawCertificate>,
  seeds: readonly Fingerprint[],
): Promise<BundleSeeds> {
  const keys = await KeyIndex.of(bundle.values());
  const byFingerprint = new Map(keys.certificates.map((loaded) => [loaded.raw.fingerprint, loaded]));
  const certificates: RawCertificate[] = [];
  const taken: CertificateFacts[] = [];
  const missing: Fingerprint[] = [];
  for (const seed of seeds) {
    const loaded = byFingerprint.get(seed);
    if (loaded === undefined) {
      missing.push(seed);
      continue;
    }
    const verified = new Set<Uint8Array>();
    const facts = await readFacts(loaded, keys, (body) => verified.add(body));
    refuseRevoked(facts, taking);
    certificates.push(keepVerified(loaded.raw, verified));
    taken.push(facts);
  }
  if (missing.length === 0) return { certificates, identity: identityOf(taken, taking) };
  throw new FeedkeyError(
    "untrusted_signer",
    `the archive's key bundle has no certificate with the fingerprint ${missing.join(", ")}`,
    {
      details: { missing },
      hint: "compare the fingerprint with what the archive's keepers publish; nothing was written",
    },
  );
}

/**
 * Refuses a seed with a hard revocation. An expired or retired seed may still lead clients to its successors, so feedkey only warns.
 */
function refuseRevoked(facts: CertificateFacts, { at, reporter }: Taking): void {
  const { fingerprint } = facts.primary;
  const refused = refusePrimary(facts, at);
  if (refused === undefined) return;
  if (effectiveRevocation(facts.revocations, at)?.kind !== "hard") {
    reporter.warn(`seed ${fingerprint} may not sign now: ${refused.reason}`);
    return;
  }
  throw new FeedkeyError("revoked", `${fingerprint} can't be a seed: ${refused.reason}`, {
    details: { fingerprint },
    hint: "ask the archive's keepers for the fingerprint of their present key",
  });
}

/**
 * Returns a key's self-certified user IDs that a profile can contain and that have an email address.
 * @throws FeedkeyError `bad_certificate` if there is no such user ID
 */
function namesOf(facts: CertificateFacts, { at }: Pick<Taking, "at">): UserIdFacts[] {
  const owned = facts.userIds.filter((userId) => isOwned(userId, facts, at));
  const found = owned.filter(({ bytes, text }) => {
    return addressOf(bytes) !== undefined && matchesIdentity(bytes, { kind: "user-id", userId: text });
  });
  if (found.length > 0) return found;
  const names = owned.map(({ text }) => `"${escapeText(text)}"`).join(", ") || "no self-certified user ID";
  throw new FeedkeyError(
    "bad_certificate",
    `the key has no self-certified user ID with a usable email address; it has ${names}`,
    {
      details: { fingerprint: facts.primary.fingerprint },
      hint: 'ask the keepers of the archive for a key with a user ID such as "Name <address@domain>"',
    },
  );
}

/** Returns the user ID that all seeds have, else the email address that all seeds have, else the first seed's user ID. */
function identityOf(seeds: readonly CertificateFacts[], taking: Taking): Identity {
  const all = seeds.map((facts) => namesOf(facts, taking));
  const candidates = (all[0] ?? []).flatMap(({ bytes, text }): Identity[] => {
    const email = addressOf(bytes);
    const byAddress: Identity[] = email === undefined ? [] : [{ kind: "user-email", email }];
    return [{ kind: "user-id", userId: text }, ...byAddress];
  });
  const [first] = candidates;
  if (first === undefined) throw new FeedkeyError("internal", "a profile without seeds");
  const common = (kind: Identity["kind"]) => {
    return candidates.find(
      (one) => one.kind === kind && all.every((names) => names.some(({ bytes }) => matchesIdentity(bytes, one))),
    );
  };
  const found = common("user-id") ?? common("user-email");
  if (found !== undefined) return found;
  taking.reporter.warn(
    "the seeds have no user ID and no address in common: feedkey recognizes successors only by the user ID of the first seed",
  );
  return first;
}
