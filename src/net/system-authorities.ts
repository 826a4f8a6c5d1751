/** Finds the certificate authorities of this system, which curl and apt use. */
import * as tls from "node:tls";
import { readTrustedFile } from "../files/trusted-file.ts";

/** The bundles on Debian and Alpine, Red Hat, SUSE, NetBSD, FreeBSD and other systems; the first usable file counts. */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/openssl/certs/ca-certificates.crt",
  "/usr/local/share/certs/ca-root-nss.crt",
  "/etc/ssl/cert.pem",
];

/** Node's own function, which exists since Node 22.15 and 23.8. */
const { getCACertificates } = tls as { getCACertificates?: (type: "system") => string[] };

/** Returns the PEM certificates (RFC 7468) in a text, whatever else the text contains. */
export function pemCertificates(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
}

/**
 * Returns the system's certificate authorities in PEM; empty if the system has none of the known stores. A file that can't be
 * read is skipped, so that nothing is trusted through it.
 * @param env `SSL_CERT_FILE` is the path of another bundle, as for OpenSSL
 */
export async function systemAuthorities(env: Readonly<Record<string, string | undefined>>): Promise<string[]> {
  const { SSL_CERT_FILE: named } = env;
  if (named === undefined && getCACertificates !== undefined) return getCACertificates("system");
  for (const file of named === undefined ? bundles : [named]) {
    const use = { what: "the file of CA certificates", code: "bad_config" } as const;
    // A file that other users can change is skipped like a missing file: skipping a file can only reduce trust.
    const text = await readTrustedFile(file, use).catch(() => Buffer.alloc(0));
    const found = pemCertificates(text.toString("latin1"));
    if (found.length > 0) return found;
  }
  return [];
}
