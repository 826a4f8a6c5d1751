/** Vectors about the signer's key, and how it hangs on the seed. */
import { archiveId, certificate, selfSignature } from "./certificate.ts";
import { day } from "./dates.ts";
import { concat, framed } from "./framing.ts";
import { certification, keyRevocation, subkeySignature, withdrawal } from "./signature.ts";
import * as sub from "./subpackets.ts";
import {
  byNext,
  type Cases,
  days,
  good,
  next,
  revoked,
  seed,
  sign,
  signer,
  stranger,
  successor,
} from "./vector-parts.ts";

export const keyCases: Cases = {
  expired: {
    "key-expired": { about: "the key has expired, the signature is from before", own: { keyExpiresAfter: days(60) } },
    "subkey-expired": {
      about: "the subkey has expired",
      own: { subkeys: [{ key: signer, keyExpiresAfter: days(60) }] },
      signed: { by: signer },
    },
    "expiry-shortened": {
      about: "the newest self-signature lets the key expire sooner",
      own: { certifiedBy: [selfSignature({ key: seed, at: day(20), keyExpiresAfter: days(60) })] },
    },
  },
  revoked: {
    retired: { about: "retired, the signature is from before", own: revoked(3) },
    superseded: { about: "superseded, the signature is from before", own: revoked(1) },
    compromised: { about: "compromised", own: revoked(2) },
    "compromised-in-the-future": { about: "compromised, dated in the future", own: revoked(2, day(300)) },
    "no-reason": {
      about: "revoked without a reason",
      own: { signatures: [keyRevocation({ by: seed, of: seed, at: day(60) })] },
    },
    "revoked-sha1": { about: "revoked by a signature over SHA-1", own: revoked(2, day(60), { hash: "sha1" }) },
    "revocation-expired": {
      about: "revoked by a signature that has expired itself",
      own: revoked(2, day(60), { expiresAfter: 60 }),
    },
    "revoked-then-certified": {
      about: "revoked, with a newer self-signature",
      own: { ...revoked(3), certifiedBy: [selfSignature({ key: seed, at: day(90) })] },
    },
    "revoked-by-designated-revoker": {
      about: "revoked by a revoker that the key designated",
      own: { hashed: [sub.revoker(stranger)], signatures: [keyRevocation({ by: stranger, of: seed, at: day(60) })] },
      others: [certificate({ key: stranger })],
    },
    "subkey-revoked": {
      about: "the subkey is revoked",
      own: {
        subkeys: [
          {
            key: signer,
            signatures: [subkeySignature(0x28, { by: seed, primary: seed, subkey: signer, at: day(60) })],
          },
        ],
      },
      signed: { by: signer },
    },
    "subkey-twice": {
      about: "the subkey appears twice, its revocation under one copy",
      own: {
        subkeys: [
          signer,
          {
            key: signer,
            bound: false,
            signatures: [subkeySignature(0x28, { by: seed, primary: seed, subkey: signer, at: day(60) })],
          },
        ],
      },
      signed: { by: signer },
    },
    "successor-revoked": {
      about: "by a successor that is revoked",
      file: byNext,
      others: [successor({}, { signatures: [keyRevocation({ by: next, of: next, at: day(60) })] })],
    },
  },
  fork: {
    fork: {
      about: "by one of two successors that do not certify each other",
      file: byNext,
      others: [
        successor(),
        certificate({
          key: stranger,
          certifiedBy: [certification({ by: seed, of: stranger, userId: archiveId, at: day(10) })],
        }),
      ],
    },
    "fork-certified-back": {
      about: "the same, and both certify their issuer",
      own: {
        certifiedBy: [next, stranger].map((by) => certification({ by, of: seed, userId: archiveId, at: day(11) })),
      },
      file: byNext,
      others: [
        successor(),
        certificate({
          key: stranger,
          certifiedBy: [certification({ by: seed, of: stranger, userId: archiveId, at: day(10) })],
        }),
      ],
    },
  },
  untrusted_signer: {
    "unknown-key": { about: "by a key whose certificate is not at hand", signed: { by: stranger } },
    "not-certified": { about: "by a key that nobody certified", file: byNext, others: [certificate({ key: next })] },
    "certified-by-subkey": {
      about: "certified by the seed's subkey",
      own: { subkeys: [signer] },
      file: byNext,
      others: [successor({ by: signer })],
    },
    "certified-sha1": { about: "certified over SHA-1", file: byNext, others: [successor({ hash: "sha1" })] },
    "certification-expired": {
      about: "certified for a time that has passed",
      file: byNext,
      others: [successor({ expiresAfter: days(20) })],
    },
    "certification-local": {
      about: "certified, but not for export",
      file: byNext,
      others: [successor({ hashed: [sub.exportable(false)] })],
    },
    "certification-critical": {
      about: "certified with an unknown critical subpacket",
      file: byNext,
      others: [successor({ hashed: [sub.critical(sub.raw(100))] })],
    },
    "certification-before-key": {
      about: "certified before the key was made",
      file: byNext,
      others: [successor({ at: day(-1) })],
    },
    "certification-in-the-future": {
      about: "certified in the future",
      file: byNext,
      others: [successor({ at: day(101) })],
    },
    "certification-withdrawn": {
      about: "certified, and that withdrawn",
      file: byNext,
      others: [successor({}, { certifiedBy: [withdrawal({ by: seed, of: next, userId: archiveId, at: day(20) })] })],
    },
    "certified-after-expiry": {
      about: "certified after the issuer had expired",
      own: { keyExpiresAfter: days(5) },
      file: byNext,
      others: [successor()],
    },
    "issuer-compromised": {
      about: "certified by a key that was compromised later",
      own: revoked(2),
      file: byNext,
      others: [successor()],
    },
    "issuer-retired": {
      about: "certified by a key that was retired later",
      own: revoked(3),
      file: byNext,
      others: [successor()],
    },
    "other-user-id": {
      about: "certified on another user ID",
      file: byNext,
      others: [
        certificate({
          key: next,
          userIds: [
            archiveId,
            {
              userId: "Else <else@example.org>",
              signatures: [certification({ by: seed, of: next, userId: "Else <else@example.org>", at: day(10) })],
            },
          ],
        }),
      ],
    },
    "user-id-revoked": {
      about: "certified on a user ID that its owner has revoked",
      file: byNext,
      others: [successor({}, { certifiedBy: [withdrawal({ by: next, of: next, userId: archiveId, at: day(20) })] })],
    },
    "look-alike": {
      about: "certified on a user ID with another letter",
      file: byNext,
      others: [
        certificate({
          key: next,
          userIds: [
            {
              userId: "Archive <\u0430rchive@example.org>",
              signatures: [
                certification({ by: seed, of: next, userId: "Archive <\u0430rchive@example.org>", at: day(10) }),
              ],
            },
          ],
        }),
      ],
    },
    threshold: {
      about: "one signer signs twice, and two are wanted",
      file: concat(good, framed(sign({ at: day(51) }))),
      profile: { threshold: 2 },
    },
  },
};
