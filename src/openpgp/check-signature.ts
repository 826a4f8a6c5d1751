/** Whether a key made a signature: the mathematics, and nothing else. No dates, no flags, no opinion on algorithms. */
import { verify } from "node:crypto";
import type { Fingerprint } from "../trust/facts.ts";
import type { LoadedKey } from "./key-packet.ts";
import { libraryAgrees } from "./library-check.ts";
import type { Question } from "./native-key.ts";
import { rareKey } from "./rare-key.ts";
import type { RawSignature } from "./raw-signature.ts";
import { Signed, type SignedParts } from "./signed-parts.ts";

/** What was found out before, by the key: servers repeat each other, and one run judges several times. */
const verdicts = new WeakMap<LoadedKey, Map<string, boolean>>();

function verdictsOf(maker: LoadedKey): Map<string, boolean> {
  const known = verdicts.get(maker) ?? new Map<string, boolean>();
  verdicts.set(maker, known);
  return known;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Whether the packet lets this key be its maker at all. */
function maybe({ version, algorithm, hashed }: RawSignature, maker: LoadedKey): boolean {
  // A hashed fingerprint is the maker's own word: another key with the same key ID is not it.
  const claimed = hashed.issuerFingerprint;
  if (claimed !== undefined && claimed !== maker.facts.fingerprint) return false;
  // RFC 9580 section 5.2: each version of key makes signatures of its own version. Version 3, which is read for revocations
  // alone, was made by keys of version 4.
  const fits = version === maker.facts.version || (version === 3 && maker.facts.version === 4);
  return fits && algorithm === maker.algorithm;
}

/**
 * Whether a key made a signature over parts.
 * @param together many are asked about at once: by node's threads, whose start takes longer than a single check
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
  const verdict = known.get(name) ?? (await check(raw, signed, digest, maker, together));
  known.set(name, verdict);
  return verdict;
}

async function check(
  raw: RawSignature,
  signed: Signed,
  digest: Uint8Array,
  maker: LoadedKey,
  together: boolean,
): Promise<boolean> {
  const key = maker.native ?? rareKey(maker);
  if (key === undefined) return await libraryAgrees(raw, maker, signed.parts);
  // A copy: where the parts are laid out the next signature is laid out too.
  const bytes = Buffer.from(signed.message(raw, raw.body) ?? []);
  try {
    const question = key.question({ hash: raw.hash, bytes, digest }, raw.numbers);
    return question !== undefined && (await answer(question, together));
  } catch {
    // A key that is none, or a signature that is malformed: none of this key's.
    return false;
  }
}

function answer({ hash, data, key, value }: Question, together: boolean): Promise<boolean> | boolean {
  const input = { key, dsaEncoding: "ieee-p1363" } as const;
  if (!together) return verify(hash, data, input, value);
  return new Promise((resolve) => {
    verify(hash, data, input, value, (error, made) => resolve(error === null && made));
  });
}

/**
 * Whether a key made a signature.
 * @param over the parts signed, or the finished digest over a document
 */
export async function isMadeBy(raw: RawSignature, maker: LoadedKey, over: SignedParts | Uint8Array): Promise<boolean> {
  if (!(over instanceof Uint8Array)) return await isSignedBy(raw, new Signed(over), maker);
  const { digestStart, hash, numbers } = raw;
  // What is damaged needs no public-key operation.
  if (!maybe(raw, maker) || over[0] !== digestStart[0] || over[1] !== digestStart[1]) return false;
  if (maker.native === undefined) return await libraryAgrees(raw, maker, over);
  try {
    return maker.native.isSignature(hash, over, numbers);
  } catch {
    return false;
  }
}

/**
 * Those of several keys that made a signature. One key may be listed in many certificates, and anybody can list it:
 * it is tried once.
 * @param over the parts signed, or the finished digest over a document
 */
export async function makersOf(
  raw: RawSignature,
  candidates: readonly LoadedKey[],
  over: Signed | Uint8Array,
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
