// Credentials for private archives: the grammar of .netrc and apt_auth.conf(5), and to whom they are sent.
import { expect } from "chai";
import { type Credentials, findCredentials, parseCredentials } from "../../src/net/credentials.ts";
import { createTransport } from "../../src/net/transport.ts";
import { plain, startMisbehaving } from "../testkit/servers/misbehaving-server.ts";

function read(text: string): { entries: Credentials[]; problems: number[] } {
  const problems: number[] = [];
  const entries = parseCredentials(text, (line, problem) => {
    expect(problem).not.to.contain("s3cret");
    problems.push(line);
  });
  return { entries, problems };
}

function sent(text: string, address: string): string | undefined {
  const found = findCredentials(read(text).entries, new URL(address));
  return found?.startsWith("Basic ") === true ? Buffer.from(found.slice(6), "base64").toString() : found;
}

describe("credentials", () => {
  it("are read from .netrc, on one line or several, with comments, macros, quotes, a default and a byte-order mark", () => {
    const text = `\uFEFF# mine
machine a.example login me password s3cret#1
machine b.example
\tlogin you
\tpassword "s3cret with \\"spaces\\" and \\\\"
macdef init
machine c.example login no password no

machine d.example token s3cret.token
machine e.example account x login only
default login anonymous password me@example.org
`;
    expect(read(text).problems).to.deep.equal([]);
    expect(sent(text, "https://a.example/x")).to.equal("me:s3cret#1");
    expect(sent(text, "https://b.example/")).to.equal('you:s3cret with "spaces" and \\');
    expect(sent(text, "https://c.example/")).to.equal(undefined);
    expect(sent(text, "https://d.example/")).to.equal("Bearer s3cret.token");
    expect(sent(text, "https://e.example/")).to.equal("only:");
    expect(sent(text, "https://other.example/")).to.equal(undefined);
    expect(sent(text.replaceAll("\n", "\r\n"), "https://a.example/x")).to.equal("me:s3cret#1");
  });

  it("are for one scheme, host and port, and for whole folders", () => {
    const entry = (machine: string) => `machine ${machine} token s3cret`;
    for (const [machine, address, isSent] of [
      ["a.example", "https://a.example/feed/Packages", true],
      ["A.Example", "https://a.example/feed/Packages", true],
      ["a.example:443", "https://a.example/", true],
      ["a.example", "http://a.example/", false],
      ["a.example", "https://a.example:8443/", false],
      ["a.example", "https://b.a.example/", false],
      ["a.example", "https://a.example.org/", false],
      ["a.example", "https://xa.example/", false],
      ["a.example:8443", "https://a.example:8443/", true],
      ["a.example:8443", "https://a.example/", false],
      ["http://a.example", "http://a.example/", true],
      ["http://a.example", "https://a.example/", false],
      ["https://a.example/deb", "https://a.example/deb/x", true],
      ["a.example/deb", "https://a.example/deb", true],
      ["a.example/deb/", "https://a.example/deb/x", true],
      ["a.example/deb", "https://a.example/debian/x", false],
      ["a.example/deb", "https://a.example/deb/../x", false],
      ["a.example/deb", "https://a.example/DEB/x", false],
      ["tor+https://a.example", "https://a.example/", false],
      ["[::1]:81", "https://[::1]:81/", true],
    ] as const) {
      expect(sent(entry(machine), address), `${machine} for ${address}`).to.equal(isSent ? "Bearer s3cret" : undefined);
    }
  });

  it("the first entry that fits serves, as in apt and curl", () => {
    const text = "machine a.example/deb token one\nmachine a.example token two\nmachine a.example/deb/x token three\n";
    expect(sent(text, "https://a.example/deb/x/y")).to.equal("Bearer one");
    expect(sent(text, "https://a.example/")).to.equal("Bearer two");
  });

  it("what can't be read is told by its line, without what stands there, and gives nothing", () => {
    for (const [text, line] of [
      ["\nmachine a.example login me password s3cret word", 2],
      ["machine a.example login me password", 1],
      ["machine", 1],
      ["machine a.example", 1],
      ["machine a.example\nlogin me token s3cret", 1],
      ["machine me:s3cret@a.example login x password y", 1],
      ["machine a.example?s3cret login x password y", 1],
      ['machine a.example login me password "s3cret', 1],
      ["machine a.example token s3cret\u00e9", 1],
      ["machine a.example login a:b password s3cret", 1],
      ["machine a.example login a password s3cret\u0001", 1],
      ["s3cret", 1],
    ] as const) {
      expect(read(text).problems, text).to.include(line);
    }
    for (const text of ["machine a.example", "machine a.example token \u0001s3cret", "login me password s3cret"]) {
      expect(sent(text, "https://a.example/"), text).to.equal(undefined);
    }
  });

  it("go to the first host alone, whatever there is for those that it redirects to, and to no key server", async () => {
    const other = await startMisbehaving({ "/x": plain(200, "there") });
    const first = await startMisbehaving({
      "/same": plain(302, "", { location: "/private/x" }),
      "/private/x": plain(200, "here"),
      "/public": plain(200, "here"),
      "/private/out": plain(302, "", { location: "/public" }),
      "/private/other": plain(302, "", { location: `http://127.0.0.1:${other.port}/x` }),
      "/private/port": plain(302, "", { location: `http://localhost:${other.port}/x` }),
    });
    const text = `machine http://localhost:${first.port}/private token s3cret
machine http://127.0.0.1:${other.port} token s3cret
machine http://localhost:${other.port} token s3cret`;
    const { entries } = read(text);
    const transport = createTransport({ env: {}, credentials: async (url) => findCredentials(entries, url) });
    const heads = async (path: string, policy: "archive" | "keyserver" = "archive") => {
      first.requests.length = 0;
      other.requests.length = 0;
      await transport.get(new URL(path, first.url), { maxBytes: 100, policy });
      return [...first.requests, ...other.requests].map((head) => /authorization: Bearer s3cret\r\n/i.test(head));
    };
    try {
      expect(await heads("/private/x")).to.deep.equal([true]);
      expect(await heads("/public")).to.deep.equal([false]);
      expect(await heads("/same")).to.deep.equal([false, true]);
      expect(await heads("/private/out")).to.deep.equal([true, false]);
      expect(await heads("/private/other")).to.deep.equal([true, false]);
      expect(await heads("/private/port")).to.deep.equal([true, false]);
      expect(await heads("/private/x", "keyserver")).to.deep.equal([false]);
    } finally {
      await transport.close();
      await first.close();
      await other.close();
    }
  });
});
