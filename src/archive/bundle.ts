/** The key bundle at the archive's root: a source of certificates for clients and people, never an authority. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../error.ts";
import { armor } from "../openpgp/armor.ts";
import { writeCertificate } from "../openpgp/certificate.ts";
import { bundlePath } from "../profile/layout.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { matchesIdentity } from "../trust/identity.ts";
import type { OwnCertificate } from "./signing-key.ts";

export interface BundleFile {
  readonly path: string;
  readonly data: Uint8Array | string;
}

/**
 * The certificates that belong into the bundle: the signing key's, and every other of the key store that ever carried
 * the archive's user ID, revoked ones too, and those that have revoked the user ID: clients must hear of it; and delegates.
 */
export function bundleCertificates(
  own: ReadonlyMap<Fingerprint, OwnCertificate>,
  signing: OwnCertificate,
  userId: string,
): OwnCertificate[] {
  const identity = { kind: "user-id", userId } as const;
  const claims = ({ facts }: OwnCertificate) => {
    return facts.userIds.some((id) => id.selfSignatures.length > 0 && matchesIdentity(id.bytes, identity));
  };
  return [...own.values()]
    .filter((one) => {
      const same = one.raw.fingerprint === signing.raw.fingerprint;
      return same || claims(one) || isDelegate(one);
    })
    .sort((a, b) => {
      const [x, y] = [a.facts.primary, b.facts.primary];
      return x.createdAt - y.createdAt || (x.fingerprint < y.fingerprint ? -1 : 1);
    });
}

/** Whether a key of the store delegated to it: clients look for delegates in the bundle, withdrawn ones too. */
function isDelegate({ facts }: OwnCertificate): boolean {
  return facts.userIds.some(({ certifications }) => certifications.some(isDelegation));
}

/** The two files of the bundle, binary and armored; only those whose contents differ from what lies there. */
export async function planBundle(root: string, certificates: readonly OwnCertificate[]): Promise<BundleFile[]> {
  const binary = Buffer.concat(certificates.map(({ raw }) => writeCertificate(raw)));
  const files: BundleFile[] = [
    { path: join(root, bundlePath), data: binary },
    { path: join(root, bundlePath.replace(/pgp$/, "asc")), data: armor(binary, "PUBLIC KEY BLOCK") },
  ];
  const changed: BundleFile[] = [];
  for (const file of files) {
    const there = await fs.readFile(file.path).catch((error: unknown) => {
      if (systemCode(error) === undefined) throw error;
      return undefined;
    });
    if (there === undefined || Buffer.compare(there, Buffer.from(file.data)) !== 0) changed.push(file);
  }
  return changed;
}
