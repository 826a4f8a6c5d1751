/** T7 and T8, by what the judge says of an index: the groups "Signature" and "Key". */
import { expect } from "chai";
import { type IndexPolicy, judgeIndex } from "../../src/trust/index-signature.ts";
import {
  archiveId,
  type CertificateOptions,
  certificate,
  selfSignature,
  type TestCertificate,
} from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { armored, concat, framed, type Packet } from "../testkit/framing.ts";
import { codeBySeed, codeOf, judged, usualPolicy, verdict } from "../testkit/judging.ts";
import { dsaKey, ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import {
  certification,
  dataSignature,
  keyRevocation,
  type SignatureOptions,
  signature,
  subkeySignature,
} from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const [a, b, c, signer] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("c"), ed25519Key("signer")];
const data = Buffer.from("Package: a\nVersion: 1\n");
const days = (n: number) => n * 86_400;
const minute = 60_000;

const signed = (
  options: Partial<SignatureOptions> & { type?: number; feed?: string; data?: Uint8Array } = {},
): Packet => dataSignature({ by: a, at: day(50), data, ...options });

/** One signature by a seed, at day 100: the code, or `good`. */
const code = (
  packets: readonly Packet[] | Uint8Array,
  own: Partial<CertificateOptions> = {},
  policy: Partial<IndexPolicy> = {},
  others: readonly TestCertificate[] = [],
) => codeBySeed([certificate({ key: a, ...own }), ...others], data, packets, { policy });

const revoked = (key: TestKey, reason: number | undefined, at = day(60), more: Partial<SignatureOptions> = {}) => ({
  signatures: [
    keyRevocation({ by: key, of: key, at, hashed: reason === undefined ? [] : [sub.reason(reason)], ...more }),
  ],
});

