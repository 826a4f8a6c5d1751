// Chain, through the command line: which links hold.
import { expect } from "chai";
import { type SuccessorOptions, seedOf, successorOf, withChain } from "../testkit/archives/chain.ts";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { keyAnswer, withLiars } from "../testkit/servers/key-servers.ts";
import { certification, keyRevocation, withdrawal } from "../testkit/signature.ts";
import { exportable, reason } from "../testkit/subpackets.ts";

const seed = seedOf("seed");
const second = successorOf([seed], "second");
const third = successorOf([second], "third", { certifiedAt: day(12) });

/** A key that revoked itself. */
function revoked(by: ReturnType<typeof seedOf>, at: number, ...why: Parameters<typeof reason>) {
  return { signatures: [keyRevocation({ by: by.key, of: by.key, at, hashed: [reason(...why)] })] };
}

describe("cases: chain, links in a row", () => {
  it("A -> B -> C, B only on the key server: accepted", async () => {
    await withLiars(async (server) => {
      for (const one of [seed, second, third]) server.answer(one.fingerprint, keyAnswer(one.bytes));
      server.answer("archive@example.org", keyAnswer(second.bytes));
      await withChain({ seeds: [seed], bundle: [third], servers: [server.url] }, async (chain) => {
        await chain.accepts(third, [seed, second]);
      });
    });
  });

  it("B missing everywhere: refused, says which link is missing", async () => {
    await withChain({ seeds: [seed], bundle: [third] }, async (chain) => {
      const reason = await chain.refuses(third, "untrusted_signer");
      expect(reason).to.contain(second.fingerprint);
    });
  });

  it("B hard-revoked, C certified by B only: refused", async () => {
    const thief = successorOf([seed], "second", revoked(second, day(15), 2));
    await withChain({ seeds: [seed], bundle: [thief, third] }, async (chain) => {
      expect(await chain.refuses(third, "untrusted_signer")).to.contain("compromised");
      await chain.refuses(second, "revoked");
    });
  });

  it("B hard-revoked, C certified by A too: accepted", async () => {
    const thief = successorOf([seed], "second", revoked(second, day(15), 2));
    const saved = successorOf([seed, second], "third");
    await withChain({ seeds: [seed], bundle: [thief, saved] }, async (chain) => {
      await chain.accepts(saved, [seed]);
      await chain.refuses(second, "revoked");
    });
  });

  it("B expired, C live: accepted", async () => {
    const shortLived = successorOf([seed], "second", { keyExpiresAfter: 5 * 86_400 });
    await withChain({ seeds: [seed], bundle: [shortLived, third] }, async (chain) => {
      await chain.accepts(third, [seed, second]);
      await chain.refuses(second, "expired");
    });
  });

  it("A -> B -> A: ends", async () => {
    const back = certification({ by: second.key, of: seed.key, userId: archiveId, at: day(12) });
    const circle = seedOf("seed", { certifiedBy: [back] });
    await withChain({ seeds: [circle], bundle: [second, third] }, async (chain) => {
      await chain.accepts(third, [seed, second]);
      await chain.accepts(seed, []);
    });
  });

  it("three rotations behind: catches up in one run", async () => {
    const fourth = successorOf([third], "fourth", { certifiedAt: day(13) });
    await withChain({ seeds: [seed], bundle: [fourth, third, second] }, async (chain) => {
      await chain.accepts(fourth, [seed, second, third]);
    });
  });
});

