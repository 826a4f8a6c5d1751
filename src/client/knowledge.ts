/** What the client knows about keys at one moment: certificates at hand, their facts, and the judgement over them. */

import type { Keyring, RawCertificate } from "../openpgp/certificate.ts";
import { KeyIndex } from "../openpgp/key-index.ts";
import { keyIdOf } from "../openpgp/key-packet.ts";
import { attachLoose, keepVerified, unite } from "../openpgp/merge.ts";
import { parseSignature } from "../openpgp/raw-signature.ts";
import { readFacts } from "../openpgp/read-facts.ts";
import type { Profile } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import { matchesIdentity } from "../trust/identity.ts";
import { judge, type TrustSet } from "../trust/judge.ts";

/** Certificates from outside that may be held at once: each costs work, and a flood must end somewhere. */
const maxStrangers = 500;

/** The judgement, with the keys to check signatures with. */
export interface Judged {
  readonly trust: TrustSet;
  readonly keys: KeyIndex;
}

export class Knowledge {
  readonly #profile: Profile;
  readonly #own: ReadonlySet<Fingerprint>;
  #held: Map<Fingerprint, RawCertificate>;
  #reading: Promise<Reading> | undefined;

  /** @param held the seeds' keyring and the certificates of the client's state */
  constructor(profile: Profile, held: Iterable<RawCertificate>) {
    this.#profile = profile;
    this.#held = new Map();
    for (const certificate of held) this.#take(certificate);
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
    let waiting = [...certificates];
    // A delegate may come before the delegate that it hangs on: look again until nothing more is taken.
    for (let before = -1; before !== waiting.length; ) {
      before = waiting.length;
      waiting = waiting.filter((certificate) => !this.#admit(certificate, added));
    }
    this.#held = attachLoose(this.#held, loose);
    this.#reading = undefined;
    return added;
  }

  #admit(certificate: RawCertificate, added: Fingerprint[]): boolean {
    if (!this.#held.has(certificate.fingerprint)) {
      if (!this.#mayMatter(certificate) || this.#held.size - this.#own.size >= maxStrangers) return false;
      added.push(certificate.fingerprint);
    }
    this.#take(certificate);
    return true;
  }

  #take(certificate: RawCertificate): void {
    const known = this.#held.get(certificate.fingerprint);
    this.#held.set(certificate.fingerprint, known === undefined ? certificate : unite(known, certificate));
  }

  #mayMatter(certificate: RawCertificate): boolean {
    const { identity } = this.#profile.archive;
    return certificate.userIds.some(({ packet, signatures }) => {
      const named = matchesIdentity(Buffer.from(packet.body).toString("latin1"), identity);
      return named || signatures.some(({ body }) => this.#claimsDelegation(body));
    });
  }

  /** Whether a signature packet says that a key at hand delegated something; whether it is true comes later. */
  #claimsDelegation(body: Uint8Array): boolean {
    const raw = parseSignature(body);
    if (typeof raw === "string" || !isDelegation(raw.hashed)) return false;
    const { fingerprint, keyId } = raw.issuer;
    if (fingerprint !== undefined) return this.#held.has(fingerprint);
    return [...this.#held.keys()].some((held) => keyIdOf(held) === keyId);
  }

  async #read(): Promise<Reading> {
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
   * The certificates worth keeping in the client's state: its own, and those connected with the seeds by any
   * certification, whether it holds or not (a revoked link must stay known); without packets that prove nothing.
   */
  async worthKeeping(trust: TrustSet, accepted: ReadonlySet<Fingerprint>): Promise<Map<Fingerprint, RawCertificate>> {
    const connected = new Set<Fingerprint>([...this.#profile.trust.seeds, ...accepted]);
    for (const key of connected) {
      for (const link of [...trust.links, ...trust.delegations]) if (link.issuer === key) connected.add(link.subject);
    }
    this.#reading ??= this.#read();
    const { verified } = await this.#reading;
    const kept = [...this.#held.values()].filter(({ fingerprint }) => connected.has(fingerprint));
    return new Map(kept.map((certificate) => [certificate.fingerprint, keepVerified(certificate, verified)]));
  }
}

/** What is read from one state of the certificates at hand. */
interface Reading {
  readonly keys: KeyIndex;
  readonly facts: CertificateFacts[];
  /** Bodies of the signature packets found good. */
  readonly verified: ReadonlySet<Uint8Array>;
}
