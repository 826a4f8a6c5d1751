/** Finds the certificate authorities that this system trusts, which curl and apt use too. */
import * as tls from "node:tls";
import { readTrustedFile } from "../files/trusted-file.ts";

/**
 * The usual paths of the system's CA file: Debian and Alpine, Red Hat, SUSE, NetBSD, FreeBSD, other systems. feedkey reads the
 * first usable file.
 */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/openssl/certs/ca-certificates.crt",
  "/usr/local/share/certs/ca-root-nss.crt",
  "/etc/ssl/cert.pem",
];

/** Node's own function for the system's authorities; undefined before Node 22.15 and 23.8. */
const { getCACertificates } = tls as { getCACertificates?: (type: "system") => string[] };

/** Returns the PEM certificates (RFC 7468) in a text, and ignores the rest of the text. */
export function pemCertificates(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
}

/**
 * Returns the system's certificate authorities as PEM texts; empty if feedkey finds no usable CA file. Skips a file that it
 * can't read.
 * @param env the environment: `SSL_CERT_FILE` is the path of another CA file, as for OpenSSL
 */
export async function systemAuthorities(env: Readonly<Record<string, string | undefined>>): Promise<string[]> {
  const { SSL_CERT_FILE: named } = env;
  if (named === undefined && getCACertificates !== undefined) return getCACertificates("system");
  for (const file of named === undefined ? bundles : [named]) {
    const use = { what: "the file of CA certificates", code: "bad_config" } as const;
    // feedkey skips a file that other users can change, as if it were missing: with fewer authorities, feedkey only trusts
    // fewer servers.
    const text = await readTrustedFile(file, use).catch(() => Buffer.alloc(0));
    const found = pemCertificates(text.toString("latin1"));
    if (found.length > 0) return found;
  }
  return [];
}
