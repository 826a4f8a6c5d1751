/**
 * Selects the certificates from outside that take part in the judgement: those to which the seeds lead by verified certifications. Anybody
 * can make ten thousand other certificates with the archive's user ID.
 */
import { append } from "../grouped.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { type Claim, claimsOn, hasMadeAny, hasRevokedItselfHard } from "../openpgp/check/claims.ts";
import { keyIdOf, type LoadedKey, loadKey } from "../openpgp/packet/key-packet.ts";
import type { Identity } from "../profile/types.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { matchesIdentity } from "../trust/identity.ts";
import { refuseWeakKey } from "../trust/policy.ts";

type Certificates = ReadonlyMap<Fingerprint, RawCertificate>;

export const connectedLimits = {
  /**
   * The number of successors of one key that feedkey examines. If a key has more, feedkey examines none of its successors from outside
   * (T6).
   */
  successorsOfOne: 100,
  /** The number of successors from outside that feedkey examines in total. */
  successors: 2_000,
  /**
   * The number of delegates from outside that feedkey examines for one key of the chain, and below each delegate of the chain. Further
   * delegates are refused as unknown.
   */
  delegatesOfOne: 1_000,
} as const;

interface Connected {
  /** All keys to which the seeds lead by certifications that verify. The judge decides whether these certifications count. */
  readonly reached: ReadonlySet<Fingerprint>;
  /**
   * T6: the keys that certified more successors than feedkey examines, each with some of the successors from outside that feedkey left out.
   */
  readonly crowded: ReadonlyMap<Fingerprint, readonly Fingerprint[]>;
}

interface Input {
  /** The certificates in the profile's keyring and the client's state, which always take part. */
  readonly own: Certificates;
  readonly strangers: Certificates;
  readonly seeds: readonly Fingerprint[];
  readonly identity: Identity;
}

/** The certifications that claim to be by one key, grouped by subject. */
type Subjects = Map<Fingerprint, Claim[]>;

interface Named {
  readonly subject: Fingerprint;
  readonly claim: Claim;
}

/** Returns all certifications, before they are verified, grouped by the maker that they name. */
async function claimsByIssuer({ own, strangers }: Input): Promise<Map<string, Named[]>> {
  const claims = new Map<string, Named[]>();
  for (const [subject, certificate] of [...own, ...strangers]) {
    for (const claim of await claimsOn(certificate)) append(claims, claim.issuer, { subject, claim });
  }
  return claims;
}

class Search {
  readonly #input: Input;
  readonly reached: Set<Fingerprint>;
  readonly crowded = new Map<Fingerprint, readonly Fingerprint[]>();
  #successors = 0;
  /** For each delegate, the first delegate on the path to it. All delegates below one first delegate share one limit. */
  readonly #heads = new Map<Fingerprint, Fingerprint>();
  readonly #delegates = new Map<Fingerprint, number>();

  constructor(input: Input) {
    this.#input = input;
    this.reached = new Set(input.seeds);
  }

  async run(): Promise<void> {
    const claims = await claimsByIssuer(this.#input);
    // The loop also visits the keys that it adds: a breadth-first search.
    for (const issuer of this.reached) {
      const certificate = this.#input.own.get(issuer) ?? this.#input.strangers.get(issuer);
      const key = certificate && (await loadKey(certificate.primary.body, issuer));
      if (certificate === undefined || key === undefined || refuseWeakKey(key.facts) !== undefined) continue;
      // Certifications by a hard-revoked key are void (T3c). Following them would let a thief of this key use up the limits after the
      // revocation.
      if (await hasRevokedItselfHard(certificate, key)) continue;
      const [successors, delegates]: [Subjects, Subjects] = [new Map(), new Map()];
      for (const { subject, claim } of [...(claims.get(issuer) ?? []), ...(claims.get(keyIdOf(issuer)) ?? [])]) {
        if (isDelegation(claim)) append(delegates, subject, claim);
        else if (matchesIdentity(claim.userId, this.#input.identity)) append(successors, subject, claim);
      }
      await this.#addSuccessors(key, successors);
      await this.#addDelegates(key, delegates);
    }
  }

  /**
   * Adds the successors of a key. Subjects in the keyring and the state come first: they are always reached, and count towards the limit.
   */
  async #addSuccessors(issuer: LoadedKey, claimed: Subjects): Promise<void> {
    const { own } = this.#input;
    let count = 0;
    for await (const subject of certifiedBy(issuer, claimed, (key) => own.has(key))) {
      count += 1;
      if (!this.reached.has(subject)) this.#successors += 1;
      this.reached.add(subject);
    }
    const found: Fingerprint[] = [];
    for await (const subject of certifiedBy(issuer, claimed, (key) => !own.has(key) && !this.reached.has(key))) {
      found.push(subject);
      const isCrowd = count + found.length > connectedLimits.successorsOfOne;
      if (!isCrowd && this.#successors + found.length <= connectedLimits.successors) continue;
      this.crowded.set(issuer.certificate, found);
      return;
    }
    this.#successors += found.length;
    for (const subject of found) this.reached.add(subject);
  }

  async #addDelegates(issuer: LoadedKey, claimed: Subjects): Promise<void> {
    const { own } = this.#input;
    const head = this.#heads.get(issuer.certificate);
    const add = (subject: Fingerprint) => {
      if (!this.reached.has(subject)) this.#heads.set(subject, head ?? subject);
      this.reached.add(subject);
    };
    for await (const subject of certifiedBy(issuer, claimed, (key) => own.has(key))) add(subject);
    const share = head ?? issuer.certificate;
    for await (const subject of certifiedBy(issuer, claimed, (key) => !own.has(key) && !this.reached.has(key))) {
      const count = this.#delegates.get(share) ?? 0;
      if (count >= connectedLimits.delegatesOfOne) return;
      this.#delegates.set(share, count + 1);
      add(subject);
    }
  }
}

/** The number of certifications that are verified at the same time. */
const atOnce = 64;

/** Yields the subjects that a key really certified, in the order of the claims. */
async function* certifiedBy(
  issuer: LoadedKey,
  claimed: Subjects,
  isWanted: (subject: Fingerprint) => boolean,
): AsyncGenerator<Fingerprint> {
  const wanted = [...claimed].filter(([subject]) => isWanted(subject));
  for (let at = 0; at < wanted.length; at += atOnce) {
    const batch = wanted.slice(at, at + atOnce);
    const made = await Promise.all(batch.map(([, claims]) => hasMadeAny(issuer, claims)));
    for (const [place, [subject]] of batch.entries()) if (made[place] === true) yield subject;
  }
}

/** Finds the keys to which the seeds lead. */
export async function connect(input: Input): Promise<Connected> {
  const search = new Search(input);
  await search.run();
  return search;
}
