// Key servers that fail for some keys, and the order in which keys are asked about.
import { readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { FeedkeyError } from "../../src/error.ts";
import { netLimits } from "../../src/net/limits.ts";
import { createTransport } from "../../src/net/transport.ts";
import type { Transport } from "../../src/net/types.ts";
import { readProfile } from "../../src/profile/read-profile.ts";
import { learnMore, refresh } from "../../src/refresh/refresh.ts";
import { Session } from "../../src/refresh/session.ts";
import type { Instant } from "../../src/time.ts";
import { seedOf, withChain } from "../testkit/archives/chain.ts";
import { day } from "../testkit/dates.ts";
import { honest, withKnownKey } from "../testkit/servers/key-server-run.ts";
import { keyAnswer, withLiars } from "../testkit/servers/key-servers.ts";
import { plain, raw, tlsFile } from "../testkit/servers/misbehaving-server.ts";
import { keyRevocation } from "../testkit/signature.ts";
import { reason } from "../testkit/subpackets.ts";
import type { Client } from "./client.ts";

describe("key servers that fail for some keys", function () {
  this.timeout(60_000);
  // More than are asked about at once: what comes later must be asked about although all before it failed.
  const names = Array.from({ length: 12 }, (_, place) => `order ${place}`);
  const seeds = names.map((name) => seedOf(name));
  const revoked = seeds.map(({ key }, place) =>
    seedOf(names[place] ?? "", {
      signatures: [keyRevocation({ by: key, of: key, at: day(15), hashed: [reason(2)] })],
    }),
  );

  for (const [what, failing] of [
    ["500", plain(500, "internal server error")],
    ["429", plain(429, "slow down", { "retry-after": "3600" })],
    ["503", plain(503, "later")],
    ["a malformed answer", plain(200, "<html>oops</html>")],
    ["too large an answer", plain(200, "x", { "content-length": "5000000000" })],
    ["an answer that is cut off", raw("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\nshort")],
  ] as const) {
    it(`${what} for all other keys: the revocation of a signer is heard of, whichever it is`, async () => {
      await withLiars(async (server) => {
        await withChain({ seeds, servers: [server.url] }, async (chain) => {
          for (const seed of seeds) server.answer(seed.fingerprint, keyAnswer(seed.bytes));
          const signer = seeds[0] ?? seedOf("");
          await chain.accepts(signer, []);
          const asked = server.requests.flatMap((request) => /search=0x(\w+)/.exec(request)?.[1] ?? []);
          // The one that was asked about last, and the one that signed what was accepted last.
          for (const seed of [seeds.find(({ fingerprint }) => fingerprint === asked.at(-1)) ?? signer, signer]) {
            const place = seeds.indexOf(seed);
            for (const other of seeds) server.answer(other.fingerprint, failing);
            server.answer(seed.fingerprint, keyAnswer(revoked[place]?.bytes ?? new Uint8Array()));
            await chain.refuses(seed, "revoked");
          }
        });
      });
    });
  }
});

/** Opens the client with a transport for key servers of the test's own. */
async function withSession(
  client: Client,
  at: Instant,
  keyserverTransport: (real: Transport) => Transport,
  action: (session: Session) => Promise<void>,
): Promise<void> {
  const real = createTransport({ ca: tlsFile("ca.pem"), env: {} });
  const bar = { update: () => undefined, stop: () => undefined };
  const session = await Session.open({
    profile: readProfile(readFileSync(client.profile, "utf8"), client.profile),
    stateFolder: client.state,
    at,
    offline: false,
    transport: real,
    keyserverTransport: keyserverTransport(real),
    reporter: { warn: () => undefined, note: () => undefined, progress: () => bar },
  });
  try {
    await action(session);
  } finally {
    await real.close();
  }
}

describe("the order in which keys are asked about", function () {
  this.timeout(60_000);

  it("the signer first, then its path up to the seed, then all others", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        const second = await life.rotate(day(2), "--at-once");
        const third = await life.rotate(day(3), "--at-once");
        expect(await client.update(day(4))).to.deep.equal([third]);
        const fourth = await life.rotate(day(5));
        const asked: string[] = [];
        const noting = (real: Transport): Transport => ({
          ...real,
          get: async (url, terms) => {
            const key = /^0x(\w+)$/.exec(url.searchParams.get("search") ?? "")?.[1];
            if (key !== undefined) asked.push(key);
            return await real.get(url, terms);
          },
        });
        await withSession(client, day(6), noting, async (session) => {
          await refresh(session);
        });
        expect(asked).to.deep.equal([third, second, life.first, fourth]);
      });
    });
  });

  it("a signer that there was no time for is not used within grace: it is asked about by itself, first", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        let run = 0;
        const limits = {
          ...netLimits,
          get keyserverRun() {
            return run;
          },
        };
        const impatient = (real: Transport): Transport => ({ ...real, limits });
        const untrusted = new FeedkeyError("unchecked_revocation", "no", { details: { signer: life.first } });
        await withSession(client, day(2), impatient, async (session) => {
          const { trust } = await refresh(session);
          expect(trust.rejected.get(life.first)?.code).to.equal("unchecked_revocation");
          expect(await client.remembers(), "what was accepted stays").to.deep.equal([life.first]);
          run = 60_000;
          const again = await learnMore(session, [untrusted]);
          expect([...(again?.trust.trusted.keys() ?? [])]).to.deep.equal([life.first]);
          expect(await learnMore(session, [untrusted]), "nothing more to learn").to.equal(undefined);
        });
        run = 0;
        server.answer(life.first, plain(500, ""));
        await withSession(client, day(3), impatient, async (session) => {
          await refresh(session);
          run = 60_000;
          // Asked, and no server could tell: that is what grace is for.
          const again = await learnMore(session, [untrusted]);
          expect([...(again?.trust.trusted.keys() ?? [])]).to.deep.equal([life.first]);
        });
        run = 0;
        const bare = await fs.readFile(join(life.archive.home, "revocations", `${life.first}-compromised.asc`));
        server.answer(life.first, plain(200, bare));
        await withSession(client, day(4), impatient, async (session) => {
          await refresh(session);
          run = 60_000;
          const again = await learnMore(session, [untrusted]);
          expect(again?.trust.rejected.get(life.first)?.code).to.equal("revoked");
        });
      });
    });
  });

  it("the key servers are asked while the bundle is still on its way, and what it brings is asked about too", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        const second = await life.rotate(day(2), "--at-once");
        server.answer(second, await honest(life, second));
        const path = "keys/archive-keyring.pgp";
        const bundle = plain(200, await fs.readFile(join(life.archive.site, path)));
        const before = server.asked(life.first);
        life.archive.mirror.behave(path, (socket, request) => {
          const timer = setInterval(() => {
            if (server.asked(life.first) === before) return;
            clearInterval(timer);
            bundle(socket, request);
          }, 20);
          socket.on("close", () => clearInterval(timer));
        });
        expect(await client.update(day(3))).to.deep.equal([second]);
        expect(server.asked(second)).to.equal(1);
      });
    });
  });
});
