/** Vectors about the signature and its file. */
import { certificate, selfSignature } from "./certificate.ts";
import { day } from "./dates.ts";
import { armored, concat, framed } from "./framing.ts";
import { dsaKey, ed25519Key, rsaKey } from "./keys.ts";
import { dataSignature, keyRevocation, signature, subkeySignature } from "./signature.ts";
import * as sub from "./subpackets.ts";
import {
  byNext,
  type Cases,
  damaged,
  days,
  good,
  index,
  seed,
  sign,
  signer,
  stranger,
  successor,
} from "./vector-parts.ts";

export const signatureCases: Cases = {
  good: {
    good: { about: "nothing is wrong" },
    "good-armored": { about: "the signature is armored", file: Buffer.from(armored("SIGNATURE", good)) },
    "good-rsa": { about: "RSA of 2048 bits", own: { key: rsaKey("rsa-a") }, signed: { by: rsaKey("rsa-a") } },
    "good-v6": {
      about: "a key and a signature of version 6",
      own: { key: ed25519Key("vector six", { version: 6 }) },
      signed: { by: ed25519Key("vector six", { version: 6 }) },
    },
    "good-subkey": { about: "by a bound signing subkey", own: { subkeys: [signer] }, signed: { by: signer } },
    "good-among-others": {
      about: "an unknown and a bad signature before the good one",
      file: concat(framed(sign({ by: stranger })), damaged, good),
    },
    "good-two-blocks": {
      about: "the good one in the second armored block",
      file: Buffer.from(armored("SIGNATURE", framed(sign({ by: stranger }))) + armored("SIGNATURE", good)),
    },
    "good-successor": { about: "by a key that the seed certified", file: byNext, others: [successor()] },
    "good-successor-of-expired": {
      about: "by the successor of a seed that has expired since",
      own: { keyExpiresAfter: days(60) },
      file: byNext,
      others: [successor()],
    },
    "good-revoked-by-stranger": {
      about: "a revocation by somebody else",
      own: { signatures: [keyRevocation({ by: stranger, of: seed, at: day(1) })] },
      others: [certificate({ key: stranger })],
    },
    "good-threshold": {
      about: "two signers where two are wanted",
      file: concat(good, byNext),
      others: [successor()],
      profile: { threshold: 2 },
    },
  },
  no_signature: {
    "empty-file": { about: "an empty signature file", file: new Uint8Array() },
    "white-space": { about: "nothing but white space", file: Buffer.from("\n \n") },
  },
  bad_signature_data: {
    "literal-packet": {
      about: "a literal packet behind the signature",
      file: concat(good, framed({ tag: 11, body: Uint8Array.of(0x62, 0, 0, 0, 0, 0, 0x78) })),
    },
    "compressed-packet": {
      about: "a compressed packet",
      file: framed({ tag: 8, body: concat(Uint8Array.of(0), good) }),
    },
    "text-before-armor": { about: "text before the armor", file: Buffer.from(`hello\n${armored("SIGNATURE", good)}`) },
    "text-after-armor": { about: "text behind the armor", file: Buffer.from(`${armored("SIGNATURE", good)}hello\n`) },
    "cut-off": { about: "the last byte is missing", file: good.subarray(0, -1) },
    "trailing-byte": { about: "a byte behind the signature", file: concat(good, Uint8Array.of(0)) },
    "web-page": { about: "a web page", file: Buffer.from("<html><body>404 Not Found</body></html>\n") },
  },
  bad_signature: {
    "other-data": { about: "over another index", signed: { data: Buffer.from("Package: b\n") } },
    "damaged-value": { about: "one bit of the signature's value changed", file: damaged },
    "text-mode": { about: "a signature over text (0x01)", signed: { type: 0x01 } },
    standalone: {
      about: "a signature that stands alone (0x02)",
      file: framed(signature(0x02, new Uint8Array(), { by: seed, at: day(50) })),
    },
    certification: { about: "the key's own self-signature (0x13)", file: framed(selfSignature({ key: seed })) },
    timestamp: {
      about: "a timestamp signature (0x40)",
      file: framed(signature(0x40, new Uint8Array(), { by: seed, at: day(50) })),
    },
    "date-unhashed": {
      about: "the creation date stands in the unhashed area alone",
      signed: { hashedArea: sub.area([sub.issuerFingerprint(seed)]), unhashed: [sub.created(day(50))] },
    },
    "two-dates": { about: "two creation dates", signed: { hashed: [sub.created(day(51))] } },
    "critical-subpacket": {
      about: "an unknown critical subpacket",
      signed: { hashed: [sub.critical(sub.raw(100, [1]))] },
    },
    "critical-notation": {
      about: "an unknown critical notation",
      signed: { hashed: [sub.critical(sub.notation("x@example.org", "y"))] },
    },
    "older-than-key": { about: "dated before the key was made", signed: { at: day(-1) } },
    "certify-only-key": { about: "by a primary that is only for certifying", own: { flags: ["certify"] } },
    "encryption-subkey": {
      about: "by a subkey that is for encryption",
      own: { subkeys: [{ key: signer, flags: ["encrypt"] }] },
      signed: { by: signer },
    },
    "no-back-signature": {
      about: "by a subkey without back-signature",
      own: { subkeys: [{ key: signer, backSignature: "none" }] },
      signed: { by: signer },
    },
    "foreign-back-signature": {
      about: "by a subkey whose back-signature is for another primary",
      own: {
        subkeys: [
          {
            key: signer,
            backSignature: subkeySignature(0x19, { by: signer, primary: stranger, subkey: signer, at: day(0) }),
          },
        ],
      },
      signed: { by: signer },
    },
    "unbound-subkey": {
      about: "by a subkey that is not bound",
      own: { subkeys: [{ key: signer, bound: false }] },
      signed: { by: signer },
    },
    "v6-signature-by-v4-key": { about: "a version 6 signature by a version 4 key", signed: { version: 6 } },
    "wrong-issuer-claimed": {
      about: "another key's signature in the seed's name",
      signed: { by: { ...stranger, fingerprint: seed.fingerprint, keyId: seed.keyId } },
    },
  },
  weak_algorithm: {
    sha1: { about: "over SHA-1", signed: { hash: "sha1" } },
    md5: { about: "over MD5", signed: { hash: "md5" } },
    ripemd160: { about: "over RIPEMD-160", signed: { hash: "ripemd160" } },
    sha224: { about: "over SHA-224", signed: { hash: "sha224" } },
    "rsa-sha1": {
      about: "RSA over SHA-1",
      own: { key: rsaKey("rsa-a") },
      signed: { by: rsaKey("rsa-a"), hash: "sha1" },
    },
    rsa1024: { about: "by RSA of 1024 bits", own: { key: rsaKey("rsa1024") }, signed: { by: rsaKey("rsa1024") } },
    dsa: { about: "by DSA", own: { key: dsaKey() }, signed: { by: dsaKey() } },
    "self-signature-sha1": { about: "the key's only self-signature is over SHA-1", own: { hash: "sha1" } },
  },
  not_yet_valid: { "from-the-future": { about: "dated ten minutes ahead", signed: { at: day(100) + 600_000 } } },
  stale: {
    "signature-expired": { about: "the signature has expired", signed: { expiresAfter: days(10) } },
    "no-expiry": { about: "no expiry, and the profile asks for one", profile: { requireExpiry: true } },
  },
  wrong_feed: {
    "other-feed": { about: "signed for another feed", signed: { feed: "extra" } },
    "no-feed": {
      about: "names no feed, and the profile asks for it",
      file: framed(dataSignature({ by: seed, at: day(50), data: index })),
      profile: { requireFeedName: true },
    },
    "two-feeds": { about: "signed for two feeds", signed: { hashed: [sub.notation("feed@example.org", "extra")] } },
  },
};
