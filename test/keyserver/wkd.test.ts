import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect } from "chai";
import { lookupWkd, wkdUrls, zbase32 } from "../../src/keyserver/wkd.ts";
import { unavailable } from "../../src/net/failure.ts";
import { netLimits } from "../../src/net/limits.ts";
import { createTransport } from "../../src/net/transport.ts";
import type { Transport } from "../../src/net/types.ts";
import { keyB, subjects } from "../testkit/servers/about.ts";
import { plain, startMisbehaving, tlsFile } from "../testkit/servers/misbehaving-server.ts";

const key = readFileSync("test/vectors/keyserver-answers/hockeypuck-bin-hard-revoked-B.pgp");
const path = "/.well-known/openpgpkey/feed.example/hu/7x7im7ndfpc1ngpbysjqjhunqmg8rpc6";

describe("web key directory", () => {
  it("makes the addresses of the draft's example (section 3.1)", () => {
    const urls = wkdUrls("Joe.Doe@Example.ORG");
    expect(urls.direct.href).to.equal(
      "https://example.org/.well-known/openpgpkey/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe",
    );
    expect(urls.advanced.href).to.equal(
      "https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe",
    );
  });

  it("writes z-base-32", () => {
    expect(zbase32(Uint8Array.of(0xf0, 0xbf, 0xc7, 0, 0))).to.equal("6n9hqyyy");
  });

  it("refuses what is no address with a plain host", () => {
    for (const text of ["a", "a@b", "@b.example", "a@b@c.example", "a@evil.example/x", "a@evil.example:8", "a b@c.d"]) {
      expect(() => wkdUrls(text), text)
        .to.throw()
        .with.property("code", "usage");
    }
  });

  it("fetches a key over TLS from the address's own domain", async () => {
    const server = await startMisbehaving({ [path]: plain(200, key) }, "good");
    // The directory is always on port 443 of the domain: a proxy brings that here.
    const proxy = createServer((client) => {
      client.once("data", () => {
        client.write("HTTP/1.1 200 Connected\r\n\r\n");
        client.pipe(connect(server.port, "127.0.0.1")).pipe(client);
      });
      client.on("error", () => {});
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const { port } = proxy.address() as AddressInfo;
    const transport = createTransport({ ca: tlsFile("ca.pem"), env: { HTTPS_PROXY: `http://127.0.0.1:${port}` } });
    const found = await lookupWkd("archive@feed.example", { transport });
    expect(found.outcome === "found" && found.blocks.flatMap(subjects)).to.deep.equal([keyB]);
    expect((await lookupWkd("nobody@feed.example", { transport })).outcome).to.equal("absent");
    expect((await lookupWkd("archive@elsewhere.example", { transport })).outcome).to.equal("unknown");
    await transport.close();
    await server.close();
    proxy.close();
  });

  it("asks the domain itself only if the subdomain does not exist", async () => {
    const asked: string[] = [];
    const failing = (reason: "dns" | "tls"): Transport => ({
      offline: false,
      limits: netLimits,
      get: async (url) => {
        asked.push(url.hostname);
        if (url.hostname.startsWith("openpgpkey.")) throw unavailable(url, reason, "no", { hint: "none" });
        return { status: 200, headers: {}, url: url.href, body: new Uint8Array(key) };
      },
      post: () => Promise.reject(new Error("never")),
      send: () => Promise.reject(new Error("never")),
      close: async () => {},
    });
    expect((await lookupWkd("a@b.example", { transport: failing("dns") })).outcome).to.equal("found");
    expect((await lookupWkd("a@b.example", { transport: failing("tls") })).outcome).to.equal("unknown");
    expect(asked).to.deep.equal(["openpgpkey.b.example", "b.example", "openpgpkey.b.example"]);
  });
});
