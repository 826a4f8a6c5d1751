import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { expect } from "chai";
import { FeedkeyError } from "../../src/error.ts";
import { proxyFor } from "../../src/net/proxy.ts";
import { createTransport } from "../../src/net/transport.ts";
import { reasonOf } from "../testkit/servers/failures.ts";
import { type MisbehavingServer, plain, startMisbehaving, tlsFile } from "../testkit/servers/misbehaving-server.ts";

const terms = { maxBytes: 100, policy: "archive" } as const;

describe("transport: proxies", () => {
  let server: MisbehavingServer;
  let proxy: Server;
  let tlsProxy: Server;
  let address = "";
  const asked: string[] = [];
  before(async () => {
    server = await startMisbehaving({ "/": plain(200, "hello") }, "good");
    // Tunnels every name to the test server, except one that it denies.
    const serve = (client: Socket) => {
      client.on("error", () => {});
      client.once("data", (head) => {
        const line = head.toString("latin1").split("\r\n")[0] ?? "";
        asked.push(line);
        if (!line.startsWith("CONNECT")) {
          client.end("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nplain");
        } else if (line.includes("denied")) client.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        else {
          client.write("HTTP/1.1 200 Connected\r\n\r\n");
          const upstream = connect(server.port, "127.0.0.1");
          upstream.on("error", () => client.destroy());
          client.on("error", () => upstream.destroy());
          client.pipe(upstream).pipe(client);
        }
      });
    };
    proxy = createServer(serve);
    tlsProxy = createTlsServer({ cert: tlsFile("good.pem"), key: tlsFile("good.key") }, serve);
    for (const one of [proxy, tlsProxy]) await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    asked.length = 0;
  });
  after(async () => {
    await server.close();
    for (const one of [proxy, tlsProxy]) await new Promise((resolve) => one.close(resolve));
  });

  it("reaches a proxy over TLS with the authorities of the system, and no other", async () => {
    const folder = mkdtempSync(join(tmpdir(), "feedkey-proxy-"));
    const { port } = tlsProxy.address() as AddressInfo;
    const bundle = join(folder, "ca.pem");
    writeFileSync(bundle, tlsFile("ca.pem"), { mode: 0o644 });
    try {
      const ask = async (file: string) => {
        const env = { all_proxy: `https://localhost:${port}`, SSL_CERT_FILE: file };
        const transport = createTransport({ env });
        try {
          return Buffer.from((await transport.get(new URL("https://feed.example/"), terms)).body).toString();
        } finally {
          await transport.close();
        }
      };
      expect(await ask(bundle)).to.equal("hello");
      expect(await reasonOf(ask(join(folder, "none")))).to.equal("tls");
      expect(asked).to.deep.equal(["CONNECT feed.example:443 HTTP/1.1"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("asks through the proxy of the environment, with TLS checked end to end", async () => {
    const transport = createTransport({ ca: tlsFile("ca.pem"), env: { HTTPS_PROXY: address } });
    const answer = await transport.get(new URL("https://feed.example/"), terms);
    expect(Buffer.from(answer.body).toString()).to.equal("hello");
    expect(asked).to.deep.equal(["CONNECT feed.example:443 HTTP/1.1"]);
    expect(await reasonOf(transport.get(new URL("https://other.example/"), terms))).to.equal("tls");
    expect(await reasonOf(transport.get(new URL("https://denied.example/"), terms))).to.equal("connect");
    await transport.close();
    const stranger = createTransport({ env: { https_proxy: address } });
    expect(await reasonOf(stranger.get(new URL("https://feed.example/"), terms))).to.equal("tls");
    await stranger.close();
  });

  it("asks for plain HTTP without a tunnel", async () => {
    const transport = createTransport({ env: { http_proxy: address } });
    const answer = await transport.get(new URL("http://feed.example/x"), terms);
    expect(Buffer.from(answer.body).toString()).to.equal("plain");
    expect(asked).to.deep.equal(["GET http://feed.example/x HTTP/1.1"]);
    await transport.close();
  });

  it("leaves out what NO_PROXY names", async () => {
    const transport = createTransport({
      ca: tlsFile("ca.pem"),
      env: { HTTPS_PROXY: address, NO_PROXY: "localhost" },
    });
    expect((await transport.get(server.url, terms)).status).to.equal(200);
    expect(asked).to.deep.equal([]);
    await transport.close();
  });
});

describe("the proxy for an address", () => {
  const of = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.href;

  it("may be written without a scheme", () => {
    expect(of("http://a.example/", { http_proxy: "proxy.example:3128" })).to.equal("http://proxy.example:3128/");
  });

  it("may be one for all", () => {
    expect(of("https://a.example/", { ALL_PROXY: "http://p.example" })).to.equal("http://p.example/");
    const both = { all_proxy: "http://p.example", https_proxy: "http://q.example" };
    expect(of("https://a.example/", both)).to.equal("http://q.example/");
  });

  const excepted: [string, string, boolean][] = [
    ["*", "https://a.example/", true],
    ["a.example", "https://a.example/", true],
    [".a.example", "https://b.a.example/", true],
    ["*.a.example", "https://b.a.example/", true],
    ["a.example", "https://ba.example/", false],
    ["a.example:8443", "https://a.example/", false],
    ["a.example:8443", "https://a.example:8443/", true],
    ["a.example:443", "https://a.example/", true],
    ["10.0.0.0/8, localhost", "http://10.1.2.3/", true],
    ["10.0.0.0/8", "http://11.1.2.3/", false],
    ["10.0.0.1", "http://10.0.0.1/", true],
    ["fd00::/8", "http://[fd12::1]/", true],
    ["[::1]:80", "http://[::1]/", true],
    ["10.0.0.0/99", "http://10.1.2.3/", false],
    ["", "http://a.example/", false],
  ];
  for (const [list, url, isExcepted] of excepted) {
    it(`${isExcepted ? "is not asked" : "is asked"} for ${url} with no_proxy=${list}`, () => {
      const env = { all_proxy: "http://p.example", no_proxy: list };
      expect(of(url, env)).to.equal(isExcepted ? undefined : "http://p.example/");
    });
  }

  it("must be one that can be used here", () => {
    expect(() => of("http://a.example/", { http_proxy: "socks5://p.example" })).to.throw(FeedkeyError, "can't be used");
  });
});
