// Attack: what takes trust away comes in another order, from another source, or without the rest of its certificate (T4).
import { createHash } from "node:crypto";
import { expect } from "chai";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { Knowledge } from "../../src/refresh/certificate-pool.ts";
import { refusePrimary, refuseSubkey } from "../../src/trust/key-state.ts";
import { archiveId, asCertificate, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { allFramed, concat, octets, type Packet } from "../testkit/framing.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import {
  certification,
  keyRevocation,
  overKey,
  overUserId,
  subkeySignature,
  withdrawal,
} from "../testkit/signature.ts";
import { area, created, issuerFingerprint, reason, revoker } from "../testkit/subpackets.ts";
import { seededProfile } from "./seeded-profile.ts";

const seed = ed25519Key("seed");
const next = ed25519Key("next");
const subkey = ed25519Key("subkey");
const guardian = ed25519Key("guardian");
const profile = seededProfile(seed);
const none = new Set<string>();

const link = certification({ by: seed, of: next, userId: archiveId, at: day(1) });

/** Version 3, as programs made it before 2000; GnuPG honours it. */
function version3(type: number, by: TestKey, over: Uint8Array): Packet {
  const hashed = concat(Uint8Array.of(type), octets(day(2) / 1000, 4));
  const bytes = concat(over, hashed);
  const digest = createHash("sha256").update(bytes).digest();
  const keyId = Buffer.from(by.keyId, "hex");
  const head = concat(Uint8Array.of(3, 5), hashed, keyId, Uint8Array.of(by.algorithm, 8), digest.subarray(0, 2));
  return { tag: 2, body: concat(head, by.sign("sha256", bytes)) };
}

const malformed = concat(area([issuerFingerprint(next), created(day(2)), reason(3)]), Uint8Array.of(200));

/** The same signature with one malformed subpacket as its unsigned part. */
function malformedBehind({ tag, body }: Packet): Packet {
  const bytes = Buffer.from(body);
  const start = 6 + bytes.readUInt16BE(4);
  const end = start + 2 + bytes.readUInt16BE(start);
  return { tag, body: concat(bytes.subarray(0, start), octets(1, 2), Uint8Array.of(250), bytes.subarray(end)) };
}

interface Kind {
  readonly what: string;
  /** Over the key itself, its user ID, or its subkey. */
  readonly over: "key" | "userId" | "subkey";
  readonly packet: Packet;
  /** What else the certificate has to say for it to count. */
  readonly designates?: true;
}

const userIdAlone = (key: TestKey) => overUserId(key, archiveId).subarray(0, overKey(key).length);
const overBareUserId = concat(userIdAlone(next), new TextEncoder().encode(archiveId));

const kinds: readonly Kind[] = [
  { what: "a hard revocation", over: "key", packet: keyRevocation({ by: next, of: next, at: day(2) }) },
  {
    what: "a soft revocation",
    over: "key",
    packet: keyRevocation({ by: next, of: next, at: day(2), hashed: [reason(1)] }),
  },
  {
    what: "a revocation with SHA-1",
    over: "key",
    packet: keyRevocation({ by: next, of: next, at: day(2), hash: "sha1" }),
  },
  { what: "a revocation of version 3", over: "key", packet: version3(0x20, next, overKey(next)) },
  {
    what: "a revocation whose area is malformed",
    over: "key",
    packet: keyRevocation({ by: next, of: next, at: day(2), hashedArea: malformed }),
  },
  {
    what: "a revocation whose unsigned part is malformed",
    over: "key",
    packet: malformedBehind(keyRevocation({ by: next, of: next, at: day(2) })),
  },
  {
    what: "a designated revoker's revocation",
    over: "key",
    packet: keyRevocation({ by: guardian, of: next, at: day(2) }),
    designates: true,
  },
  {
    what: "a withdrawal of the certification",
    over: "userId",
    packet: withdrawal({ by: seed, of: next, userId: archiveId, at: day(2) }),
  },
  { what: "a withdrawal of version 3", over: "userId", packet: version3(0x30, seed, overBareUserId) },
  {
    what: "a revocation of the user ID",
    over: "userId",
    packet: withdrawal({ by: next, of: next, userId: archiveId, at: day(2) }),
  },
  {
    what: "a revocation of the subkey",
    over: "subkey",
    packet: subkeySignature(0x28, { by: next, primary: next, subkey, at: day(2) }),
  },
];

