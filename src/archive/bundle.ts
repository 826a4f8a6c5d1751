/** The key bundle at the archive's root: a source of certificates for clients and people, never an authority. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { armor } from "../openpgp/armor.ts";
import { type RawCertificate, writeCertificate } from "../openpgp/certificate.ts";
import { KeyIndex } from "../openpgp/key-index.ts";
import { limits } from "../openpgp/limits.ts";
import { collect, keepVerified, unite } from "../openpgp/merge.ts";
import { readFacts } from "../openpgp/read-facts.ts";
import { readKeys } from "../openpgp/read-keys.ts";
import { bundlePath } from "../profile/layout.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { OwnCertificate } from "./signing-key.ts";
import { claims, isDelegate, type Own, withPath } from "./standing.ts";

export interface BundleFile {
  readonly path: string;
  readonly data: Uint8Array | string;
}

/**
 * The certificates that belong into the bundle: the signing key's, and every other of the key store that ever carried
 * the archive's user ID, revoked ones too, and those that have revoked the user ID: clients must hear of it; delegates,
 * withdrawn ones too; and who delegated to any of these.
 */
export function bundleCertificates(own: Own, signing: OwnCertificate, userId: string): OwnCertificate[] {
  const chosen = [...own.values()].filter(({ raw, facts }) => {
    return raw.fingerprint === signing.raw.fingerprint || claims(facts, userId) || isDelegate(facts);
  });
  const whole = new Map(
    chosen.flatMap(({ raw }) => withPath(own, raw.fingerprint)).map((one) => [one.raw.fingerprint, one]),
  );
  return [...whole.values()].sort((a, b) => {
    const [x, y] = [a.facts.primary, b.facts.primary];
    return x.createdAt - y.createdAt || (x.fingerprint < y.fingerprint ? -1 : 1);
  });
}

/** What lies in the bundle's place; nothing if it can't be read. */
async function published(root: string): Promise<Map<Fingerprint, RawCertificate>> {
  const path = join(root, bundlePath);
  try {
    if ((await fs.stat(path)).size > limits.keyringBytes) return new Map();
    return collect(readKeys(await fs.readFile(path)).certificates);
  } catch (error) {
    if (systemCode(error) === undefined && !(error instanceof FeedkeyError)) throw error;
    return new Map();
  }
}

async function read(
  certificates: Iterable<RawCertificate>,
): Promise<{ own: Map<Fingerprint, OwnCertificate>; verified: Set<Uint8Array> }> {
  const keys = await KeyIndex.of(certificates);
  const verified = new Set<Uint8Array>();
  const own = new Map<Fingerprint, OwnCertificate>();
  for (const one of keys.certificates) {
    own.set(one.raw.fingerprint, { raw: one.raw, facts: await readFacts(one, keys, (body) => verified.add(body)) });
  }
  return { own, verified };
}

/**
 * The key store's certificates with what the published bundle knows beyond them: several machines and people may write
 * it, and none may make the others' delegates, withdrawals and revocations vanish. From there come only signatures that
 * verify, over certificates of the store and over those that one of these certified: who can write to the published tree
 * adds nothing of his own.
 */
export async function withPublished(root: string, own: Own): Promise<Own> {
  const there = await published(root);
  const news = [...there.values()].some((certificate) => {
    const known = own.get(certificate.fingerprint)?.raw;
    return known === undefined || unite(known, certificate) !== known;
  });
  if (!news) return own;
  const everything = (await read(collect([...[...own.values()].map(({ raw }) => raw), ...there.values()]).values()))
    .own;
  const certified = new Map<Fingerprint, Fingerprint[]>();
  for (const [key, { facts }] of everything) {
    for (const { certificate } of facts.userIds.flatMap(({ certifications }) => certifications)) {
      certified.set(certificate, [...(certified.get(certificate) ?? []), key]);
    }
  }
  const members = new Set(own.keys());
  for (const member of members) for (const key of certified.get(member) ?? []) members.add(key);
  const joined = [...members].flatMap((key) => everything.get(key)?.raw ?? own.get(key)?.raw ?? []);
  const { verified } = await read(joined);
  const pruned = joined.map((whole) => {
    const mine = own.get(whole.fingerprint)?.raw;
    // What the store itself holds stays as it is, whoever made it.
    return mine === undefined ? keepVerified(whole, verified) : unite(mine, keepVerified(whole, verified));
  });
  return (await read(pruned)).own;
}

/** The two files of the bundle, binary and armored; only those whose contents differ from what lies there. */
export async function planBundle(root: string, certificates: readonly OwnCertificate[]): Promise<BundleFile[]> {
  const binary = Buffer.concat(certificates.map(({ raw }) => writeCertificate(raw)));
  const files: BundleFile[] = [
    { path: join(root, bundlePath), data: binary },
    { path: join(root, bundlePath.replace(/pgp$/, "asc")), data: armor(binary, "PUBLIC KEY BLOCK") },
  ];
  const changed: BundleFile[] = [];
  for (const file of files) {
    const there = await fs.readFile(file.path).catch((error: unknown) => {
      if (systemCode(error) === undefined) throw error;
      return undefined;
    });
    if (there === undefined || Buffer.compare(there, Buffer.from(file.data)) !== 0) changed.push(file);
  }
  return changed;
}
