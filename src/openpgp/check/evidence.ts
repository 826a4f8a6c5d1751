/**
 * Makes the judge's input from files: certificates with verified signatures on each other, and signatures that are checked with
 * these certificates.
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

/** The certificates that were read, in two forms. */
export interface Evidence {
  /** The facts, for `judge`. */
  readonly certificates: readonly CertificateFacts[];
  /** The keys, for `readSignatures`. */
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
 * Returns the facts about all certificates in an index, in its order. Signatures of these certificates over each other
 * are checked.
 * @param onVerified called with the body of each signature packet that verified
 */
export async function factsOf(keys: KeyIndex, onVerified?: (body: Uint8Array) => void): Promise<CertificateFacts[]> {
  const facts: CertificateFacts[] = [];
  for (const certificate of keys.certificates) facts.push(await readFacts(certificate, keys, onVerified));
  return facts;
}

/**
 * Reads certificates and bare revocations, including revocations by designated revokers.
 * @param files armored or binary certificates
 * @throws FeedkeyError `bad_certificate` if a file can't be read to its end: the missing part may contain a revocation
 */
export async function readCertificates(files: Iterable<Uint8Array>): Promise<Evidence> {
  const revocations = new RevocationStore();
  const found: RawCertificate[] = [];
  for (const bytes of files) {
    const ring = readKeys(bytes);
    if (!ring.isWhole) {
      const problems = ring.problems.map(escapeText);
      throw new FeedkeyError("bad_certificate", `certificates can't be read to their end: ${problems.join(", ")}`, {
        details: { problems },
        hint: "get the file with the certificates again: a revocation may be in the part that is missing",
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
 * Reads the signatures over a document and checks them cryptographically; `judgeIndex` then judges them.
 * @param signature a detached signature file, armored or binary
 * @param document exactly the bytes that were signed
 * @throws FeedkeyError `no_signature` if the file is empty; `bad_signature_data` if it contains anything but signatures
 */
export async function readSignatures(
  signature: Uint8Array,
  document: Uint8Array,
  { keys }: Pick<Evidence, "keys">,
): Promise<DataSignature[]> {
  return await checkSignatures(readSignatureFile(signature, "the signature"), document, keys);
}
