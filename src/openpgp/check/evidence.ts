/**
 * Builds the input of `judge` from files. Reads certificates, verifies their signatures over each other, and checks other
 * signatures with the certificates' keys.
 */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { CertificateFacts, DataSignature, Fingerprint } from "../../trust/facts.ts";
import type { RawCertificate } from "../certificate/certificate.ts";
import { collect } from "../certificate/merge.ts";
import { readKeys } from "../certificate/read-keys.ts";
import { RevocationStore } from "../certificate/revocation-store.ts";
import { checkSignatures, readSignatureFile } from "./detached.ts";
import { KeyIndex } from "./key-index.ts";
import { readFacts } from "./read-facts.ts";

/** The certificates that feedkey has read, as facts and as keys. */
export interface Evidence {
  /** The facts about the certificates, for `judge`. */
  readonly certificates: readonly CertificateFacts[];
  /** The keys in the certificates, for `readSignatures`. */
  readonly keys: KeyIndex;
}

/** Returns the keys that the given keys designated as revokers. */
export function designatedBy(facts: readonly CertificateFacts[]): Set<Fingerprint> {
  const own = facts.flatMap(({ directSignatures, userIds }) => {
    return [...directSignatures, ...userIds.flatMap(({ selfSignatures }) => selfSignatures)];
  });
  return new Set(own.flatMap(({ designatedRevokers }) => designatedRevokers));
}

/**
 * Returns the facts about all certificates in a key index, in the index's order. Checks the signatures of these certificates
 * over each other.
 * @param onVerified called with the body of each signature packet that verifies
 */
export async function factsOf(keys: KeyIndex, onVerified?: (body: Uint8Array) => void): Promise<CertificateFacts[]> {
  const facts: CertificateFacts[] = [];
  for (const certificate of keys.certificates) facts.push(await readFacts(certificate, keys, onVerified));
  return facts;
}

/**
 * Reads certificates and bare revocations, and applies the revocations, including revocations by designated revokers.
 * @param files armored or binary certificates
 * @throws FeedkeyError `bad_certificate` if feedkey can't read a whole file, because the unread part may contain a revocation
 */
export async function readCertificates(files: Iterable<Uint8Array>): Promise<Evidence> {
  const revocations = new RevocationStore();
  const found: RawCertificate[] = [];
  for (const bytes of files) {
    const ring = readKeys(bytes);
    if (!ring.isWhole) {
      const problems = ring.problems.map(escapeText);
      throw new FeedkeyError("bad_certificate", `certificates can't be read to the end: ${problems.join(", ")}`, {
        details: { problems },
        hint: "get the file with the certificates again: the missing part may contain a revocation",
      });
    }
    revocations.add(ring);
    for (const certificate of ring.certificates) found.push(certificate);
  }
  const certificates = [...collect(found).values()].map((one) => revocations.attachTo(one));
  const keys = await KeyIndex.of(certificates);
  const facts = await factsOf(keys);
  const revokers = new Map(facts.map((one) => [one.primary.fingerprint, [...designatedBy([one])]]));
  const whole = certificates.map((one) => revocations.attachTo(one, revokers.get(one.fingerprint)));
  if (whole.every((one, place) => one === certificates[place])) return { certificates: facts, keys };
  const again = await KeyIndex.of(whole);
  return { certificates: await factsOf(again), keys: again };
}

/**
 * Reads the signatures over a document, and checks them cryptographically. The caller passes the result to `judgeIndex`.
 * @param signature a detached signature file, armored or binary
 * @param document the exact bytes that were signed
 * @throws FeedkeyError `no_signature` if the file has no signature; `bad_signature_data` if it contains anything but
 * signatures
 */
export async function readSignatures(
  signature: Uint8Array,
  document: Uint8Array,
  { keys }: Pick<Evidence, "keys">,
): Promise<DataSignature[]> {
  return await checkSignatures(readSignatureFile(signature, "the signature"), document, keys);
}