const primary = { tag: 6, body: next.body };
const userId = { tag: 13, body: new TextEncoder().encode(archiveId) };
const subkeyPacket = { tag: 14, body: subkey.body };

/** The honest certificate, with the designation where one is needed. */
function whole({ designates }: Pick<Kind, "designates">, ...certifiedBy: readonly Packet[]) {
  const hashed = designates === true ? { hashed: [revoker(guardian)] } : {};
  return certificate({ key: next, subkeys: [subkey], certifiedBy, ...hashed });
}

/** The ways in which it comes, each as bytes. */
function carriers(kind: Kind): Record<string, Uint8Array> {
  const { over, packet } = kind;
  const guard =
    kind.designates === true ? certificate({ key: guardian, userIds: ["Guardian"] }).bytes : new Uint8Array();
  const stripped = {
    key: [primary, packet],
    userId: [primary, userId, packet],
    subkey: [primary, subkeyPacket, packet],
  }[over];
  const selfSigned = whole(kind);
  const place = { key: primary, userId, subkey: subkeyPacket }[over];
  const full = selfSigned.packets.flatMap((one) => {
    const isPlace = one.tag === place.tag && Buffer.compare(one.body, place.body) === 0;
    return isPlace ? [one, packet] : [one];
  });
  return {
    "on a certificate stripped of all else": concat(guard, asCertificate(next, stripped).bytes),
    "on a certificate without certifications": concat(guard, allFramed(full)),
    ...(over === "key" ? { bare: concat(allFramed([packet]), guard) } : {}),
  };
}

/** Whether what is left of the key is of no use to anybody: the key, or its subkey, is refused. */
async function isRefused(knowledge: Knowledge, over: Kind["over"]): Promise<boolean> {
  const { trust } = await knowledge.judge(day(10), none, none);
  const found = trust.trusted.get(next.fingerprint);
  if (over !== "subkey") return found === undefined || refusePrimary(found.facts, day(10))?.code === "revoked";
  const [signer] = found?.facts.subkeys ?? [];
  return signer === undefined || refuseSubkey(signer, day(10))?.code === "revoked";
}

const knowing = (remembered: Parameters<typeof readKeyring>[0][] = [], stored: Uint8Array[] = []) => {
  return new Knowledge(
    profile,
    readKeyring(certificate({ key: seed }).bytes).certificates,
    stored.flatMap((bytes) => readKeyring(bytes).certificates),
    remembered.map(readKeyring),
  );
};

/** One run that hears the first and keeps what it thinks worth keeping, and the next, which hears the second. */
async function twoRuns(first: Uint8Array, second: Uint8Array): Promise<Knowledge> {
  const before = knowing();
  before.addBlocks([first]);
  await before.judge(day(10), none, none);
  const after = knowing([await before.revocationsWorthKeeping()]);
  after.addBlocks([second]);
  return after;
}

const orders: Record<string, (sign: Uint8Array, certificate: Uint8Array) => Promise<Knowledge>> = {
  "before the certificate": async (sign, bytes) => {
    const knowledge = knowing();
    knowledge.addBlocks([sign]);
    knowledge.addBlocks([bytes]);
    return knowledge;
  },
  "after it": async (sign, bytes) => {
    const knowledge = knowing();
    knowledge.addBlocks([bytes]);
    knowledge.addBlocks([sign]);
    return knowledge;
  },
  "after it was judged": async (sign, bytes) => {
    const knowledge = knowing();
    knowledge.addBlocks([bytes]);
    await knowledge.judge(day(10), none, none);
    knowledge.addBlocks([sign]);
    return knowledge;
  },
  "in the profile's keyring": async (sign, bytes) => {
    const knowledge = knowing([sign]);
    knowledge.addBlocks([bytes]);
    return knowledge;
  },
  "in a run before": (sign, bytes) => twoRuns(sign, bytes),
  "two runs before": async (sign, bytes) => {
    const before = knowing();
    before.addBlocks([sign]);
    const between = knowing([await before.revocationsWorthKeeping()]);
    await between.judge(day(10), none, none);
    const after = knowing([await between.revocationsWorthKeeping()]);
    after.addBlocks([bytes]);
    return after;
  },
  "in a run that knew the certificate, and forgot it": async (sign, bytes) => {
    const before = knowing();
    before.addBlocks([bytes, sign]);
    await before.judge(day(10), none, none);
    const after = knowing([await before.revocationsWorthKeeping()]);
    after.addBlocks([bytes]);
    return after;
  },
};

