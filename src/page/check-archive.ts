/**
 * What the trust page does for a visitor: it judges the archive, using the archive's own files and a fingerprint that the visitor got
 * elsewhere. It judges as a new client would that can ask no key server.
 */
import { type Candidate, framedCandidate } from "../client/candidate.ts";
import { indexLimit, indexNames, maxSignatureBytes, signedBytes } from "../client/index-files.ts";
import { checkPackageFile } from "../client/packages/listed-file.ts";
import { takeSeeds } from "../client/profiles/bundle-seeds.ts";
import { type VerifiedIndex, verifyIndex } from "../client/verified-index.ts";
import { FeedkeyError, mostSeriousOf } from "../error.ts";
import { formats } from "../formats/formats.ts";
import { attachLoose, collect } from "../openpgp/certificate/merge.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import { limits } from "../openpgp/packet/limits.ts";
import { bundlePath } from "../profile/layout.ts";
import { profileWithoutServers } from "../profile/trust-defaults.ts";
import type { Feed, Identity, Profile } from "../profile/types.ts";
import { type Judged, Knowledge } from "../refresh/certificate-pool.ts";
import { fullFingerprint } from "../store/fingerprint.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";

/** What the page says about its archive. The script uses this only to find files, and trusts none of it. */
export interface ClaimedArchive {
  readonly name: string;
  readonly feeds: readonly Feed[];
}

/**
 * Gets a file from the archive; the caller must not trust the file yet.
 * @param path the path below the archive's root
 * @param limit the size limit of the file in bytes
 * @returns undefined if the file is missing
 */
export type Source = (path: string, limit: number) => Promise<Uint8Array | undefined>;

/** The keys that a client trusts if it starts from a fingerprint. */
interface JudgedArchive {
  readonly seed: Fingerprint;
  readonly profile: Profile;
  readonly judged: Judged;
}

/** Returns a profile with the defaults of a new profile, but without key servers, because a browser can't ask them. */
export function profileOf(name: string, seed: Fingerprint, identity: Identity): Profile {
  return profileWithoutServers({ name, file: "", url: "", redirects: "same-origin", identity, keyring: "", seed });
}

const silent = {
  warn: () => undefined,
  note: () => undefined,
  progress: () => ({ update: () => undefined, stop: () => undefined }),
};

/**
 * Judges the keys in the archive's bundle, starting from a fingerprint.
 * @throws FeedkeyError `usage` if the fingerprint is not complete; `not_found` if the archive has no bundle; `bad_certificate` if the
 * bundle can't be read to its end; `untrusted_signer` if the bundle lacks the key; `revoked` or another code if the key may not be trusted;
 * `unavailable` if the bundle can't be downloaded
 */
export async function judgeArchive(
  { name }: ClaimedArchive,
  fingerprint: string,
  source: Source,
  at: Instant,
): Promise<JudgedArchive> {
  const seed = fullFingerprint(fingerprint);
  const bundle = await source(bundlePath, limits.keyringBytes);
  if (bundle === undefined) throw new FeedkeyError("not_found", `the archive has no ${bundlePath}`);
  const { certificates, loose, isWhole, problems } = readKeys(bundle);
  // The part that could not be read may contain a revocation.
  if (!isWhole) {
    throw new FeedkeyError("bad_certificate", `${bundlePath} can't be read to its end: ${problems.join(", ")}`);
  }
  const taken = await takeSeeds({ at, reporter: silent }, attachLoose(collect(certificates), loose), [seed]);
  const profile = profileOf(name, seed, taken.identity);
  const knowledge = new Knowledge(profile, taken.certificates);
  knowledge.add({ certificates, loose });
  return { seed, profile, judged: await knowledge.judge(at, new Set(), new Set()) };
}

function below(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/**
 * Downloads a feed's index and its signatures.
 * @throws FeedkeyError `not_found` if the feed has no index; the errors of `signedBytes`
 */
async function findCandidate(feed: Feed, source: Source): Promise<Candidate> {
  const limit = indexLimit(feed, undefined);
  const names = indexNames(feed);
  for (const name of names) {
    const file = await source(below(feed.path, name), limit);
    if (file === undefined) continue;
    const framed = framedCandidate(feed.format, name, file);
    if (framed !== undefined) return framed;
    const signatures = [];
    for (const beside of formats[feed.format].signaturesOf(name)) {
      const bytes = await source(below(feed.path, beside), maxSignatureBytes);
      if (bytes !== undefined) signatures.push({ name: beside, bytes });
    }
    return { name, document: new HashedDocument(await signedBytes(feed.format, name, file, limit)), signatures };
  }
  throw new FeedkeyError("not_found", `feed "${feed.name}" has no ${names.join(" or ")}`, {
    details: { feed: feed.name },
  });
}

/**
 * Downloads and verifies a feed's index.
 * @throws FeedkeyError with the code of the rule that refuses the index; `not_found` if a file is missing; `unavailable` if it can't be
 * downloaded
 */
export async function verifyFeed(
  { profile, judged }: JudgedArchive,
  feed: Feed,
  source: Source,
): Promise<VerifiedIndex> {
  const candidate = await findCandidate(feed, source);
  const folder = below(feed.path, candidate.name).split("/").slice(0, -1).join("/");
  const parts = (place: string, limit: number) => source(below(folder, place), limit);
  return await verifyIndex(candidate, feed, { profile, judged, last: undefined, allowEmpty: true, parts });
}

/**
 * Returns the verified index that lists a file, with the file's size and digest.
 * @throws FeedkeyError `not_listed` if no index lists a file with this name; otherwise the most serious of the refusals by the indexes that
 * list the name
 */
export function findListing(
  indexes: readonly VerifiedIndex[],
  name: string,
  found: { readonly size: number; readonly sha256: string },
): VerifiedIndex {
  const refusals: FeedkeyError[] = [];
  for (const index of indexes) {
    try {
      checkPackageFile(index, name, name, found);
      return index;
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      refusals.push(error);
    }
  }
  const listing = refusals.filter(({ code }) => code !== "not_listed");
  throw (
    mostSeriousOf(listing.length > 0 ? listing : refusals) ?? new FeedkeyError("not_listed", "no index was verified")
  );
}
