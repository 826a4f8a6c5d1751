/** Signature files of other programs, known by how they begin. They have the same names as OpenPGP's: OpenWrt's opkg reads `Packages.sig` by usign. */

/** The beginning of a DER sequence of more than 127 bytes, such as a CMS signature. A packet's first octet has its top bit set. */
function isDer([first, second = 0]: Uint8Array): boolean {
  return first === 0x30 && second > 0x80 && second <= 0x84;
}

/** Whose signature a file holds, in words; undefined for OpenPGP, and for what can't be told, such as a damaged file. */
export function foreignSignature(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 64)).toString("latin1");
  if (/^untrusted comment:/.test(start)) return "usign, signify or minisign";
  if (/^-----BEGIN SSH SIGNATURE-----/.test(start)) return "ssh-keygen";
  const [, label] = /^-----BEGIN (?!PGP )([A-Z0-9 ]{1,40})-----/.exec(start) ?? [];
  if (label !== undefined) return `a program that writes "${label}"`;
  return isDer(bytes) ? "a program that writes CMS" : undefined;
}
