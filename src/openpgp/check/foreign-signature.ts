/**
 * Recognizes signature files of other programs by their first bytes. They may have the same names as OpenPGP files: for example,
 * usign writes `Packages.sig` for OpenWrt's opkg.
 */

/**
 * Whether a file begins with a DER sequence of more than 127 bytes, such as a CMS signature. An OpenPGP packet begins
 * differently, because the top bit of its first octet is set.
 */
function isLongDer([first, second = 0]: Uint8Array): boolean {
  return first === 0x30 && second > 0x80 && second <= 0x84;
}

/** Whether a file begins with a short DER sequence of integers, such as an ECDSA signature by openssl. */
function isEcdsa([first, second = 0, third]: Uint8Array): boolean {
  return first === 0x30 && second < 0x80 && third === 0x02;
}

/** Names the program that made a signature file; returns undefined for an OpenPGP signature or an unknown program. */
export function foreignSignature(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 256))
    .toString("latin1")
    .replace(/^(\xef\xbb\xbf)?\s*/, "");
  if (/^untrusted comment:/.test(start)) return "usign, signify or minisign";
  if (/^-----BEGIN SSH SIGNATURE-----/.test(start)) return "ssh-keygen";
  const [, label] = /^-----BEGIN (?!PGP )([A-Z0-9 ]{1,40})-----/.exec(start) ?? [];
  if (label !== undefined) return `a program that writes "${label}"`;
  if (isEcdsa(bytes)) return "a program that writes ECDSA in DER, such as openssl";
  return isLongDer(bytes) ? "a program that writes CMS" : undefined;
}
