/** Verifies roots. A root is the signed file of a feed: all trust in the feed's packages starts from its signature. */

import { bytesOf, type Data } from "../content.ts";
import { FeedkeyError, onRefusal } from "../error.ts";
import { isFramed } from "../formats/cleartext.ts";
import { formatOf } from "../formats/formats.ts";
import { isDatedBy } from "../net/validator.ts";
import { checkSignatures, makersNamed, readSignatureFile } from "../openpgp/check/detached.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import type { Feed, Profile } from "../profile/types.ts";
import type { Judged } from "../refresh/certificate-pool.ts";
import type { LastIndex } from "../store/feed-folder.ts";
import type { IndexVersions } from "../store/feed-meta.ts";
import type { FileVersion } from "../store/file-version.ts";
import type { DataSignature } from "../trust/facts.ts";
import { refuseReplay } from "../trust/freshness.ts";
import {
  type IndexPolicy,
  type IndexVerdict,
  judgeIndex,
  type SignatureRefusal,
  type Signer,
} from "../trust/index-signature.ts";
import type { Refusal } from "../trust/policy.ts";
import type { Candidate, SignatureSource } from "./candidate.ts";
import { indexLimit, indexText } from "./index-files.ts";

const key = Symbol("made by the verifier of roots");

/** A root with a good signature and an acceptable age, not parsed yet. Only {@link verifyRoot} can make a `VerifiedRoot`. */
export class VerifiedRoot {
  readonly feed: Feed;
  /** The root's file name or URL, for messages. */
  readonly name: string;
  readonly signers: readonly Signer[];
  /** The date of the root's newest good signature, in milliseconds. */
  readonly createdAt: number;
  /** The bytes that the signature covers; feedkey reads no other bytes from the file. */
  readonly signed: Data;
  /** SHA-256 of the signed bytes, lower-case hex. */
  readonly sha256: string;
  /** The contents of the signature file in which feedkey found the good signature. */
  readonly signature: Uint8Array;
  /**
   * The validators (ETag and date) that the server sent with the root and its signature; undefined if it sent none that feedkey
   * can use.
   */
  readonly versions: IndexVersions | undefined;
  /** Whether the root is another form of the last accepted index; the client then keeps the stored index. */
  readonly otherForm: boolean;

  constructor(proof: typeof key, feed: Feed, candidate: Candidate, { verdict, signature }: Good, otherForm: boolean) {
    if (proof !== key) throw new FeedkeyError("internal", "a verified root can only come from the verifier");
    this.feed = feed;
    this.name = candidate.name;
    this.signers = verdict.signers;
    this.createdAt = verdict.createdAt;
    this.signed = candidate.document.content;
    this.sha256 = candidate.document.sha256;
    this.signature = signature.bytes;
    this.versions = versionsOf(candidate, signature, verdict.createdAt);
    this.otherForm = otherForm;
  }
}

/**
 * Returns the validators for later requests. Leaves out the date of a file that is older than the signature in it, because such
 * a date is wrong: if a server gives every version the same date, the next version would count as unchanged.
 */
function versionsOf({ version }: Candidate, signature: SignatureSource, createdAt: number): IndexVersions | undefined {
  const isOlder = (one: FileVersion | undefined) => one?.lastModified !== undefined && isDatedBy(one, createdAt - 1);
  const holdsBoth = signature.within !== undefined;
  const index = holdsBoth && isOlder(version) ? undefined : version;
  const beside = isOlder(signature.version) ? undefined : signature.version;
  return index === undefined && beside === undefined ? undefined : { index, signature: beside };
}

const hints: Readonly<Partial<Record<FeedkeyError["code"], string>>> = {
  no_signature: "the archive must publish a signature beside its index; the last good index stays in use",
  bad_signature:
    "the index or its signature was changed on the way, or the mirror is in the middle of an update: try again or use another mirror",
  untrusted_signer:
    "if this is a new key of the archive, its keepers must certify it with the old key; if not, someone else signed this index",
  revoked: "do not use this archive's packages until its keepers have signed with another key",
  expired: "the archive's keepers must extend the key or sign with its successor; check this machine's clock too",
  not_yet_valid: "check this machine's clock, then the archive's",
  weak_algorithm: "the archive's keepers must sign with SHA-256 or better and a modern key",
  rollback: "the mirror is out of date or someone replays an old index; the last good index stays in use",
  stale:
    "the archive's keepers have not signed the index for too long, or someone withholds newer indexes; the last good index stays in use",
  wrong_feed: "the index of another feed was put here; the last good index stays in use",
  fork: "two keys claim to be the successor of the same key: ask the archive's keepers, over another channel, which key is theirs",
  unchecked_revocation: "make sure that a key server of the profile can be reached, then try again",
};

/** Makes the error that says why feedkey refuses an index. */
export function refusalError(what: string, feed: string, refusal: Refusal | SignatureRefusal): FeedkeyError {
  const issuer = "issuer" in refusal ? refusal.issuer : undefined;
  const signedBy = issuer === undefined || issuer === "nobody" ? "" : `, signed by ${issuer},`;
  return new FeedkeyError(refusal.code, `index "${what}" of feed "${feed}"${signedBy} is refused: ${refusal.reason}`, {
    details: { feed, ...(issuer === undefined ? {} : { signer: issuer }), because: refusal.reason },
    hint: refusal.hint ?? hints[refusal.code],
  });
}

