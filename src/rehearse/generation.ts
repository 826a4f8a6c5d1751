/** The generations of an archive's clients: which certificates the clients received, and when. */

import { type RawCertificate, writeCertificates } from "../openpgp/certificate/certificate.ts";
import { asShipped } from "../openpgp/certificate/minimal.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { type Archive, knownCertificates } from "../publish/archive.ts";
import { claims, isDelegate } from "../signing/delegate-check.ts";
import { bundleFiles, readBundleFile } from "../signing/published-bundle.ts";
import { PublishedTree } from "../signing/published-tree.ts";
import { byAge, type OwnCertificate } from "../signing/signing-key.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Keyring } from "./stock-client.ts";

/** Clients that received the same certificates at the same time. */
export interface Generation {
  readonly kind: "shipped" | "bundle" | "new-bundle" | "set-up";
  /** The only key that the clients were shipped with; undefined for clients that imported the bundle or were set up by feedkey. */
  readonly seed: Fingerprint | undefined;
  /** The clients' keys before the step. */
  readonly before: Keyring;
  /** Returns the clients' keys after the step. They differ from the keys before the step only if the clients import the new bundle. */
  after(): Promise<Keyring>;
}

function keyringOf(certificates: readonly RawCertificate[]): Keyring {
  return {
    bytes: writeCertificates(certificates),
    keys: certificates.map(({ fingerprint }) => fingerprint),
  };
}

/** Reads the published bundle; returns undefined if no bundle is published. */
export async function publishedKeyring({ config }: Archive): Promise<Keyring | undefined> {
  const bytes = await readBundleFile(await PublishedTree.open(config.root), bundleFiles[0]);
  return bytes === undefined
    ? undefined
    : { bytes, keys: readKeys(bytes).certificates.map(({ fingerprint }) => fingerprint) };
}

/** Returns every key of the archive that a client may have been shipped with, the oldest first. */
export async function archiveKeys(archive: Archive): Promise<OwnCertificate[]> {
  const { certificates } = await knownCertificates(archive);
  const keys = [...certificates.values()].filter(
    ({ facts }) => claims(facts, archive.config.userId) && !isDelegate(facts),
  );
  return keys.sort(byAge);
}

/**
 * Returns one generation for each key: the clients that were shipped with the key's certificate as it was then, and never got an update.
 */
export function shippedGenerations(keys: readonly OwnCertificate[]): Generation[] {
  return keys.map(({ raw }) => {
    const keyring = keyringOf([asShipped(raw)]);
    return { kind: "shipped", seed: raw.fingerprint, before: keyring, after: async () => keyring };
  });
}

/**
 * Returns two generations that imported the bundle before the step: clients that keep these keys, and clients that import the new bundle
 * after the step.
 */
export function bundleGenerations(
  archive: Archive,
  bundle: Keyring,
): { readonly kept: Generation; readonly renewed: Generation } {
  const terms = { seed: undefined, before: bundle };
  return {
    kept: { ...terms, kind: "bundle", after: async () => bundle },
    renewed: { ...terms, kind: "new-bundle", after: async () => (await publishedKeyring(archive)) ?? bundle },
  };
}
