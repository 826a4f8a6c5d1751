/** Who is said to have delegated something, before anything is checked. */
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { makerOf, readSignature } from "../openpgp/packet/raw-signature.ts";
import { isDelegation } from "../trust/delegation-terms.ts";

/** Fingerprints or key IDs of those who, as a certificate says, delegated something to it: claims that nobody checked. */
export function delegatorsOf({ userIds }: Pick<RawCertificate, "userIds">): string[] {
  const raws = userIds.flatMap(({ signatures }) => signatures.flatMap(({ body }) => readSignature(body) ?? []));
  return [...new Set(raws.filter(({ hashed }) => isDelegation(hashed)).flatMap((raw) => makerOf(raw) ?? []))];
}
