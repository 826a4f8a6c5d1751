/**
 * Creates signatures as packets. The high-level functions in the OpenPGP library are not suitable, because they choose keys, hashes
 * and dates by their own rules.
 */
import { config, enums, type SecretKeyPacket, type SecretSubkeyPacket, SignaturePacket } from "openpgp";
import { FeedkeyError } from "../../error.ts";
import type { Instant } from "../../time.ts";
import type { HashedDocument } from "../packet/hashed-document.ts";
import { type Packet, tags } from "../packet/packets.ts";
import { type RawSignature, readSignature } from "../packet/raw-signature.ts";
import { KeySignaturePacket } from "./key-signature-packet.ts";
import { signDigest } from "./native-signer.ts";

export type SecretPacket = SecretKeyPacket | SecretSubkeyPacket;

export interface SignatureContent {
  /** The signature type, as an octet. */
  readonly type: number;
  readonly at: Instant;
  /** The time when the signature expires; undefined if the signature never expires. */
  readonly expiresAt?: Instant | undefined;
  /**
   * Notations with text values. They are never critical, because gpgv and sqv refuse signatures with unknown critical
   * notations.
   */
  readonly notations?: readonly { readonly name: string; readonly value: string }[];
  readonly trust?: { readonly level: number; readonly amount: number } | undefined;
  readonly reason?: { readonly code: number; readonly text: string } | undefined;
}

// feedkey uses SHA-256 if the key allows it, because SHA-256 is twice as fast as SHA-512 on processors with SHA instructions. A
// larger curve needs a hash as large as the curve (RFC 9580 sections 5.2.3.2, 5.2.3.5).
function hashFor(key: SecretPacket): enums.hash {
  const { curve } = key.getAlgorithmInfo();
  if (key.algorithm === enums.publicKey.ed448 || curve === "nistP521") return enums.hash.sha512;
  if (curve === "brainpoolP512r1") return enums.hash.sha512;
  if (curve === "nistP384" || curve === "brainpoolP384r1") return enums.hash.sha384;
  return enums.hash.sha256;
}

/**
 * Returns the time between two dates in the form of OpenPGP: whole seconds in 32 bits. Zero would mean "never expires", so the
 * result is one second if the end is before the start.
 * @throws FeedkeyError `usage` if OpenPGP can't express a time of this length
 */
export function lifetimeSeconds(end: Instant, start: Instant): number {
  const seconds = Math.max(1, Math.floor(end / 1000) - Math.floor(start / 1000));
  if (seconds <= 0xffffffff) return seconds;
  throw new FeedkeyError("usage", `${Math.floor(seconds / 31_536_000)} years are more than OpenPGP can express`, {
    hint: "choose a period of at most 136 years",
  });
}

// The library's type declaration of `sign` omits the last parameter, which version 4 signatures need.
type SignFunction = (key: SecretPacket, data: object, date: Date, detached: boolean, settings: object) => Promise<void>;

// By default, the library adds a random notation as protection against faulty hardware. feedkey instead checks each signature over
// data after making it. The check finds the same faults. Without the notation, the same input produces the same bytes.
const settings = { ...config, nonDeterministicSignaturesViaNotation: false };

/**
 * Computes the numbers of a signature packet, and stores them in the packet.
 * @param detached whether the signature covers a document and is detached from it
 */
export async function sign(packet: SignaturePacket, key: SecretPacket, over: object, date: Date, detached: boolean) {
  await (packet.sign as unknown as SignFunction).call(packet, key, over, date, detached, settings);
}

async function signed(packet: SignaturePacket, key: SecretPacket, over: object, at: Instant): Promise<Packet> {
  await sign(packet, key, over, new Date(at), true);
  return { tag: tags.signature, body: packet.write() };
}

/** Signature types over documents: binary and text. */
const documentTypes: ReadonlySet<number> = new Set([enums.signature.binary, enums.signature.text]);

/**
 * Creates one signature, and returns its packet.
 * @param key an unlocked key
 * @param over the data that the signature covers: `{ key }`, `{ key, userID }`, `{ key, bind }`, or a document from
 *   {@link libraryDocument}
 */
