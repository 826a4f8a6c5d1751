import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rename, rm, stat, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { type RunningServer, startServer } from "../../src/keyserver/server.ts";
import { segmentsOf } from "../../src/keyserver/static.ts";

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe("embedded server: files", () => {
  let folder = "";
  let root = "";
  let server: RunningServer;
  const errors: unknown[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "feedkey-serve-"));
    root = join(folder, "archive");
    await mkdir(join(root, "feed/.git"), { recursive: true });
    await writeFile(join(root, "feed/Packages"), "Package: a\n");
    await writeFile(join(root, "feed/a b+ü%.ipk"), "odd name");
    await writeFile(join(root, "feed/.hidden"), "hidden");
    await writeFile(join(root, "feed/.git/config"), "hidden");
    await writeFile(join(root, "feed/index.html"), "<p>page");
    await writeFile(join(root, "empty"), "");
    await writeFile(join(folder, "secret"), "secret");
    await symlink("feed/Packages", join(root, "link"));
    await symlink("feed", join(root, "linked-feed"));
    await symlink("../secret", join(root, "out"));
    await symlink("..", join(root, "up"));
    execFileSync("mkfifo", [join(root, "fifo")]);
    server = await startServer({ root, port: 0, onError: (error) => errors.push(error) });
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
    expect(errors).to.deep.equal([]);
  });

  /** Asks for exactly this target: `fetch` would tidy it up. */
  const ask = (path: string, options: { method?: string; headers?: Record<string, string> } = {}) =>
    new Promise<Got>((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port: server.port, path, ...options }, (answer) => {
        let body = "";
        answer.setEncoding("utf8");
        answer.on("data", (piece) => {
          body += piece;
        });
        answer.on("error", reject);
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
      });
      sent.on("error", reject);
      sent.end();
    });

  it("serves files, also through links inside the folder", async () => {
    for (const path of [
      "/feed/Packages",
      "/link",
      "/linked-feed/Packages",
      "//feed//Packages",
      "/feed/Packages?x=/..",
    ]) {
      const got = await ask(path);
      expect([got.status, got.body], path).to.deep.equal([200, "Package: a\n"]);
      expect(got.headers).to.include({ "content-length": "11", "x-content-type-options": "nosniff" });
      expect(got.headers["content-encoding"]).to.equal(undefined);
    }
    expect((await ask("/feed/a%20b+%C3%BC%25.ipk")).body).to.equal("odd name");
    expect(await ask("/empty")).to.include({ status: 200, body: "" });
    expect((await ask("/feed/index.html")).status).to.equal(200);
  });

  it("answers HEAD as GET, without the body", async () => {
    const got = await ask("/feed/Packages", { method: "HEAD" });
    expect([got.status, got.body, got.headers["content-length"]]).to.deep.equal([200, "", "11"]);
    const [head, get] = [got.headers.etag, (await ask("/feed/Packages")).headers.etag];
    expect(head).to.be.a("string").and.equal(get);
    expect((await ask("/none", { method: "HEAD" })).body).to.equal("");
  });

  it("honours ranges", async () => {
    const part = await ask("/feed/Packages", { headers: { range: "bytes=9-" } });
    expect([part.status, part.body, part.headers["content-range"]]).to.deep.equal([206, "a\n", "bytes 9-10/11"]);
    const beyond = await ask("/feed/Packages", { headers: { range: "bytes=50-" } });
    expect([beyond.status, beyond.headers["content-range"]]).to.deep.equal([416, "bytes */11"]);
    const stale = await ask("/feed/Packages", { headers: { range: "bytes=9-", "if-range": '"other"' } });
    expect([stale.status, stale.body]).to.deep.equal([200, "Package: a\n"]);
  });

  it("honours If-None-Match", async () => {
    const { etag } = (await ask("/feed/Packages")).headers;
    const same = await ask("/feed/Packages", { headers: { "if-none-match": etag ?? "" } });
    expect([same.status, same.body]).to.deep.equal([304, ""]);
    // As clients ask that want no cache on the way to answer.
    const past = { "if-none-match": etag ?? "", "cache-control": "no-cache" };
    expect((await ask("/feed/Packages", { headers: past })).status).to.equal(304);
    expect((await ask("/feed/Packages", { headers: { "if-none-match": '"x"' } })).status).to.equal(200);
    expect((await ask("/feed/Packages", { headers: { "if-match": '"x"' } })).status).to.equal(412);
  });

  it("changes the ETag when a file of the same size and date takes the place of another", async () => {
    const path = join(root, "changing");
    const date = new Date("2026-01-01T00:00:00Z");
    const put = async (text: string) => {
      await writeFile(`${path}.new`, text);
      await utimes(`${path}.new`, date, date);
      await rename(`${path}.new`, path);
    };
    await put("one");
    const first = await ask("/changing");
    await put("two");
    const second = await ask("/changing", { headers: { "if-none-match": first.headers.etag ?? "" } });
    expect([second.status, second.body]).to.deep.equal([200, "two"]);
    await writeFile(path, "six");
    await utimes(path, date, date);
    const third = await ask("/changing", { headers: { "if-none-match": second.headers.etag ?? "" } });
    expect([third.status, third.body]).to.deep.equal([200, "six"]);
    expect((await stat(path)).mtimeMs).to.equal(date.getTime());
  });

  it("gives a date only to files that are older than its unit", async () => {
    const path = join(root, "young");
    await writeFile(path, "x");
    const soon = new Date(Date.now() + 60_000);
    await utimes(path, soon, soon);
    expect((await ask("/young")).headers["last-modified"]).to.equal(undefined);
    await utimes(path, 1_700_000_000, 1_700_000_000);
    expect((await ask("/young")).headers["last-modified"]).to.equal("Tue, 14 Nov 2023 22:13:20 GMT");
  });

  it("has no listings", async () => {
    for (const path of ["/", "/feed", "/feed/", "/feed/Packages/", "/linked-feed", "/linked-feed/"]) {
      expect((await ask(path)).status, path).to.equal(404);
    }
  });

  it("leads from / to the trust page where there is one, which no other page may frame or reach into", async () => {
    await mkdir(join(root, "keys"));
    expect((await ask("/keys/")).status).to.equal(404);
    await writeFile(join(root, "keys/index.html"), "<p>trust page");
    try {
      const top = await ask("/");
      expect([top.status, top.headers.location]).to.deep.equal([302, "/keys/"]);
      for (const path of ["/keys/", "/keys/index.html", "//keys//?x=/"]) {
        const { status, headers, body } = await ask(path);
        expect([status, body, headers["content-type"]], path).to.deep.equal([
          200,
          "<p>trust page",
          "text/html; charset=utf-8",
        ]);
        expect(headers).to.include({
          "content-security-policy": "frame-ancestors 'none'",
          "cross-origin-opener-policy": "same-origin",
          "referrer-policy": "no-referrer",
          "x-content-type-options": "nosniff",
        });
      }
      expect((await ask("/feed/Packages")).headers).to.not.have.property("content-security-policy");
      expect((await ask("/keys")).status).to.equal(404);
    } finally {
      await rm(join(root, "keys"), { recursive: true });
    }
  });

  it("hides what begins with a dot, what is no file, and what lies outside", async () => {
    for (const path of [
      "/feed/.hidden",
      "/feed/%2ehidden",
      "/feed/.git/config",
      "/out",
      "/up/secret",
      "/up/archive/feed/Packages/../../../secret",
      "/fifo",
      "/none",
      "/feed/Packages/x",
      `/${"a".repeat(300)}`,
    ]) {
      const got = await ask(path);
      expect(got.status, path).to.be.oneOf([400, 404]);
      expect(got.body, path).to.not.include("secret\n").and.not.include(folder);
    }
    expect((await ask("/up/archive/feed/Packages")).body).to.equal("Package: a\n");
  });

  it("refuses tricks with paths", async () => {
    for (const path of [
      "/../secret",
      "/feed/../../secret",
      "/%2e%2e/secret",
      "/feed/%2E%2e/%2e%2E/secret",
      "/..%2fsecret",
      "/feed%2fPackages",
      "/..%5csecret",
      "/..\\secret",
      "/feed/Packages%00.asc",
      "/./feed/Packages",
      "/%",
      "/%ff",
      "http://127.0.0.1/feed/Packages",
      "*",
    ]) {
      const got = await ask(path);
      expect(got.status, path).to.equal(400);
      expect(got.body, path).to.equal("bad path\n");
    }
  });

  it("never lets any target out of the folder", () => {
    const part = fc.constantFrom(
      "..",
      ".",
      "%2e",
      "%2E%2e",
      "/",
      "//",
      "\\",
      "%5c",
      "%2f",
      "%00",
      "a",
      "%25",
      "?",
      "%c0%ae",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const segments = segmentsOf(`/${parts.join("")}`) ?? [];
        for (const segment of segments) {
          expect(segment).to.not.equal("..").and.not.equal(".").and.not.equal("");
          expect(segment).to.not.match(/[/\\\0]/);
        }
        expect(join("/root", ...segments).startsWith("/root")).to.equal(true);
      }),
    );
  });

  it("only reads", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"]) {
      const got = await ask("/feed/Packages", { method });
      expect([got.status, got.headers.allow], method).to.deep.equal([405, "GET, HEAD"]);
    }
  });

  it("sends large files whole, and breaks off when one becomes shorter meanwhile", async () => {
    const path = join(root, "large");
    await writeFile(path, Buffer.alloc(30_000_000, "x"));
    expect((await ask("/large")).body).to.have.length(30_000_000);
    const client = connect(server.port, "127.0.0.1");
    const twice = "GET /large HTTP/1.1\r\nhost: x\r\n\r\nGET /none HTTP/1.1\r\nhost: x\r\n\r\n";
    client.write(twice);
    const [first] = await once(client, "data");
    client.pause();
    await truncate(path, 20_000_000);
    let received = `${first}`;
    client.on("data", (piece) => {
      received += piece.toString("latin1");
    });
    client.on("error", () => {});
    client.resume();
    await once(client, "close");
    expect(received).to.match(/^HTTP\/1.1 200 OK/);
    // The second answer would have been taken for the rest of the file.
    expect(received.match(/HTTP\/1.1/g)).to.have.length(1);
    expect(received.length).to.be.lessThan(30_000_000);
  });

  it("does not leave files open", async () => {
    const open = () => execFileSync("ls", [`/proc/${process.pid}/fd`], { encoding: "utf8" }).split("\n").length;
    if (process.platform !== "linux") return;
    const before = open();
    for (let count = 0; count < 20; count++) {
      await ask("/feed/Packages", { method: count % 2 === 0 ? "HEAD" : "GET" });
      await ask("/feed/Packages", { headers: { range: "bytes=99-" } });
      await ask("/out");
    }
    expect(open()).to.be.lessThan(before + 10);
  });
});
