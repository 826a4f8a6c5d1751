/** Writes the key bundle of the archive. Clients take certificates from the bundle, but the bundle itself proves nothing. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { writeCertificate } from "../openpgp/certificate/certificate.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { provenRoom, prune, type Room, storeRoom } from "../openpgp/check/prune.ts";
import { armor } from "../openpgp/packet/armor.ts";
import { limits } from "../openpgp/packet/limits.ts";
import { bundlePath } from "../profile/layout.ts";
import { claims, isDelegate, type Own, withPath } from "./delegate-check.ts";
import { bundleFiles, type Known, readBundleFile } from "./published-bundle.ts";
import type { PublishedFile, PublishedTree } from "./published-tree.ts";
import { byAge, type OwnCertificate } from "./signing-key.ts";

export interface BundleFile extends PublishedFile {
  readonly data: Uint8Array | string;
  /** The absolute path of the published file, for messages. */
  readonly path: string;
}

/**
 * Chooses the certificates for the bundle: the signing key, every key that ever had the archive's user ID, and delegates, even with
 * withdrawn delegations. Adds the keys that certified or delegated to the chosen keys. Includes revoked certificates, because clients must
 * learn about the revocations. The archive's own keys come first.
 */
export function bundleCertificates(own: Own, signing: OwnCertificate, userId: string): OwnCertificate[] {
  const chosen = [...own.values()].filter(({ raw, facts }) => {
    return raw.fingerprint === signing.raw.fingerprint || claims(facts, userId) || isDelegate(facts);
  });
  const whole = new Map(
    chosen.flatMap(({ raw }) => withPath(own, raw.fingerprint)).map((one) => [one.raw.fingerprint, one]),
  );
  const isChain = ({ raw, facts }: OwnCertificate) => {
    return raw.fingerprint === signing.raw.fingerprint || claims(facts, userId);
  };
  return [...whole.values()].sort((a, b) => {
    if (isChain(a) !== isChain(b)) return isChain(a) ? -1 : 1;
    return byAge(a, b);
  });
}

interface BundlePlan {
  /** The bundle's files whose contents change. */
  readonly files: readonly BundleFile[];
  /** Sentences for the keepers about certificates that are not in the new bundle. */
  readonly notes: readonly string[];
}

function names(certificates: readonly OwnCertificate[]): string {
  const shown = certificates.slice(0, 3).map(({ raw }) => raw.fingerprint);
  const more = certificates.length - shown.length;
  return `${shown.join(", ")}${more === 0 ? "" : ` and ${more} more`}`;
}

/**
 * Decides about strangers: certificates that have the archive's user ID but no connection with the archive's keys. If this key store has
 * written the bundle before, somebody else has added the strangers since, and feedkey leaves them out. If this key store has never written
 * the bundle, it may lack certificates of the archive, and the strangers may be these certificates. So feedkey refuses to write the bundle.
 * @throws FeedkeyError `bad_config` if there are strangers in a bundle that this key store has not written
 */
function judgeStrangers(tree: PublishedTree, strangers: readonly OwnCertificate[], wroteBefore: boolean): string[] {
  if (strangers.length === 0) return [];
  const { path } = tree.folder(bundlePath);
  if (wroteBefore) {
    return [
      `left out of the key bundle: ${names(strangers)}, which no certification connects with the archive's keys; find out who changed the published bundle`,
    ];
  }
  throw new FeedkeyError(
    "bad_config",
    `the published key bundle contains certificates that are not in this key store and that no key in this store certified: ${names(strangers)}`,
    {
      details: { path, certificates: strangers.map(({ raw }) => raw.fingerprint) },
      hint: `if these are keys of the archive, run "feedkey key import ${escapeText(path)}"; if not, remove the bundle, and feedkey writes a new bundle`,
    },
  );
}

/** The size limits for a delegate's certificate if the bundle would otherwise be too large. */
const tightRoom: Room = { own: storeRoom.own / 8, others: storeRoom.others / 8, strangers: 0 };

/**
 * Returns the bundle's packets. If the bundle would be larger than clients read, drops signatures that can't be verified. If that is not
 * enough, also drops older self-signatures of delegates.
 * @throws FeedkeyError `bad_config` if the bundle is still too large
 */
async function writeBundle(own: Own, signing: OwnCertificate, userId: string, most: number): Promise<Buffer> {
  const chosen = bundleCertificates(own, signing, userId);
  const keys = await KeyIndex.of([...own.values()].map(({ raw }) => raw));
  const loaded = new Map(keys.certificates.map((one) => [one.raw.fingerprint, one]));
  let size = 0;
  for (const [chainRoom, delegateRoom] of [
    [storeRoom, storeRoom],
    [provenRoom, provenRoom],
    [provenRoom, tightRoom],
  ] as const) {
    const parts: Uint8Array[] = [];
    for (const { raw, facts } of chosen) {
      const certificate = loaded.get(raw.fingerprint);
      if (certificate === undefined) continue;
      const room = claims(facts, userId) || raw.fingerprint === signing.raw.fingerprint ? chainRoom : delegateRoom;
      parts.push(writeCertificate((await prune(certificate, keys, room)).certificate));
    }
    size = parts.reduce((sum, { length }) => sum + length, 0);
    if (size <= most) return Buffer.concat(parts);
  }
  throw new FeedkeyError("bad_config", `the key bundle would have ${size} bytes, but clients read at most ${most}`, {
    details: { bytes: size, most, certificates: chosen.length },
    hint: "delete the certificates of delegates whose delegations have ended (see feedkey delegate --status) with feedkey key delete",
  });
}

/**
 * Plans the two files of the bundle, binary and armored. Certificates of the archive that are in the present bundle stay in the new
 * bundle.
 * @param known the certificates in the key store and in the present bundle
 * @param signing the archive's present key
 * @param wroteBefore whether this key store has written this bundle before
 * @param most the maximum size of a bundle that clients read, in bytes
 * @throws FeedkeyError `bad_config` if the present bundle has certificates of unknown origin, or if the new bundle would be too large
 */
export async function planBundle(
  tree: PublishedTree,
  { certificates, strangers }: Known,
  signing: OwnCertificate,
  userId: string,
  wroteBefore: boolean,
  most: number = limits.keyringBytes,
): Promise<BundlePlan> {
  const notes = judgeStrangers(tree, strangers, wroteBefore);
  const binary = await writeBundle(certificates, signing, userId, most);
  const [binaryPath, armoredPath] = bundleFiles;
  const files = [
    { name: binaryPath, data: binary },
    { name: armoredPath, data: armor(binary, "PUBLIC KEY BLOCK") },
  ];
  const changed: BundleFile[] = [];
  for (const { name, data } of files) {
    const file = { name, data, path: tree.folder(name).path };
    const there = await readBundleFile(tree, name);
    if (there === undefined || Buffer.compare(there, Buffer.from(file.data)) !== 0) changed.push(file);
  }
  return { files: changed, notes };
}
