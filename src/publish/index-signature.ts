/** The signature over an index, whoever asked for it: publishing, a rotation, or `sign`. */

import { readSignatureFile } from "../openpgp/check/detached.ts";
import { armor } from "../openpgp/packet/armor.ts";
import type { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import { notationDomain, type SignerOf } from "../signing/signing-key.ts";
import type { Duration, Instant } from "../time.ts";
import type { FeedPlan } from "./publish-plan.ts";

export interface SignOptions {
  readonly at: Instant;
  /** How long the signature is valid; undefined: forever. */
  readonly validFor: Duration | undefined;
  /** T10: the feed that it is signed for. */
  readonly feed: string | undefined;
  /** Of the notation that names the feed; by default that of the address in the key's user ID. */
  readonly notationDomain?: string | undefined;
}

export interface IndexSignature {
  /** Binary packet. */
  readonly binary: Uint8Array;
  readonly armored: string;
  /** Hash algorithm, in OpenPGP's names. */
  readonly hash: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | undefined;
}

/**
 * Signs index bytes, or a text that is going to be in one file with its signature.
 * @throws FeedkeyError `revoked`, `expired`... if the key may not sign now
 */
export async function signIndexBytes(
  bytes: Uint8Array | HashedDocument,
  key: SignerOf,
  options: SignOptions,
): Promise<IndexSignature> {
  // Whole seconds, as packets have them.
  const at = Math.floor(options.at / 1000) * 1000;
  const expiresAt = options.validFor === undefined ? undefined : at + options.validFor;
  const { feed } = options;
  const notations =
    feed === undefined ? [] : [{ name: `feed@${notationDomain(key, options.notationDomain)}`, value: feed }];
  const binary = await key.secret.signDocument(bytes, key, { at, expiresAt, notations });
  return { binary, armored: armor(binary, "SIGNATURE"), hash: hashOf(binary), createdAt: at, expiresAt };
}

function hashOf(binary: Uint8Array): string {
  const [only] = readSignatureFile(binary, "the signature just made");
  return only !== undefined && "raw" in only ? only.raw.hash.toUpperCase() : "";
}

/** The signatures of an index, by the name of the file that each covers. */
export type FileSignatures = ReadonlyMap<string, IndexSignature>;

/**
 * Signs the index of each plan, in all its forms, for its feed.
 * @returns the signatures by feed name
 * @throws FeedkeyError `revoked`, `expired`... if the key may not sign now
 */
export async function signPlans(
  plans: readonly FeedPlan[],
  key: SignerOf,
  { validFor, notationDomain }: Omit<SignOptions, "feed" | "at">,
): Promise<Map<string, FileSignatures>> {
  const byFeed = new Map<string, FileSignatures>();
  for (const { feed, signed, date } of plans) {
    const signatures = new Map<string, IndexSignature>();
    for (const { name, bytes } of signed) {
      signatures.set(name, await signIndexBytes(bytes, key, { at: date, validFor, feed: feed.name, notationDomain }));
    }
    byFeed.set(feed.name, signatures);
  }
  return byFeed;
}
