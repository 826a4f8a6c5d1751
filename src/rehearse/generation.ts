/** The generations of an archive's clients, by the certificates that they got and when. */

import { type RawCertificate, writeCertificate } from "../openpgp/certificate/certificate.ts";
import { asShipped } from "../openpgp/certificate/minimal.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { type Archive, knownCertificates } from "../publish/archive.ts";
import { claims, isDelegate } from "../signing/delegate-check.ts";
import { bundleFiles, readBundleFile } from "../signing/published-bundle.ts";
import { PublishedTree } from "../signing/published-tree.ts";
import type { OwnCertificate } from "../signing/signing-key.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Keyring } from "./stock-client.ts";

/** Clients that were given the same certificates. */
export interface Generation {
  readonly kind: "shipped" | "bundle" | "new-bundle" | "set-up";
  /** The only key that they were shipped with; undefined for those that imported a bundle or were set up. */
  readonly seed: Fingerprint | undefined;
  /** Their keys before the step. */
  readonly before: Keyring;
  /** Their keys after the step: more only if they import the new bundle. */
  after(): Promise<Keyring>;
}

function keyringOf(certificates: readonly RawCertificate[]): Keyring {
  return {
    bytes: Buffer.concat(certificates.map(writeCertificate)),
    keys: certificates.map(({ fingerprint }) => fingerprint),
  };
}

/** The bundle as it is published; undefined if there is none. */
export async function publishedKeyring({ config }: Archive): Promise<Keyring | undefined> {
  const bytes = await readBundleFile(await PublishedTree.open(config.root), bundleFiles[0]);
  return bytes === undefined
    ? undefined
    : { bytes, keys: readKeys(bytes).certificates.map(({ fingerprint }) => fingerprint) };
}

/** Every key of the archive that a client may have been shipped with, the oldest first. */
export async function archiveKeys(archive: Archive): Promise<OwnCertificate[]> {
  const { certificates } = await knownCertificates(archive);
  const keys = [...certificates.values()].filter(
    ({ facts }) => claims(facts, archive.config.userId) && !isDelegate(facts),
  );
  return keys.sort((a, b) => a.facts.primary.createdAt - b.facts.primary.createdAt);
}

/** Clients that were shipped with one key each, with its certificate of that time and no updates. */
export function shippedGenerations(keys: readonly OwnCertificate[]): Generation[] {
  return keys.map(({ raw }) => {
    const keyring = keyringOf([asShipped(raw)]);
    return { kind: "shipped", seed: raw.fingerprint, before: keyring, after: async () => keyring };
  });
}

/** Clients that imported the bundle before the step, and those that import it again after it. */
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
