/** What the client knows about keys at one moment: certificates at hand, their facts, and the judgement over them. */

import { type Component, type Keyring, type RawCertificate, readKeyring } from "../openpgp/certificate.ts";
import { KeyIndex } from "../openpgp/key-index.ts";
import { keyIdOf } from "../openpgp/key-packet.ts";
import { attachLoose, collect, keepVerified, unite } from "../openpgp/merge.ts";
import { parseSignature } from "../openpgp/raw-signature.ts";
import { readFacts } from "../openpgp/read-facts.ts";
import type { Profile } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import { matchesIdentity } from "../trust/identity.ts";
import { judge, type TrustSet } from "../trust/judge.ts";
import { connect } from "./connected.ts";

const limits = {
  /** Certificates from outside that nothing of the chain certified: put aside, since their issuer may come yet. */
  aside: 5_000,
  /** How many of those are read too, and how many signatures of each part: for messages, and for nothing else. */
  told: 500,
  toldSignatures: 20,
  /** Certificates of which the key alone is kept: it may be the revoker that another key designated (T4). */
  bystanders: 20_000,
} as const;

/** The judgement, with the keys to check signatures with. */
export interface Judged {
  readonly trust: TrustSet;
  readonly keys: KeyIndex;
}

export class Knowledge {
  readonly #profile: Profile;
  readonly #own: ReadonlySet<Fingerprint>;
  readonly #stored: ReadonlySet<Fingerprint>;
  #held: Map<Fingerprint, RawCertificate>;
  readonly #bystanders = new Map<Fingerprint, RawCertificate>();
  /** Those who may revoke a key at hand, as it said. */
  #designated: ReadonlySet<Fingerprint> = new Set();
  #reading: Promise<Reading> | undefined;

  /**
   * @param held the seeds' keyring and other certificates at hand
   * @param stored those of the client's state
   */
  constructor(profile: Profile, held: Iterable<RawCertificate>, stored: readonly RawCertificate[] = []) {
    this.#profile = profile;
    this.#stored = new Set(stored.map(({ fingerprint }) => fingerprint));
    this.#held = new Map();
    for (const certificate of [...held, ...stored]) this.#take(certificate);
    this.#own = new Set(this.#held.keys());
  }

  get held(): ReadonlyMap<Fingerprint, RawCertificate> {
    return this.#held;
  }