describe("trust/index-signature", () => {
  describe("T8: the signature", () => {
    for (const [what, packet, wanted] of [
      ["a good one", signed(), "good"],
      ["with SHA-384", signed({ hash: "sha384" }), "good"],
      ["with SHA-512", signed({ hash: "sha512" }), "good"],
      ["with SHA3-256", signed({ hash: "sha3-256" }), "good"],
      ["with SHA-1", signed({ hash: "sha1" }), "weak_algorithm"],
      ["with MD5", signed({ hash: "md5" }), "weak_algorithm"],
      ["with RIPEMD-160", signed({ hash: "ripemd160" }), "weak_algorithm"],
      ["with SHA-224", signed({ hash: "sha224" }), "weak_algorithm"],
      ["over text (0x01)", signed({ type: 0x01 }), "bad_signature"],
      ["standing alone (0x02)", signature(0x02, new Uint8Array(), { by: a, at: day(50) }), "bad_signature"],
      [
        "that certifies a user ID (0x10)",
        certification({ by: a, of: a, userId: archiveId, at: day(50) }),
        "bad_signature",
      ],
      ["that is the self-signature", selfSignature({ key: a }), "bad_signature"],
      ["that revokes (0x20)", keyRevocation({ by: a, of: a, at: day(50) }), "bad_signature"],
      ["that confirms a time (0x40)", signature(0x40, new Uint8Array(), { by: a, at: day(50) }), "bad_signature"],
      ["over other data", signed({ data: Buffer.from("x") }), "bad_signature"],
      [
        "without a hashed date",
        signed({ hashedArea: sub.area([sub.issuerFingerprint(a)]), unhashed: [sub.created(day(50))] }),
        "bad_signature",
      ],
      ["with two dates", signed({ hashed: [sub.created(day(51))] }), "bad_signature"],
      ["with an unknown critical subpacket", signed({ hashed: [sub.critical(sub.raw(100, [1]))] }), "bad_signature"],
      ["with an unknown subpacket that is not critical", signed({ hashed: [sub.raw(100, [1])] }), "good"],
      ["with a critical notation", signed({ hashed: [sub.critical(sub.notation("a@b", "c"))] }), "bad_signature"],
      [
        "with a critical feed name",
        signed({ hashed: [sub.critical(sub.notation("feed@example.org", "base"))] }),
        "bad_signature",
      ],
      ["with a malformed notation", signed({ hashed: [sub.raw(20, [1])] }), "untrusted_signer"],
      ["as old as its key", signed({ at: day(0) }), "good"],
      ["older than its key", signed({ at: day(0) - 1000 }), "bad_signature"],
      ["from now", signed({ at: day(100) }), "good"],
      ["from within the skew", signed({ at: day(100) + 5 * minute }), "good"],
      ["from beyond it", signed({ at: day(100) + 5 * minute + 1000 }), "not_yet_valid"],
      ["that ends later", signed({ expiresAfter: days(50) + 1 }), "good"],
      ["that has ended", signed({ expiresAfter: days(50) }), "stale"],
      ["of version 6 by a key of version 4", signed({ version: 6 }), "bad_signature"],
      ["by a key that nobody knows", signed({ by: c }), "untrusted_signer"],
      ["that names nobody", signed({ hashedArea: sub.area([sub.created(day(50))]), unhashed: [] }), "untrusted_signer"],
      ["that names its maker by key ID alone", signed({ hashedArea: sub.area([sub.created(day(50))]) }), "good"],
      [
        "by another key in this one's name",
        signed({ by: { ...c, fingerprint: a.fingerprint, keyId: a.keyId } }),
        "bad_signature",
      ],
    ] as const) {
      it(`${what}: ${wanted}`, async () => expect(await code([packet])).to.equal(wanted));
    }
  });

  describe("T8: the file", () => {
    const good = framed(signed());
    it("of several signatures is good if one is, wherever it stands", async () => {
      const bad = [
        signed({ by: c }),
        signed({ data: Buffer.from("x") }),
        signed({ hash: "sha1" }),
        { tag: 2, body: Uint8Array.of(3, 5, 0) },
      ];
      expect(await code([...bad, signed()])).to.equal("good");
      expect(await code([signed(), ...bad])).to.equal("good");
      const blocks = `${armored("SIGNATURE", framed(signed({ by: c })))}${armored("SIGNATURE", good)}`;
      expect(await code(Buffer.from(blocks))).to.equal("good");
      expect(await code(Buffer.from(armored("SIGNATURE", concat(framed(signed({ by: c })), good))))).to.equal("good");
    });
    it("may hold other keys' signatures beside a good one, and two keys of one key ID are told apart", async () => {
      const twin = { ...c, keyId: a.keyId };
      const byId = { hashedArea: sub.area([sub.created(day(50))]), unhashed: [sub.issuerKeyId(a)] };
      expect(await code([signed({ by: twin, ...byId }), signed(byId)])).to.equal("good");
      expect(await code([signed({ by: twin, ...byId })])).to.equal("bad_signature");
    });
    it("of bad signatures tells the one that came furthest, in whatever order", async () => {
      const list: readonly (readonly [Packet, string])[] = [
        [signed({ by: c }), "untrusted_signer"],
        [signed({ data: Buffer.from("x") }), "bad_signature"],
        [signed({ hash: "sha1" }), "weak_algorithm"],
        [signed({ feed: "other" }), "wrong_feed"],
        [signed({ at: day(1), feed: "base" }), "stale"],
      ];
      for (let count = 1; count <= list.length; count++) {
        const packets = list.slice(0, count).map(([packet]) => packet);
        const wanted = list[count - 1]?.[1];
        expect(await code(packets, {}, { maxIndexAge: days(60) * 1000 })).to.equal(wanted);
        expect(await code(packets.toReversed(), {}, { maxIndexAge: days(60) * 1000 })).to.equal(wanted);
      }
    });
    it("tells who signed, with what, when and until when", async () => {
      const trust = await judged({ certificates: [certificate({ key: a, subkeys: [signer] })] });
      const result = await verdict(trust, data, [
        signed({ by: signer, expiresAfter: days(90) }),
        signed({ at: day(60) }),
      ]);
      expect(result).to.deep.equal({
        signers: [
          { certificate: a.fingerprint, signingKey: signer.fingerprint, createdAt: day(50), expiresAt: day(140) },
          { certificate: a.fingerprint, signingKey: a.fingerprint, createdAt: day(60), expiresAt: undefined },
        ],
        createdAt: day(60),
      });
    });
    it("names the signer of a refused one", async () => {
      const trust = await judged({ certificates: [certificate({ key: a })] });
      expect(await verdict(trust, data, [signed({ hash: "sha1" })])).to.include({ issuer: a.fingerprint });
      expect(await verdict(trust, data, [signed({ by: c })])).to.include({ issuer: c.fingerprint });
    });
  });

  describe("T7: the key", () => {
    for (const [what, own, wanted] of [
      ["a good one", {}, "good"],
      ["certify-only", { flags: ["certify"] }, "bad_signature"],
      ["for nothing", { flags: [] }, "bad_signature"],
      ["sign-only", { flags: ["sign"] }, "good"],
      ["expired, the signature from before", { keyExpiresAfter: days(60) }, "expired"],
      ["that expires later", { keyExpiresAfter: days(101) }, "good"],
      ["retired, the signature from before", revoked(a, 3), "revoked"],
      ["superseded, the signature from before", revoked(a, 1), "revoked"],
      ["compromised", revoked(a, 2), "revoked"],
      ["compromised, dated in the future", revoked(a, 2, day(300)), "revoked"],
      ["revoked without a reason", revoked(a, undefined), "revoked"],
      ["revoked for an unknown reason", revoked(a, 99), "revoked"],
      ["revoked with SHA-1", revoked(a, 2, day(60), { hash: "sha1" }), "revoked"],
      ["to be retired in the future", revoked(a, 3, day(200)), "good"],
      ["revoked and expired", { ...revoked(a, 3), keyExpiresAfter: days(60) }, "revoked"],
      ["revoked by a stranger", { signatures: [keyRevocation({ by: c, of: a, at: day(1) })] }, "good"],
      [
        "revoked by a forger",
        {
          signatures: [keyRevocation({ by: { ...c, fingerprint: a.fingerprint, keyId: a.keyId }, of: a, at: day(1) })],
        },
        "good",
      ],
      ["self-signed with SHA-1", { hash: "sha1" }, "weak_algorithm"],
      ["without self-signature", { userIds: [] }, "bad_certificate"],
      [
        "extended, then shortened",
        {
          certifiedBy: [
            selfSignature({ key: a, at: day(10) }),
            selfSignature({ key: a, at: day(20), keyExpiresAfter: days(90) }),
          ],
        },
        "expired",
      ],
      [
        "shortened, then extended",
        { keyExpiresAfter: days(60), certifiedBy: [selfSignature({ key: a, at: day(20) })] },
        "good",
      ],
    ] as const) {
      it(`${what}: ${wanted}`, async () =>
        expect(await code([signed()], own as Partial<CertificateOptions>)).to.equal(wanted));
    }

    for (const [what, key, wanted] of [
      ["RSA of 2048 bits", rsaKey("rsa-a"), "good"],
      ["RSA of 1024 bits", rsaKey("rsa1024"), "weak_algorithm"],
      ["DSA", dsaKey(), "weak_algorithm"],
      ["Ed25519 of version 6", ed25519Key("six", { version: 6 }), "good"],
      ["Ed25519 of the newer kind", ed25519Key("native", { native: true }), "good"],
    ] as const) {
      it(`${what}: ${wanted}`, async () => expect(await code([signed({ by: key })], { key })).to.equal(wanted));
    }

    it("revoked by a revoker that it designated, whose certificate is at hand", async () => {
      const own = {
        hashed: [sub.revoker(b)],
        signatures: [keyRevocation({ by: b, of: a, at: day(60), hashed: [sub.reason(3)] })],
      };
      expect(await code([signed()], own, {}, [certificate({ key: b })])).to.equal("revoked");
      expect(await code([signed()], own)).to.equal("good");
    });

    for (const [what, subkey, wanted] of [
      ["good", {}, "good"],
      ["for encryption", { flags: ["encrypt"] }, "bad_signature"],
      ["for certifying", { flags: ["certify"] }, "bad_signature"],
      ["without back-signature", { backSignature: "none" }, "bad_signature"],
      ["that is not bound", { bound: false }, "bad_signature"],
      ["expired", { keyExpiresAfter: days(60) }, "expired"],
      [
        "revoked",
        { signatures: [subkeySignature(0x28, { by: a, primary: a, subkey: signer, at: day(60) })] },
        "revoked",
      ],
    ] as const) {
      it(`a signing subkey, ${what}: ${wanted}`, async () => {
        expect(await code([signed({ by: signer })], { subkeys: [{ key: signer, ...(subkey as object) }] })).to.equal(
          wanted,
        );
      });
    }

    it("a signing subkey under a primary that is certify-only, revoked, expired", async () => {
      const by = [signed({ by: signer })];
      expect(await code(by, { subkeys: [signer], flags: ["certify"] })).to.equal("good");
      expect(await code(by, { subkeys: [signer], ...revoked(a, 3) })).to.equal("revoked");
      expect(await code(by, { subkeys: [signer], keyExpiresAfter: days(60) })).to.equal("expired");
    });

    it("a subkey that is younger than the signature", async () => {
      const young = ed25519Key("young", { createdAt: day(51) });
      expect(await code([signed({ by: young })], { subkeys: [young] })).to.equal("bad_signature");
    });

    it("another's key that a trusted certificate lists without its consent", async () => {
      const thief = certificate({ key: c, subkeys: [{ key: a, backSignature: "none" }] });
      const trust = await judged({ certificates: [thief, certificate({ key: a, userIds: [] })] });
      expect(codeOf(await verdict(trust, data, [signed()]))).to.equal("bad_signature");
    });
  });

  it("of no signatures at all: no_signature", async () => {
    const trust = await judged({ certificates: [certificate({ key: a })] });
    expect(judgeIndex([], trust, usualPolicy)).to.include({ code: "no_signature" });
  });
});
