/** An archive opened for work on its keys: configuration, key store, and the certificates in it. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { readPackages } from "../index-format/opkg.ts";
import { armor } from "../openpgp/armor.ts";
import { type RawCertificate, writeCertificate } from "../openpgp/certificate.ts";
import { unite } from "../openpgp/merge.ts";
import type { ArchiveConfig } from "../profile/types.ts";
import { removeLeftovers } from "../store/atomic.ts";
import { ensureFolder } from "../store/folder.ts";
import type { KeyStore } from "../store/key-store.ts";
import { withLock } from "../store/lock.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { bundleCertificates, planBundle } from "./bundle.ts";
import { recordsFolder } from "./publish.ts";
import { applyPlans } from "./publish-apply.ts";
import { type FeedPlan, planFeed } from "./publish-plan.ts";
import { type IndexSignature, signIndexBytes } from "./sign-index.ts";
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

/** Lays new signatures to a certificate of the store; what is there already stays. */
export async function amendStored(store: KeyStore, amended: RawCertificate): Promise<void> {
  const present = (await ownCertificates(store)).get(amended.fingerprint)?.raw;
  const whole = present === undefined ? amended : unite(present, amended);
  await store.putCertificate(amended.fingerprint, armor(writeCertificate(whole), "PUBLIC KEY BLOCK"));
}

/** Writes the bundle anew if it changed. Returns the files written. */
export async function refreshBundle({ config, store, at }: Archive): Promise<string[]> {
  return await withLock(recordsFolder(store, config.root), async (lock) => {
    const own = await ownCertificates(store);
    const key = own.get(config.key.fingerprint);
    if (key === undefined) return [];
    const files = await planBundle(config.root, bundleCertificates(own, key, config.userId, at));
    for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
      await ensureFolder(folder, 0o755);
      await removeLeftovers(folder);
    }
    await applyPlans([], new Map(), files, lock);
    return files.map(({ path }) => path);
  });
}

/** Signs the published indexes, as they lie there, with another key. Returns the feeds signed anew. */
export async function resignFeeds(archive: Archive, fingerprint: Fingerprint): Promise<string[]> {
  const { config, store, at, passphrase } = archive;
  return await withLock(recordsFolder(store, config.root), async (lock) => {
    const key = await ownCertificate(store, fingerprint);
    const plans: FeedPlan[] = [];
    for (const feed of config.feeds) {
      const index = await readFile(join(config.root, feed.path, "Packages")).catch(() => undefined);
      // Never published yet: publish will sign it with the right key.
      if (index === undefined) continue;
      const terms = { at, validFor: config.validFor, allowEmpty: true };
      plans.push(await planFeed(config.root, feed, index, readPackages(index).count, key, terms));
    }
    const wanting = plans.filter(({ sign }) => sign !== undefined);
    if (wanting.length === 0) return [];
    const signingKey = await openSigningKey(store, fingerprint, passphrase);
    const signatures = new Map<string, IndexSignature>();
    for (const { feed, index } of wanting) {
      signatures.set(
        feed.name,
        await signIndexBytes(index, signingKey, { at, validFor: config.validFor, feed: feed.name }),
      );
    }
    await applyPlans(wanting, signatures, [], lock);
    return wanting.map(({ feed }) => feed.name);
  });
}
