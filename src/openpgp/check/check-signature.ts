/**
 * Checks cryptographically whether a key made a signature. Ignores dates, key flags and the strength of the algorithm.
 */
import type { Fingerprint } from "../../trust/facts.ts";
import { HashedDocument } from "../packet/hashed-document.ts";
import type { LoadedKey } from "../packet/key-packet.ts";
import type { Message } from "../packet/native-key.ts";
import type { RawSignature } from "../packet/raw-signature.ts";
import { Signed, type SignedParts } from "../packet/signed-parts.ts";
import { latin1 } from "../packet/subpackets.ts";

/** Earlier results by key. They save time, because several servers send the same signatures and one run judges several times. */
const verdicts = new WeakMap<LoadedKey, Map<string, boolean>>();

function verdictsOf(maker: LoadedKey): Map<string, boolean> {
  const known = verdicts.get(maker) ?? new Map<string, boolean>();
  verdicts.set(maker, known);
  return known;
}

/** Whether this key could have made the signature. Uses no cryptography. */
function maybe({ version, algorithm, hashed }: RawSignature, maker: LoadedKey): boolean {
  // If the hashed area names the maker's fingerprint, no other key with the same key ID made the signature.
  const claimed = hashed.issuerFingerprint;
  if (claimed !== undefined && claimed !== maker.facts.fingerprint) return false;
  // RFC 9580 section 5.2: key and signature must have the same version. Version 3 is an exception, because version 4 keys made
  // version 3 signatures. feedkey reads version 3 only for revocations.
  const fits = version === maker.facts.version || (version === 3 && maker.facts.version === 4);
  return fits && algorithm === maker.algorithm;
}

/**
 * Whether a key made a signature over the given parts.
 * @param together whether to use Node's threads, which help only for many simultaneous checks: starting a thread takes longer
 *   than a single check
 */
export async function isSignedBy(
  raw: RawSignature,
  signed: Signed,
  maker: LoadedKey,
  together = false,
): Promise<boolean> {
  const digest = maybe(raw, maker) ? signed.digest(raw, raw.body) : undefined;
  if (digest === undefined) return false;
  const known = verdictsOf(maker);
  const name = `${raw.hash} ${latin1(digest)} ${latin1(raw.numbers)}`;
  const parts = () => [signed.message(raw, raw.body) ?? new Uint8Array()];
  const verdict = known.get(name) ?? (await check(raw, { hash: raw.hash, digest, parts }, maker, together));
  known.set(name, verdict);
  return verdict;
}

async function check(raw: RawSignature, message: Message, maker: LoadedKey, together: boolean): Promise<boolean> {
  try {
    return (await maker.check?.(message, raw.numbers, together)) === true;
  } catch {
    // The key or the signature is malformed, so this key did not make this signature.
    return false;
  }
}

/**
 * Whether a key made a signature.
 * @param over the signed parts, or the signed document
 */
export async function isMadeBy(
  raw: RawSignature,
  maker: LoadedKey,
  over: SignedParts | HashedDocument,
): Promise<boolean> {
  if (!(over instanceof HashedDocument)) return await isSignedBy(raw, new Signed(over), maker);
  if (!maybe(raw, maker)) return false;
  const message = over.signed(raw);
  const [first, second] = message.digest;
  // The digest differs, so the signature or the data is damaged. A public-key operation is not needed.
  if (first !== raw.digestStart[0] || second !== raw.digestStart[1]) return false;
  return await check(raw, message, maker, false);
}

/**
 * Returns the candidate keys that made a signature. Tries each key only once, even if it is in many certificates, because anyone
 * can add another person's key to a certificate.
 * @param over the signed parts, or the signed document
 */
export async function makersOf(
  raw: RawSignature,
  candidates: readonly LoadedKey[],
  over: Signed | HashedDocument,
  together = false,
): Promise<LoadedKey[]> {
  const asked = new Map<Fingerprint, boolean>();
  const makers: LoadedKey[] = [];
  for (const candidate of candidates) {
    const { fingerprint } = candidate.facts;
    const ask = () =>
      over instanceof Signed ? isSignedBy(raw, over, candidate, together) : isMadeBy(raw, candidate, over);
    const made = asked.get(fingerprint) ?? (await ask());
    asked.set(fingerprint, made);
    if (made) makers.push(candidate);
  }
  return makers;
}
