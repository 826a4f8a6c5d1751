/**
 * Recognises signature files of other programs by their beginning. They can have the same names as OpenPGP's: the
 * `Packages.sig` of OpenWrt's opkg is made by usign.
 */

/** The beginning of a DER sequence of more than 127 bytes, such as a CMS signature. A packet's first octet has its top bit set. */
function isLongDer([first, second = 0]: Uint8Array): boolean {
  return first === 0x30 && second > 0x80 && second <= 0x84;
}

/** Two integers in DER, as openssl writes an ECDSA signature. */
function isEcdsa([first, second = 0, third]: Uint8Array): boolean {
  return first === 0x30 && second < 0x80 && third === 0x02;
}

/** The program that made a signature file, in words; undefined for OpenPGP, and if unknown. */
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