  /** Those whom a key at hand named as its revokers, and whose own certificates are not at hand. */
  get missingRevokers(): Fingerprint[] {
    return [...this.#designated].filter((key) => !this.#held.has(key) && !this.#bystanders.has(key));
  }

  /**
   * Adds what a key server or a bundle sent: packets about certificates at hand, certificates that carry the archive's user
   * ID (T1), and those that claim to be delegates of a key at hand. Of all others only the key is kept. Which of them take
   * part is found out when they are judged.
   */
  add({ certificates, loose }: Pick<Keyring, "certificates" | "loose">): void {
    const before = new Map(this.#held);
    const names = new Set([...this.#held.keys()].flatMap((fingerprint) => [fingerprint, keyIdOf(fingerprint)]));
    // By the name of who is said to have delegated to them: a delegate may come before the delegate that it hangs on.
    const waiting = new Map<string, RawCertificate[]>();
    // Copies are put together first, and each certificate is looked at once: a server may send ten thousand.
    for (const certificate of collect(certificates).values()) {
      const claims = this.#claims(certificate);
      if (claims !== "own" && !claims.some((claim) => names.has(claim))) {
        this.#standBy(certificate);
        for (const claim of claims) {
          const others = waiting.get(claim);
          if (others === undefined) waiting.set(claim, [certificate]);
          else others.push(certificate);
        }
        continue;
      }
      const queue = [certificate];
      for (const next of queue) {
        this.#take(next);
        for (const name of [next.fingerprint, keyIdOf(next.fingerprint)]) {
          names.add(name);
          for (const claimant of waiting.get(name) ?? []) queue.push(claimant);
          waiting.delete(name);
        }
      }
    }
    this.#held = attachLoose(this.#held, loose);
    // What says nothing new is not worth checking every signature again: servers mostly repeat each other.
    const news = [...this.#held].some(([fingerprint, certificate]) => before.get(fingerprint) !== certificate);
    if (news) this.#reading = undefined;
  }

  /** Adds an answer's blocks, all at once: one may hold twenty thousand. */
  addBlocks(blocks: readonly Uint8Array[]): void {
    const rings = blocks.map(readKeyring);
    this.add({
      certificates: rings.flatMap(({ certificates }) => certificates),
      loose: rings.flatMap(({ loose }) => loose),
    });
  }

  /** Its key alone, and a copy: an answer of megabytes should not be kept for it. */
  #standBy({ fingerprint, primary }: RawCertificate): void {
    // Who was designated is asked for by name: a crowd that came before must not have taken his place.
    const isFull = this.#bystanders.size >= limits.bystanders && !this.#designated.has(fingerprint);
    if (isFull || this.#bystanders.has(fingerprint)) return;
    const copy = { tag: primary.tag, body: Uint8Array.from(primary.body) };
    this.#bystanders.set(fingerprint, { fingerprint, primary: copy, signatures: [], userIds: [], subkeys: [] });
    if (this.#designated.has(fingerprint)) this.#reading = undefined;
  }

  #take(certificate: RawCertificate): void {
    const known = this.#held.get(certificate.fingerprint);
    this.#held.set(certificate.fingerprint, known === undefined ? certificate : unite(known, certificate));
  }

  /**
   * Why a certificate may matter: it is at hand or carries the archive's user ID, or else whom its signatures name as
   * having delegated something to it. Whether that is true comes later.
   */
  #claims({ fingerprint, userIds }: RawCertificate): "own" | string[] {
    const { identity } = this.#profile.archive;
    const named = userIds.some(({ packet }) => {
      return matchesIdentity(Buffer.from(packet.body).toString("latin1"), identity);
    });
    if (named || this.#held.has(fingerprint)) return "own";
    return delegatorsOf({ userIds });
  }

  async #read(): Promise<Reading> {
    const isOwn = (fingerprint: Fingerprint) => this.#own.has(fingerprint);
    const own = new Map([...this.#held].filter(([fingerprint]) => isOwn(fingerprint)));
    const strangers = new Map([...this.#held].filter(([fingerprint]) => !isOwn(fingerprint)));
    const { seeds } = this.#profile.trust;
    const { reached, crowded } = await connect({ own, strangers, seeds, identity: this.#profile.archive.identity });
    const part = new Map([...this.#held].filter(([fingerprint]) => isOwn(fingerprint) || reached.has(fingerprint)));
    const aside = [...strangers.values()].filter(({ fingerprint }) => !part.has(fingerprint));
    for (const { fingerprint } of aside.slice(limits.aside)) this.#held.delete(fingerprint);
    const first = await readAll(part);
    this.#designated = designatedBy(first.facts);
    const revokers = [...this.#designated].flatMap((revoker) => {
      const certificate = this.#held.get(revoker) ?? this.#bystanders.get(revoker);
      return part.has(revoker) || certificate === undefined ? [] : [certificate];
    });
    for (const revoker of revokers) part.set(revoker.fingerprint, revoker);
    const { facts, verified } = revokers.length === 0 ? first : await readAll(part);
    const told = this.#told(
      aside.filter(({ fingerprint }) => !part.has(fingerprint)),
      crowded,
    );
    const keys = await KeyIndex.of([...part.values(), ...told.map(cutDown)]);
    for (const one of keys.certificates.filter(({ raw }) => !part.has(raw.fingerprint))) {
      facts.push(await readFacts(one, keys));
    }
    return { part, keys, facts, verified, crowded };
  }

  /** Those of whom messages can tell: first those that a crowd hides, since one of them may be the right one. */
  #told(aside: readonly RawCertificate[], crowded: Reading["crowded"]): RawCertificate[] {
    const leftOut = new Set([...crowded.values()].flat());
    const isLeftOut = ({ fingerprint }: RawCertificate) => leftOut.has(fingerprint);
    return [...aside.filter(isLeftOut), ...aside.filter((one) => !isLeftOut(one))].slice(0, limits.told);
  }

  /**
   * Judges everything at hand.
   * @param accepted keys of the ledger (T5)
   * @param unchecked keys without a sufficient revocation check (T11)
   */
  async judge(at: Instant, accepted: ReadonlySet<Fingerprint>, unchecked: ReadonlySet<Fingerprint>): Promise<Judged> {
    this.#reading ??= this.#read();
    const { part, keys, facts, crowded } = await this.#reading;
    const { archive, trust } = this.#profile;
    const all = keys.certificates.map(({ raw }) => raw.fingerprint);
    const aside = new Set(all.filter((fingerprint) => !part.has(fingerprint)));
    const input = { certificates: facts, identity: archive.identity, seeds: trust.seeds, crowded, aside };
    return { keys, trust: judge({ ...input, retiredIssuers: trust.retiredIssuers, at, accepted, unchecked }) };
  }

  /**
   * The certificates worth keeping in the client's state: those that are there, with whatever was heard of them since, and
   * those connected with the seeds by any certification, whether it holds or not (a revoked link must stay known), but
   * for delegations by those who have nothing to give; and those of whoever revoked one of these keys: without it the
   * revocation could not be checked again (T4). Without packets that prove nothing.
   */
  async worthKeeping(trust: TrustSet, accepted: ReadonlySet<Fingerprint>): Promise<Map<Fingerprint, RawCertificate>> {
    const connected = new Set<Fingerprint>([...this.#profile.trust.seeds, ...accepted]);
    const links = [...trust.links, ...trust.delegations].filter(({ unfounded }) => unfounded !== true);
    for (const key of connected) for (const link of links) if (link.issuer === key) connected.add(link.subject);
    for (const key of this.#stored) connected.add(key);
    this.#reading ??= this.#read();
    const { part, verified, facts } = await this.#reading;
    for (const { primary, revocations } of facts) {
      if (connected.has(primary.fingerprint)) for (const { certificate } of revocations) connected.add(certificate);
    }
    const kept = [...part.values()].filter(({ fingerprint }) => connected.has(fingerprint));
    return new Map(kept.map((certificate) => [certificate.fingerprint, keepVerified(certificate, verified)]));
  }
}

/** Fingerprints or key IDs of those who, as a certificate says, delegated something to it: claims that nobody checked. */
export function delegatorsOf({ userIds }: Pick<RawCertificate, "userIds">): string[] {
  return [...new Set(userIds.flatMap(({ signatures }) => signatures.flatMap(({ body }) => delegator(body))))];
}

/** Fingerprint or key ID of the key that a signature packet names as delegating; none if it is no delegation. */
function delegator(body: Uint8Array): string[] {
  const raw = parseSignature(body);
  if (typeof raw === "string" || !isDelegation(raw.hashed)) return [];
  const name = raw.issuer.fingerprint ?? raw.issuer.keyId;
  return name === undefined ? [] : [name];
}

/** Those whom these keys named as their revokers. */
function designatedBy(facts: readonly CertificateFacts[]): Set<Fingerprint> {
  const own = facts.flatMap(({ directSignatures, userIds }) => {
    return [...directSignatures, ...userIds.flatMap(({ selfSignatures }) => selfSignatures)];
  });
  return new Set(own.flatMap(({ designatedRevokers }) => designatedRevokers));
}

/** As much of a certificate as a message needs. */
function cutDown(certificate: RawCertificate): RawCertificate {
  const cut = <T>(list: readonly T[]) => list.slice(0, limits.toldSignatures);
  const cutAll = (components: readonly Component[]) => {
    return cut(components).map(({ packet, signatures }) => ({ packet, signatures: cut(signatures) }));
  };
  const { signatures, userIds, subkeys } = certificate;
  return { ...certificate, signatures: cut(signatures), userIds: cutAll(userIds), subkeys: cutAll(subkeys) };
}

async function readAll(certificates: ReadonlyMap<Fingerprint, RawCertificate>) {
  const keys = await KeyIndex.of(certificates.values());
  const facts: CertificateFacts[] = [];
  const verified = new Set<Uint8Array>();
  for (const certificate of keys.certificates) {
    facts.push(await readFacts(certificate, keys, (body) => verified.add(body)));
  }
  return { facts, verified };
}

/** What is read from one state of the certificates at hand. */
interface Reading {
  /** The certificates that take part. */
  readonly part: ReadonlyMap<Fingerprint, RawCertificate>;
  /** Theirs, and those of some others, so that messages can tell of them. */
  readonly keys: KeyIndex;
  readonly facts: CertificateFacts[];
  /** Bodies of the signature packets found good. */
  readonly verified: ReadonlySet<Uint8Array>;
  readonly crowded: ReadonlyMap<Fingerprint, readonly Fingerprint[]>;
}
