/** Reads the request of a future delegate: a certificate. Merges the certificate with the copy in the key store. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { collect } from "../openpgp/certificate/merge.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { limits } from "../openpgp/packet/limits.ts";
import { type Own, rootsOf } from "../signing/delegate-check.ts";
import type { OwnCertificate } from "../signing/signing-key.ts";
import type { Instant } from "../time.ts";
import type { CertificateFacts, Fingerprint, UserIdFacts } from "../trust/facts.ts";
import { addressOf, isOwned } from "../trust/identity.ts";
import { refusePrimary } from "../trust/key-state.ts";
import { pruneForStore, type TakenIn } from "./store-certificate.ts";

/** Returns the certificate in a request. @throws FeedkeyError `bad_certificate`: when the request is not exactly one certificate */
export function readRequest(bytes: Uint8Array): RawCertificate {
  if (bytes.length > limits.requestBytes)
    throw tooLarge(
      `the request has ${bytes.length} bytes, but may have at most ${limits.requestBytes}`,
      "a certificate is normally a few kilobytes: ask the owner to export the key without other people's signatures, or to make a new key",
    );
  const { certificates, secretKeys, problems } = readKeys(bytes);
  const [raw, ...others] = [...collect(certificates).values()];
  if (secretKeys > 0) {
    throw new FeedkeyError("bad_certificate", "the request contains a secret key", {
      hint: "other people may have seen this secret key: ask the owner to make a new key, and to send only its certificate (feedkey key export)",
    });
  }
  if (raw !== undefined && others.length === 0) {
    if (problems.length === 0) return raw;
    const found = escapeText(problems.join("; "));
    throw new FeedkeyError("bad_certificate", `the request can't be read to its end: ${found}`, {
      hint: "ask the owner to export and send the certificate again: feedkey key export FINGERPRINT",
    });
  }
  throw new FeedkeyError(
    "bad_certificate",
    `expected one certificate in the request, found ${others.length + (raw ? 1 : 0)}`,
    {
      hint: 'run "feedkey key export FINGERPRINT" on the machine that will sign, and give the file that the command writes',
    },
  );
}

function tooLarge(why: string, hint: string): FeedkeyError {
  return new FeedkeyError("bad_certificate", `the request is too large: ${why}`, { hint });
}

/**
 * Returns the facts about the key in a request, merged with the facts in the store. For example, the store may know a revocation
 * that the request leaves out, and earlier delegations and withdrawals. Unverified packets are dropped.
 * @throws FeedkeyError `bad_certificate`: when feedkey can't use this kind of certificate
 */
export async function knownOf(request: RawCertificate, own: Own): Promise<OwnCertificate & Pick<TakenIn, "left">> {
  const stored = [...own.values()].map(({ raw }) => raw);
  const taken = (await pruneForStore(stored, [request])).get(request.fingerprint);
  if (taken === undefined)
    throw new FeedkeyError(
      "bad_certificate",
      "feedkey can't use the certificate in the request: feedkey does not support its kind of key, or its form",
    );
  const { certificate: raw, facts, left } = taken;
  return { raw, facts, left };
}

/** Refuses a certificate with too many signatures. @throws FeedkeyError `bad_certificate` */
export function refuseCrammed({ left }: Pick<TakenIn, "left">): void {
  if (left > 0) throw tooLarge("the certificate has too many signatures", "ask the owner to make a new key");
}

/** Refuses a delegate whose key is revoked or has expired. @throws FeedkeyError whose code is the reason */
function refuseState(facts: CertificateFacts, at: Instant): void {
  const { fingerprint } = facts.primary;
  const refused = refusePrimary(facts, at);
  if (refused === undefined) return;
  throw new FeedkeyError(refused.code, `can't delegate to ${fingerprint}: ${refused.reason}`, {
    details: { fingerprint },
    hint: "make a new key for the delegate's machine, or extend the delegate's key first: feedkey key extend",
  });
}

/**
 * Refuses a delegate with the archive's user ID or the archive's address. Clients refuse a delegate with the archive's user ID, and
 * the same address would confuse people.
 */
function refuseArchiveName(facts: CertificateFacts, issuer: OwnCertificate, own: Own): void {
  const top = rootsOf(own, issuer.raw.fingerprint);
  const names = [issuer, ...top].flatMap((one) => one.facts.userIds);
  const addresses = new Set(top.flatMap((one) => one.facts.userIds.flatMap(({ bytes }) => addressOf(bytes) ?? [])));
  const claimed = facts.userIds.filter(({ selfSignatures }) => selfSignatures.length > 0);
  const taken = claimed.find(({ bytes }) => {
    return names.some((name) => name.bytes === bytes) || addresses.has(addressOf(bytes) ?? "");
  });
  if (taken === undefined) return;
  const { fingerprint } = facts.primary;
  const problem = `${fingerprint} has the archive's user ID or address: "${escapeText(taken.text)}"`;
  throw new FeedkeyError("bad_certificate", problem, {
    details: { fingerprint, userId: taken.text },
    hint: "a delegate needs another user ID: ask the owner to make a new key with another --user-id",
  });
}

/**
 * Returns the user ID of the delegate over which the delegation will be made. User IDs over which this issuer has withdrawn a
 * delegation are left out, because a withdrawal is final (T3b).
 * @throws FeedkeyError `bad_certificate`, `revoked`, `expired` or another code: when no user ID can be used
 */
export function chooseUserId(facts: CertificateFacts, issuer: OwnCertificate, own: Own, at: Instant): UserIdFacts {
  refuseState(facts, at);
  refuseArchiveName(facts, issuer, own);
  const { fingerprint } = facts.primary;
  const usable = facts.userIds.filter((userId) => addressOf(userId.bytes) !== undefined && isOwned(userId, facts, at));
  if (usable.length === 0) {
    throw new FeedkeyError(
      "bad_certificate",
      `${fingerprint} can't be a delegate: the key has no valid user ID with an address`,
      {
        details: { fingerprint },
      },
    );
  }
  const chosen = usable.find((userId) => !isWithdrawn(userId, issuer.raw.fingerprint));
  if (chosen !== undefined) return chosen;
  throw new FeedkeyError("revoked", `${issuer.raw.fingerprint} has withdrawn its delegation to ${fingerprint}`, {
    details: { issuer: issuer.raw.fingerprint, delegate: fingerprint },
    hint: "a withdrawal is final: clients refuse every later delegation to that user ID of the key; make a new key for the delegate's machine",
  });
}

function isWithdrawn({ withdrawals }: UserIdFacts, issuer: Fingerprint): boolean {
  return withdrawals.some(({ key }) => key === issuer);
}
