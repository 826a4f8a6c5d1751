/** An archive opened for work on its keys: configuration, key store, and the certificates in it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { armor } from "../openpgp/armor.ts";
import { type RawCertificate, writeCertificate } from "../openpgp/certificate.ts";
import { checkSignatures, readSignatureFile } from "../openpgp/detached.ts";
import { KeyIndex } from "../openpgp/key-index.ts";
import { unite } from "../openpgp/merge.ts";
import type { ArchiveConfig, ArchiveFeed } from "../profile/types.ts";
import type { KeyStore } from "../store/key-store.ts";
import { withLock } from "../store/lock.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { effectiveRevocation } from "../trust/key-state.ts";
import { bundleCertificates, planBundle } from "./bundle.ts";
import { layoutOf } from "./feed-layouts.ts";
import { recordsFolder } from "./publish.ts";
import { applyPlans } from "./publish-apply.ts";
import { type FeedPlan, planFeed } from "./publish-plan.ts";
import { signPlans } from "./sign-plans.ts";
import { certificatesWith } from "./signer.ts";
import { type OwnCertificate, openSigningKey, ownCertificates, type PassphraseSource } from "./signing-key.ts";

export interface Archive {
  readonly config: ArchiveConfig;
  readonly store: KeyStore;
  readonly at: Instant;
  readonly passphrase: PassphraseSource;
}

/** The certificate of a key in the store. @throws FeedkeyError `not_found` */
export async function ownCertificate(store: KeyStore, fingerprint: Fingerprint): Promise<OwnCertificate> {
  const found = (await ownCertificates(store)).get(fingerprint);
  if (found !== undefined) return found;
  throw new FeedkeyError(
    "not_found",
    `the certificate of ${fingerprint} is missing in the key store "${store.folder}"`,
    {
      details: { fingerprint },
      hint: "bring it back from a backup, or import it with: feedkey key import FILE",
    },
  );
}

/** A certificate, armored, with all that the store knows of it already: a revocation above all (T4). */
export async function withStored(store: KeyStore, certificate: RawCertificate): Promise<string> {
  const present = (await ownCertificates(store)).get(certificate.fingerprint)?.raw;
  const whole = present === undefined ? certificate : unite(present, certificate);
  return armor(writeCertificate(whole), "PUBLIC KEY BLOCK");
}

/** Lays new signatures to a certificate of the store; what is there already stays. */
export async function amendStored(store: KeyStore, amended: RawCertificate): Promise<void> {
  await store.putCertificate(amended.fingerprint, await withStored(store, amended));
}

/** Writes the bundle anew if it changed. Returns the files written. @throws FeedkeyError `not_found`, `bad_config`, `output` */
export async function refreshBundle({ config, store }: Archive): Promise<string[]> {
  return await withLock(recordsFolder(store, config.root), async (lock) => {
    const own = await certificatesWith(store, config.key);
    // Without its present key there is no bundle, and a revocation that nobody hears of must not look published.
    const key = own.get(config.key.fingerprint) ?? (await ownCertificate(store, config.key.fingerprint));
    const files = await planBundle(config.root, bundleCertificates(own, key, config.userId));
    await applyPlans([], new Map(), files, lock);
    return files.map(({ path }) => path);
  });
}

export interface Resigned {
  readonly signed: readonly string[];
  /** Feeds whose index is not signed by the archive as theirs and of now: whoever put it there, it must not get a good signature. */
  readonly left: readonly string[];
}

/**
 * Whether one of these keys, not revoked for good, signed what lies there, for this feed, and for a time that has not
 * ended: else an old index, or another feed's, put there with its signature would be signed anew as this feed's latest.
 */
async function isOurs(
  folder: string,
  feed: ArchiveFeed,
  index: Uint8Array,
  own: readonly OwnCertificate[],
  at: Instant,
): Promise<boolean> {
  const sound = own.filter(({ facts }) => effectiveRevocation(facts.revocations, at)?.kind !== "hard");
  const keys = await KeyIndex.of(sound.map(({ raw }) => raw));
  const signatureName = `${layoutOf(feed).signed}.sig`;
  const file = await readFile(join(folder, signatureName)).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const checked = await checkSignatures(readSignatureFile(file, signatureName), index, keys);
    const signatures = checked.flatMap((one) => (one.status === "good" ? one.makers : []));
    return signatures.some(({ notations, expiresAt }) => {
      const names = notations.filter(({ name }) => name.startsWith("feed@")).map(({ value }) => value);
      return names.length > 0 && names.every((name) => name === feed.name) && (expiresAt ?? at + 1) > at;
    });
  } catch (error) {
    if (error instanceof FeedkeyError) return false;
    throw error;
  }
}

/**
 * Signs the published indexes, as they lie there, with another key; but only those that one of the archive's keys
 * signed before: an index that somebody else put there must not become the archive's by a rotation.
 * @param by keys whose signature shows that an index is the archive's
 */
export async function resignFeeds(
  archive: Archive,
  fingerprint: Fingerprint,
  by: readonly OwnCertificate[],
): Promise<Resigned> {
  const { config, store, at, passphrase } = archive;
  return await withLock(recordsFolder(store, config.root), async (lock) => {
    const key = await ownCertificate(store, fingerprint);
    const plans: FeedPlan[] = [];
    const left: string[] = [];
    for (const feed of config.feeds) {
      const folder = join(config.root, feed.path);
      const layout = layoutOf(feed);
      const index = await readFile(join(folder, layout.signed)).catch(() => undefined);
      // Never published yet: publish will sign it with the right key.
      if (index === undefined) continue;
      if (!(await isOurs(folder, feed, index, [key, ...by], at))) {
        left.push(feed.name);
        continue;
      }
      const terms = { at, validFor: config.validFor, allowEmpty: true };
      const text = await layout.textOf(index);
      plans.push(await planFeed(config.root, feed, text, layout.read(text).count, key, terms));
    }
    const wanting = plans.filter(({ sign }) => sign !== undefined);
    if (wanting.length === 0) return { signed: [], left };
    const signingKey = await openSigningKey(store, fingerprint, passphrase);
    const signatures = await signPlans(wanting, signingKey, { at, validFor: config.validFor });
    await applyPlans(wanting, signatures, [], lock);
    return { signed: wanting.map(({ feed }) => feed.name), left };
  });
}
