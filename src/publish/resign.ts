/** The second step of a rotation, its part with the feeds: what lies there, signed anew with another key. */
import { FeedkeyError } from "../error.ts";
import { withLock } from "../files/lock.ts";
import { mainSignature } from "../formats/formats.ts";
import { checkSignatures, readSignatureFile } from "../openpgp/check/detached.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import { type PublishedFolder, PublishedTree } from "../signing/published-tree.ts";
import { type OwnCertificate, openSigningKey, withOwnKeys } from "../signing/signing-key.ts";
import type { Instant } from "../time.ts";
import { allows, type Grant } from "../trust/delegation.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { judge } from "../trust/judge.ts";
import { effectiveRevocation } from "../trust/key-state.ts";
import { type Refusal, refuse } from "../trust/policy.ts";
import { type Archive, knownCertificates, ownCertificate } from "./archive.ts";
import type { SignedFile } from "./feed-layout.ts";
import { layoutOf } from "./feed-layouts.ts";
import { recordsFolder } from "./publish.ts";
import { applyPlans } from "./publish-apply.ts";
import { changesAnything, type FeedPlan, planFeed } from "./publish-plan.ts";
import { type PublishedRecord, readPublished, recordEntry } from "./published-record.ts";
import { signPlans } from "./sign-plans.ts";
import { vouchersOf } from "./vouched-file.ts";

export interface Resigned {
  readonly signed: readonly string[];
  /** Feeds that a delegate signs: they stay as they are. */
  readonly delegated: readonly { readonly feed: string; readonly delegate: Fingerprint }[];
  /** One for each feed whose index is not the archive's own and latest: whoever put it there, it must not get a good signature. */
  readonly left: readonly FeedkeyError[];
}

/** What must be so of an index that is to be signed anew. */
interface Terms {
  /** Keys whose signature shows that an index is the archive's, and its delegates. */
  readonly keys: KeyIndex;
  /** What each delegate may sign. */
  readonly grants: ReadonlyMap<Fingerprint, readonly Grant[]>;
  readonly published: PublishedRecord;
  readonly at: Instant;
}

/**
 * Why an index must not be signed anew as this feed's latest: none of the archive's keys signed it, or for another feed, or
 * for a time that has ended; or it is not what was published last; or it is the delegate's to sign.
 */
async function look(
  feed: ArchiveFeed,
  file: SignedFile,
  folder: PublishedFolder,
  { keys, grants, published, at }: Terms,
): Promise<Refusal | { readonly delegate: Fingerprint } | undefined> {
  const name = mainSignature(file.name, feed.signatures);
  const bytes = await folder.read(name);
  if (bytes === undefined) return refuse("no_signature", "it has no signature");
  const checked = await checkSignatures(readSignatureFile(bytes, name), file.bytes, keys);
  const makers = checked.flatMap((one) => (one.status === "good" ? one.makers : []));
  if (checked.some(({ status }) => status === "bad") && makers.length === 0) {
    return refuse("bad_signature", "it is not what was signed");
  }
  if (makers.length === 0) return refuse("untrusted_signer", "none of the archive's keys signed it");
  const ours = makers.filter(({ notations }) => {
    const names = notations.filter((notation) => notation.name.startsWith("feed@")).map(({ value }) => value);
    return names.length > 0 && names.every((value) => value === feed.name);
  });
  if (ours.length === 0) return refuse("wrong_feed", "it was signed for another feed, or for none");
  const current = ours.filter(({ expiresAt }) => (expiresAt ?? at + 1) > at);
  if (current.length === 0) return refuse("stale", "its signature has ended");
  if (current.every(({ certificate }) => grants.has(certificate))) {
    const entitled = current.find(({ certificate }) =>
      grants.get(certificate)?.some((grant) => allows(grant, feed.name)),
    );
    if (entitled !== undefined) return { delegate: entitled.certificate };
    return refuse("untrusted_signer", "a delegate signed it that may not sign this feed");
  }
  const { path, sha256 } = recordEntry(feed, file);
  const known = published.indexes.get(path);
  // Where nothing is on record, somebody else's program publishes and feedkey only signs.
  if (known === undefined || known.includes(sha256)) return undefined;
  return refuse("rollback", "it is not the one that was published last");
}

