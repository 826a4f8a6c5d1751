// Attack: a server that gave the revoker's certificate once hides it from then on. The revocation must not be forgotten.
import { expect } from "chai";
import { readKeyring, writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { Knowledge } from "../../src/refresh/certificate-pool.ts";
import { withChain } from "../testkit/archives/chain.ts";
import { certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { concat, framed } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { keyAnswer, withLiars } from "../testkit/servers/key-servers.ts";
import { directSignature, keyRevocation } from "../testkit/signature.ts";
import { revoker } from "../testkit/subpackets.ts";
import { seededProfile } from "./seeded-profile.ts";

const [seed, safe] = [ed25519Key("designating-seed"), ed25519Key("designated-revoker")];
const designation = directSignature({ by: seed, of: seed, at: day(1), hashed: [revoker(safe)] });
const revocation = keyRevocation({ by: safe, of: seed, at: day(5) });
const shipped = certificate({ key: seed, signatures: [designation] });
const news = [certificate({ key: seed, signatures: [designation, revocation] }), certificate({ key: safe })];

const profile = seededProfile(seed);
const none = new Set<string>();

describe("attack: a designated revoker's certificate that is seen once", () => {
  it("is kept with the revocation, over any number of runs", async () => {
    let held = readKeyring(shipped.bytes).certificates;
    for (let run = 0; run < 4; run++) {
      const knowledge = new Knowledge(profile, [...readKeyring(shipped.bytes).certificates, ...held]);
      // The server tells it in the first run alone.
      if (run === 0) knowledge.addBlocks(news.map(({ bytes }) => bytes));
      const { trust } = await knowledge.judge(day(10), none, none);
      expect(trust.rejected.get(seed.fingerprint)?.code, `run ${run}`).to.equal("revoked");
      const kept = await knowledge.worthKeeping(trust, none);
      held = [...kept.values()].flatMap((raw) => readKeyring(writeCertificate(raw)).certificates);
    }
  });

  it("finds a place when a mirror has sent a crowd of keys before", async () => {
    const knowledge = new Knowledge(profile, readKeyring(shipped.bytes).certificates);
    const crowd = Array.from({ length: 20_000 }, (_, i) => {
      const body = Uint8Array.from(safe.body);
      new DataView(body.buffer).setUint32(body.length - 4, i);
      return framed({ tag: 6, body });
    });
    knowledge.addBlocks([concat(...crowd)]);
    const elsewhere = certificate({ key: safe, userIds: ["Safe <safe@example.net>"] });
    knowledge.addBlocks([news[0]?.bytes ?? new Uint8Array()]);
    await knowledge.judge(day(10), none, none);
    expect(knowledge.missingRevokers).to.deep.equal([safe.fingerprint]);
    knowledge.addBlocks([elsewhere.bytes]);
    const { trust } = await knowledge.judge(day(10), none, none);
    expect(trust.rejected.get(seed.fingerprint)?.code).to.equal("revoked");
  });

  it("under another name than the archive's, in the bundle: taken in for that one purpose", async () => {
    const elsewhere = certificate({ key: safe, userIds: ["Safe <safe@example.net>"] });
    await withChain({ seeds: [shipped], bundle: [elsewhere, ...news.slice(0, 1)] }, async (chain) => {
      await chain.refuses(shipped, "revoked");
    });
  });

  it("not at hand: the key servers are asked for it", async () => {
    await withLiars(async (server) => {
      server.answer(seed.fingerprint, keyAnswer(news[0]?.bytes ?? new Uint8Array()));
      server.answer(
        safe.fingerprint,
        keyAnswer(certificate({ key: safe, userIds: ["Safe <safe@example.net>"] }).bytes),
      );
      await withChain({ seeds: [shipped], servers: [server.url] }, async (chain) => {
        await chain.refuses(shipped, "revoked");
        expect(server.asked(safe.fingerprint)).to.be.at.least(1);
      });
    });
  }).timeout(60_000);
});