describe("cases: chain, one link", () => {
  /** What becomes of a successor made with these options. */
  function link(what: string, outcome: string, options: SuccessorOptions, said?: string): void {
    it(`${what}: ${outcome}`, async () => {
      const made = successorOf([], "second", options);
      await withChain({ seeds: [seed], bundle: [made] }, async (chain) => {
        if (outcome === "accepted") await chain.accepts(made, [seed]);
        else expect(await chain.refuses(made, "untrusted_signer")).to.contain(said);
      });
    });
  }
  const by = (options: object = {}) => ({
    certifiedBy: [certification({ by: seed.key, of: second.key, userId: archiveId, at: day(11), ...options })],
  });

  link("a plain certification (0x10)", "accepted", by());
  for (const type of [0x11, 0x12, 0x13]) link(`type 0x${type.toString(16)}`, "accepted", by({ type }));
  link("older than the successor", "refused", by({ at: day(9) }), "older than one of the two keys");
  link("older than both keys", "refused", by({ at: day(-1) }), "older than one of the two keys");
  link("dated in the future", "refused", by({ at: day(21) }), "future");
  link("within the allowance for clocks", "accepted", by({ at: day(20) + 240_000 }));
  link("not exportable", "refused", by({ hashed: [exportable(false)] }), "not exportable");
  link("expired", "refused", by({ expiresAfter: 86_400 }), "expired");
  link("SHA-1", "refused", by({ hash: "sha1" }), "SHA1");
  const taken = withdrawal({ by: seed.key, of: second.key, userId: archiveId, at: day(12) });
  link("withdrawn (0x30)", "refused", { certifiedBy: [...by().certifiedBy, taken] }, "withdrawn");
  const notTaken = withdrawal({ by: ed25519Key("life stranger"), of: second.key, userId: archiveId, at: day(12) });
  link("withdrawn by a stranger", "accepted", { certifiedBy: [...by().certifiedBy, notTaken] });
  link("by nobody at hand", "refused", by({ by: ed25519Key("life stranger") }), "no available key certifies it");

  it("on another user ID of the right key: refused", async () => {
    const other = "Somebody Else <else@example.org>";
    const signatures = [certification({ by: seed.key, of: second.key, userId: other, at: day(11) })];
    const made = certificate({ key: second.key, userIds: [archiveId, { userId: other, signatures }] });
    await withChain({ seeds: [seed], bundle: [made] }, async (chain) => {
      expect(await chain.refuses(made, "untrusted_signer")).to.contain("no available key certifies it");
    });
  });

  it("by a signing subkey: refused; by a certify-only primary: accepted", async () => {
    const subkey = ed25519Key("life subkey");
    const certifyOnly = seedOf("seed", { flags: ["certify"], subkeys: [subkey] });
    const bySubkey = successorOf([{ key: subkey }], "second");
    const byPrimary = successorOf([seed], "third");
    await withChain({ seeds: [certifyOnly], bundle: [bySubkey, byPrimary] }, async (chain) => {
      expect(await chain.refuses(bySubkey, "untrusted_signer")).to.contain("subkey");
      await chain.accepts(byPrimary, [certifyOnly]);
    });
  });

  it("by a sign-only primary: refused", async () => {
    await withChain({ seeds: [seedOf("seed", { flags: ["sign"] })], bundle: [second] }, async (chain) => {
      expect(await chain.refuses(second, "untrusted_signer")).to.contain("not for certifying");
    });
  });

  for (const [how, trust] of [
    ["refused by default", []],
    ["refused where retired issuers are accepted", ["retired-issuers = accept"]],
  ] as const) {
    it(`after the issuer's soft revocation: ${how}`, async () => {
      const retired = seedOf("seed", revoked(seed, day(10), 3));
      await withChain({ seeds: [retired], bundle: [second], trust }, async (chain) => {
        expect(await chain.refuses(second, "untrusted_signer")).to.contain("retired");
      });
    });
  }

  it("before the issuer's soft revocation: refused by default, accepted where the profile says so", async () => {
    const retired = seedOf("seed", revoked(seed, day(15), 3));
    await withChain({ seeds: [retired], bundle: [second] }, async (chain) => {
      expect(await chain.refuses(second, "untrusted_signer")).to.contain("retired");
    });
    const trust = ["retired-issuers = accept"];
    await withChain({ seeds: [retired], bundle: [second], trust }, async (chain) => {
      await chain.accepts(second, [retired]);
    });
  });
});
