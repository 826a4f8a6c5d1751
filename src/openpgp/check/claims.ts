/**
 * Finds the keys that may have certified a certificate, before `readFacts` reads the certificate. This saves time if there are
 * many foreign certificates.
 */
import type { Notation } from "../../trust/facts.ts";
import type { RawCertificate } from "../certificate/certificate.ts";
import { type LoadedKey, loadKey } from "../packet/key-packet.ts";
import { makerOf, namesIssuer } from "../packet/raw-signature.ts";
import { Signed } from "../packet/signed-parts.ts";
import { isSignedBy } from "./check-signature.ts";
import { type Candidate, findGood, fitting, type Makers, putAside, revocationKind } from "./good-signatures.ts";

/** A certification over a user ID that names another key as its maker. */
export interface Claim {
  /** The fingerprint or key ID of the key that the certification names. */
  readonly issuer: string;
  /** The exact bytes of the user ID, as a `latin1` string. */
  readonly userId: string;
  readonly notations: readonly Notation[];
  readonly signature: Candidate;
}

/**
 * Returns the certifications over a certificate's user IDs that name other keys as makers and contain the right first octets
 * of the digest.
 */
export async function claimsOn({ fingerprint, primary, userIds }: RawCertificate): Promise<Claim[]> {
  // feedkey skips certificates without certifications, because a file may have a hundred thousand such certificates.
  if (userIds.every(({ signatures }) => signatures.length === 0)) return [];
  const key = await loadKey(primary.body, fingerprint);
  if (key === undefined) return [];
  const claims: Claim[] = [];
  for (const { packet, signatures } of userIds) {
    const signed = new Signed({ key, userId: packet.body });
    const userId = Buffer.from(packet.body).toString("latin1");
    for (const raw of fitting(signatures, signed)) {
      const issuer = makerOf(raw);
      if (issuer === undefined || raw.type < 0x10 || raw.type > 0x13 || namesIssuer(raw, fingerprint)) continue;
      claims.push({ issuer, userId, notations: raw.hashed.notations, signature: putAside(raw, signed) });
    }
  }
  return claims;
}

/** Returns a function that checks whether this key made a signature. */
function by(key: LoadedKey): Makers {
  return async (raw, signed, together) => ((await isSignedBy(raw, signed, key, together)) ? [key] : []);
}

/** Whether a key made any of these certifications. Runs the checks simultaneously. */
export async function hasMadeAny(key: LoadedKey, claims: readonly Claim[]): Promise<boolean> {
  const signatures = claims.map(({ signature }) => signature);
  return (await findGood(signatures, by(key), { isEnough: () => true, together: true })).size > 0;
}

/** Whether a key has revoked itself with a hard revocation (T3c: a key with a hard revocation never counts). */
export async function hasRevokedItselfHard({ signatures }: RawCertificate, key: LoadedKey): Promise<boolean> {
  const signed = new Signed({ key });
  const hard: Candidate[] = [];
  for (const raw of fitting(signatures, signed)) {
    if (raw.type === 0x20 && revocationKind(raw) === "hard") hard.push(putAside(raw, signed));
  }
  return (await findGood(hard, by(key), { isEnough: () => true })).size > 0;
}
