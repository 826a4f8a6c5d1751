// T5 for a delegate that becomes one of the chain: what the client remembers of it is what it is now.
import { expect } from "chai";
import { seedOf, withChain } from "../testkit/archives/chain.ts";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { certification, keyRevocation } from "../testkit/signature.ts";
import { notation, reason } from "../testkit/subpackets.ts";

const seed = seedOf("role-seed");
const retired = seedOf("role-seed", {
  signatures: [keyRevocation({ by: seed.key, of: seed.key, at: day(15), hashed: [reason(3)] })],
});
const key = ed25519Key("life role-machine");
const machineId = "Machine <machine@build.example.org>";
const delegation = certification({
  by: seed.key,
  of: key,
  userId: machineId,
  at: day(5),
  expiresAfter: 300 * 86_400,
  hashed: [notation("delegate@example.org", "depth=0; feeds=*")],
});
const transition = certification({ by: seed.key, of: key, userId: archiveId, at: day(10) });
const delegate = certificate({ key, userIds: [{ userId: machineId, signatures: [delegation] }] });
const successor = certificate({
  key,
  userIds: [
    { userId: machineId, signatures: [delegation] },
    { userId: archiveId, signatures: [transition] },
  ],
});

describe("cases: state, a delegate that becomes a successor", () => {
  it("is kept like any other when its issuer is retired later", async () => {
    await withChain({ seeds: [seed], bundle: [delegate] }, async (chain) => {
      expect((await chain.chain(day(9))).trusted.get(key.fingerprint)?.role).to.equal("delegate");
      await chain.putBundle([successor]);
      expect((await chain.chain(day(12))).trusted.get(key.fingerprint)?.role).to.equal("successor");
      await chain.putBundle([successor, retired]);
      await chain.accepts(successor, [seed], day(20));
    });
  });

  it("is not kept by a client that knew it as a delegate only", async () => {
    await withChain({ seeds: [seed], bundle: [delegate] }, async (chain) => {
      await chain.chain(day(9));
      await chain.putBundle([successor, retired]);
      expect(await chain.refuses(successor, "untrusted_signer", day(20))).to.contain("retired");
    });
  });

  it("is not forgotten over an audit of an earlier time", async () => {
    await withChain({ seeds: [seed], bundle: [successor] }, async (chain) => {
      await chain.chain(day(12));
      // Before its transition was made it was nothing: the name that it carries keeps it from being a delegate.
      expect((await chain.chain(day(9))).rejected.has(key.fingerprint)).to.equal(true);
      await chain.putBundle([successor, retired]);
      await chain.accepts(successor, [seed], day(20));
    });
  });
});
