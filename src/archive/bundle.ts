/** The key bundle at the archive's root: a source of certificates for clients and people, never an authority. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { armor } from "../openpgp/armor.ts";
import { writeCertificate } from "../openpgp/certificate.ts";
import { bundlePath } from "../profile/layout.ts";
import { bundleFiles, type Known } from "./published-bundle.ts";
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

export interface BundlePlan {
  /** Only those whose contents differ from what lies there. */
  readonly files: readonly BundleFile[];
  /** What its keepers should hear of, in words. */
  readonly notes: readonly string[];
}

function names(certificates: readonly OwnCertificate[]): string {
  const shown = certificates.slice(0, 3).map(({ raw }) => raw.fingerprint);
  const more = certificates.length - shown.length;
  return `${shown.join(", ")}${more === 0 ? "" : ` and ${more} more`}`;
}

/**
 * What to do about certificates of the archive's name that nothing ties to its keys. A store that wrote this bundle before
 * had all that is the archive's: somebody else put them there, and they go. Another store may just not know them.
 * @throws FeedkeyError `bad_config`
 */
function judgeStrangers(root: string, strangers: readonly OwnCertificate[], wroteBefore: boolean): string[] {
  if (strangers.length === 0) return [];
  const path = join(root, bundlePath);
  if (wroteBefore) {
    return [
      `left out of the key bundle: ${names(strangers)}, which nothing ties to the archive's keys: who put it there?`,
    ];
  }
  throw new FeedkeyError(
    "bad_config",
    `the published key bundle holds ${names(strangers)}, which this key store does not know and none of its keys certified`,
    {
      details: { path, certificates: strangers.map(({ raw }) => raw.fingerprint) },
      hint: `if they are the archive's, take them in with "feedkey key import ${escapeText(path)}"; if not, remove the bundle: it is written anew`,
    },
  );
}

/**
 * Plans the two files of the bundle, binary and armored. It never loses what is the archive's.
 * @param own certificates of the key store
 * @param signing the archive's present key
 * @param wroteBefore whether this key store has written this bundle before
 * @throws FeedkeyError `bad_config`: the bundle there holds certificates of which this store can't tell whose they are
 */
export async function planBundle(
  root: string,
  { certificates, strangers }: Known,
  signing: OwnCertificate,
  userId: string,
  wroteBefore: boolean,
): Promise<BundlePlan> {
  const notes = judgeStrangers(root, strangers, wroteBefore);
  const chosen = bundleCertificates(certificates, signing, userId);
  const binary = Buffer.concat(chosen.map(({ raw }) => writeCertificate(raw)));
  const [binaryPath, armoredPath] = bundleFiles;
  const files: BundleFile[] = [
    { path: join(root, binaryPath), data: binary },
    { path: join(root, armoredPath), data: armor(binary, "PUBLIC KEY BLOCK") },
  ];
  const changed: BundleFile[] = [];
  for (const file of files) {
    const there = await fs.readFile(file.path).catch((error: unknown) => {
      if (systemCode(error) === undefined) throw error;
      return undefined;
    });
    if (there === undefined || Buffer.compare(there, Buffer.from(file.data)) !== 0) changed.push(file);
  }
  return { files: changed, notes };
}
