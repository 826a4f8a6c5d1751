/**
 * Recognizes the kinds of files that people use as keyrings. These are certificates as text or binary data, and also files
 * without certificates.
 */

// The first blob of a keybox starts with its length in 4 bytes, then its type, version and flags, and then this text. See
// doc/keyboxfmt in GnuPG.
const keyboxMagic = { at: 8, text: "KBXf" };

const utf16 = [
  { mark: [0xff, 0xfe], isSwapped: false },
  { mark: [0xfe, 0xff], isSwapped: true },
] as const;

function utf16Of(bytes: Uint8Array) {
  return utf16.find(({ mark }) => mark.every((byte, at) => bytes[at] === byte));
}

/**
 * Returns a text file with one byte for each character. Converts files in UTF-16, because `>` in Windows PowerShell writes
 * UTF-16.
 */
export function asLatin1(bytes: Uint8Array): Uint8Array {
  const form = utf16Of(bytes);
  if (form === undefined) return bytes;
  const pairs = Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)));
  return Buffer.from((form.isSwapped ? pairs.swap16() : pairs).toString("utf16le"), "latin1");
}

/**
 * Whether a file is text, not packets. The first octet of every packet has its top bit set, but so does a byte-order mark, or a
 * comment in a non-Latin script. So the function looks for control characters: a text has none, but the version number in a
 * key packet's first octets is a control character.
 */
export function isText(bytes: Uint8Array): boolean {
  const [first] = bytes;
  if (first === undefined) return false;
  if ((first & 0x80) === 0 || utf16Of(bytes) !== undefined) return true;
  const isControl = (byte: number) => byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d);
  return !bytes.some(isControl);
}

const textKinds: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/^\s*<(!doctype|html|\?xml|head|body)\b/i, "a web page"],
  [/^untrusted comment:/, "a key or signature of usign or signify, which is not OpenPGP"],
  [/^(ssh-|ecdsa-|-----BEGIN OPENSSH)/, "an SSH key"],
  [/^-----BEGIN (?!PGP )[A-Z0-9 ]+-----/m, "a PEM file (X.509), not OpenPGP"],
  [/^-----BEGIN PGP (SIGNATURE|SIGNED MESSAGE|MESSAGE)-----/m, "an OpenPGP signature or message"],
];

function startsWith(bytes: Uint8Array, ...start: readonly number[]): boolean {
  return start.every((byte, at) => bytes[at] === byte);
}

/**
 * Returns the kind of a file that does not begin with packets; undefined if the file may contain certificates. The text
 * completes "it is". A text file with a known kind may still contain armored certificates.
 */
export function kindOfFile(bytes: Uint8Array): string | undefined {
  const { at, text } = keyboxMagic;
  if (startsWith(bytes, 0) && Buffer.from(bytes.subarray(at, at + text.length)).toString("latin1") === text) {
    return "a GnuPG keybox (such as pubring.kbx): export the certificates from it with gpg --no-default-keyring --keyring FILE --armor --export FINGERPRINT";
  }
  if (startsWith(bytes, 0x1f, 0x8b)) return "a gzip file: decompress it first";
  if (startsWith(bytes, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return "an xz file: decompress it first";
  if (startsWith(bytes, 0x50, 0x4b, 0x03, 0x04)) return "a zip file: extract the certificates first";
  if (startsWith(bytes, 0x53, 0x51, 0x4c, 0x69, 0x74, 0x65)) {
    return "a database (such as pubring.db of GnuPG's keyboxd): export the certificates from it with gpg --armor --export FINGERPRINT";
  }
  if (!isText(bytes)) return undefined;
  const head = Buffer.from(asLatin1(bytes.subarray(0, 4096))).toString("latin1");
  return textKinds.find(([pattern]) => pattern.test(head.replace(/^\u00ef\u00bb\u00bf/, "")))?.[1];
}
