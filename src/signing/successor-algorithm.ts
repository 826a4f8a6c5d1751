/**
 * Chooses a successor's algorithm. Stock clients (apt, dnf, pkg_add and others) that can read the present key must also be able to read
 * the successor.
 */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { formats } from "../formats/formats.ts";
import type { Algorithm } from "../openpgp/secret/generate.ts";
import type { ArchiveConfig, ArchiveFeed } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import { signingKeys } from "../trust/expiry-forecast.ts";
import type { KeyFacts } from "../trust/facts.ts";
import type { OwnCertificate } from "./signing-key.ts";

/** Returns the keys in a certificate that `export` would give to a stock client; an empty list if the certificate can't sign. */
function exported({ facts }: OwnCertificate, at: Instant): KeyFacts[] {
  const able = signingKeys(facts, at);
  if (able.size === 0) return [];
  return [facts.primary, ...facts.subkeys.filter(({ fingerprint }) => able.has(fingerprint))];
}

/** Finds a feed whose stock client reads the present key, but could not read a keyring with keys of another algorithm than RSA. */
function feedThatNeedsRsa({ feeds }: ArchiveConfig, present: OwnCertificate, at: Instant): ArchiveFeed | undefined {
  const keys = exported(present, at);
  if (keys.length === 0 || keys.some(({ algorithm }) => algorithm !== "rsa")) return undefined;
  return feeds.find(({ format }) => formats[format].rsaReader !== undefined);
}

function unreadable({ name, format }: ArchiveFeed, what: string, hint: string): FeedkeyError {
  const reader = formats[format].rsaReader;
  const message = `${reader} could not read ${what}: feed "${escapeText(name)}" has the format ${format}, and the present key is RSA`;
  return new FeedkeyError("usage", message, { details: { feed: name }, hint: `${hint}; --force continues anyway` });
}

/**
 * Returns the algorithm for a new successor. If a feed's stock client reads only RSA keys, the successor of an RSA key is also an RSA key.
 * @param wanted the algorithm that the caller wants, if any
 * @throws FeedkeyError `usage` if a stock client could not read a key with the wanted algorithm
 */
export function successorAlgorithm(
  config: ArchiveConfig,
  present: OwnCertificate,
  at: Instant,
  wanted: Algorithm | undefined,
  force: boolean,
): Algorithm {
  const feed = feedThatNeedsRsa(config, present, at);
  if (feed === undefined) return wanted ?? "ed25519";
  if (wanted === undefined) return present.facts.primary.bits > 3072 ? "rsa4096" : "rsa3072";
  if (wanted.startsWith("rsa") || force) return wanted;
  throw unreadable(feed, `a successor that is ${wanted}`, "leave out --algorithm, or choose rsa3072 or rsa4096");
}

/**
 * Throws if a feed's stock client can't read a successor.
 * @throws FeedkeyError `usage` if a stock client reads the present key but could not read this successor
 */
export function refuseUnreadable(
  config: ArchiveConfig,
  present: OwnCertificate,
  successor: OwnCertificate,
  at: Instant,
): void {
  const feed = feedThatNeedsRsa(config, present, at);
  if (feed === undefined) return;
  const { fingerprint, keyId } = successor.facts.primary;
  const isRsa = exported(successor, at).every(({ algorithm }) => algorithm === "rsa");
  if (isRsa && !keyId.startsWith("00")) return;
  const why = isRsa ? ", whose key ID begins with 00" : ", which is not RSA";
  throw unreadable(
    feed,
    `the successor ${fingerprint}${why}`,
    "choose an RSA key with --to, or let feedkey rotate make an RSA key",
  );
}
