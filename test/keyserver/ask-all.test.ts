import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import type { Answer } from "../../src/keyserver/answer.ts";
import { askAll, isUnasked, united } from "../../src/keyserver/ask-all.ts";
import { createTransport } from "../../src/net/transport.ts";
import type { Transport } from "../../src/net/types.ts";
import { armor } from "../../src/openpgp/packet/armor.ts";
import {
  type Behaviour,
  type MisbehavingServer,
  plain,
  raw,
  startMisbehaving,
  stuckAfter,
  tlsFile,
} from "../testkit/servers/misbehaving-server.ts";

const transport = createTransport({ ca: tlsFile("ca.pem"), env: {} });

describe("several key servers", () => {
  const servers: MisbehavingServer[] = [];
  const start = async (behaviour: Behaviour) => {
    const server = await startMisbehaving({ "/pks/lookup": behaviour }, "good");
    servers.push(server);
    return new URL(`hkps://localhost:${server.port}`);
  };
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  after(() => transport.close());

  /** Answers each search with a block that holds the searched text. */
  const echo: Behaviour = (socket, request) => {
    const search = /search=0x(\w+)/.exec(request)?.[1] ?? "";
    plain(200, armor(Buffer.from(search), "PUBLIC KEY BLOCK"))(socket, request);
  };
  const named = (fingerprint: string) => (block: Uint8Array) => Buffer.from(block).toString() === fingerprint;
  const outcomes = (row: readonly { answer: Answer }[] | undefined) => row?.map(({ answer }) => answer.outcome);

  it("asks each about each key, and keeps the order", async () => {
    const urls = [await start(echo), await start(plain(404, "")), await start(plain(500, ""))];
    const answers = await askAll(urls, ["AA", "BB", "AA"], named, { transport });
    expect([...answers.keys()]).to.deep.equal(["AA", "BB"]);
    for (const key of ["AA", "BB"]) {
      expect(outcomes(answers.get(key))).to.deep.equal(["found", "absent", "unknown"]);
      expect(answers.get(key)?.map(({ server }) => server)).to.deep.equal(urls);
    }
  });

  it("leaves a server alone that can't be connected to, and only that one", async () => {
    const keys = Array.from({ length: 40 }, (_, number) => `KEY${number}`);
    const silent = await startMisbehaving({}, "good");
    await silent.close();
    let asked = 0;
    const counting: Transport = {
      ...transport,
      get: async (url, terms) => {
        if (url.port === String(silent.port)) asked += 1;
        return await transport.get(url, terms);
      },
    };
    const servers = [new URL(`hkps://localhost:${silent.port}`), await start(echo)];
    const answers = await askAll(servers, keys, named, { transport: counting });
    for (const key of keys) expect(outcomes(answers.get(key)), key).to.deep.equal(["unknown", "found"]);
    expect(asked).to.be.lessThan(10);
  });

  it("leaves a server alone that is not the one of its name", async () => {
    const keys = Array.from({ length: 40 }, (_, number) => `KEY${number}`);
    const stranger = await startMisbehaving({ "/pks/lookup": echo }, "wrong-name");
    servers.push(stranger);
    const answers = await askAll([new URL(`hkps://localhost:${stranger.port}`)], keys, named, { transport });
    for (const key of keys) expect(outcomes(answers.get(key)), key).to.deep.equal(["unknown"]);
    expect(stranger.requests).to.deep.equal([]);
  });

  // Each answers KEY0 to KEY4 in its way and knows all others.
  const head = "HTTP/1.1 200 OK\r\n";
  for (const [what, failing] of [
    ["status 500", plain(500, "")],
    ["status 429", plain(429, "", { "retry-after": "3600" })],
    ["status 503", plain(503, "later", { "retry-after": "3600" })],
    ["silence", () => undefined],
    ["half an answer and silence", stuckAfter(`${head}content-length: 500\r\n\r\nhalf`)],
    ["an answer that is cut off", raw(`${head}content-length: 500\r\n\r\nhalf`)],
    ["a closed connection", raw("")],
    ["no HTTP", raw("220 smtp.example.org ESMTP\r\n")],
    ["a web page", plain(200, "<html>welcome</html>")],
    ["a redirect", plain(302, "", { location: "https://elsewhere.example/" })],
    ["5 GB, announced", stuckAfter(`${head}content-length: 5368709120\r\n\r\n`)],
  ] as const) {
    it(`goes on asking a server that answers some keys with ${what}`, async () => {
      const keys = Array.from({ length: 10 }, (_, number) => `KEY${number}`);
      const server = await start((socket, request) => (/0xKEY[0-4]/.test(request) ? failing : echo)(socket, request));
      const answers = await askAll([server], keys, named, { transport, within: 1500 });
      for (const [place, key] of keys.entries()) {
        expect(outcomes(answers.get(key)), key).to.deep.equal([place < 5 ? "unknown" : "found"]);
      }
    }).timeout(20_000);
  }

  it("ends with a total time, the first keys asked, and says of the others that they were not", async () => {
    const keys = Array.from({ length: 40 }, (_, number) => `KEY${number}`);
    const servers = [await start(() => undefined), await start(echo)];
    const answers = await askAll(servers, keys, named, { transport, within: 5000, total: 4000 });
    const notAsked = keys.filter((key) => answers.get(key)?.some(({ answer }) => isUnasked(answer)));
    // Six questions at a time: none begins once the time is over, and none that has begun is cut short.
    expect(notAsked).to.deep.equal(keys.slice(6));
    for (const key of keys) expect(outcomes(answers.get(key)), key).to.deep.equal(["unknown", "found"]);
  }).timeout(20_000);

  it("goes on asking a server whose answers are too long", async () => {
    const keys = Array.from({ length: 10 }, (_, number) => `KEY${number}`);
    const long = plain(200, Buffer.alloc(4 * 1024 * 1024 + 1));
    const server = await start((socket, request) => (/0xKEY[0-4]/.test(request) ? long : echo)(socket, request));
    const answers = await askAll([server], keys, named, { transport });
    const found = keys.filter((key) => outcomes(answers.get(key))?.[0] === "found");
    expect(found).to.deep.equal(keys.slice(5));
  }).timeout(20_000);

  it("forgives a failure that is not followed by another", async () => {
    // So far apart that the questions under way together never hold both.
    const failing = new Set(["KEY0", "KEY15"]);
    const flaky: Behaviour = (socket, request) => {
      const key = /search=0x(\w+)/.exec(request)?.[1] ?? "";
      (failing.has(key) ? plain(500, "") : echo)(socket, request);
    };
    const keys = Array.from({ length: 30 }, (_, number) => `KEY${number}`);
    const answers = await askAll([await start(flaky)], keys, named, { transport });
    const unknown = keys.filter((key) => outcomes(answers.get(key))?.[0] === "unknown");
    expect(unknown).to.deep.equal([...failing]);
  });

  it("asks six questions at a time", async () => {
    let waiting: (() => void)[] = [];
    let most = 0;
    // Nobody is answered before six wait; then a seventh would have the time to come.
    const holding: Behaviour = (socket, request) => {
      waiting.push(() => plain(404, "")(socket, request));
      most = Math.max(most, waiting.length);
      if (waiting.length !== 6) return;
      setTimeout(() => {
        const held = waiting;
        waiting = [];
        for (const answer of held) answer();
      }, 50);
    };
    const keys = Array.from({ length: 12 }, (_, number) => `KEY${number}`);
    const answers = await askAll([await start(holding)], keys, named, { transport });
    expect([...answers.values()].flatMap((row) => outcomes(row))).to.deep.equal(Array(12).fill("absent"));
    expect(most).to.equal(6);
  });
});

