/** Reads the published indexes. The caller can then sign these indexes again, after a rotation or in a rehearsal. */
import { FeedkeyError } from "../error.ts";
import type { Spools } from "../files/spool.ts";
import { formatOf } from "../formats/formats.ts";
import { foreignFile } from "../openpgp/check/foreign-file.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import { judgeAfresh } from "../signing/delegate-check.ts";
import type { FolderView } from "../signing/published-tree.ts";
import { type OwnCertificate, withOwnKeys } from "../signing/signing-key.ts";
import type { Instant } from "../time.ts";
import { allows, type Grant } from "../trust/delegation.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { effectiveRevocation } from "../trust/key-state.ts";
import { type Refusal, refuse } from "../trust/policy.ts";
import type { SignedFile } from "./feed-layout.ts";
import { rootOf, toSign } from "./feed-layouts.ts";
import { IndexForms } from "./index-text/index-forms.ts";
import { readPublishedRoot } from "./layouts/foreign-root.ts";
import { isForFeed, presentSignatures } from "./present-signatures.ts";
import type { IndexSource, Publishing } from "./publish.ts";
import type { IndexText } from "./publish-plan.ts";
import { type PublishedRecord, recordEntry } from "./published-record.ts";
import { replaces } from "./signature-files.ts";

/** The data that decides whether feedkey may sign an index again. */
interface Terms {
  /** The archive's own keys that may have signed the archive's indexes, and the keys of delegates that these keys certify. */
  readonly keys: KeyIndex;
  /** The feeds that each delegate may sign. */
  readonly grants: ReadonlyMap<Fingerprint, readonly Grant[]>;
  readonly published: PublishedRecord;
  readonly at: Instant;
}

/**
 * Decides whether feedkey may sign an index again as the feed's latest index. Returns undefined if so, else the reason. Reasons are: no
 * key of the archive signed the index; the signature is for another feed or has expired; the index is not the last published index;
 * or a delegate without permission for the feed signed it. If a delegate with permission signed the index, returns the delegate.
 */
async function look(
  feed: ArchiveFeed,
  file: SignedFile,
  folder: FolderView,
  { keys, grants, published, at }: Terms,
): Promise<Refusal | { readonly delegate: Fingerprint } | undefined> {
  const main = toSign(feed, file).signatures.at(-1);
  const bytes = main && (await folder.read(main.name));
  if (main === undefined || bytes === undefined) return refuse("no_signature", "it has no signature");
  const what = foreignFile(bytes);
  if (what !== undefined) throw replaces(folder, main.name, what);
  const checked = await presentSignatures(file, main, bytes, keys);
  const makers = checked.flatMap((one) => (one.status === "good" ? one.makers : []));
  if (checked.some(({ status }) => status === "bad") && makers.length === 0) {
    return refuse("bad_signature", "its signature covers other contents");
  }
  if (makers.length === 0) return refuse("untrusted_signer", "none of the archive's keys signed it");
  const ours = makers.filter((maker) => isForFeed(maker, feed.name));
  if (ours.length === 0) return refuse("wrong_feed", "its signature names another feed, or no feed");
  const current = ours.filter(({ expiresAt }) => (expiresAt ?? at + 1) > at);
  if (current.length === 0) return refuse("stale", "its signature has expired");
  if (current.every(({ certificate }) => grants.has(certificate))) {
    const entitled = current.find(({ certificate }) =>
      grants.get(certificate)?.some((grant) => allows(grant, feed.name)),
    );
    if (entitled !== undefined) return { delegate: entitled.certificate };
    return refuse("untrusted_signer", "the delegate that signed it may not sign this feed");
  }
  const { path, sha256 } = recordEntry(feed, file);
  const known = published.indexes.get(path);
  // If the record has no entry for this file, another program writes the index, and feedkey only signs it.
  if (known === undefined || known.includes(sha256)) return undefined;
  return refuse("rollback", "it is not the last published index");
}

/** Returns the feeds that each delegate may sign, from the view of a client whose seeds are these keys. */
function grantsOf(
  own: ReadonlyMap<Fingerprint, OwnCertificate>,
  keys: readonly OwnCertificate[],
  userId: string,
  at: Instant,
): Map<Fingerprint, readonly Grant[]> {
  const certificates = [...own.values()].map(({ facts }) => facts);
  const seeds = keys.map(({ raw }) => raw.fingerprint);
  const { trusted } = judgeAfresh(certificates, userId, seeds, at);
  const delegates = [...trusted].filter(([, { role }]) => role === "delegate");
  return new Map(delegates.map(([fingerprint, { grants }]) => [fingerprint, grants]));
}

/**
 * Reads the published index of a feed; returns undefined if there is no published index yet.
 * @throws FeedkeyError `bad_path` or `output` if the index is unreadable; `bad_index`, `wrong_feed`, `not_yet_valid` or `not_found` if
 * clients would refuse the index, or a list that the index names
 */
export async function takePublished(
  feed: ArchiveFeed,
  folder: FolderView,
  at: Instant,
  spools: Spools,
): Promise<{ readonly file: SignedFile; readonly index: IndexText; readonly listed: number } | undefined> {
  const root = rootOf(feed);
  const document = await folder.document(root.signed);
  if (document === undefined) return undefined;
  const file = { name: root.signed, document };
  // feedkey signs only the root again. Package lists in separate files stay unchanged.
  const isOurs = formatOf(feed.format).content === undefined && feed.packages !== undefined;
  const texts = isOurs ? await root.textsOf(document, folder) : undefined;
  const [text = document] = texts?.values() ?? [];
  const listed = await readPublishedRoot(feed, text.bytes, folder, at);
  const forms = texts && new IndexForms(async () => texts, spools);
  return { file, index: { packages: isOurs ? listed : undefined, bytes: text.length, forms }, listed };
}

async function termsOf({ certificates, key, userId, record, at }: Publishing, by: readonly OwnCertificate[]) {
  const sound = [key, ...by].filter(({ facts }) => effectiveRevocation(facts.revocations, at)?.kind !== "hard");
  const grants = grantsOf(certificates, sound, userId, at);
  const delegates = [...grants.keys()].flatMap((name) => certificates.get(name) ?? []);
  const keys = await KeyIndex.of([...sound, ...delegates].map(withOwnKeys));
  return { keys, grants, published: record, at };
}

/**
 * Returns a source of the published indexes, so that another key can sign these indexes. The source has only the latest indexes that the
 * archive's own keys signed. A rotation must not sign an index that somebody else put in the published tree.
 * @param by more keys of the archive that may have signed its indexes
 */
export function latestIndexes(by: readonly OwnCertificate[]): IndexSource {
  let terms: Promise<Terms> | undefined;
  return {
    eachAlone: true,
    records: "known",
    async take(feed, folder, publishing) {
      const { signed } = rootOf(feed);
      const document = await folder.document(signed);
      // The feed is not published yet. `publish` will sign the feed with the right key.
      if (document === undefined) return undefined;
      terms ??= termsOf(publishing, by);
      const found = await look(feed, { name: signed, document }, folder, await terms);
      if (found !== undefined && "delegate" in found) return found;
      if (found !== undefined) throw new FeedkeyError(found.code, found.reason);
      const taken = await takePublished(feed, folder, publishing.at, publishing.spools);
      return taken === undefined ? undefined : { index: taken.index };
    },
  };
}
