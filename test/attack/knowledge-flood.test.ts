// Attack: what a mirror's bundle or an answer of a key server may cost. Nothing is timed: what is quadratic here runs
// into the test's own limit by far.
import { expect } from "chai";
import { Knowledge } from "../../src/client/knowledge.ts";
import { readKeyring } from "../../src/openpgp/certificate.ts";
import { readKeys } from "../../src/openpgp/read-keys.ts";
import { readProfile } from "../../src/profile/read-profile.ts";
import { asCertificate, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { concat, framed, type Packet } from "../testkit/framing.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { certification, keyRevocation } from "../testkit/signature.ts";
import { notation } from "../testkit/subpackets.ts";

const seed = ed25519Key("flood-seed");
const held = readKeyring(certificate({ key: seed }).bytes).certificates;
const machineId = "Machine <machine@example.org>";

const profile = readProfile(
  [
    "[archive]",
    "name = Example",
    "url = https://example.org/",
    "user-email = archive@example.org",
    "[trust]",
    "keyring = keys",
    `seeds = ${seed.fingerprint}`,
    "keyservers = none",
    "[feed base]",
    "format = opkg",
    "path = base",
  ].join("\n"),
  "/nowhere/example.ini",
);

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
  const junk = Uint8Array.of(4, 0x1f, ...Array<number>(22).fill(0));
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
});