describe("united answers", () => {
  const found = (...texts: string[]): Answer => ({ outcome: "found", blocks: texts.map((text) => Buffer.from(text)) });
  const absent: Answer = { outcome: "absent", how: "status 404" };
  const unknown: Answer = { outcome: "unknown", error: new FeedkeyError("unavailable", "no") };

  it("keep all that was found, each block once", () => {
    const answer = united([found("a", "b"), absent, found("b", "c"), unknown]);
    if (answer.outcome !== "found") throw new Error(answer.outcome);
    expect(answer.blocks.map((block) => Buffer.from(block).toString())).to.deep.equal(["a", "b", "c"]);
  });

  it("are absent only if somebody properly said so, and unknown if nobody was asked", () => {
    expect(united([unknown, absent]).outcome).to.equal("absent");
    expect(united([unknown, unknown])).to.equal(unknown);
    expect(united([]).outcome).to.equal("unknown");
  });

  it("do not depend on the order of the servers", () => {
    const any = fc.array(fc.constantFrom(found("a"), found("b"), absent, unknown), { maxLength: 5 });
    const summary = (answer: Answer) =>
      answer.outcome === "found" ? answer.blocks.map((block) => Buffer.from(block).toString()).sort() : answer.outcome;
    fc.assert(
      fc.property(any, (answers) => {
        expect(summary(united(answers))).to.deep.equal(summary(united([...answers].reverse())));
      }),
    );
  });
});
