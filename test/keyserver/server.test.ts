import { mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { accessLine } from "../../src/cli/archive/access-log.ts";
import { lookup, search, submit } from "../../src/keyserver/hkp.ts";
import { type RunningServer, type ServedRequest, type ServeOptions, startServer } from "../../src/keyserver/server.ts";
import { createTransport } from "../../src/net/transport.ts";
import { skip } from "../testkit/programs/present.ts";
import { refusal } from "../testkit/servers/failures.ts";
import { tlsFile } from "../testkit/servers/misbehaving-server.ts";
import { armored, fingerprintOf, merger } from "./toy-keys.ts";

const transport = createTransport({ ca: tlsFile("ca.pem"), env: {} });
const options = { transport };
const [a, b] = [fingerprintOf("a"), fingerprintOf("b")];

/** Whether this process, whose part the server is, has a file open. */
async function holdsOpen(path: string): Promise<boolean> {
  const numbers = await readdir("/proc/self/fd");
  const links = await Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => "")));
  return links.includes(path);
}

/** Waits for the end of a connection, which may come as a reset: for `once` that would be a failure. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

describe("embedded key server", () => {
  let running: RunningServer | undefined;
  const errors: unknown[] = [];
  const folders: string[] = [];
  const newFolder = async () => {
    const folder = await mkdtemp(join(tmpdir(), "feedkey-serve-"));
    folders.push(folder);
    return folder;
  };
  const start = async (more: Partial<ServeOptions> = {}) => {
    running = await startServer({ port: 0, keyserver: { merger }, onError: (error) => errors.push(error), ...more });
    return running;
  };
  const hkp = (server: RunningServer) => new URL(`hkp://127.0.0.1:${server.port}`);
  const get = (server: RunningServer, path: string, init?: RequestInit) => fetch(new URL(path, server.url), init);
  const post = (server: RunningServer, body: string, type = "application/x-www-form-urlencoded") =>
    get(server, "/pks/add", { method: "POST", body, headers: { "content-type": type } });
  const texts = async (server: RunningServer, fingerprint: string) => {
    const answer = await lookup(hkp(server), fingerprint, () => true, options);
    return answer.outcome === "found" ? answer.blocks.map((block) => Buffer.from(block).toString()) : answer.outcome;
  };
  afterEach(async () => {
    await running?.close();
    running = undefined;
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
    expect(errors.splice(0)).to.deep.equal([]);
  });
  after(() => transport.close());

  it("tells of each request once, and its log keeps each on one line", async () => {
    const told: ServedRequest[] = [];
    const server = await start({ onRequest: (request) => told.push(request) });
    const evil = '/pks/lookup?x="%22\\';
    await (await get(server, "/nothing", { headers: { "user-agent": 'a "b" \u00e9' } })).text();
    const socket = connect(server.port, "127.0.0.1");
    socket
      .end(`GET ${evil} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nuser-agent: \xff"\x80\r\n\r\n`, "latin1")
      .resume();
    await closing(socket);
    expect(told.map(({ status, method }) => [method, status])).to.deep.equal([
      ["GET", 404],
      ["GET", 501],
    ]);
    expect(told[0]?.bytes).to.be.greaterThan(20);
    const lines = told.map((request) => accessLine(request, Date.UTC(2026, 10, 30, 12)));
    expect(lines[0]).to.match(
      /^127\.0\.0\.1 - - \[30\/Nov\/2026:12:00:00 \+0000\] "GET \/nothing HTTP\/1\.1" 404 \d+ "-" "a \\x22b\\x22 [^"]*"$/,
    );
    for (const line of lines)
      expect(line)
        .to.match(/^[ -~]*$/)
        .and.match(/^\S+ - - \[[^\]]+\] "[^"]*" \d+ \d+ "-" "[^"]*"$/);
  });

  it("keeps what it is sent, and gives it back", async () => {
    const server = await start();
    expect(await texts(server, a)).to.equal("absent");
    expect(await submit(hkp(server), armored("a:x@feed.example"), options)).to.deep.equal({ ok: true });
    expect(await texts(server, a)).to.deep.equal(["a:x@feed.example\n"]);
    expect(await texts(server, b)).to.equal("absent");
    for (const spelled of [`0x${a}`, a, `0x${a.toLowerCase()}`, `0x${a.slice(-16)}`, "x@feed.example"]) {
      const response = await get(server, `/pks/lookup?op=get&options=mr&search=${encodeURIComponent(spelled)}`);
      expect(response.status, spelled).to.equal(200);
      expect(response.headers.get("content-type")).to.equal("application/pgp-keys");
    }
    for (const spelled of ["0x", "feed.example", "X@feed.example", "x@feed", `0x${a.slice(1)}`, "%"]) {
      const response = await get(server, `/pks/lookup?op=get&search=${encodeURIComponent(spelled)}`);
      expect(response.status, spelled).to.equal(404);
    }
  });

  it("finds all keys of an address", async () => {
    const server = await start();
    await submit(hkp(server), armored("a:x@feed.example"), options);
    await submit(hkp(server), armored("b:x@feed.example\nb:y@feed.example"), options);
    const answer = await search(hkp(server), "x@feed.example", options);
    expect(answer.outcome === "found" && Buffer.from(answer.blocks[0] ?? []).toString()).to.equal(
      "a:x@feed.example\nb:x@feed.example\nb:y@feed.example\n",
    );
    const index = await get(server, "/pks/lookup?op=index&options=mr&search=x@feed.example");
    expect(await index.text()).to.equal(
      `info:1:2\npub:${a}:::::\nuid:x%40feed.example:::\npub:${b}:::::\nuid:x%40feed.example:::\nuid:y%40feed.example:::\n`,
    );
  });

  it("merges and never replaces, also under many uploads at once", async () => {
    const slow = {
      ...merger,
      merge: async (old: Uint8Array, fresh: Uint8Array) => {
        await sleep(2);
        return merger.merge(old, fresh);
      },
    };
    const server = await start({ keyserver: { merger: slow } });
    await Promise.all(
      Array.from({ length: 20 }, (_, number) => submit(hkp(server), armored(`a:${number}@feed.example`), options)),
    );
    const [text] = await texts(server, a);
    expect(text?.split("\n")).to.have.length(21);
  });

  it("takes a bare revocation only for a key that it holds", async () => {
    const server = await start();
    const refused = await submit(hkp(server), armored("a!revoked"), options);
    expect(!refused.ok && refused.error.message).to.include("the revoked key is not stored here");
    await submit(hkp(server), armored("a:x@feed.example"), options);
    expect((await submit(hkp(server), armored("a!revoked"), options)).ok).to.equal(true);
    expect(await texts(server, a)).to.deep.equal(["a!revoked\na:x@feed.example\n"]);
  });

  it("answers what it does not understand with a status and a line", async () => {
    const server = await start();
    const cases: [number, Promise<Response>][] = [
      [501, get(server, "/pks/lookup?op=vindex&search=x")],
      [501, get(server, "/pks/lookup")],
      [400, get(server, "/pks/lookup?op=get")],
      [400, get(server, "/pks/lookup?op=get&search=0x12345678")],
      [404, get(server, "/pks/other")],
      [404, get(server, "/")],
      [405, get(server, "/pks/add")],
      [405, get(server, "/pks/lookup", { method: "POST" })],
      [405, get(server, "/", { method: "POST" })],
      [415, post(server, "keytext=x", "text/plain")],
      [400, post(server, "other=x")],
      [422, post(server, "keytext=no%20key")],
      [422, post(server, `keytext=${encodeURIComponent(armored("unreadable"))}`)],
    ];
    for (const [status, asked] of cases) {
      const response = await asked;
      expect(response.status, response.url).to.equal(status);
      const text = await response.text();
      expect(text, response.url).to.match(/^[^\n]+\n$/);
      expect(text).to.not.match(/at .*\.[jt]s/);
    }
    expect(
      (
        await post(
          server,
          `keytext=${encodeURIComponent(armored("a:x"))}`,
          "application/x-www-form-urlencoded;charset=UTF-8",
        )
      ).status,
    ).to.equal(200);
  });

  it("shows nobody its own failures", async () => {
    const broken = {
      ...merger,
      parse: () => {
        throw new Error("inner secret");
      },
    };
    const server = await start({ keyserver: { merger: broken } });
    const response = await post(server, "keytext=x");
    expect([response.status, await response.text()]).to.deep.equal([500, "internal error\n"]);
    expect(errors.splice(0)).to.have.length(1);
  });

  it("stays within its limits", async () => {
    const server = await start({ limits: { body: 3000, key: 60, keys: 2, keysPerUpload: 3, keysPerAnswer: 1 } });
    expect((await post(server, `keytext=${"x".repeat(4000)}`)).status).to.equal(413);
    const upload = (text: string) => post(server, `keytext=${encodeURIComponent(armored(text))}`);
    const large = await upload(`a:${"x".repeat(80)}`);
    expect([large.status, await large.text()]).to.deep.equal([422, `${a} refused: the key is too large\n`]);
    expect((await upload("a:x@y\na:z@y")).status).to.equal(200);
    expect(await (await upload(`a:${"w".repeat(55)}`)).text()).to.include("too large");
    const more = await (await upload("b:x@y\nc:x@y\nd:x@y\ne:x@y")).text();
    expect(more).to.equal(
      `${b} stored\n${fingerprintOf("c")} refused: the server is full\n${fingerprintOf("d")} refused: the server is full\n`,
    );
    expect((await upload("a:v@y")).status).to.equal(200);
    expect(await (await get(server, "/pks/lookup?op=index&search=x@y")).text()).to.match(/^info:1:1\n/);
  });

  it("bounds all keys together", async () => {
    const server = await start({ limits: { allKeys: 20 } });
    const upload = (text: string) => post(server, `keytext=${encodeURIComponent(armored(text))}`);
    expect((await upload("a:123456789")).status).to.equal(200);
    expect((await upload("b:123456789")).status).to.equal(422);
    expect((await upload("b:1")).status).to.equal(200);
  });

  it("drops requests that drip, and connections beyond the number", async () => {
    const server = await start({ limits: { head: 200, request: 60_000, idle: 60_000, connections: 1 } });
    const dripping = connect(server.port, "127.0.0.1");
    dripping.on("error", () => {});
    dripping.write("GET / HTTP/1.1\r\nx: ");
    const drops = setInterval(() => dripping.write("y"), 20);
    const refused = connect(server.port, "127.0.0.1");
    refused.on("error", () => {});
    await closing(refused);
    let answer = "";
    dripping.on("data", (piece) => {
      answer += piece;
    });
    await closing(dripping);
    clearInterval(drops);
    expect(answer).to.match(/^HTTP\/1.1 408 /);
  });

  it("drops an upload that drips", async () => {
    const server = await start({ limits: { head: 200, request: 400 } });
    const dripping = connect(server.port, "127.0.0.1");
    dripping.on("error", () => {});
    dripping.write(
      "POST /pks/add HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\n",
    );
    const drops = setInterval(() => dripping.write("y"), 20);
    dripping.resume();
    await closing(dripping);
    clearInterval(drops);
  });

  it("drops a reader that stops reading", async function () {
    if (process.platform !== "linux") skip(this, "needs Linux");
    const folder = await newFolder();
    await writeFile(join(folder, "large"), Buffer.alloc(50_000_000));
    const server = await start({ root: folder, limits: { idle: 300 } });
    const lazy = connect(server.port, "127.0.0.1");
    lazy.on("error", () => {});
    lazy.write("GET /large HTTP/1.1\r\nhost: x\r\n\r\n");
    lazy.pause();
    while (!(await holdsOpen(join(folder, "large")))) await sleep(5);
    // It reads on only when the server has lost its patience, and let go of the file.
    while (await holdsOpen(join(folder, "large"))) await sleep(50);
    let length = 0;
    lazy.on("data", (piece) => {
      length += piece.length;
    });
    lazy.resume();
    await closing(lazy);
    expect(length).to.be.lessThan(50_000_000);
  });

  it("serves files and keys over TLS", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "Packages"), "x");
    const server = await start({ root: folder, tls: { cert: tlsFile("good.pem"), key: tlsFile("good.key") } });
    expect(server.url).to.equal(`https://127.0.0.1:${server.port}/`);
    const hkps = new URL(`hkps://127.0.0.1:${server.port}`);
    expect((await submit(hkps, armored("a:x@y"), options)).ok).to.equal(true);
    expect((await lookup(hkps, a, () => true, options)).outcome).to.equal("found");
    const file = await transport.get(new URL("Packages", server.url), { maxBytes: 10, policy: "archive" });
    expect(Buffer.from(file.body).toString()).to.equal("x");
  });

  it("says why it cannot start", async () => {
    const server = await start();
    const taken = await refusal(startServer({ port: server.port }));
    expect([taken.code, taken.message]).to.deep.equal([
      "unavailable",
      `cannot listen on 127.0.0.1 port ${server.port}: another program is listening there`,
    ]);
    const mixed = { cert: tlsFile("good.pem"), key: tlsFile("expired.key") };
    expect((await refusal(startServer({ port: 0, tls: mixed }))).code).to.equal("bad_config");
    expect((await refusal(startServer({ port: 0, tls: { cert: "x", key: "y" } }))).code).to.equal("bad_config");
    expect((await refusal(startServer({ port: 0, root: "/nonexistent" }))).code).to.equal("not_found");
    expect((await refusal(startServer({ port: 0, root: "package.json" }))).code).to.equal("not_found");
  });
});
