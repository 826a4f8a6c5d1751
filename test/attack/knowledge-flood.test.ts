// Attack: what a mirror's bundle or an answer of a key server may cost. Nothing is timed: what is quadratic here runs
// into the test's own limit by far.
import { expect } from "chai";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { Knowledge } from "../../src/refresh/certificate-pool.ts";
import { connectedLimits } from "../../src/refresh/reachable.ts";
import { broken } from "../testkit/altered.ts";
import { archiveId, asCertificate, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { concat, framed, type Packet } from "../testkit/framing.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { certification, directSignature, keyRevocation } from "../testkit/signature.ts";
import { notation, revoker } from "../testkit/subpackets.ts";
import { seededProfile } from "./seeded-profile.ts";

const seed = ed25519Key("flood-seed");
const held = readKeyring(certificate({ key: seed }).bytes).certificates;
const machineId = "Machine <machine@example.org>";

const profile = seededProfile(seed);

/** One packet after another, each with other last octets. */
function variants({ tag, body }: Packet, count: number): Packet[] {
  return Array.from({ length: count }, (_, i) => {
    const copy = Uint8Array.from(body);
    new DataView(copy.buffer).setUint32(copy.length - 4, i);
    return { tag, body: copy };
  });
}

function delegation(by: TestKey, of: TestKey): Packet {
  return certification({
    by,
    of,
    userId: machineId,
    at: day(1),
    hashed: [notation("delegate@example.org", "depth=8; feeds=*")],
  });
}

describe("attack: floods of certificates", () => {
  const junk = Uint8Array.of(4, 0x1f, ...Array<number>(46).fill(0));
  const blocks = variants({ tag: 2, body: junk }, 30_000).map((packet) => {
    return asCertificate(seed, [{ tag: 6, body: seed.body }, packet]);
  });

  it("a bundle of thirty thousand armored copies of one key, each with another signature", () => {
    const knowledge = new Knowledge(profile, held);
    knowledge.add(readKeys(Buffer.from(blocks.map(({ armored }) => armored).join(""))));
    expect(knowledge.held.get(seed.fingerprint)?.signatures).to.have.length(blocks.length);
  });

  it("an answer of a key server in as many blocks", () => {
    const knowledge = new Knowledge(profile, held);
    knowledge.addBlocks(blocks.map(({ bytes }) => bytes));
    expect(knowledge.held.get(seed.fingerprint)?.signatures).to.have.length(blocks.length);
  });

  it("what was said before is not checked again", async () => {
    const knowledge = new Knowledge(profile, held);
    const revocation = keyRevocation({ by: seed, of: seed, at: day(5) });
    const judge = () => knowledge.judge(day(10), new Set(), new Set());
    const { keys } = await judge();
    knowledge.add(readKeyring(certificate({ key: seed }).bytes));
    expect((await judge()).keys).to.equal(keys);
    knowledge.add(readKeyring(framed(revocation)));
    const { keys: revoked, trust } = await judge();
    expect([revoked === keys, trust.rejected.get(seed.fingerprint)?.code]).to.deep.equal([false, "revoked"]);
    knowledge.add(readKeyring(framed(revocation)));
    knowledge.add(readKeyring(certificate({ key: seed, signatures: [revocation] }).bytes));
    expect((await judge()).keys).to.equal(revoked);
  });

  it("a chain of delegates, the last one first, and thirty thousand claims by nobody", () => {
    const keys = [seed, ...Array.from({ length: 300 }, (_, i) => ed25519Key(`flood-${i}`))];
    const links = keys.slice(1).map((key, i) => {
      return certificate({ key, userIds: [machineId], certifiedBy: [delegation(keys[i] ?? seed, key)] });
    });
    const stranger = ed25519Key("flood-stranger");
    const claims = variants(delegation(ed25519Key("flood-nobody"), stranger), 30_000);
    const id = { tag: 13, body: Buffer.from(machineId) };
    const flood = asCertificate(stranger, [{ tag: 6, body: stranger.body }, id, ...claims]);
    const knowledge = new Knowledge(profile, held);
    knowledge.add(readKeyring(concat(...[flood, ...links.reverse()].map(({ bytes }) => bytes))));
    expect(knowledge.held.size).to.equal(keys.length);
    expect(knowledge.held.has(stranger.fingerprint)).to.equal(false);
  });

  describe("ten times as many strangers under the archive's name as anybody looks at", () => {
    const [right, wrong] = [ed25519Key("flood-right"), ed25519Key("flood-wrong")];
    const stolen = ed25519Key("flood-stolen");
    const none = new Set<string>();
    const certified = (key: TestKey, by: TestKey) => {
      return certificate({ key, certifiedBy: [certification({ by, of: key, userId: archiveId, at: day(1) })] });
    };
    // Each claims to be certified by the seed, and none is: the digest is right, the numbers are not.
    const strangers = Array.from({ length: 5_500 }, (_, i) => {
      const key = ed25519Key(`flood-stranger-${i % 50}`, { createdAt: day(0) + i * 1000 });
      const forged = broken(certification({ by: seed, of: key, userId: archiveId, at: day(1) + i * 1000 }));
      const id = { tag: 13, body: Buffer.from(archiveId) };
      return asCertificate(key, [{ tag: 6, body: key.body }, id, forged]);
    });
    const trustIn = async (knowledge: Knowledge, accepted = none) =>
      (await knowledge.judge(day(10), accepted, none)).trust;
    const flooded = (...others: readonly { readonly bytes: Uint8Array }[]) => {
      const knowledge = new Knowledge(profile, held);
      knowledge.add(readKeyring(concat(...[...strangers, ...others].map(({ bytes }) => bytes))));
      return knowledge;
    };

    it("hide neither the rightful successor", async () => {
      const trust = await trustIn(flooded(certified(right, seed)));
      expect(trust.trusted.get(right.fingerprint)?.role).to.equal("successor");
      expect(trust.rejected.size).to.be.at.most(500);
    }).timeout(60_000);

    it("nor a rival", async () => {
      const trust = await trustIn(flooded(certified(right, seed), certified(wrong, seed)));
      expect([right, wrong].map(({ fingerprint }) => trust.rejected.get(fingerprint)?.code)).to.deep.equal([
        "fork",
        "fork",
      ]);
    }).timeout(60_000);

    it("nor what comes later", async () => {
      const knowledge = flooded();
      await trustIn(knowledge);
      knowledge.addBlocks([certified(right, seed).bytes]);
      expect((await trustIn(knowledge)).trusted.has(right.fingerprint)).to.equal(true);
    }).timeout(60_000);

    it("nor a designated revoker under another name", async () => {
      const designation = directSignature({ by: right, of: right, at: day(1), hashed: [revoker(stolen)] });
      const revoked = certificate({
        key: right,
        signatures: [designation, keyRevocation({ by: stolen, of: right, at: day(5) })],
        certifiedBy: [certification({ by: seed, of: right, userId: archiveId, at: day(1) })],
      });
      const knowledge = flooded(certificate({ key: stolen, userIds: ["Safe <safe@example.net>"] }), revoked);
      const trust = await trustIn(knowledge);
      expect(trust.rejected.get(right.fingerprint)?.code).to.equal("revoked");
      expect([...(await knowledge.worthKeeping(trust, none)).keys()]).to.include(stolen.fingerprint);
    }).timeout(60_000);

    it("and nothing but what the chain certified is kept", async () => {
      const knowledge = flooded(certified(right, seed));
      const kept = await knowledge.worthKeeping(await trustIn(knowledge), none);
      expect([...kept.keys()]).to.have.members([seed.fingerprint, right.fingerprint]);
    }).timeout(60_000);
  });

  describe("more successors by a stolen key than anybody looks at", () => {
    const right = ed25519Key("crowd-right");
    const none = new Set<string>();
    const certified = (key: TestKey, by: TestKey) => {
      return certificate({ key, certifiedBy: [certification({ by, of: key, userId: archiveId, at: day(1) })] });
    };
    const crowd = Array.from({ length: connectedLimits.successorsOfOne + 1 }, (_, i) => ed25519Key(`crowd-${i}`));
    const knowing = (...others: readonly { readonly bytes: Uint8Array }[]) => {
      const knowledge = new Knowledge(profile, [
        ...held,
        ...readKeyring(concat(...others.map(({ bytes }) => bytes))).certificates,
      ]);
      knowledge.add(readKeyring(concat(...[...crowd, right].map((key) => certified(key, seed).bytes))));
      return knowledge;
    };

    it("are a fork, though not one of them is looked at", async () => {
      const { trust } = await knowing().judge(day(10), none, none);
      expect(trust.trusted.size).to.equal(1);
      expect(trust.rejected.get(crowd[0]?.fingerprint ?? "")).to.include({ code: "fork" });
      expect(trust.rejected.get(crowd[0]?.fingerprint ?? "")?.reason).to.match(/more keys than feedkey examines/);
    });

    it("so that one known before and never accepted is refused too", async () => {
      const { trust } = await knowing(certified(right, seed)).judge(day(10), none, none);
      expect(trust.rejected.get(right.fingerprint)?.code).to.equal("fork");
    });

    it("but one accepted before stays", async () => {
      const accepted = new Set([right.fingerprint]);
      const { trust } = await knowing(certified(right, seed)).judge(day(10), accepted, none);
      expect(trust.trusted.has(right.fingerprint)).to.equal(true);
    });

    it("and count for nothing once the key is revoked", async () => {
      const next = ed25519Key("crowd-next");
      const other = ed25519Key("crowd-other-seed");
      const revoked = certificate({
        key: right,
        signatures: [keyRevocation({ by: right, of: right, at: day(5) })],
        certifiedBy: [certification({ by: other, of: right, userId: archiveId, at: day(1) })],
      });
      const twoSeeds = { ...profile, trust: { ...profile.trust, seeds: [other.fingerprint] } };
      const knowledge = new Knowledge(twoSeeds, readKeyring(certificate({ key: other }).bytes).certificates);
      const all = [revoked, certified(next, other), ...crowd.map((key) => certified(key, right))];
      knowledge.add(readKeyring(concat(...all.map(({ bytes }) => bytes))));
      const { trust } = await knowledge.judge(day(10), none, none);
      expect([...trust.trusted.keys()]).to.have.members([other.fingerprint, next.fingerprint]);
      const kept = await knowledge.worthKeeping(trust, none);
      expect(kept.size).to.equal(3);
    });
  });
});
