import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createTransport, type TransportOptions } from "../../src/net/transport.ts";
import type { GetOptions } from "../../src/net/types.ts";
import { reasonOf, refusal } from "../testkit/servers/failures.ts";
import {
  type Leaf,
  type MisbehavingServer,
  plain,
  startMisbehaving,
  tlsFile,
} from "../testkit/servers/misbehaving-server.ts";

const terms: GetOptions = { maxBytes: 100, policy: "keyserver" };
const ca = tlsFile("ca.pem");

describe("transport: TLS", () => {
  let server: MisbehavingServer | undefined;
  afterEach(async () => server?.close());

  async function ask(leaf: Leaf, options: TransportOptions): Promise<string> {
    await server?.close();
    server = await startMisbehaving({ "/": plain(200, "hello") }, leaf);
    const transport = createTransport({ env: {}, ...options });
    try {
      return Buffer.from((await transport.get(server.url, terms)).body).toString();
    } finally {
      await transport.close();
    }
  }

  it("trusts an authority that is given", async () => {
    expect(await ask("good", { ca: `a comment\n${ca}` })).to.equal("hello");
  });

  it("trusts the authorities of the system, unless other users can change their file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "feedkey-ca-"));
    const env = { SSL_CERT_FILE: join(folder, "ca.pem") };
    try {
      writeFileSync(env.SSL_CERT_FILE, ca, { mode: 0o644 });
      expect(await ask("good", { env })).to.equal("hello");
      expect(await reasonOf(ask("stranger", { env }))).to.equal("tls");
      chmodSync(env.SSL_CERT_FILE, 0o666);
      expect(await reasonOf(ask("good", { env }))).to.equal("tls");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  const refused: [Leaf, { ca?: string }, RegExp][] = [
    ["good", {}, /authority that this computer does not know$/],
    ["stranger", { ca }, /authority that this computer does not know$/],
    ["wrong-name", { ca }, /issued for DNS:somebody-else.example, not for "localhost"$/],
    ["expired", { ca }, /has expired$/],
  ];
  for (const [leaf, options, words] of refused) {
    it(`refuses ${leaf} ${options.ca === undefined ? "without" : "with"} the authority`, async () => {
      const error = await refusal(ask(leaf, options));
      expect(error.details.reason).to.equal("tls");
      expect(error.message).to.match(words);
      expect(server?.requests).to.deep.equal([]);
    });
  }

  it("is not switched off by the environment", async () => {
    const warned = process.listeners("warning");
    process.removeAllListeners("warning");
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      expect(await reasonOf(ask("expired", { ca }))).to.equal("tls");
      expect(await reasonOf(ask("stranger", {}))).to.equal("tls");
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      for (const listener of warned) process.on("warning", listener);
    }
  });

  it("says that a port speaks no TLS", async () => {
    const web = createServer().listen(0, "127.0.0.1");
    await once(web, "listening");
    const transport = createTransport({ env: {} });
    const url = new URL(`https://127.0.0.1:${(web.address() as AddressInfo).port}/`);
    expect(await reasonOf(transport.get(url, terms))).to.equal("tls");
    await transport.close();
    web.close();
  });

  it("refuses authorities that cannot be read", () => {
    for (const text of ["", "no certificate", ca.replace(/M/, "!"), ca + ca.replace(/\n[A-Za-z0-9+/=]+\n/, "\n")]) {
      expect(() => createTransport({ ca: text }))
        .to.throw()
        .with.property("code", "bad_config");
    }
  });
});
