/** What the client knows about keys during a run: available certificates, their facts, and their judgement. */

import { append } from "../grouped.ts";
import { type Keyring, type RawCertificate, readKeyring } from "../openpgp/certificate/certificate.ts";
import { collect, unite } from "../openpgp/certificate/merge.ts";
import { RevocationStore } from "../openpgp/certificate/revocation-store.ts";
import { designatedBy } from "../openpgp/check/evidence.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { readFacts } from "../openpgp/check/read-facts.ts";
import { keyIdOf } from "../openpgp/packet/key-packet.ts";
import type { Profile } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { matchesIdentity } from "../trust/identity.ts";
import { type JudgeInput, judge, type TrustSet } from "../trust/judge.ts";
import { delegatorsOf } from "./delegators.ts";
import type { Judged } from "./judged.ts";
import { connect } from "./reachable.ts";
import { cutDown, layByRevokers, type Reading, readAll, tellingFirst } from "./read-certificates.ts";
import { restingDelegates } from "./resting.ts";
import { certificatesWorthKeeping, survey } from "./worth-keeping.ts";

export type { Judged } from "./judged.ts";

const limits = {
  /** The number of certificates from outside that no key of the chain certified. They are kept, because their issuer may still arrive. */
  aside: 5_000,
  /** The number of `aside` certificates that are read too, only for messages. */
  told: 500,
  /** The number of certificates of which only the key is kept, because the key may be a designated revoker (T4). */
  bystanders: 20_000,
} as const;

export class Knowledge {
  readonly #profile: Profile;
  readonly #own: ReadonlySet<Fingerprint>;
  readonly #stored: ReadonlySet<Fingerprint>;
  #held: Map<Fingerprint, RawCertificate>;
  readonly #bystanders = new Map<Fingerprint, RawCertificate>();
  readonly #revocations = new RevocationStore();
  /** The designated revokers of the available keys. */
  #designated: ReadonlySet<Fingerprint> = new Set();
  #reading: Promise<Reading> | undefined;
  /** The available certificates at the start of the run. */
  readonly #quiet: ReadonlyMap<Fingerprint, RawCertificate>;
  /** The signers whose certificates must be read; other delegates are not read, to save time. Undefined if all delegates are read. */
  #wanted: Set<string> | undefined;

  /**
   * @param held the certificates in the seeds' keyring
   * @param stored the certificates in the client's state
   * @param remembered revocations and related packets (T4) from the client's state, and bare revocations from the seeds' keyring
   */
  constructor(
    profile: Profile,
    held: Iterable<RawCertificate>,
    stored: readonly RawCertificate[] = [],
    remembered: readonly Pick<Keyring, "certificates" | "loose">[] = [],
  ) {
    this.#profile = profile;
    this.#stored = new Set(stored.map(({ fingerprint }) => fingerprint));
    this.#held = new Map();
    for (const certificate of [...held, ...stored]) this.#take(certificate);
    this.#own = new Set(this.#held.keys());
    this.#revocations.add({ certificates: [...this.#held.values()], loose: [] });
    for (const ring of remembered) this.remember(ring);
    this.#quiet = new Map(this.#held);
  }

  /**
   * From now on, leaves out delegates that are not among these signers or above them.
   * @param names fingerprints or key IDs of the signers
   */
  readOnly(names: Iterable<string>): void {
    this.#wanted = new Set(names);
    this.#reading = undefined;
  }

  /** From now on, reads the certificates of all delegates. */
  readEverything(): void {
    this.#wanted = undefined;
    this.#reading = undefined;
  }

