/** Reads the published indexes, so that the caller can sign them again after a rotation or in a rehearsal. */
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

/** What decides whether an index may be signed again. */
interface Terms {
  /** The archive's own keys that may have signed its indexes, and the keys of delegates to which these keys lead. */
  readonly keys: KeyIndex;
  /** The feeds that each delegate may sign. */
  readonly grants: ReadonlyMap<Fingerprint, readonly Grant[]>;
  readonly published: PublishedRecord;
  readonly at: Instant;
}

/**
 * Returns why an index must not be signed again as this feed's latest index: no key of the archive signed it, its signature is for another
 * feed or has expired, it is not the last published index, or the delegate that signed it may not sign the feed. Returns the delegate if a
 * delegate signed the index, and may.
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
  return refuse("rollback", "it is not the index that was published last");
}

/** Returns what delegates may sign, as a client would judge whose seeds are these keys. */
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
 * Reads the published index of a feed; returns undefined if no index was published yet.
 * @throws FeedkeyError `bad_path` or `output` if the index can't be read; `bad_index`, `wrong_feed`, `not_yet_valid` or `not_found` if
 * clients would refuse the index or a list that it names
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
  // Package lists in separate files stay as they are: feedkey signs only the root again.
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
 * Returns a source that gives the published indexes, so that another key can sign them. It gives only the latest indexes that the archive's
 * own keys signed: a rotation must not sign an index that somebody else put into the published tree.
 * @param by further keys of the archive that may have signed its indexes
 */
export function latestIndexes(by: readonly OwnCertificate[]): IndexSource {
  let terms: Promise<Terms> | undefined;
  return {
    eachAlone: true,
    records: "known",
    async take(feed, folder, publishing) {
      const { signed } = rootOf(feed);
      const document = await folder.document(signed);
      // The feed was never published. `publish` will sign it with the right key.
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