describe("attack: a revocation comes another way", () => {
  for (const kind of kinds) {
    describe(kind.what, () => {
      const honest = whole(kind, link).bytes;
      it("is what makes the difference", async () => {
        const knowledge = knowing();
        knowledge.addBlocks([honest]);
        expect(await isRefused(knowledge, kind.over)).to.equal(false);
      });
      for (const [carrier, sign] of Object.entries(carriers(kind))) {
        for (const [order, run] of Object.entries(orders)) {
          it(`${carrier}, ${order}`, async () => {
            expect(await isRefused(await run(sign, honest), kind.over)).to.equal(true);
          });
        }
      }
    });
  }

  it("a designated revoker's word counts although its key was known before", async () => {
    const kind = kinds.find(({ designates }) => designates === true) as Kind;
    const knowledge = knowing();
    knowledge.addBlocks([certificate({ key: guardian, userIds: ["Guardian"] }).bytes, whole(kind, link).bytes]);
    expect(await isRefused(knowledge, "key")).to.equal(false);
    knowledge.addBlocks([allFramed([kind.packet])]);
    expect(await isRefused(knowledge, "key")).to.equal(true);
  });

  it("is remembered among thousands about strangers, those nearer to the chain first", async () => {
    const strangers = Array.from({ length: 3_000 }, (_, nth) => {
      const key = { ...primary, body: Uint8Array.from(next.body) };
      key.body.set(octets(nth + 1, 4), 1);
      return allFramed([key, { tag: 2, body: new Uint8Array(2_000).fill(4, 0, 1).fill(0x20, 1, 2) }]);
    });
    const [sign = new Uint8Array()] = Object.values(carriers(kinds[0] as Kind));
    const before = knowing();
    before.addBlocks([concat(...strangers)]);
    before.addBlocks([whole({}, link).bytes, sign]);
    await before.judge(day(10), none, none);
    const kept = await before.revocationsWorthKeeping();
    expect(kept.length).to.be.at.most(4 * 1024 * 1024);
    const after = knowing([kept]);
    after.addBlocks([whole({}, link).bytes]);
    expect(await isRefused(after, "key")).to.equal(true);
  });

  it("junk about a key takes no place from what is right", async () => {
    const junk = Array.from({ length: 2_000 }, (_, nth) => {
      return {
        tag: 2,
        body: Uint8Array.from([
          ...keyRevocation({ by: next, of: next, at: day(2) }).body.slice(0, -1),
          nth & 255,
          nth >> 8,
        ]),
      };
    });
    const sign = keyRevocation({ by: next, of: next, at: day(3), hashed: [reason(1)] });
    const before = knowing();
    before.addBlocks([allFramed([primary, ...junk, sign]), whole({}, link).bytes]);
    await before.judge(day(10), none, none);
    const after = knowing([await before.revocationsWorthKeeping()]);
    after.addBlocks([whole({}, link).bytes]);
    expect(await isRefused(after, "key")).to.equal(true);
  });

  it("a revocation that is forged, or is another key's, hurts nobody", async () => {
    const thief = ed25519Key("thief");
    const forged = keyRevocation({ by: thief, of: next, at: day(2), unhashed: [] });
    for (const [, run] of Object.entries(orders)) {
      const knowledge = await run(allFramed([primary, forged]), whole({}, link).bytes);
      expect(await isRefused(knowledge, "key")).to.equal(false);
    }
  });

  it("what anybody can change does not make a soft revocation hard", async () => {
    const soft = keyRevocation({ by: next, of: next, at: day(2), hashed: [reason(1)] });
    const knowledge = knowing();
    knowledge.addBlocks([whole({}, link).bytes, allFramed([primary, malformedBehind(soft)])]);
    const { trust } = await knowledge.judge(day(10), none, none);
    expect(trust.trusted.get(next.fingerprint)?.facts.revocations.map(({ kind }) => kind)).to.deep.equal(["soft"]);
  });
});
