/** What the client knows about keys at one moment: certificates at hand, their facts, and the judgement over them. */

import { type Keyring, type RawCertificate, readKeyring } from "../openpgp/certificate.ts";
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
import { linkedAmong, linkedTo } from "./crowd.ts";

/** Certificates from outside that may be held at once: each costs work, and a flood must end somewhere. */
const maxStrangers = 500;

const nobody = { certificates: [], loose: [] };

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
  #reading: Promise<Reading> | undefined;
  /** Those that found no room, and the bare revocations that came since: nobody may be crowded out by mere claims. */
  #waiting: Pick<Keyring, "certificates" | "loose"> = nobody;

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

  /**
   * Adds what a key server or a bundle sent: packets about certificates at hand, certificates that carry the
   * archive's user ID (T1), and those that claim to be delegates of a key at hand. Everything else is none of this profile's business and is left out.
   * @returns fingerprints that were not known before
   */
  add({ certificates, loose }: Pick<Keyring, "certificates" | "loose">): Fingerprint[] {
    const added: Fingerprint[] = [];
    const before = new Map(this.#held);
    const turnedAway: RawCertificate[] = [];
    const names = new Set([...this.#held.keys()].flatMap((fingerprint) => [fingerprint, keyIdOf(fingerprint)]));
    // By the name of who is said to have delegated to them: a delegate may come before the delegate that it hangs on.
    const waiting = new Map<string, RawCertificate[]>();
    // Copies are put together first, and each certificate is looked at once: a server may send ten thousand.
    for (const certificate of collect(certificates).values()) {
      const claims = this.#claims(certificate);
      if (claims !== "own" && !claims.some((claim) => names.has(claim))) {
        for (const claim of claims) {
          const others = waiting.get(claim);
          if (others === undefined) waiting.set(claim, [certificate]);
          else others.push(certificate);
        }
        continue;
      }
      const queue = [certificate];
      for (const next of queue) {
        if (!this.#admit(next, added)) turnedAway.push(next);
        for (const name of [next.fingerprint, keyIdOf(next.fingerprint)]) {
          names.add(name);
          queue.push(...(waiting.get(name) ?? []));
          waiting.delete(name);
        }
      }
    }
    this.#held = attachLoose(this.#held, loose);
    const { certificates: crowd, loose: revocations } = this.#waiting;
    if (crowd.length + turnedAway.length > 0) {
      this.#waiting = { certificates: [...crowd, ...turnedAway], loose: [...revocations, ...loose] };
    }
    // What says nothing new is not worth checking every signature again: servers mostly repeat each other.
    const news = [...this.#held].some(([fingerprint, certificate]) => before.get(fingerprint) !== certificate);
    if (news || turnedAway.length > 0) this.#reading = undefined;
    return added;
  }

  /** Adds an answer's blocks, all at once: one may hold twenty thousand. */
  addBlocks(blocks: readonly Uint8Array[]): void {
    const rings = blocks.map(readKeyring);
    this.add({
      certificates: rings.flatMap(({ certificates }) => certificates),
      loose: rings.flatMap(({ loose }) => loose),
    });
  }

  #admit(certificate: RawCertificate, added: Fingerprint[]): boolean {
    if (!this.#held.has(certificate.fingerprint)) {
      if (this.#held.size - this.#own.size >= maxStrangers) return false;
      added.push(certificate.fingerprint);
    }
    this.#take(certificate);
    return true;
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
    const reading = await this.#readHeld();
    return (await this.#makeRoom(reading)) ? await this.#readHeld() : reading;
  }

  /** Lets in who had to wait and was certified by a key at hand, in the place of those that none of them certified. */
  async #makeRoom({ facts }: Reading): Promise<boolean> {
    const { certificates, loose } = this.#waiting;
    this.#waiting = nobody;
    if (certificates.length === 0) return false;
    const linked = linkedTo(this.#own, facts);
    const issuers = [...this.#held.values()].filter(({ fingerprint }) => linked.has(fingerprint));
    const rightful = await linkedAmong(certificates, issuers);
    if (rightful.length === 0) return false;
    this.#held = new Map(issuers.map((certificate) => [certificate.fingerprint, certificate]));
    for (const certificate of rightful) this.#admit(certificate, []);
    this.#held = attachLoose(this.#held, loose);
    return true;
  }

  /**
   * Decides who is at hand, among all that was added.
   * Until then `held` may lack some of whom the judgement is going to speak.
   */
  async settle(): Promise<void> {
    this.#reading ??= this.#read();
    await this.#reading;
  }

  async #readHeld(): Promise<Reading> {
    const keys = await KeyIndex.of(this.#held.values());
    const facts: CertificateFacts[] = [];
    const verified = new Set<Uint8Array>();
    for (const certificate of keys.certificates) {
      facts.push(await readFacts(certificate, keys, (body) => verified.add(body)));
    }
    return { keys, facts, verified };
  }

  /**
   * Judges everything at hand.
   * @param accepted keys of the ledger (T5)
   * @param unchecked keys without a sufficient revocation check (T11)
   */
  async judge(at: Instant, accepted: ReadonlySet<Fingerprint>, unchecked: ReadonlySet<Fingerprint>): Promise<Judged> {
    this.#reading ??= this.#read();
    const { keys, facts } = await this.#reading;
    const { archive, trust } = this.#profile;
    const input = { certificates: facts, identity: archive.identity, seeds: trust.seeds };
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
    const { verified, facts } = await this.#reading;
    for (const { primary, revocations } of facts) {
      if (connected.has(primary.fingerprint)) for (const { certificate } of revocations) connected.add(certificate);
    }
    const kept = [...this.#held.values()].filter(({ fingerprint }) => connected.has(fingerprint));
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

/** What is read from one state of the certificates at hand. */
interface Reading {
  readonly keys: KeyIndex;
  readonly facts: CertificateFacts[];
  /** Bodies of the signature packets found good. */
  readonly verified: ReadonlySet<Uint8Array>;
}