/** The delegates of these keys, as a client seeded with them would judge. */
function grantsOf(
  own: ReadonlyMap<Fingerprint, OwnCertificate>,
  keys: readonly OwnCertificate[],
  userId: string,
  at: Instant,
): Map<Fingerprint, readonly Grant[]> {
  const { trusted } = judge({
    certificates: [...own.values()].map(({ facts }) => facts),
    identity: { kind: "user-id", userId },
    seeds: keys.map(({ raw }) => raw.fingerprint),
    retiredIssuers: "refuse",
    at,
    accepted: new Set(),
    unchecked: new Set(),
  });
  const delegates = [...trusted].filter(([, { role }]) => role === "delegate");
  return new Map(delegates.map(([fingerprint, { grants }]) => [fingerprint, grants]));
}

function leftError({ name }: ArchiveFeed, key: Fingerprint, { code, reason }: Refusal): FeedkeyError {
  return new FeedkeyError(code, `the index of feed "${name}" was NOT signed with ${key}: ${reason}`, {
    details: { feed: name, key },
    hint: "look at what lies there, then run feedkey publish; or feedkey sign, where another program writes the index",
  });
}

/**
 * Signs the published indexes, as they lie there, with another key; but only those that are the archive's own and
 * latest: an index that somebody else put there must not become that by a rotation.
 * @param by keys whose signature shows that an index is the archive's
 * @throws FeedkeyError `revoked`, `expired`..., `not_found`, `bad_config`, `output`, `locked`
 */
export async function resignFeeds(
  archive: Archive,
  fingerprint: Fingerprint,
  by: readonly OwnCertificate[],
): Promise<Resigned> {
  const { config, store, at, passphrase } = archive;
  const records = recordsFolder(store, config.root);
  const tree = await PublishedTree.open(config.root);
  return await withLock(records, async (lock) => {
    const key = await ownCertificate(store, fingerprint);
    const sound = [key, ...by].filter(({ facts }) => effectiveRevocation(facts.revocations, at)?.kind !== "hard");
    const { certificates: own } = await knownCertificates(archive);
    const grants = grantsOf(own, sound, config.userId, at);
    const delegates = [...grants.keys()].flatMap((name) => own.get(name) ?? []);
    const keys = await KeyIndex.of([...sound, ...delegates].map(withOwnKeys));
    const published = await readPublished(records);
    const terms: Terms = { keys, grants, published, at };
    const vouchers = await vouchersOf(own, key, config.userId, published);
    const plans: FeedPlan[] = [];
    const left: FeedkeyError[] = [];
    const delegated: { feed: string; delegate: Fingerprint }[] = [];
    for (const feed of config.feeds) {
      const folder = tree.folder(feed.path);
      const layout = layoutOf(feed);
      const index = await folder.read(layout.signed).catch(asRefusal);
      // Never published yet: publish will sign it with the right key.
      if (index === undefined) continue;
      if ("reason" in index) {
        left.push(leftError(feed, fingerprint, index));
        continue;
      }
      const found = await look(feed, { name: layout.signed, bytes: index }, folder, terms).catch(asRefusal);
      if (found !== undefined) {
        if ("delegate" in found) delegated.push({ feed: feed.name, ...found });
        else left.push(leftError(feed, fingerprint, found));
        continue;
      }
      const publishing = { at, validFor: config.validFor, allowEmpty: true, force: false, vouchers };
      const text = await layout.textOf(index);
      const made = { text, packages: layout.read(text).count };
      // What lies beside one index must not keep the others from the new key.
      const plan = await planFeed(tree, feed, made, key, publishing).catch(asRefusal);
      if ("reason" in plan) left.push(leftError(feed, fingerprint, plan));
      else plans.push(plan);
    }
    const changed = plans.filter(changesAnything);
    const wanting = changed.filter(({ sign }) => sign !== undefined);
    if (changed.length === 0) return { signed: [], delegated, left };
    const signingKey = await openSigningKey(store, fingerprint, passphrase);
    const signatures = await signPlans(wanting, signingKey, config);
    await applyPlans(tree, changed, signatures, [], lock);
    return { signed: wanting.map(({ feed }) => feed.name), delegated, left };
  });
}

/** A signature file that can't be read shows nothing. */
function asRefusal(error: unknown): Refusal {
  if (error instanceof FeedkeyError) return refuse(error.code, error.message);
  throw error;
}
