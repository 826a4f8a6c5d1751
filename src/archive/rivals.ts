/**
 * T6 for a rotation: while the present key's certification of its own predecessor lasts, the predecessor and the new key
 * are both its successors. To clients seeded with the present key they are rivals, unless each acknowledges the other.
 */
import { FeedkeyError } from "../error.ts";
import { largest } from "../extremes.ts";
import { certify } from "../openpgp/amend.ts";
import { type Instant, iso } from "../time.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refusePrimary } from "../trust/key-state.ts";
import { type Archive, amendStored, ownCertificate } from "./archive.ts";
import { certifications, dateOfWork } from "./rotation-state.ts";
import { type OwnCertificate, openSigningKey, ownCertificates, type SigningKey } from "./signing-key.ts";

/** A key that follows the present one as the new key is going to. */
export interface Rival {
  readonly certificate: OwnCertificate;
  /** End of the present key's certification of it; undefined: it has none. */
  readonly until: Instant | undefined;
}

/**
 * The rivals that have not acknowledged the new key and been acknowledged by it.
 * @param successor the new key, if it is there already
 */
export async function findRivals(
  { store, config, at }: Archive,
  present: Fingerprint,
  successor: Fingerprint | undefined,
): Promise<Rival[]> {
  const own = await ownCertificates(store);
  const next = successor === undefined ? undefined : own.get(successor);
  const certified = (subject: OwnCertificate, issuer: Fingerprint) => {
    return certifications(subject.facts, issuer, config.userId, at).length > 0;
  };
  const rivals: Rival[] = [];
  for (const [name, certificate] of own) {
    if (name === present || name === successor || refusePrimary(certificate.facts, at) !== undefined) continue;
    if (next !== undefined && certified(next, name) && certified(certificate, next.raw.fingerprint)) continue;
    const lasting = certifications(certificate.facts, present, config.userId, at).filter((one) => {
      return !isDelegation(one) && (one.expiresAt === undefined || one.expiresAt > at);
    });
    if (lasting.length === 0) continue;
    const ends = lasting.map(({ expiresAt }) => expiresAt ?? Number.POSITIVE_INFINITY);
    const until = largest(ends);
    rivals.push({ certificate, until: Number.isFinite(until) ? until : undefined });
  }
  return rivals;
}

function unsettled(present: Fingerprint, { certificate, until }: Rival, cause: FeedkeyError): FeedkeyError {
  const rival = certificate.raw.fingerprint;
  const when = until === undefined ? "" : ` until ${iso(until)}`;
  const wait = until === undefined ? "" : "wait until then, or ";
  return new FeedkeyError(
    "fork",
    `clients seeded with ${present} would take ${rival} and the new key for rivals${when}: ${rival} can't acknowledge it: ${cause.message}`,
    {
      cause,
      details: { present, rival, until: until === undefined ? null : iso(until) },
      hint: `${wait}bring its secret key here, or revoke it if nobody needs it; --force leaves those clients behind`,
    },
  );
}

/**
 * Opens the rivals' keys, before anything is made.
 * @param force leaves out those that can't be opened
 * @throws FeedkeyError `fork`: one of them can't acknowledge the new key
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
  // T6: one that has expired since still acknowledges; while it lasts it is a link too, on which nothing is to hang. So
  // it has expired by now: else who asks within its second follows over it, and who asks later does not.
  const date = dateOfWork(at, issuer.facts.primary, facts.primary);
  const content = { type: 0x10, at: date, expiresAt: date + 1000 };
  await amendStored(store, await certify(issuer.secret, raw, userId, content));
  return true;
}

/**
 * Lets the new key and each rival acknowledge each other. Does nothing twice.
 * @returns what was done, in words
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
