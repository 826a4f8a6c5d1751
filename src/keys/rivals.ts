/**
 * Applies rule T6 to a rotation. While the present key's certification of its predecessor is valid, the predecessor and the new
 * key are both successors of the present key. For clients whose seed is the present key, the predecessor and the new key are
 * rivals unless each acknowledges the other. When the present key has expired, the new key and the other successors of the
 * present key's predecessor are rivals too.
 */
import { FeedkeyError } from "../error.ts";
import { largest } from "../extremes.ts";
import { certify } from "../openpgp/secret/amend.ts";
import { type Archive, ownCertificate } from "../publish/archive.ts";
import { certifications, dateOfWork } from "../signing/rotation-state.ts";
import { type OwnCertificate, openSigningKey, ownCertificates, type SigningKey } from "../signing/signing-key.ts";
import { type Instant, iso } from "../time.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refuseLife } from "../trust/key-state.ts";
import { amendStored } from "./store-certificate.ts";

/** Another key that clients take for a successor of the present key. */
export interface Rival {
  readonly certificate: OwnCertificate;
  /** When this key stops being a rival; undefined if it never stops. */
  readonly until: Instant | undefined;
}

/** The keys in the store, and the certifications between them. */
class OwnChain {
  readonly keys: ReadonlyMap<Fingerprint, OwnCertificate>;
  readonly #archive: Archive;

  constructor(archive: Archive, keys: ReadonlyMap<Fingerprint, OwnCertificate>) {
    this.#archive = archive;
    this.keys = keys;
  }

  /** Returns all certifications of one key by another, including expired certifications. */
  certified(subject: OwnCertificate, issuer: Fingerprint) {
    return certifications(subject.facts, issuer, this.#archive.config.userId, this.#archive.at);
  }

  /**
   * Returns when `subject` stops being a successor of `issuer`: the latest expiry of its certifications by `issuer`, or infinity.
   * Returns undefined if `subject` is not a successor of `issuer`.
   */
  until(issuer: Fingerprint, subject: OwnCertificate): number | undefined {
    const lasting = this.certified(subject, issuer).filter((one) => {
      return !isDelegation(one) && (one.expiresAt === undefined || one.expiresAt > this.#archive.at);
    });
    if (lasting.length === 0) return undefined;
    return largest(lasting.map(({ expiresAt }) => expiresAt ?? Number.POSITIVE_INFINITY));
  }

  /**
   * Returns the valid keys that clients reach from `issuer`, directly or over keys that are not valid (T6). Each valid key is
   * returned with the earliest expiry of the certifications that lead to it.
   */
  heads(issuer: Fingerprint): Map<Fingerprint, number> {
    const found = new Map<Fingerprint, number>();
    const seen = new Set([issuer]);
    const waiting: { key: Fingerprint; end: number }[] = [{ key: issuer, end: Number.POSITIVE_INFINITY }];
    for (const { key, end } of waiting) {
      for (const [name, subject] of this.keys) {
        const until = seen.has(name) ? undefined : this.until(key, subject);
        if (until === undefined) continue;
        seen.add(name);
        const ends = Math.min(end, until);
        if (refuseLife(subject.facts, this.#archive.at) === undefined) found.set(name, ends);
        else waiting.push({ key: name, end: ends });
      }
    }
    return found;
  }
}

/**
 * Returns the rivals that have no mutual acknowledgement with the new key. Rivals are the other keys that clients reach from the
 * present key, and the rivals of the present key. A rival of the present key becomes a rival of the new key when the present
 * key has expired.
 * @param successor the new key, if it exists
 */
export async function findRivals(
  archive: Archive,
  present: Fingerprint,
  successor: Fingerprint | undefined,
): Promise<Rival[]> {
  const chain = new OwnChain(archive, await ownCertificates(archive.store));
  const next = successor === undefined ? undefined : chain.keys.get(successor);
  const ends = chain.heads(present);
  for (const issuer of chain.keys.keys()) {
    const beside = issuer === present ? undefined : chain.heads(issuer);
    const own = beside?.get(present);
    if (beside === undefined || own === undefined) continue;
    for (const [key, end] of beside) ends.set(key, Math.max(ends.get(key) ?? 0, Math.min(end, own)));
  }
  const rivals: Rival[] = [];
  for (const [name, end] of ends) {
    const certificate = chain.keys.get(name);
    if (name === present || name === successor || certificate === undefined) continue;
    const isMutual =
      next !== undefined &&
      chain.certified(next, name).length > 0 &&
      chain.certified(certificate, next.raw.fingerprint).length > 0;
    if (!isMutual) rivals.push({ certificate, until: Number.isFinite(end) ? end : undefined });
  }
  return rivals;
}

function unsettled(present: Fingerprint, { certificate, until }: Rival, cause: FeedkeyError): FeedkeyError {
  const rival = certificate.raw.fingerprint;
  const when = until === undefined ? "" : ` until ${iso(until)}`;
  const wait = until === undefined ? "" : "wait until then, or ";
  const problem = `clients seeded with ${present} would take ${rival} and the new key for rivals${when}: ${rival} can't acknowledge the new key: ${cause.message}`;
  return new FeedkeyError("fork", problem, {
    cause,
    details: { present, rival, until: until === undefined ? null : iso(until) },
    hint: `${wait}import the secret key of ${rival}, or revoke ${rival} if nobody needs this key; with --force, the rotation continues, but those clients then accept no key`,
  });
}

/**
 * Opens the secret keys of the rivals. The rotation calls this function before it makes a key or a signature.
 * @param force whether to leave out keys that can't be opened
 * @throws FeedkeyError `fork`: when a rival can't acknowledge the new key, and `force` is not set
 */
export async function openRivals(
  { store, passphrase }: Archive,
  present: Fingerprint,
  rivals: readonly Rival[],
  force: boolean,
): Promise<SigningKey[]> {
  const opened: SigningKey[] = [];
  for (const rival of rivals) {
    try {
      const key = await openSigningKey(store, rival.certificate.raw.fingerprint, passphrase);
      key.secret.requirePrimary();
      opened.push(key);
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      if (!force) throw unsettled(present, rival, error);
    }
  }
  return opened;
}

async function acknowledge({ store, config, at }: Archive, issuer: SigningKey, subject: Fingerprint): Promise<boolean> {
  const { userId } = config;
  const { raw, facts } = await ownCertificate(store, subject);
  if (certifications(facts, issuer.raw.fingerprint, userId, at).length > 0) return false;
  // T6: an expired certification still acknowledges a key. Until a certification expires, it also makes the key a successor,
  // which is not intended here. So the certification expires one second after its date.
  const date = dateOfWork(at, issuer.facts.primary, facts.primary);
  const content = { type: 0x10, at: date, expiresAt: date + 1000 };
  await amendStored(store, await certify(issuer.secret, raw, userId, content));
  return true;
}

/**
 * Makes the certifications by which the new key and each rival acknowledge each other. Existing certifications are not repeated.
 * @returns sentences that describe what was done
 */
export async function acknowledgeEachOther(
  archive: Archive,
  successor: Fingerprint,
  rivals: readonly SigningKey[],
): Promise<string[]> {
  const done: string[] = [];
  if (rivals.length === 0) return done;
  const key = await openSigningKey(archive.store, successor, archive.passphrase);
  for (const rival of rivals) {
    const name = rival.raw.fingerprint;
    const there = await acknowledge(archive, rival, successor);
    const back = await acknowledge(archive, key, name);
    if (there || back) done.push(`${name} and ${successor} acknowledged each other`);
  }
  return done;
}
