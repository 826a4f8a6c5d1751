/** The TLS certificate for loopback: what Node's own TLS and X.509 code, and openssl, make of it. */
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tls from "node:tls";
import { expect } from "chai";
import fc from "fast-check";
import { selfSigned } from "../../src/net/self-signed.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";

/** Connects to a server with the certificate. @returns "secure", or the code of Node's refusal */
async function connect(made: ReturnType<typeof selfSigned>, options: tls.ConnectionOptions): Promise<string> {
  const server = tls.createServer(made, (socket) => socket.end());
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise((done) => {
      const socket = tls.connect({ port, host: "127.0.0.1", ...options }, () => done("secure"));
      socket.on("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
      socket.resume();
    });
  } finally {
    server.close();
  }
}

describe("net/self-signed", () => {
  it("is its own authority, for localhost and 127.0.0.1 and for no other name", async () => {
    const made = selfSigned(Date.now());
    const ca = made.cert;
    expect(await connect(made, { ca })).to.equal("secure");
    expect(await connect(made, { ca, servername: "localhost" })).to.equal("secure");
    expect(await connect(made, { ca, servername: "example.org" })).to.equal("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(await connect(made, {})).to.match(/SELF_SIGNED/);
    expect(await connect(made, { ca: selfSigned(Date.now()).cert })).to.not.equal("secure");
  });

  it("holds for a day, from a minute before", async () => {
    const hour = 3_600_000;
    for (const [age, expected] of [
      [23 * hour, "secure"],
      [25 * hour, "CERT_HAS_EXPIRED"],
      [-hour, "CERT_NOT_YET_VALID"],
    ] as const) {
      const made = selfSigned(Date.now() - age);
      expect(await connect(made, { ca: made.cert }), `made ${age} ms ago`).to.equal(expected);
    }
  });

  it("has the key that belongs to it, another one each time", () => {
    const [one, two] = [selfSigned(0), selfSigned(0)];
    const certificates = [one, two].map(({ cert }) => new X509Certificate(cert));
    expect(certificates.map((certificate) => certificate.verify(certificate.publicKey))).to.deep.equal([true, true]);
    expect(new Set(certificates.map(({ serialNumber }) => serialNumber)).size).to.equal(2);
    expect(one.key).to.not.equal(two.key);
    const [context] = [tls.createSecureContext(one)];
    expect(context).to.be.an("object");
    expect(() => tls.createSecureContext({ cert: one.cert, key: two.key })).to.throw(/key values mismatch/);
  });

  it("is well-formed whenever it is made", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("1970-01-02"), max: new Date("2049-12-30"), noInvalidDate: true }),
        (date) => {
          const certificate = new X509Certificate(selfSigned(date.getTime()).cert);
          const second = Math.floor(date.getTime() / 1000) * 1000;
          expect(Date.parse(certificate.validFrom)).to.equal(second - 60_000);
          expect(Date.parse(certificate.validTo)).to.equal(second + 86_400_000);
          expect(certificate.subjectAltName).to.equal("DNS:localhost, IP Address:127.0.0.1");
          expect(certificate.ca).to.equal(true);
          expect(certificate.serialNumber).to.match(/^[4-7][0-9A-F]{15}$/);
          expect(certificate.verify(certificate.publicKey)).to.equal(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("is one that openssl verifies strictly, for a server", async function () {
    needing("openssl").call(this);
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-tls-"));
    try {
      const file = join(folder, "cert.pem");
      await fs.writeFile(file, selfSigned(Date.now()).cert);
      const strict = ["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "localhost"];
      const ended = await runProgram("openssl", [...strict, "-CAfile", file, file]);
      expect(ended.stdout + ended.stderr).to.equal(`${file}: OK\n`);
    } finally {
      await fs.rm(folder, { recursive: true });
    }
  });
});
