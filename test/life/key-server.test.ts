// Key server, through the command line: what a server that misbehaves can do.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { createTransport } from "../../src/net/transport.ts";
import type { Transport } from "../../src/net/types.ts";
import { readProfile } from "../../src/profile/read-profile.ts";
import { refresh } from "../../src/refresh/refresh.ts";
import { Session } from "../../src/refresh/session.ts";
import { seedOf, withChain } from "../testkit/archives/chain.ts";
import type { TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { framed } from "../testkit/framing.ts";
import { acceptsWith, honest, unchecked, withKnownKey, withNewClient } from "../testkit/servers/key-server-run.ts";
import { keyAnswer, withLiars } from "../testkit/servers/key-servers.ts";
import {
  type Behaviour,
  drip,
  flood,
  plain,
  raw,
  startMisbehaving,
  tlsFile,
} from "../testkit/servers/misbehaving-server.ts";
import { keyRevocation } from "../testkit/signature.ts";
import { reason } from "../testkit/subpackets.ts";
import type { Client } from "./client.ts";

const head = "HTTP/1.1 200 OK\r\ncontent-type: application/pgp-keys\r\n";
const page = "<!DOCTYPE html><title>Welcome to our hotel</title><p>Please log in.</p>\n";

/** Answers about a key that say nothing, whatever they look like. */
const useless: readonly (readonly [string, Behaviour])[] = [
  ["another key", keyAnswer(seedOf("somebody else").bytes)],
  ["an HTML page and 200", plain(200, page, { "content-type": "text/html" })],
  ["5 GB, announced", flood(`${head}content-length: 5000000000\r\n\r\n`)],
  ["bytes without end", flood(`${head}\r\n`)],
  ["nothing, with 200", plain(200, "")],
  ["an empty line, with 200", plain(200, "\r\n")],
  ["zeros", plain(200, Buffer.alloc(1000))],
  ["an armor header and no more", plain(200, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n")],
  ["an armor of nothing", keyAnswer(new Uint8Array())],
  ["a key packet cut off", keyAnswer(seedOf("somebody else").bytes.subarray(0, 20))],
  ["an index instead of keys", plain(200, "info:1:1\npub:0123456789ABCDEF:22::::\n")],
  ["an error", plain(500, "internal server error")],
  ["an error that asks to come again in a year", plain(503, "later", { "retry-after": "31536000" })],
  ["410 instead of 404", plain(410, "gone")],
  ["a closed connection", raw("")],
  ["half a head", raw("HTTP/1.1 200 O")],
  ["less than announced", raw(`${head}content-length: 5000\r\n\r\nshort`)],
  ["no HTTP at all", raw("220 smtp.example.org ESMTP\r\n")],
];

describe("cases: key server, answers that say nothing", function () {
  this.timeout(60_000);

  for (const [what, behaviour] of useless) {
    it(`${what}: unknown for a new key, grace for a known one`, async () => {
      await withLiars(async (server) => {
        await withKnownKey([server], async (client, life) => {
          server.answer(life.first, behaviour);
          await acceptsWith(client, day(2), /could not be checked/, /within the profile's grace/);
          const young = await life.client("young", { servers: [server.url] });
          await young.refuse(unchecked, day(2), "update");
          expect(await young.remembers()).to.deep.equal([]);
        });
      });
    });
  }

  it("all of them at once, beside one good server: accepted", async () => {
    const behaviours = useless.map(([, behaviour]) => behaviour);
    await withLiars(
      async (good, ...bad) => {
        await withNewClient([good, ...bad], async (client, life) => {
          for (const [place, server] of bad.entries()) {
            for (const search of ["", life.first]) server.answer(search, behaviours[place] ?? plain(404, ""));
          }
          await acceptsWith(client, day(1));
        });
      },
      ...[behaviours[0], ...behaviours].map(() => "good" as const),
    );
  });

  it("one byte a second: given up within the limits", async () => {
    await withLiars(async (server) => {
      await withNewClient([server], async (client, life) => {
        server.answer("", drip(`${head}\r\n`, 50));
        server.answer(life.first, drip(`${head}\r\n`, 50));
        const { rejected, hung } = await refreshWithin(client, 300);
        expect(rejected).to.deep.equal(["unchecked_revocation"]);
        expect(hung).to.equal(0);
      });
    });
  });
});

/** Refreshes with a limit on each question that is small enough for a test. */
async function refreshWithin(client: Client, within: number): Promise<{ rejected: string[]; hung: number }> {
  const real = createTransport({ ca: tlsFile("ca.pem"), env: {} });
  let hung = 0;
  const hurried: Transport = {
    ...real,
    get: async (url, terms) => {
      hung += 1;
      return await real.get(url, { ...terms, within }).finally(() => {
        hung -= 1;
      });
    },
  };
  const bar = { update: () => undefined, stop: () => undefined };
  const session = await Session.open({
    profile: readProfile(readFileSync(client.profile, "utf8"), client.profile),
    stateFolder: client.state,
    at: day(1),
    offline: false,
    transport: real,
    keyserverTransport: hurried,
    reporter: { warn: () => undefined, note: () => undefined, progress: () => bar },
  });
  try {
    const { trust } = await refresh(session);
    return { rejected: [...trust.rejected.values()].map(({ code }) => code), hung };
  } finally {
    await real.close();
  }
}

describe("cases: key server, answers that are too long", function () {
  this.timeout(60_000);
  const seed = seedOf("flooded");
  const junk = framed({ tag: 2, body: Uint8Array.of(4, 0x13, ...Array<number>(60).fill(0)) });
  const flood = (of: TestCertificate) => {
    const flooded = Buffer.concat([of.bytes, ...Array<Uint8Array>(80_000).fill(junk)]);
    return keyAnswer(new Uint8Array(flooded));
  };
  const revoked = seedOf("flooded", {
    signatures: [keyRevocation({ by: seed.key, of: seed.key, at: day(15), hashed: [reason(2)] })],
  });

  it("say nothing of what they leave out: unknown for a new key, grace for a known one", async () => {
    await withLiars(async (server) => {
      await withChain({ seeds: [seed], servers: [server.url] }, async (chain) => {
        server.answer(seed.fingerprint, flood(seed));
        await chain.refuses(seed, "unchecked_revocation");
        server.answer(seed.fingerprint, keyAnswer(seed.bytes));
        await chain.accepts(seed, []);
        server.answer(seed.fingerprint, flood(seed));
        await chain.accepts(seed, []);
        expect((await chain.chain()).warnings.join()).to.match(
          /could not be checked.*feedkey used .*beginning.*within the profile's grace/,
        );
      });
    });
  });

  it("but a revocation at their beginning counts", async () => {
    await withLiars(async (server) => {
      await withChain({ seeds: [seed], servers: [server.url] }, async (chain) => {
        server.answer(seed.fingerprint, keyAnswer(seed.bytes));
        await chain.accepts(seed, []);
        server.answer(seed.fingerprint, flood(revoked));
        await chain.refuses(seed, "revoked");
        server.answer(seed.fingerprint, keyAnswer(seed.bytes));
        await chain.refuses(seed, "revoked");
      });
    });
  });
});

describe("cases: key server, redirects", () => {
  for (const [what, where] of [
    ["to http", (port: number) => `http://localhost:${port}/pks/lookup`],
    ["to another host", (_: number, own: string) => own.replace("hkps://localhost", "https://127.0.0.1")],
    ["to itself under another path", (_: number, own: string) => `${own.replace("hkps", "https")}/pks/elsewhere`],
    ["to a file", () => `file://${resolve("test/vectors/keyserver-answers/hagrid-verified-C.asc")}`],
  ] as const) {
    it(`${what}: not followed`, async () => {
      await withLiars(async (server) => {
        await withNewClient([server], async (client, life) => {
          const answers = await honest(life, life.first);
          const target = await startMisbehaving({ "/pks/lookup": answers, "/pks/elsewhere": answers });
          try {
            const location = where(target.port, server.url);
            server.answer(life.first, plain(302, "over there", { location }));
            const before = server.requests.length;
            await client.refuse(unchecked, day(1), "update");
            expect(target.requests).to.deep.equal([]);
            // The search and the question about the seed; nothing else.
            expect(server.requests.length - before).to.equal(2);
          } finally {
            await target.close();
          }
        });
      });
    });
  }
});

describe("cases: key server, TLS", () => {
  for (const leaf of ["wrong-name", "stranger", "expired"] as const) {
    it(`${leaf}: unknown, and nothing is asked of it`, async () => {
      await withLiars(async (server) => {
        await withNewClient([server], async (client) => {
          await client.refuse(unchecked, day(1), "update");
          expect(server.requests).to.deep.equal([]);
        });
      }, leaf);
    });
  }

  it("an authority that the profile does not name: unknown", async () => {
    await withLiars(async (server) => {
      await withNewClient([server], async (client, life) => {
        const trust = [`keyserver-ca = ${resolve("test/vectors/tls/stranger.pem")}`];
        const elsewhere = await life.client("elsewhere", { servers: [server.url], trust, authority: false });
        await elsewhere.refuse(unchecked, day(1), "update");
        expect(server.requests).to.deep.equal([]);
        expect(await client.update(day(1))).to.deep.equal([life.first]);
      });
    });
  });
});

describe("cases: key server, patience", () => {
  it("429 with Retry-After: honoured", async () => {
    await withLiars(async (server) => {
      await withNewClient([server], async (client, life) => {
        const good = await honest(life, life.first);
        let before = 1;
        server.answer(life.first, (socket, request) => {
          if (before-- > 0) plain(429, "slow down", { "retry-after": "1" })(socket, request);
          else good(socket, request);
        });
        await acceptsWith(client, day(1));
        expect(server.asked(life.first)).to.equal(2);
      });
    });
  });

  for (const [what, wish, questions] of [
    ["without end: asked three times", "0", 3],
    ["for longer than there is time: asked once", "3600", 1],
    ["no sensible wish: asked once", "soon", 1],
  ] as const) {
    it(`429 ${what}`, async () => {
      await withLiars(async (server) => {
        await withNewClient([server], async (client, life) => {
          server.answer(life.first, plain(429, "slow down", { "retry-after": wish }));
          await client.refuse(unchecked, day(1), "update");
          expect(server.asked(life.first)).to.equal(questions);
        });
      });
    });
  }
});