/** Returns what the profile requires of the signatures over a feed's index. */
function indexPolicy(profile: Profile, feed: Feed, { document }: Candidate): IndexPolicy {
  const { threshold, requireFeedName, requireExpiry, maxIndexAge } = profile.trust;
  return { feed: feed.name, threshold, requireFeedName, requireExpiry, maxIndexAge, isText: document.type === 1 };
}

interface Good {
  readonly verdict: IndexVerdict;
  readonly signature: SignatureSource;
}

/**
 * Makes the error for a cleartext-signed message where feedkey expects a detached signature. feedkey can't use the message,
 * because its signature covers the text in the message and not the index.
 */
function notBeside(name: string, cause: FeedkeyError): FeedkeyError {
  return new FeedkeyError(
    "bad_signature_data",
    `${name} is a cleartext-signed text, not a detached signature over the index beside it`,
    {
      hint: 'if that text is the checksum file itself, write its name as "index" into the feed\'s section of the profile',
      cause,
    },
  );
}

function severalSignatures(name: string, count: number): FeedkeyError {
  return new FeedkeyError("bad_signature_data", `${name} has ${count} signatures, expected exactly one`, {
    hint: "clients of this format that lack one of the keys refuse the file: the archive's keepers must sign with one key",
  });
}

/**
 * Tries each signature file and returns the first good signature. If no signature is good, throws the refusal of the signature
 * that passed the most checks.
 */
async function findGood(candidate: Candidate, feed: Feed, judged: Judged, policy: IndexPolicy): Promise<Good> {
  const { oneSignature } = formatOf(feed.format);
  const refusals: SignatureRefusal[] = [];
  let unreadable: FeedkeyError | undefined;
  for (const signature of candidate.signatures) {
    const { name, bytes, within } = signature;
    let checked: DataSignature[];
    let known = judged;
    try {
      const found = readSignatureFile(within ?? bytes, name);
      if (found.length > 1 && oneSignature !== undefined) throw severalSignatures(name, found.length);
      known = (await judged.including?.(makersNamed(found))) ?? judged;
      checked = await checkSignatures(found, candidate.document, known.keys);
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      unreadable ??= isFramed(bytes) && within === undefined ? notBeside(name, error) : error;
      continue;
    }
    const verdict = judgeIndex(checked, known.trust, policy);
    if ("signers" in verdict) return { verdict, signature };
    refusals.push(verdict);
  }
  const furthest = refusals.sort((a, b) => b.stage - a.stage)[0];
  if (furthest !== undefined) throw refusalError(candidate.name, feed.name, furthest);
  if (unreadable !== undefined) throw unreadable;
  const reason = "there is no signature file beside it";
  throw refusalError(candidate.name, feed.name, { code: "no_signature", reason });
}

/** What feedkey judges a root with: profile, keys and last accepted index. */
export interface RootTerms {
  readonly profile: Profile;
  readonly judged: Judged;
  /** The feed's last accepted index; undefined if there is none, or if the root must not be compared with an earlier one. */
  readonly last: LastIndex | undefined;
}

/**
 * Verifies a root: first its signature (T7, T8, T10), then its age (T9). Does not parse the root. If the signature covers
 * compressed bytes, does not decompress these bytes.
 * @throws FeedkeyError with the code of the rule that refuses the root
 */
export async function verifyRoot(candidate: Candidate, feed: Feed, terms: RootTerms): Promise<VerifiedRoot> {
  const { profile, judged, last } = terms;
  const good = await findGood(candidate, feed, judged, indexPolicy(profile, feed, candidate));
  const { sha256 } = candidate.document;
  const { createdAt } = good.verdict;
  const replay = refuseReplay({ createdAt, sha256 }, last?.meta, judged.trust.at);
  const otherForm = replay?.code === "rollback" && (await isOtherForm(candidate, feed, createdAt, last));
  if (replay !== undefined && !otherForm) throw refusalError(candidate.name, feed.name, ofSuite(feed, replay));
  return new VerifiedRoot(key, feed, candidate, good, otherForm);
}

/**
 * Adds a hint to a rollback in a feed with suites. After the user changes the suite in the profile, the new suite's index may
 * be older than the last accepted index of the old suite, which is not an attack.
 */
function ofSuite({ suite }: Feed, refusal: Refusal): Refusal {
  if (suite === undefined || refusal.code !== "rollback") return refusal;
  const hint = `${hints.rollback}; if you changed "suite" in the profile, write a [feed ...] section with another name for the new suite instead`;
  return { ...refusal, hint };
}

/**
 * Tells whether a root is another form of the last accepted root: the same text, signed at the same moment (T9). Examples are
 * two compressed forms, or Release and InRelease, in which the signature ignores trailing blanks. Both roots have good
 * signatures, so feedkey may decompress both.
 */
async function isOtherForm(
  { document }: Candidate,
  feed: Feed,
  createdAt: number,
  last: LastIndex | undefined,
): Promise<boolean> {
  const { signs, ignoresBlankEnds } = formatOf(feed.format);
  if ((signs === "text" && !ignoresBlankEnds) || last?.meta.createdAt !== createdAt) return false;
  const read = async (signed: Data) => bytesOf(await indexText(feed.format, signed, indexLimit(feed, last.meta)));
  const [one, other] = await onRefusal(
    () => Promise.all([document.content, last.index].map(read)),
    () => [],
  );
  if (one === undefined || other === undefined) return false;
  const [text, otherText] = ignoresBlankEnds
    ? [one, other].map((bytes) => HashedDocument.ofText(bytes).covered)
    : [one, other];
  return text !== undefined && otherText !== undefined && Buffer.compare(text, otherText) === 0;
}
