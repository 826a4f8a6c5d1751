import { expect } from "chai";
import { FeedkeyError } from "../../src/error.ts";
import type { NetLimits } from "../../src/net/limits.ts";
import { nextUrl } from "../../src/net/redirect.ts";
import { createTransport, type TransportOptions } from "../../src/net/transport.ts";
import type { GetOptions, Transport } from "../../src/net/types.ts";
import { reasonOf, refusal } from "../testkit/servers/failures.ts";
import {
  type Behaviour,
  drip,
  flood,
  type MisbehavingServer,
  plain,
  raw,
  startMisbehaving,
  stuckAfter,
} from "../testkit/servers/misbehaving-server.ts";

const ok = "HTTP/1.1 200 OK\r\n";
const quick: Partial<NetLimits> = { connect: 2000, headers: 300, idle: 300, slowWindow: 400, keyserverTotal: 3000 };
const archive: GetOptions = { maxBytes: 1000, policy: "archive" };

describe("transport: answers", () => {
  let server: MisbehavingServer;
  let transport: Transport;
  const start = async (behaviours: Record<string, Behaviour>, options: TransportOptions = {}) => {
    server = await startMisbehaving(behaviours);
    transport = createTransport({ env: {}, limits: quick, ...options });
  };
  const get = (path: string, options = archive) => transport.get(new URL(path, server.url), options);
  afterEach(async () => {
    await transport.close();
    await server.close();
  });

  it("hands over status, headers, body and address", async () => {
    await start({ "/a": plain(200, "hello", { "X-Name": "one", ETag: '"e"' }) });
    const answer = await get("/a?q=1");
    expect(answer.status).to.equal(200);
    expect(answer.headers).to.include({ "x-name": "one", etag: '"e"' });
    expect(Buffer.from(answer.body).toString()).to.equal("hello");
    expect(answer.url).to.equal(`${server.url}a?q=1`);
    expect(server.requests[0])
      .to.match(/^GET \/a\?q=1 HTTP\/1.1\r\n/)
      .and.match(/\r\naccept-encoding: identity\r\n/i);
  });

  it("gives the body to a sink and tells progress", async () => {
    await start({ "/a": plain(200, "hello") });
    const taken: string[] = [];
    const progress: unknown[] = [];
    const answer = await get("/a", {
      ...archive,
      sink: async (chunk, head) => {
        taken.push(`${head.status} ${Buffer.from(chunk)}`);
      },
      onProgress: (received, total) => progress.push([received, total]),
    });
    expect(taken).to.deep.equal(["200 hello"]);
    expect(progress).to.deep.equal([[5, 5]]);
    expect(answer.body).to.have.length(0);
  });

  it("passes on what a sink throws", async () => {
    await start({ "/a": flood(`${ok}\r\n`) });
    const full = new Error("disk full");
    const outcome = await get("/a", {
      ...archive,
      maxBytes: 1e9,
      sink: () => {
        throw full;
      },
    }).catch((error: unknown) => error);
    expect(outcome).to.equal(full);
  });

  it("takes other statuses for answers, whose body never reaches the sink", async () => {
    await start({ "/b": plain(503, "x".repeat(100_000), { "retry-after": "7" }) });
    const taken: Uint8Array[] = [];
    const options = { ...archive, sink: (chunk: Uint8Array) => void taken.push(chunk) };
    expect(Buffer.from((await get("/a", options)).body).toString()).to.equal("nothing here");
    const busy = await get("/b", options);
    expect(busy.status).to.equal(503);
    expect(busy.headers["retry-after"]).to.equal("7");
    expect(busy.body).to.have.length(65_536);
    expect(taken).to.deep.equal([]);
  });

  it("sends credentials of the address without telling them", async () => {
    await start({ "/a": plain(200, "hello") });
    const url = new URL("/a", server.url);
    url.username = "me";
    url.password = "s%3Acret";
    const answer = await transport.get(url, archive);
    expect(answer.url).to.not.include("cret");
    expect(server.requests[0]).to.include(`authorization: Basic ${Buffer.from("me:s:cret").toString("base64")}`);
    const error = await refusal(transport.get(url, { ...archive, maxBytes: 1 }));
    expect(JSON.stringify(error.details) + error.message).to.not.include("cret");
  });

  it("posts a body", async () => {
    await start({ "/add": plain(200, "fine") });
    const answer = await transport.post(new URL("/add", server.url), Buffer.from("a=b"), "text/x", { maxBytes: 10 });
    expect(Buffer.from(answer.body).toString()).to.equal("fine");
    expect(server.requests[0])
      .to.match(/^POST \/add/)
      .and.match(/content-type: text\/x\r\n/i)
      .and.match(/\r\n\r\na=b$/);
  });

  it("accepts a part only where one was asked for", async () => {
    await start({ "/a": plain(206, "part") });
    expect(await reasonOf(get("/a"))).to.equal("protocol");
    expect((await get("/a", { ...archive, headers: { range: "bytes=3-" } })).status).to.equal(206);
  });

  it("asks nothing with --offline", async () => {
    await start({}, { offline: true });
    expect(await reasonOf(get("/a"))).to.equal("offline");
    expect(server.requests).to.deep.equal([]);
  });

  it("refuses a body that is announced or grows too large", async () => {
    await start({
      "/claims": stuckAfter(`${ok}content-length: 5368709120\r\n\r\n`),
      "/streams": flood(`${ok}\r\n`),
      "/chunks": raw(`${ok}transfer-encoding: chunked\r\n\r\n3e9\r\n${"x".repeat(1001)}\r\n0\r\n\r\n`),
      "/exact": plain(200, "x".repeat(1000)),
    });
    for (const path of ["/claims", "/streams", "/chunks"])
      expect(await reasonOf(get(path)), path).to.equal("too_large");
    expect((await get("/exact")).body).to.have.length(1000);
  });

  it("takes the beginning of a longer body where that is wanted, but of none that is many times too long", async () => {
    await start({
      "/announced": plain(200, "x".repeat(1001)),
      "/chunks": raw(`${ok}transfer-encoding: chunked\r\n\r\n3e9\r\n${"x".repeat(1001)}\r\n0\r\n\r\n`),
      "/streams": flood(`${ok}\r\n`),
      "/claims": stuckAfter(`${ok}content-length: 5368709120\r\n\r\n`),
      "/exact": plain(200, "x".repeat(1000)),
    });
    for (const path of ["/announced", "/chunks", "/streams"]) {
      const { body, isCut } = await get(path, { ...archive, beginning: true });
      expect([body.length, isCut], path).to.deep.equal([1000, true]);
    }
    expect(await reasonOf(get("/claims", { ...archive, beginning: true }))).to.equal("too_large");
    expect((await get("/exact", { ...archive, beginning: true })).isCut).to.equal(undefined);
  });

  it("refuses bodies that are cut off", async () => {
    await start({
      "/length": raw(`${ok}content-length: 10\r\n\r\nhalf`),
      "/chunk": raw(`${ok}transfer-encoding: chunked\r\n\r\n10\r\nhalf`),
      "/head": raw("HTTP/1.1 200"),
      "/two-lengths": raw(`${ok}content-length: 3\r\ncontent-length: 4\r\n\r\nabcd`),
      "/nothing": raw(""),
    });
    for (const path of ["/length", "/two-lengths", "/chunk", "/head", "/nothing"]) {
      expect(await reasonOf(get(path)), path).to.equal("cut_off");
    }
  });

  it("refuses what is not HTTP, and encoded bodies", async () => {
    await start({
      "/smtp": raw("220 mail.example ESMTP\r\n"),
      "/long": raw(`${ok}x: ${"y".repeat(100_000)}\r\n\r\n`),
      "/gzip": plain(200, "zz", { "content-encoding": "gz\u009b31m" }),
    });
    for (const path of ["/smtp", "/long"]) expect(await reasonOf(get(path)), path).to.equal("protocol");
    const gzip = await refusal(get("/gzip"));
    expect(gzip.details.reason).to.equal("protocol");
    expect(gzip.message).to.include("\\x9b31m");
  });

  it("gives up on servers that are silent or drip", async () => {
    const behaviours = {
      "/silent": () => {},
      "/head-drips": drip(`${ok}x: `, 20),
      "/stuck": stuckAfter(`${ok}content-length: 10\r\n\r\nhalf`),
      "/body-drips": drip(`${ok}content-length: 900\r\n\r\n`, 20),
    };
    await start(behaviours, { limits: { ...quick, connect: 200 } });
    for (const path of Object.keys(behaviours)) {
      expect(await reasonOf(get(path)), path).to.equal("timeout");
    }
  });

  it("bounds the whole of a key server's answer", async () => {
    await start({ "/drips": drip(`${ok}\r\n`, 20) }, { limits: { ...quick, slowWindow: 60_000, keyserverTotal: 400 } });
    const error = await refusal(get("/drips", { ...archive, policy: "keyserver" }));
    expect(error.details.reason).to.equal("timeout");
    expect(error.message).to.match(/no complete answer within 0.4 seconds$/);
    expect(await reasonOf(get("/drips", { ...archive, within: 200 }))).to.equal("timeout");
  });

  it("tells that nobody listens, and names that do not exist", async () => {
    await start({});
    const { port } = server;
    await server.close();
    expect(await reasonOf(transport.get(new URL(`http://127.0.0.1:${port}/`), archive))).to.equal("connect");
    // An empty label fails without asking a name server.
    expect(await reasonOf(transport.get(new URL("http://a..example/"), archive))).to.equal("dns");
    expect(await reasonOf(transport.get(new URL("ftp://127.0.0.1/"), archive))).to.equal("protocol");
  });
});

