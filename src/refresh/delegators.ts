/** Finds who made delegations, according to packets that feedkey has not verified yet. */
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { makerOf, readSignature } from "../openpgp/packet/raw-signature.ts";
import { isDelegation } from "../trust/delegation-terms.ts";

/**
 * Returns the keys that delegated to a certificate, according to unverified packets in this certificate.
 * @returns fingerprints or key IDs
 */
export function delegatorsOf({ userIds }: Pick<RawCertificate, "userIds">): string[] {
  const raws = userIds.flatMap(({ signatures }) => signatures.flatMap(({ body }) => readSignature(body) ?? []));
  return [...new Set(raws.filter(({ hashed }) => isDelegation(hashed)).flatMap((raw) => makerOf(raw) ?? []))];
}
