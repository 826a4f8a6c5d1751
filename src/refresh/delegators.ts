/** Finds the claimed issuers of delegations, before anything is verified. */
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { makerOf, readSignature } from "../openpgp/packet/raw-signature.ts";
import { isDelegation } from "../trust/delegation-terms.ts";

/**
 * Returns the fingerprints or key IDs of keys that delegated to a certificate, according to unverified claims in the
 * certificate.
 */
export function delegatorsOf({ userIds }: Pick<RawCertificate, "userIds">): string[] {
  const raws = userIds.flatMap(({ signatures }) => signatures.flatMap(({ body }) => readSignature(body) ?? []));
  return [...new Set(raws.filter(({ hashed }) => isDelegation(hashed)).flatMap((raw) => makerOf(raw) ?? []))];
}
