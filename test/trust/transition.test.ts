/** T3: when a certification makes a link of the chain. Each condition once fulfilled, once not. */
import { expect } from "chai";
import type { Identity } from "../../src/profile/types.ts";
import { type Link, linksInto, type TransitionPolicy } from "../../src/trust/transition.ts";
import { archiveId, type CertificateOptions, certificate, selfSignature } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import type { Packet } from "../testkit/framing.ts";
import { read } from "../testkit/judging.ts";
import { dsaKey, ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { certification, keyRevocation, type SignatureOptions, signature, withdrawal } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const issuer = ed25519Key("issuer");
const subject = ed25519Key("subject", { createdAt: day(10) });
const subkey = ed25519Key("issuer's subkey");
const stranger = ed25519Key("stranger");
const days = (n: number) => n * 86_400;
const minute = 60_000;
const second = 1000;

interface Scene {
  readonly issuer?: Partial<CertificateOptions>;
  readonly subject?: Partial<CertificateOptions>;
  /** How the certification differs from a good one of day 20. */
  readonly by?: Partial<SignatureOptions> & { readonly type?: number; readonly userId?: string };
  /** More signatures over the subject's user ID. */
  readonly more?: readonly Packet[];
  readonly policy?: Partial<TransitionPolicy>;
}

function certified(options: Scene["by"] = {}, of: TestKey = subject): Packet {
  return certification({ by: issuer, of, userId: archiveId, at: day(20), ...options });
}

/** Judges the one link of a scene, at day 100. */
async function link(scene: Scene): Promise<Link | undefined> {
  const { facts } = await read(
    certificate({ key: issuer, subkeys: [subkey], ...scene.issuer }),
    certificate({
      key: subject,
      ...scene.subject,
      certifiedBy: [...(scene.subject?.certifiedBy ?? [certified(scene.by)]), ...(scene.more ?? [])],
    }),
    certificate({ key: stranger }),
  );
  const identity: Identity = { kind: "user-email", email: "archive@example.org" };
  const policy = {
    identity,
    at: day(100),
    retiredIssuers: "refuse",
    accepted: new Set<string>(),
    ...scene.policy,
  } as const;
  const target = facts[1];
  if (target === undefined) throw new Error("no subject");
  return linksInto(target, new Map(facts.map((one) => [one.primary.fingerprint, one])), policy).find((one) => {
    return one.issuer === (scene.issuer?.key ?? issuer).fingerprint;
  });
}

/** `good`, `none`, or the code of the refusal; `ack` where a refused one still acknowledges (T6). */
async function outcome(scene: Scene): Promise<string> {
  const found = await link(scene);
  if (found === undefined) return "none";
  if (found.refusal === undefined) return "good";
  return `${found.refusal.code}${found.acknowledges ? ", ack" : ""}`;
}

const revoked = (at: number, code?: number) => ({
  signatures: [keyRevocation({ by: issuer, of: issuer, at, hashed: code === undefined ? [] : [sub.reason(code)] })],
});

describe("trust/transition (T3)", () => {
  const cases: Readonly<Record<string, readonly (readonly [what: string, scene: Scene, outcome: string])[]>> = {
    "a: by the primary key, which may certify, over the matching user ID": [
      ["a good one", {}, "good"],
      ["of type 0x11", { by: { type: 0x11 } }, "good"],
      ["of type 0x12", { by: { type: 0x12 } }, "good"],
      ["of type 0x13", { by: { type: 0x13 } }, "good"],
      ["by a certify-only primary", { issuer: { flags: ["certify"] } }, "good"],
      [
        "by a primary without flags",
        {
          issuer: {
            userIds: [
              {
                userId: archiveId,
                self: false,
                signatures: [certification({ by: issuer, of: issuer, userId: archiveId, at: day(0), type: 0x13 })],
              },
            ],
          },
        },
        "good",
      ],
      ["by a sign-only primary", { issuer: { flags: ["sign"] } }, "bad_signature"],
      ["by a primary for nothing", { issuer: { flags: [] } }, "bad_signature"],
      ["by a subkey", { by: { by: subkey } }, "bad_signature"],
      [
        "by a subkey that may certify",
        { by: { by: subkey }, issuer: { subkeys: [{ key: subkey, flags: ["certify"] }] } },
        "bad_signature",
      ],
      ["by an issuer whose own user ID is another", { issuer: { userIds: ["Root <root@example.org>"] } }, "good"],
      ["by an issuer without self-signature", { issuer: { userIds: [] } }, "bad_certificate"],
      ["by an issuer self-signed with SHA-1", { issuer: { hash: "sha1" } }, "weak_algorithm"],
      [
        "over another user ID of the right key",
        {
          subject: {
            userIds: [archiveId, { userId: "O <o@x>", signatures: [certified({ userId: "O <o@x>" })] }],
            certifiedBy: [],
          },
        },
        "none",
      ],
      ["over a user ID that is not there", { by: { userId: "Gone <archive@example.org>" } }, "none"],
      ["over the same user ID on another key", { subject: { certifiedBy: [certified({}, stranger)] } }, "none"],
      [
        "over a user ID that its owner does not certify",
        { subject: { userIds: [{ userId: archiveId, self: false }] } },
        "untrusted_signer",
      ],
      [
        "over a user ID that its owner has revoked",
        { more: [withdrawal({ by: subject, of: subject, userId: archiveId, at: day(30) })] },
        "untrusted_signer",
      ],
      [
        "over a user ID that does not match",
        {
          subject: { userIds: ["X <evil@example.org>"], certifiedBy: [certified({ userId: "X <evil@example.org>" })] },
        },
        "none",
      ],
      [
        "a signature of another type (0x00) with the same parts",
        { subject: { certifiedBy: [signature(0x00, new Uint8Array(), { by: issuer, at: day(20) })] } },
        "none",
      ],
      ["that a stranger made in the issuer's name", { by: { by: { ...issuer, sign: stranger.sign } } }, "none"],
    ],
    "b: dates, export, withdrawal": [
      ["as old as the younger key", { by: { at: day(10) } }, "good"],
      ["older than the subject", { by: { at: day(10) - second } }, "bad_signature"],
      [
        "older than the issuer",
        {
          issuer: { key: ed25519Key("young", { createdAt: day(30) }) },
          by: { by: ed25519Key("young", { createdAt: day(30) }), at: day(29) },
        },
        "bad_signature",
      ],
      ["from now", { by: { at: day(100) } }, "good"],
      ["from within the skew", { by: { at: day(100) + 5 * minute } }, "good"],
      ["from beyond it", { by: { at: day(100) + 5 * minute + second } }, "not_yet_valid"],
      [
        "without a hashed date",
        { by: { hashedArea: sub.area([sub.issuerFingerprint(issuer)]), unhashed: [sub.created(day(20))] } },
        "bad_signature",
      ],
      ["with two dates", { by: { hashed: [sub.created(day(21))] } }, "bad_signature"],
      ["for export", { by: { hashed: [sub.exportable(true)] } }, "good"],
      ["not for export", { by: { hashed: [sub.exportable(false)] } }, "untrusted_signer"],
      ["not for export, critically", { by: { hashed: [sub.critical(sub.exportable(false))] } }, "untrusted_signer"],
      ["that ends later", { by: { expiresAfter: days(81) } }, "good"],
      ["that has ended, which still acknowledges", { by: { expiresAfter: days(80) } }, "expired, ack"],
      [
        "that has ended, with a later one that has not",
        { by: { expiresAfter: days(1) }, more: [certified({ at: day(50) })] },
        "good",
      ],
      ["withdrawn", { more: [withdrawal({ by: issuer, of: subject, userId: archiveId, at: day(40) })] }, "revoked"],
      [
        "withdrawn with SHA-1 and something critical",
        {
          more: [
            withdrawal({
              by: issuer,
              of: subject,
              userId: archiveId,
              at: day(40),
              hash: "sha1",
              hashed: [sub.critical(sub.raw(100))],
            }),
          ],
        },
        "revoked",
      ],
      [
        "withdrawn, and certified again later",
        { more: [withdrawal({ by: issuer, of: subject, userId: archiveId, at: day(40) }), certified({ at: day(50) })] },
        "revoked",
      ],
      [
        "to be withdrawn in the future",
        { more: [withdrawal({ by: issuer, of: subject, userId: archiveId, at: day(101) })] },
        "good",
      ],
      [
        "withdrawn by a stranger",
        { more: [withdrawal({ by: stranger, of: subject, userId: archiveId, at: day(40) })] },
        "good",
      ],
      [
        "withdrawn by the issuer's subkey",
        { more: [withdrawal({ by: subkey, of: subject, userId: archiveId, at: day(40) })] },
        "good",
      ],
    ],
    "c: the issuer's life": [
      ["expired by now", { issuer: { keyExpiresAfter: days(50) } }, "good"],
      ["expired when it certified", { issuer: { keyExpiresAfter: days(20) } }, "expired"],
      ["expired a second after it certified", { issuer: { keyExpiresAfter: days(20) + 1 } }, "good"],
      ["revoked as compromised, later", { issuer: revoked(day(60), 2) }, "revoked"],
      ["revoked as compromised, in the future", { issuer: revoked(day(200), 2) }, "revoked"],
      ["revoked without a reason", { issuer: revoked(day(60)) }, "revoked"],
      ["revoked for an unknown reason", { issuer: revoked(day(60), 42) }, "revoked"],
      [
        "compromised, though retired issuers are accepted",
        { issuer: revoked(day(60), 2), policy: { retiredIssuers: "accept" } },
        "revoked",
      ],
      [
        "compromised, though the subject was accepted before",
        { issuer: revoked(day(60), 2), policy: { accepted: new Set([subject.fingerprint]) } },
        "revoked",
      ],
      [
        "revoked by a stranger",
        { issuer: { signatures: [keyRevocation({ by: stranger, of: issuer, at: day(60) })] } },
        "good",
      ],
    ],
    "d: a soft-revoked issuer": [
      ["superseded", { issuer: revoked(day(60), 1) }, "revoked"],
      ["retired", { issuer: revoked(day(60), 3) }, "revoked"],
      ["to be retired in the future", { issuer: revoked(day(101), 3) }, "good"],
      [
        "retired later, and that is accepted",
        { issuer: revoked(day(60), 3), policy: { retiredIssuers: "accept" } },
        "good",
      ],
      ["retired at that very second", { issuer: revoked(day(20), 3), policy: { retiredIssuers: "accept" } }, "revoked"],
      ["retired before", { issuer: revoked(day(19), 3), policy: { retiredIssuers: "accept" } }, "revoked"],
      [
        "retired later, the subject accepted before (T5)",
        { issuer: revoked(day(60), 3), policy: { accepted: new Set([subject.fingerprint]) } },
        "good",
      ],
      [
        "retired before, the subject accepted before",
        { issuer: revoked(day(19), 3), policy: { accepted: new Set([subject.fingerprint]) } },
        "revoked",
      ],
      [
        "retired later, another accepted before",
        { issuer: revoked(day(60), 3), policy: { accepted: new Set([stranger.fingerprint]) } },
        "revoked",
      ],
    ],
    "e: algorithms and critical subpackets": [
      ["SHA-512", { by: { hash: "sha512" } }, "good"],
      ["SHA-1", { by: { hash: "sha1" } }, "weak_algorithm"],
      ["MD5", { by: { hash: "md5" } }, "weak_algorithm"],
      ["SHA-224", { by: { hash: "sha224" } }, "weak_algorithm"],
      ["RSA of 2048 bits", { issuer: { key: rsaKey("rsa-a") }, by: { by: rsaKey("rsa-a") } }, "good"],
      ["RSA of 1024 bits", { issuer: { key: rsaKey("rsa1024") }, by: { by: rsaKey("rsa1024") } }, "weak_algorithm"],
      ["DSA", { issuer: { key: dsaKey() }, by: { by: dsaKey() } }, "weak_algorithm"],
      ["an unknown critical subpacket", { by: { hashed: [sub.critical(sub.raw(100))] } }, "bad_signature"],
      ["an unknown subpacket that is not critical", { by: { hashed: [sub.raw(100)] } }, "good"],
      ["a critical notation", { by: { hashed: [sub.critical(sub.notation("a@b", "c"))] } }, "bad_signature"],
      ["a notation that is not critical", { by: { hashed: [sub.notation("a@b", "c")] } }, "good"],
      ["a critical regular expression", { by: { hashed: [sub.critical(sub.raw(6, [65, 0]))] } }, "bad_signature"],
      [
        "a critical trust level, which is understood",
        { by: { hashed: [sub.critical(sub.trustLevel(1, 120))] } },
        "good",
      ],
      [
        "what delegates, which makes no successor",
        { by: { hashed: [sub.notation("delegate@example.org", "depth=0; feeds=*")] } },
        "untrusted_signer",
      ],
    ],
  };
  for (const [rule, list] of Object.entries(cases)) {
    describe(rule, () => {
      for (const [what, scene, wanted] of list) {
        it(`${what}: ${wanted}`, async () => expect(await outcome(scene)).to.equal(wanted));
      }
    });
  }

  it("takes the best of several certifications by one issuer, wherever it stands", async () => {
    const bad = [
      certified({ hash: "sha1" }),
      certified({ at: day(9) }),
      certified({ hashed: [sub.exportable(false)] }),
    ];
    for (const certifiedBy of [
      [...bad, certified()],
      [certified(), ...bad],
    ]) {
      expect(await outcome({ subject: { certifiedBy } })).to.equal("good");
    }
  });

  it("tells of several that don't hold the one that came furthest", async () => {
    const bad = [certified({ hash: "sha1" }), certified({ at: day(101) }), certified({ expiresAfter: 60 })];
    for (const certifiedBy of [bad, bad.toReversed()]) {
      expect(await outcome({ subject: { certifiedBy } })).to.equal("expired, ack");
    }
  });

  it("acknowledges over any of several user IDs that match (T6)", async () => {
    const other = "Second <archive@example.org>";
    const userIds = [archiveId, { userId: other, signatures: [certified({ userId: other, expiresAfter: 60 })] }];
    expect((await link({ subject: { userIds, certifiedBy: [certified({ hash: "sha1" })] } }))?.acknowledges).to.equal(
      true,
    );
  });

  it("tells of a link that it would hold if its issuer had not withdrawn it (T6)", async () => {
    const taken = [withdrawal({ by: issuer, of: subject, userId: archiveId, at: day(40) })];
    const withdrawn = async (scene: Scene) => {
      const found = await link(scene);
      return found?.weighs === true && found.refusal !== undefined;
    };
    expect(await withdrawn({ more: taken })).to.equal(true);
    expect(await withdrawn({})).to.equal(false);
    expect(await withdrawn({ more: taken, by: { hash: "sha1" } })).to.equal(false);
    expect(await withdrawn({ more: taken, by: { expiresAfter: 60 } })).to.equal(false);
    expect(await withdrawn({ more: taken, subject: { userIds: [{ userId: archiveId, self: false }] } })).to.equal(
      false,
    );
    const other = "Second <archive@example.org>";
    const weak = { userId: other, signatures: [certified({ userId: other, hash: "sha1" })] };
    for (const userIds of [
      [archiveId, weak],
      [weak, { userId: archiveId, signatures: [certified(), ...taken] }],
    ]) {
      expect(await withdrawn({ more: userIds[0] === archiveId ? taken : [], subject: { userIds } })).to.equal(true);
    }
  });

  it("makes no link from a key to itself", async () => {
    const { facts } = await read(
      certificate({ key: issuer, certifiedBy: [selfSignature({ key: issuer, at: day(1) })] }),
    );
    const [only] = facts;
    if (only === undefined) throw new Error("no facts");
    const policy = {
      identity: { kind: "user-id", userId: archiveId },
      at: day(100),
      retiredIssuers: "refuse",
      accepted: new Set<string>(),
    } as const;
    expect(linksInto(only, new Map([[issuer.fingerprint, only]]), policy)).to.deep.equal([]);
  });

  it("gives the link's issuer and subject, and the reason in words", async () => {
    const found = await link({ by: { hash: "sha1" } });
    expect(found).to.deep.include({ issuer: issuer.fingerprint, subject: subject.fingerprint });
    expect(found?.refusal?.reason).to.equal("it uses SHA1");
  });
});
