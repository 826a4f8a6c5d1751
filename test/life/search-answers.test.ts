// T11: a certificate that a key server sends in answer to the search by address is its answer about that key.
import { expect } from "chai";
import { seedOf, successorOf, withChain } from "../testkit/archives/chain.ts";
import { day } from "../testkit/dates.ts";
import { armored } from "../testkit/framing.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { keyAnswer, type LyingServer, withLiars } from "../testkit/servers/key-servers.ts";
import { plain } from "../testkit/servers/misbehaving-server.ts";
import { keyRevocation } from "../testkit/signature.ts";
import { reason } from "../testkit/subpackets.ts";

const address = "archive@example.org";

describe("keys that come with a search", function () {
  this.timeout(60_000);
  const seed = seedOf("searched seed");
  const next = successorOf([seed], "searched next");
  const last = successorOf([next], "searched last", { certifiedAt: day(12) });
  const all = [seed, next, last];
  const compromised = keyRevocation({ by: next.key, of: next.key, at: day(15), hashed: [reason(2)] });
  const revoked = successorOf([seed], "searched next", { signatures: [compromised] });
  const bytesOf = (some: readonly { bytes: Uint8Array }[]) => Buffer.concat(some.map(({ bytes }) => bytes));
  /** Fingerprints asked for one by one since then. */
  const askedOf = (server: LyingServer, since = 0) => {
    return server.requests.slice(since).flatMap((request) => /search=0x(\w+)/.exec(request)?.[1] ?? []);
  };

  it("are not asked about again, at the server that sent them", async () => {
    await withLiars(
      async (whole, part) => {
        whole.answer(address, keyAnswer(bytesOf(all)));
        part.answer(address, keyAnswer(seed.bytes));
        await withChain({ seeds: [seed], servers: [whole.url, part.url] }, async (chain) => {
          await chain.accepts(last, [seed, next]);
          expect(askedOf(whole)).to.deep.equal([]);
          // One search in each of two runs.
          expect(whole.requests).to.have.length(2);
          expect(new Set(askedOf(part))).to.deep.equal(new Set([next.fingerprint, last.fingerprint]));
          // What another server knows still counts.
          part.answer(next.fingerprint, keyAnswer(revoked.bytes));
          await chain.refuses(last, "untrusted_signer");
        });
      },
      "good",
      "good",
    );
  });

  it("are asked about where the search left them out: a revoked key has no name at Hockeypuck", async () => {
    await withLiars(async (server) => {
      server.answer(address, keyAnswer(bytesOf(all)));
      await withChain({ seeds: [seed], servers: [server.url] }, async (chain) => {
        await chain.accepts(last, [seed, next]);
        server.answer(address, keyAnswer(bytesOf([seed, last])));
        server.answer(next.fingerprint, keyAnswer(revoked.bytes));
        await chain.refuses(last, "untrusted_signer");
        expect(new Set(askedOf(server))).to.deep.equal(new Set([next.fingerprint]));
      });
    });
  });

  for (const [what, answer] of [
    ["breaks off", plain(200, armored("PUBLIC KEY BLOCK", bytesOf(all)).slice(0, -60))],
    ["is no answer", plain(500, "later")],
  ] as const) {
    it(`are asked about where its answer ${what}`, async () => {
      await withLiars(async (server) => {
        server.answer(address, keyAnswer(bytesOf(all)));
        await withChain({ seeds: [seed], servers: [server.url] }, async (chain) => {
          await chain.accepts(last, [seed, next]);
          server.answer(address, answer);
          server.answer("", plain(500, "later"));
          const since = server.requests.length;
          await chain.refuses(last, "unchecked_revocation", day(60));
          expect(new Set(askedOf(server, since))).to.deep.equal(new Set(all.map((one) => one.fingerprint)));
        });
      });
    });
  }

  it("are said to be perhaps not all, where a server sends as many as it ever does", async () => {
    await withLiars(async (server) => {
      const crowd = Array.from({ length: 99 }, (_, place) => seedOf(`searched ${place}`));
      await withChain({ seeds: [seed], servers: [server.url] }, async (chain) => {
        for (const [count, said] of [
          [98, 0],
          [99, 1],
        ] as const) {
          server.answer(address, keyAnswer(bytesOf([seed, ...crowd.slice(0, count)])));
          const { warnings = [] } = documentOf(await runHere(chain.args(day(20), "refresh")));
          expect(warnings.filter((one) => one.includes(`sent ${count + 1} keys for ${address}`))).to.have.length(said);
        }
      });
    });
  });
});