  /**
   * From now on, reads the certificates of these signers too.
   * @returns the certificates that were not read before
   */
  async want(names: Iterable<string>): Promise<Fingerprint[]> {
    if (this.#wanted === undefined) return [];
    const before = await this.resting();
    for (const name of names) this.#wanted.add(name);
    const resting = this.#resting();
    const found = [...before].filter((key) => !resting.has(key));
    if (found.length > 0) this.#reading = undefined;
    return found;
  }

  /** Returns the delegates that are not read, because they signed nothing that is to be verified. */
  async resting(): Promise<ReadonlySet<Fingerprint>> {
    this.#reading ??= this.#read();
    return (await this.#reading).resting;
  }

  #resting(): Set<Fingerprint> {
    if (this.#wanted === undefined) return new Set();
    const { seeds } = this.#profile.trust;
    const isOfChain = ({ fingerprint, userIds }: RawCertificate) => {
      return seeds.includes(fingerprint) || userIds.some(({ packet }) => this.#isNamed(packet.body));
    };
    const designationsCount = this.#revocations.hasBare;
    const names = { wanted: this.#wanted, isOfChain, designationsCount };
    return restingDelegates({ held: this.#held, quiet: this.#quiet, ...names });
  }

  /** Adds only revocations and related packets from a keyring (T4). Of the keyring's certificates, only the keys are kept. */
  remember(ring: Pick<Keyring, "certificates" | "loose">): void {
    this.#revocations.add(ring);
    for (const certificate of ring.certificates) this.#standBy(certificate);
    this.#layRevocations();
    this.#reading = undefined;
  }

  /** Attaches revocations to their certificates: a revocation may come before its certificate, or from another source (T4). */
  #layRevocations(): void {
    for (const [fingerprint, certificate] of this.#held) {
      this.#held.set(fingerprint, this.#revocations.attachTo(certificate));
    }
  }

  get held(): ReadonlyMap<Fingerprint, RawCertificate> {
    return this.#held;
  }

  /** The designated revokers of available keys, as far as their own certificates are not available. */
  get missingRevokers(): Fingerprint[] {
    return [...this.#designated].filter((key) => !this.#held.has(key) && !this.#bystanders.has(key));
  }

  /**
   * Adds what a key server or a bundle sent: packets about available certificates, certificates with the archive's user ID (T1), and
   * certificates that claim to be delegates of an available key. Of all other certificates, only the key is kept. The judge decides which
   * certificates take part.
   */
  add(ring: Pick<Keyring, "certificates" | "loose">): void {
    const before = new Map(this.#held);
    const bareBefore = this.#bareByRevokers();
    try {
      this.#revocations.add(ring, (key) => this.#held.has(key));
      this.#takeAll(ring.certificates);
      this.#layRevocations();
    } finally {
      // Servers mostly send the same packets as before. Then feedkey does not verify the signatures again.
      const isNews = [...this.#held].some(([fingerprint, certificate]) => before.get(fingerprint) !== certificate);
      if (isNews || this.#bareByRevokers() !== bareBefore) this.#reading = undefined;
    }
  }

  /** Counts the bare revocations by designated revokers. Only verifying such a revocation shows which key it revokes. */
  #bareByRevokers(): number {
    return [...this.#designated].reduce((sum, revoker) => sum + this.#revocations.bareBy(revoker).length, 0);
  }

  #takeAll(certificates: readonly RawCertificate[]): void {
    const names = new Set([...this.#held.keys()].flatMap((fingerprint) => [fingerprint, keyIdOf(fingerprint)]));
    // Delegates wait here, by their claimed issuer, because a delegate may arrive before the delegate above it.
    const waiting = new Map<string, RawCertificate[]>();
    // Copies of a certificate are merged first, so that each certificate is examined once: a server may send ten thousand copies.
    for (const certificate of collect(certificates).values()) {
      const claims = this.#claims(certificate);
      if (claims !== "own" && !claims.some((claim) => names.has(claim))) {
        this.#standBy(certificate);
        for (const claim of claims) append(waiting, claim, certificate);
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
  }

  /** Adds all blocks in an answer in one call, because an answer may have twenty thousand blocks. */
  addBlocks(blocks: readonly Uint8Array[]): void {
    const rings = blocks.map(readKeyring);
    this.add({
      certificates: rings.flatMap(({ certificates }) => certificates),
      loose: rings.flatMap(({ loose }) => loose),
    });
  }

  /** Keeps only a copy of the certificate's key, so that a large answer does not stay in memory. */
  #standBy({ fingerprint, primary }: RawCertificate): void {
    // feedkey asks for a designated revoker by fingerprint, so earlier unrelated keys must not use up the revoker's place.
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
   * Returns why a certificate may matter: "own" if the pool has the certificate or if it has the archive's user ID; otherwise the keys that,
   * according to its packets, delegated to it. These claims are verified later.
   */
  #claims({ fingerprint, userIds }: RawCertificate): "own" | string[] {
    const named = userIds.some(({ packet }) => this.#isNamed(packet.body));
    if (named || this.#held.has(fingerprint)) return "own";
    return delegatorsOf({ userIds });
  }

  #isNamed(userId: Uint8Array): boolean {
    return matchesIdentity(Buffer.from(userId).toString("latin1"), this.#profile.archive.identity);
  }

  async #read(): Promise<Reading> {
    const resting = this.#resting();
    const isOwn = (fingerprint: Fingerprint) => this.#own.has(fingerprint) && !resting.has(fingerprint);
    const own = new Map([...this.#held].filter(([fingerprint]) => isOwn(fingerprint)));
    const strangers = new Map([...this.#held].filter(([fingerprint]) => !this.#own.has(fingerprint)));
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
    const isNews = layByRevokers(this.#revocations, part, first.facts);
    const { facts, verified } = revokers.length === 0 && !isNews ? first : await readAll(part);
    const told = tellingFirst(
      aside.filter(({ fingerprint }) => !part.has(fingerprint)),
      crowded,
    ).slice(0, limits.told);
    const keys = await KeyIndex.of([...part.values(), ...told.map(cutDown)]);
    for (const one of keys.certificates.filter(({ raw }) => !part.has(raw.fingerprint))) {
      facts.push(await readFacts(one, keys));
    }
    return { part, keys, facts, verified, crowded, resting };
  }

  /**
   * Judges every available certificate.
   * @param accepted the accepted keys in the ledger (T5)
   * @param unchecked the keys without a sufficient revocation check (T11)
   * @param memory what else the ledger says about keys (T6, T7)
   */
  async judge(
    at: Instant,
    accepted: ReadonlySet<Fingerprint>,
    unchecked: ReadonlySet<Fingerprint>,
    memory: Pick<JudgeInput, "neverLive" | "ends"> = {},
  ): Promise<Judged> {
    this.#reading ??= this.#read();
    const { part, keys, facts, crowded, resting } = await this.#reading;
    const { archive, trust } = this.#profile;
    const all = keys.certificates.map(({ raw }) => raw.fingerprint);
    const aside = new Set(all.filter((fingerprint) => !part.has(fingerprint)));
    const input = { certificates: facts, identity: archive.identity, seeds: trust.seeds, crowded, aside };
    return {
      keys,
      resting,
      trust: judge({ ...input, ...memory, retiredIssuers: trust.retiredIssuers, at, accepted, unchecked }),
    };
  }

  /** Returns the certificates that the client's state should keep; `worth-keeping.ts` has the rules. */
  async worthKeeping(trust: TrustSet, accepted: ReadonlySet<Fingerprint>): Promise<Map<Fingerprint, RawCertificate>> {
    this.#reading ??= this.#read();
    return certificatesWorthKeeping(await this.#reading, {
      connected: [...this.#profile.trust.seeds, ...accepted],
      links: [...trust.links, ...trust.delegations],
      stored: this.#stored,
      own: this.#own,
      isNamed: (userId) => this.#isNamed(userId),
    });
  }

  /** Returns the revocations and related packets for the next run (T4), even those for keys that are unknown or not connected. */
  async revocationsWorthKeeping(): Promise<Uint8Array> {
    this.#reading ??= this.#read();
    const { part, verified } = await this.#reading;
    return this.#revocations.write(survey(this.#own, part, verified, this.#held, this.#bystanders));
  }
}