export async function makeSignature(key: SecretPacket, over: object, content: SignatureContent): Promise<Packet> {
  const packet = documentTypes.has(content.type) ? new SignaturePacket() : new KeySignaturePacket();
  packet.signatureType = content.type;
  packet.publicKeyAlgorithm = key.algorithm;
  packet.hashAlgorithm = hashFor(key);
  if (content.expiresAt !== undefined) {
    packet.signatureExpirationTime = lifetimeSeconds(content.expiresAt, content.at);
    packet.signatureNeverExpires = false;
  }
  if (content.trust !== undefined) {
    packet.trustLevel = content.trust.level;
    packet.trustAmount = content.trust.amount;
  }
  if (content.reason !== undefined) {
    packet.reasonForRevocationFlag = content.reason.code;
    packet.reasonForRevocationString = content.reason.text;
  }
  packet.rawNotations = (content.notations ?? []).map(({ name, value }) => {
    return { name, value: new TextEncoder().encode(value), humanReadable: true, critical: false };
  });
  return await signed(packet, key, over, content.at);
}

/**
 * Returns a new self-signature that repeats an old self-signature, but with another date and another expiry of the key.
 * @param key an unlocked key
 * @param body the body of the old signature's packet
 * @param over the data that the signature covers, as for {@link makeSignature}
 */
export async function repeatSignature(
  key: SecretPacket,
  body: Uint8Array,
  over: object,
  terms: { readonly at: Instant; readonly keyLifetime: number },
): Promise<Packet> {
  const old = new SignaturePacket();
  old.read(body);
  const packet = new KeySignaturePacket();
  const known = old as unknown as Readonly<Record<string, unknown>>;
  const said = Object.fromEntries(repeated.map((name) => [name, known[name]]));
  Object.assign(packet, said, {
    hashAlgorithm: hashFor(key),
    keyExpirationTime: terms.keyLifetime,
    keyNeverExpires: false,
  });
  return await signed(packet, key, over, terms.at);
}

/** The fields of an old self-signature that the new self-signature repeats: all except the date and the key's expiry. */
const repeated = [
  "signatureType",
  "publicKeyAlgorithm",
  "exportable",
  "revocable",
  "keyFlags",
  "features",
  "isPrimaryUserID",
  "preferredSymmetricAlgorithms",
  "preferredHashAlgorithms",
  "preferredCompressionAlgorithms",
  "preferredAEADAlgorithms",
  "preferredCipherSuites",
  "preferredKeyServer",
  "keyServerPreferences",
  "policyURI",
  "signersUserID",
  "rawNotations",
  "revocationKeyClass",
  "revocationKeyAlgorithm",
  "revocationKeyFingerprint",
  "embeddedSignature",
] as const;

/** Returns a document in the form that the OpenPGP library signs as binary data (type 0x00). */
export function libraryDocument(bytes: Uint8Array): object {
  return { text: null, getBytes: () => bytes };
}

/**
 * Signs a document from its digest. The signature has the document's type.
 * @param key an unlocked key
 */
export async function signHashed(
  key: SecretPacket,
  document: HashedDocument,
  content: Omit<SignatureContent, "type">,
): Promise<Packet> {
  // feedkey first signs an empty document. Only the digest and the numbers of this signature differ from the signature over any
  // other document.
  const pattern = await makeSignature(key, libraryDocument(new Uint8Array()), { ...content, type: document.type });
  const raw = readSignature(pattern.body);
  const made = raw && signPattern(key, raw, document.signedDigest(raw));
  return made ?? (await makeSignature(key, libraryDocument(document.covered), { ...content, type: document.type }));
}

/**
 * Returns a copy of a signature with another digest, and with the numbers for that digest. Returns undefined if only the OpenPGP
 * library can sign with the key.
 */
function signPattern(key: SecretPacket, pattern: RawSignature, digest: Uint8Array): Packet | undefined {
  const numbers = signDigest(key, pattern.hash, digest);
  if (numbers === undefined) return undefined;
  const { body, unhashedEnd, saltEnd } = pattern;
  const salt = body.subarray(unhashedEnd + 2, saltEnd);
  const parts = [body.subarray(0, unhashedEnd), digest.subarray(0, 2), salt, numbers];
  return { tag: tags.signature, body: Buffer.concat(parts) };
}
