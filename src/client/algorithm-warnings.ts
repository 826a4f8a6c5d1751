/** Warns about keys that clients will refuse within a year because the keys' algorithm will then be too weak (T14). */
import type { Session } from "../refresh/session.ts";
import { iso, roughly } from "../time.ts";
import { algorithmWarning, endsOfAlgorithms } from "../trust/expiry-forecast.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { TrustSet } from "../trust/judge.ts";

/** Returns a warning for each key in the given certificates that clients will refuse within a year because of its algorithm. */
export function warningsOfAlgorithms({ trusted, at }: TrustSet, certificates: Iterable<Fingerprint>): string[] {
  const ends = [...new Set(certificates)].flatMap((one) => {
    const facts = trusted.get(one)?.facts;
    return facts === undefined ? [] : endsOfAlgorithms(facts, at);
  });
  const near = ends.filter(({ until }) => until - at < algorithmWarning);
  return near.map(({ key, until, algorithm }) => {
    return `in ${roughly(until - at)}, on ${iso(until)}, the key ${key} will be refused for its algorithm, ${algorithm}: the archive's keepers must rotate to a stronger key before then`;
  });
}

/** Warns if clients will soon refuse a signer of an index for its algorithm, or a key that delegated the feed to a signer. */
export function warnOfAlgorithms(
  { options, judged: { trust } }: Pick<Session, "options" | "judged">,
  signers: readonly { readonly certificate: Fingerprint }[],
): void {
  const needed = signers.flatMap(({ certificate }) => {
    const steps = trust.trusted.get(certificate)?.grants.flatMap((grant) => grant.steps) ?? [];
    return [certificate, ...steps.map(({ issuer }) => issuer)];
  });
  for (const warning of warningsOfAlgorithms(trust, needed)) options.reporter.warn(warning);
}