describe("transport: redirects", () => {
  let server: MisbehavingServer;
  const transport = createTransport({ env: {}, limits: quick });
  const to = (location: string): Behaviour => plain(302, "", { location });
  before(async () => {
    server = await startMisbehaving({
      "/same": to("target"),
      "/target": plain(200, "here"),
      "/loop": to("/loop"),
      "/host": to("http://127.0.0.1:9/x"),
      "/scheme": to("https://localhost/x"),
      "/protocol-relative": to("//evil.example/x"),
      "/file": to("file:///etc/passwd"),
      "/data": to("data:text/plain,hello"),
      "/none": plain(301, ""),
      "/bad": to("http://[/"),
    });
  });
  after(async () => {
    await transport.close();
    await server.close();
  });
  const get = (path: string, policy: "archive" | "keyserver") =>
    transport.get(new URL(path, server.url), { maxBytes: 100, policy });

  it("follows an archive's within its origin", async () => {
    const answer = await get("/same", "archive");
    expect(answer.url).to.equal(`${server.url}target`);
    expect(Buffer.from(answer.body).toString()).to.equal("here");
  });

  it("follows five and no more", async () => {
    server.requests.length = 0;
    expect(await reasonOf(get("/loop", "archive"))).to.equal("redirect");
    expect(server.requests).to.have.length(6);
  });

  for (const path of ["/file", "/data", "/none", "/bad"]) {
    it(`refuses ${path}`, async () => {
      server.requests.length = 0;
      expect(await reasonOf(get(path, "archive"))).to.equal("redirect");
      expect(server.requests).to.have.length(1);
    });
  }

  for (const path of ["/host", "/scheme", "/protocol-relative"]) {
    it(`refuses ${path} where redirects must stay within the origin`, async () => {
      const strict = createTransport({ env: {}, limits: quick, redirects: "same-origin" });
      const terms = { maxBytes: 100, policy: "archive" } as const;
      expect(await reasonOf(strict.get(new URL(path, server.url), terms))).to.equal("redirect");
      await strict.close();
    });
  }

  it("follows an archive's to another host, and leaves the credentials behind", async () => {
    const other = await startMisbehaving({ "/x": plain(200, "there") });
    const first = await startMisbehaving({ "/other": to(`http://127.0.0.1:${other.port}/x`) });
    const url = new URL("/other", first.url);
    url.username = "me";
    url.password = "secret";
    const answer = await transport.get(url, { maxBytes: 100, policy: "archive" });
    expect(Buffer.from(answer.body).toString()).to.equal("there");
    expect(first.requests[0]).to.match(/authorization: Basic/i);
    await first.close();
    expect(other.requests).to.have.length(1);
    expect(other.requests[0]).to.not.match(/authorization/i);
    await other.close();
  });

  it("never goes from https: to http:, and takes credentials along to https: on the same host alone", () => {
    const next = (from: string, location: string) => {
      const head = { status: 302, headers: { location }, url: from };
      return nextUrl(new URL(from), head, "archive", "any")?.href;
    };
    expect(() => next("https://a.example/x", "http://a.example/x")).to.throw(FeedkeyError, "redirects to");
    expect(next("http://u:p@a.example/x", "https://a.example/x")).to.equal("https://u:p@a.example/x");
    expect(next("http://u:p@a.example/x", "https://b.example/x")).to.equal("https://b.example/x");
    expect(next("http://u:p@a.example/x", "http://a.example:81/x")).to.equal("http://a.example:81/x");
    expect(next("http://u:p@a.example/x", "https://a.example:8443/x")).to.equal("https://a.example:8443/x");
    expect(next("https://u:p@a.example:8443/x", "https://a.example/x")).to.equal("https://a.example/x");
    expect(next("https://a.example/x", "https://u:p@b.example/x")).to.equal("https://b.example/x");
  });

  it("follows none of a key server", async () => {
    expect(await reasonOf(get("/same", "keyserver"))).to.equal("redirect");
  });
});
