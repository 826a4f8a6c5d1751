/** Who is said to have delegated something, before anything is checked. */
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { parseSignature } from "../openpgp/packet/raw-signature.ts";
import { isDelegation } from "../trust/delegation-terms.ts";

/** Fingerprints or key IDs of those who, as a certificate says, delegated something to it: claims that nobody checked. */
export function delegatorsOf({ userIds }: Pick<RawCertificate, "userIds">): string[] {
  return [...new Set(userIds.flatMap(({ signatures }) => signatures.flatMap(({ body }) => delegator(body))))];
}

/** Fingerprint or key ID of the issuer in a delegation's packet; none if it is not a delegation. */
function delegator(body: Uint8Array): string[] {
  const raw = parseSignature(body);
  if (typeof raw === "string" || !isDelegation(raw.hashed)) return [];
  const name = raw.issuer.fingerprint ?? raw.issuer.keyId;
  return name === undefined ? [] : [name];
}
