// Attack: so many certificates with the archive's name that the rightful one finds no room, and nobody sees a fork.
import { expect } from "chai";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { Knowledge } from "../../src/refresh/certificate-pool.ts";
import { refuseSubkey } from "../../src/trust/key-state.ts";
import { archiveId, asCertificate, certificate, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { allFramed, concat, framed } from "../testkit/framing.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { certification, keyRevocation, subkeySignature } from "../testkit/signature.ts";
import { reason } from "../testkit/subpackets.ts";
import { seededProfile } from "./seeded-profile.ts";

const seed = ed25519Key("crowd-seed");
const rightful = ed25519Key("crowd-rightful");
const thief = ed25519Key("crowd-thief");

const profile = seededProfile(seed, `user-id = ${archiveId}`);

/** Certificates that carry the archive's user ID, and not one signature. */
const crowd = Array.from({ length: 2_000 }, (_, i): TestCertificate => {
  const body = Uint8Array.from(thief.body);
  new DataView(body.buffer).setUint32(body.length - 4, i);
  return asCertificate(thief, [
    { tag: 6, body },
    { tag: 13, body: Buffer.from(archiveId) },
  ]);
});

const successor = (key: TestKey) =>
  certificate({ key, certifiedBy: [certification({ by: seed, of: key, userId: archiveId, at: day(2) })] });

const ring = (...certificates: readonly { readonly bytes: Uint8Array }[]) =>
  readKeyring(concat(...certificates.map(({ bytes }) => bytes)));

async function codes(...answers: readonly ReturnType<typeof ring>[]) {
  const knowledge = new Knowledge(profile, ring(certificate({ key: seed })).certificates);
  for (const answer of answers) knowledge.add(answer);
  const { trust } = await knowledge.judge(day(10), new Set(), new Set());
  const code = ({ fingerprint }: TestKey) =>
    trust.trusted.has(fingerprint) ? "trusted" : trust.rejected.get(fingerprint)?.code;
  return [code(rightful), code(thief)];
}

describe("attack: a crowd with the archive's name", () => {
  it("hides no rival, wherever the crowd stands", async () => {
    const both = ["fork", "fork"];
    expect(await codes(ring(successor(thief), successor(rightful)))).to.deep.equal(both);
    expect(await codes(ring(successor(thief), ...crowd), ring(successor(rightful)))).to.deep.equal(both);
    expect(await codes(ring(...crowd, successor(thief), successor(rightful)))).to.deep.equal(both);
  });

  it("hides nobody behind twelve thousand in one answer", async () => {
    const many = Array.from({ length: 6 }, (_, i) => {
      return crowd.map(({ key, packets: [, ...others] }, place) => {
        const body = Uint8Array.from(key.body);
        new DataView(body.buffer).setUint32(body.length - 4, i * crowd.length + place);
        return asCertificate(key, [{ tag: 6, body }, ...others]);
      });
    });
    expect(await codes(ring(...many.flat(), successor(thief), successor(rightful)))).to.deep.equal(["fork", "fork"]);
  }).timeout(20_000);

  it("hides nobody behind bare keys, as many as find room in an answer, or more that are none", async () => {
    for (const [length, count] of [
      [38, 300_000],
      [6, 500_000],
    ] as const) {
      const keys = Buffer.alloc(count * (2 + length));
      for (let i = 0; i < count; i++) {
        const at = i * (2 + length);
        keys.set([0xc6, length, 4, 0, 0, 0, 0, 27], at);
        keys.writeUInt32BE(i, at + 3);
      }
      const answer = readKeyring(concat(keys, successor(thief).bytes, successor(rightful).bytes));
      expect(await codes(answer)).to.deep.equal(["fork", "fork"]);
    }
  }).timeout(30_000);

  it("of user IDs on one key hides no revoked subkey, whether they have a signature that is none or not", async () => {
    const subkey = ed25519Key("crowd-subkey");
    const held = certificate({ key: seed, subkeys: [subkey] });
    const revocation = subkeySignature(0x28, { by: seed, primary: seed, subkey, at: day(3), hashed: [reason(2)] });
    for (const signature of [0, 19]) {
      const size = 2 + 4 + (signature === 0 ? 0 : 2 + signature);
      const ids = Buffer.alloc(250_000 * size);
      for (let i = 0; i < 250_000; i++) {
        ids.set([0xcd, 4], i * size);
        ids.writeUInt32BE(i, i * size + 2);
        if (signature > 0) ids.set([0xc2, signature, 4, 0x13], i * size + 6);
      }
      const knowledge = new Knowledge(profile, ring(held).certificates);
      const behind = [{ tag: 14, body: subkey.body }, revocation];
      knowledge.addBlocks([concat(framed({ tag: 6, body: seed.body }), ids, allFramed(behind))]);
      const { trust } = await knowledge.judge(day(10), new Set(), new Set());
      const [facts] = trust.trusted.get(seed.fingerprint)?.facts.subkeys ?? [];
      expect(facts && refuseSubkey(facts, day(10))?.code).to.equal("revoked");
    }
  }).timeout(30_000);

  it("lets nobody be judged whom nobody could have been asked about (T11)", async () => {
    const knowledge = new Knowledge(profile, ring(certificate({ key: seed })).certificates);
    knowledge.add(ring(...crowd, successor(rightful)));
    const held = new Set(knowledge.held.keys());
    expect(held.has(rightful.fingerprint)).to.equal(true);
    const { trust } = await knowledge.judge(day(10), new Set(), held);
    expect(trust.rejected.get(rightful.fingerprint)?.code).to.equal("unchecked_revocation");
    expect([...trust.trusted.keys(), ...trust.rejected.keys()].filter((key) => !held.has(key))).to.deep.equal([]);
  });

  it("hides no bare revocation of a key that has to wait", async () => {
    const revocation = readKeyring(framed(keyRevocation({ by: rightful, of: rightful, at: day(5) })));
    expect(await codes(ring(...crowd), ring(successor(rightful)), revocation)).to.deep.equal(["revoked", undefined]);
  });
});
