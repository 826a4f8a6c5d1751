/**
 * Finds certificates of the archive that are in the published bundle but not in this key store. For example, a key store on a USB stick may
 * have only the master key, without its predecessors and the build machines' certificates. If the new bundle had only this store's
 * certificates, clients would lose the other certificates. But not every certificate in the bundle with the archive's user ID belongs to
 * the archive: anyone who can write to the published tree can add a key.
 */
import { basename, dirname } from "node:path";
import type { Keyring, RawCertificate } from "../openpgp/certificate/certificate.ts";
import { attachLoose, collect, keepVerified, unite } from "../openpgp/certificate/merge.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { readFacts } from "../openpgp/check/read-facts.ts";
import { limits } from "../openpgp/packet/limits.ts";
import { parseSignature } from "../openpgp/packet/raw-signature.ts";
import { bundlePath } from "../profile/layout.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import type { CertificateFacts, Fingerprint, SignatureFacts } from "../trust/facts.ts";
import { isHardRevoked } from "../trust/key-state.ts";
import { claims, isDelegate, type Own } from "./delegate-check.ts";
import type { PublishedTree } from "./published-tree.ts";
import { judgedTogether, type OwnCertificate } from "./signing-key.ts";

/** The certificates in the key store and in the published bundle. */
export interface Known {
  /**
   * The key store's certificates, with additional packets from the bundle, and the other certificates in the bundle that belong to the
   * archive.
   */
  readonly certificates: Own;
  /** Certificates in the bundle that have the archive's user ID but no connection with the key store's keys. */
  readonly strangers: readonly OwnCertificate[];
}

/** The paths of the bundle's two files, binary and armored, relative to the archive's root. */
export const bundleFiles = [bundlePath, bundlePath.replace(/pgp$/, "asc")] as const;

/**
 * Reads one of the bundle's files; returns undefined if the file does not exist.
 * @throws FeedkeyError `bad_path` unless the file is a regular file within the size limit; `output` if the file can't be read
 */
export async function readBundleFile(tree: PublishedTree, name: string): Promise<Buffer | undefined> {
  // Armor makes the file about a third larger.
  const most = name.endsWith(".asc") ? 1.5 * limits.keyringBytes : limits.keyringBytes;
  return await tree.folder(dirname(name)).read(basename(name), most);
}

async function readBundle(tree: PublishedTree): Promise<Pick<Keyring, "certificates" | "loose">> {
  const files = await Promise.all(bundleFiles.map((name) => readBundleFile(tree, name)));
  const rings = files.flatMap((bytes) => (bytes === undefined ? [] : [readKeys(bytes)]));
  return {
    certificates: [...collect(rings.flatMap(({ certificates }) => certificates)).values()],
    loose: rings.flatMap(({ loose }) => loose),
  };
}

/**
 * Whether a certificate may belong to the archive. The bundle may have thousands of foreign certificates, so this quick filter verifies no
 * signatures.
 */
function mayMatter({ userIds }: RawCertificate, userId: string): boolean {
  const wanted = Buffer.from(userId, "utf8");
  return userIds.some(({ packet, signatures }) => {
    if (Buffer.compare(packet.body, wanted) === 0) return true;
    return signatures.some(({ body }) => {
      const raw = parseSignature(body);
      return typeof raw !== "string" && isDelegation(raw.hashed);
    });
  });
}

/**
 * Finds the archive's certificates: the key store's certificates, and certificates that the archive's keys certified. The certification may
 * have expired. A certification in the other direction proves nothing, because a stranger can certify a key of the archive.
 */
function findOurs(all: ReadonlyMap<Fingerprint, CertificateFacts>, own: ReadonlySet<Fingerprint>, userId: string) {
  const found = new Set([...own].filter((name) => all.has(name)));
  const by = ({ certificate, key }: SignatureFacts, mayDelegateOnly: boolean): boolean => {
    const issuer = all.get(certificate);
    if (issuer === undefined || !found.has(certificate) || key !== issuer.primary.fingerprint) return false;
    // If the issuer's key has a hard revocation, a thief could have made this certification (T3c).
    if (isHardRevoked(issuer.revocations)) return false;
    return claims(issuer, userId) || (mayDelegateOnly && isDelegate(issuer));
  };
  const isTied = (facts: CertificateFacts) => {
    return facts.userIds.some(({ certifications }) => {
      return certifications.some((one) =>
        isDelegation(one) ? by(one, true) : claims(facts, userId) && by(one, false),
      );
    });
  };
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const [name, facts] of all) if (!found.has(name) && isTied(facts)) found.add(name);
  }
  return found;
}

/**
 * Merges the key store's certificates with the certificates in the published bundle that belong to the archive. Takes only verified
 * signatures from the bundle.
 * @param own the key store's certificates
 * @throws FeedkeyError `bad_path` or `output` if the published bundle can't be read
 */
export async function withPublished(tree: PublishedTree, own: Own, userId: string): Promise<Known> {
  const { certificates, loose } = await readBundle(tree);
  const mine = new Map([...own].map(([name, { raw }]) => [name, raw]));
  const news = certificates.filter((certificate) => {
    const present = mine.get(certificate.fingerprint);
    return present === undefined ? mayMatter(certificate, userId) : unite(present, certificate) !== present;
  });
  if (news.length === 0 && loose.length === 0) return { certificates: own, strangers: [] };
  const all = attachLoose(collect([...mine.values(), ...news]), loose);
  const keys = await KeyIndex.of(all.values());
  const verified = new Set<Uint8Array>();
  const facts = new Map<Fingerprint, CertificateFacts>();
  for (const loaded of keys.certificates) {
    facts.set(loaded.raw.fingerprint, await readFacts(loaded, keys, (body) => verified.add(body)));
  }
  const ours = findOurs(facts, new Set(own.keys()), userId);
  const kept: RawCertificate[] = [];
  for (const name of ours) {
    const whole = all.get(name);
    if (whole === undefined) continue;
    // The key store's packets stay, even if they are not verified. The bundle adds only verified signatures.
    const present = mine.get(name);
    const proven = keepVerified(whole, verified);
    kept.push(present === undefined ? proven : unite(present, proven));
  }
  const strangers = keys.certificates.filter(({ raw }) => {
    const found = facts.get(raw.fingerprint);
    return !ours.has(raw.fingerprint) && found !== undefined && claims(found, userId);
  });
  return {
    certificates: await judgedTogether(kept),
    strangers: strangers.flatMap(({ raw }) => {
      const found = facts.get(raw.fingerprint);
      return found === undefined ? [] : [{ raw, facts: found }];
    }),
  };
}
