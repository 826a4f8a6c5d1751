// Transport: what happens between the archive and its client.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { loadProfile } from "../../src/client/profiles/load-profile.ts";
import { updateFeeds } from "../../src/client/update.ts";
import { FeedkeyError } from "../../src/error.ts";
import { startServer } from "../../src/keyserver/server.ts";
import type { NetLimits } from "../../src/net/limits.ts";
import { createTransport } from "../../src/net/transport.ts";
import { refresh } from "../../src/refresh/refresh.ts";
import { Session } from "../../src/refresh/session.ts";
import { hour, inArchive, inUse, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runProcess } from "../testkit/programs/command-line.ts";
import { Mirror } from "../testkit/servers/mirror.ts";
import { drip, plain, raw, stuckAfter, tlsFile } from "../testkit/servers/misbehaving-server.ts";

const at = published + 2 * hour;
const unavailable = { code: "unavailable", status: 69 };

/** An archive in use that has published something newer. */
async function withNews(action: (archive: TestArchive) => Promise<void>): Promise<void> {
  await inUse(async (archive) => {
    await archive.addPackage("gamma");
    await archive.publish(published + hour);
    await action(archive);
  });
}

describe("cases: transport", () => {
  const index = "feeds/base/Packages.gz";
  for (const [what, path, answer, reason] of [
    ["an index cut off", index, raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf"), "cut_off"],
    [
      "a signature cut off",
      "feeds/base/Packages.sig",
      raw("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nx"),
      "cut_off",
    ],
    [
      "a chunked index cut off",
      index,
      raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
      "cut_off",
    ],
    ["no answer at all", index, raw(""), "cut_off"],
    ["an answer that is not HTTP", index, raw("220 ftp.example.org ready\r\n"), "protocol"],
    ["a server error", index, plain(503, "try later"), "http"],
    ["access denied", index, plain(401, "no"), "http"],
    ["a redirect to a host that is away", index, plain(302, "", { location: "http://127.0.0.1:1/x" }), "connect"],
    ["a redirect to a file", index, plain(302, "", { location: "file:///etc/passwd" }), "redirect"],
    ["an encoding nobody asked for", index, plain(200, "x", { "content-encoding": "br" }), "protocol"],
  ] as const) {
    it(`${what}: unavailable, and the last good one stays`, async () => {
      await withNews(async (archive) => {
        const good = await archive.lastGood();
        archive.mirror.behave(path, answer);
        const { error } = await archive.refuse(unavailable, at, "update");
        expect(error?.details.reason).to.equal(reason);
        expect(await archive.lastGood()).to.equal(good);
        await archive.accept(at, "fetch", "alpha", "-o", archive.out);
        await archive.mirror.sync(archive.site);
        await archive.accept(at, "update");
        expect(await archive.lastGood()).to.not.equal(good);
      });
    });
  }

  const missing = [
    ["status 403", plain(403, '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>')],
    ["a web page", plain(200, "<!doctype html><html><body>My app</body></html>")],
    ["a page after a comment", plain(200, "<!-- app --><html></html>")],
    ["an XML page", plain(200, '<?xml version="1.0"?><Error/>')],
    ["an empty file", plain(200, "")],
  ] as const;
  for (const [what, answer] of missing) {
    it(`a missing file answered with ${what}: the other form or signature file is used`, async () => {
      for (const name of ["Packages.gz", "Packages.sig", "Packages.asc"]) {
        await withNews(async (archive) => {
          const good = await archive.lastGood();
          archive.mirror.behave(`feeds/base/${name}`, answer);
          await archive.accept(at, "update");
          expect(await archive.lastGood(), name).to.not.equal(good);
        });
      }
    });
  }

  it("all forms or all signature files denied: unavailable, and the last good one stays", async () => {
    for (const names of [
      ["Packages", "Packages.gz"],
      ["Packages.sig", "Packages.asc"],
    ]) {
      await withNews(async (archive) => {
        const good = await archive.lastGood();
        for (const name of names) archive.mirror.behave(`feeds/base/${name}`, plain(403, "no"));
        const { error } = await archive.refuse(unavailable, at, "update");
        expect(error?.details).to.include({ reason: "http", status: 403 });
        expect(await archive.lastGood()).to.equal(good);
      });
    }
  });

  it("asks past caches for bundle and signatures, and for an index whose first copy did not fit", async () => {
    await withNews(async (archive) => {
      const fresh = (path: string) => {
        const asked = archive.mirror.requests.filter((request) => request.startsWith(`GET /${path} `));
        return asked.map((request) => /\r\ncache-control: no-cache\r\n/i.test(request));
      };
      const old = await archive.lastGood();
      const text = archive.mirror;
      text.put(index, gzipSync("Package: other\n"));
      text.put("feeds/base/Packages", "Package: other\n");
      await archive.refuse({ code: "bad_signature", status: 1 }, at, "update");
      expect(await archive.lastGood()).to.equal(old);
      expect(fresh(index)).to.deep.equal([false, true]);
      expect(fresh("feeds/base/Packages")).to.deep.equal([true]);
      expect(fresh("feeds/base/Packages.sig")).to.not.be.empty.and.not.include(false);
      expect(archive.mirror.requests.filter((request) => /^GET \S*(bundle|keys)/.test(request))).to.satisfy(
        (all: string[]) => all.every((request) => /cache-control: no-cache/i.test(request)),
      );
    });
  });

  it("a server that asks for patience: asked again when it says, for index and signature", async () => {
    await withNews(async (archive) => {
      const good = await archive.lastGood();
      for (const name of ["Packages.gz", "Packages.sig"]) {
        const bytes = await readFile(archive.file(name));
        let asked = 0;
        archive.mirror.behave(`feeds/base/${name}`, (socket, request) => {
          asked += 1;
          const answer = asked === 1 ? plain(429, "", { "retry-after": "0" }) : plain(200, bytes);
          answer(socket, request);
        });
      }
      await archive.accept(at, "update");
      expect(await archive.lastGood()).to.not.equal(good);
    });
  });

  it("a Content-Length that is too short: the index is not taken, and the last good one stays", async () => {
    await withNews(async (archive) => {
      const good = await archive.lastGood();
      for (const name of ["Packages", "Packages.gz"]) {
        archive.mirror.behave(
          `feeds/base/${name}`,
          raw("HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\nPackage: alpha\nVersion: 1.0-1\n"),
        );
      }
      const ended = await runProcess(archive.clientArgs(at, "update"));
      expect(ended.status).to.be.oneOf([1, 65, 69]);
      expect(documentOf(ended).error?.code).to.be.oneOf(["bad_signature", "bad_index", "unavailable"]);
      expect(await archive.lastGood()).to.equal(good);
    });
  });

  it("a server that nobody runs: unavailable", async () => {
    await withNews(async (archive) => {
      await archive.writeProfile({ url: "http://127.0.0.1:1/" });
      const { error } = await archive.refuse(unavailable, at, "update");
      expect(error?.details.reason).to.equal("connect");
    });
  });

  it("a captive portal, which answers everything with a web page: unavailable, and the last good one stays", async () => {
    await withNews(async (archive) => {
      const page = '<!DOCTYPE html>\n<html><head><title>Hotel "Zur Post" \x1b[31m</title></head></html>\n';
      archive.mirror.behaveEverywhere(plain(200, page, { "content-type": "text/html" }));
      await archive.refuse(unavailable, at, "update");
      await archive.refuse({ code: "size_mismatch", status: 1 }, at, "fetch", "alpha", "-o", archive.out);
      await archive.expectOut();
    });
  });

  for (const [what, change] of [
    [
      "silent",
      (mirror: Mirror) => mirror.behave(index, stuckAfter("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf")),
    ],
    ["slow", (mirror: Mirror) => mirror.behave(index, drip("HTTP/1.1 200 OK\r\n\r\n", 20))],
    ["slow with its head", (mirror: Mirror) => mirror.behave(index, drip("HTTP/1.1 200 OK\r\nX-", 20))],
  ] as const) {
    it(`a ${what} server: unavailable in bounded time, and the last good one stays`, async () => {
      await withNews(async (archive) => {
        change(archive.mirror);
        const good = await archive.lastGood();
        const error = await updateWithin(archive, { connect: 300, headers: 300, idle: 300, slowWindow: 300 });
        expect(error).to.include({ code: "unavailable" });
        expect(error?.details.reason).to.equal("timeout");
        expect(await archive.lastGood()).to.equal(good);
      });
    });
  }

  it("one mirror bad, the next good: the next is used, for index and package", async () => {
    for (const spoil of [
      (bad: Mirror) => bad.behaveEverywhere(plain(500, "broken")),
      (bad: Mirror) => bad.behaveEverywhere(plain(404, "gone")),
      (bad: Mirror) => bad.behaveEverywhere(plain(200, "<html>welcome</html>")),
      (bad: Mirror) => bad.behaveEverywhere(raw("")),
      (bad: Mirror) => bad.put("feeds/base/Packages.sig", "") ?? bad.put("feeds/base/Packages.asc", ""),
    ]) {
      await inArchive(async (archive) => {
        const bad = await Mirror.start(archive.site);
        try {
          spoil(bad);
          bad.put("feeds/base/alpha_1.0-1_all.ipk", "evil");
          await archive.writeProfile({ url: bad.url, mirrors: [archive.mirror.url] });
          const { feeds } = await archive.accept(at, "update");
          expect(feeds).to.have.nested.property("[0].source", `${archive.mirror.url}feeds/base`);
          await archive.accept(at, "fetch", "alpha", "-o", archive.out);
          await archive.expectOut("alpha_1.0-1_all.ipk");
        } finally {
          await bad.close();
        }
      });
    }
  });

  it("one mirror refuses, the other is down: the refusal is what is told", async () => {
    await withNews(async (archive) => {
      await archive.writeProfile({ mirrors: ["http://127.0.0.1:1/"] });
      for (const name of ["Packages.sig", "Packages.asc"]) archive.mirror.drop(`feeds/base/${name}`);
      await archive.refuse({ code: "no_signature", status: 1 }, at, "update");
    });
  });

  it("offline: nothing is asked, and what was accepted can still be verified", async () => {
    await withNews(async (archive) => {
      await archive.refuse(unavailable, at, "--offline", "update");
      expect(archive.mirror.asked).to.deep.equal([]);
      await archive.accept(at, "--offline", "verify", archive.file("Packages"));
    });
  });

  it("the embedded server, over TLS that nobody vouches for: unavailable; over http: all is well", async () => {
    await inArchive(async (archive) => {
      const tls = { cert: tlsFile("good.pem"), key: tlsFile("good.key") };
      const secure = await startServer({ root: archive.site, port: 0, tls });
      const open = await startServer({ root: archive.site, port: 0 });
      try {
        await archive.writeProfile({ url: `https://localhost:${secure.port}/` });
        const ended = await runProcess(archive.clientArgs(at, "update"));
        expect([ended.status, documentOf(ended).error?.details.reason]).to.deep.equal([69, "tls"]);
        await archive.writeProfile({ url: open.url });
        expect((await runProcess(archive.clientArgs(at, "update"))).status).to.equal(0);
        expect((await runProcess(archive.clientArgs(at, "fetch", "--all", "-o", archive.out))).status).to.equal(0);
        await archive.expectOut("alpha_1.0-1_all.ipk", "beta_2.0-1_all.ipk");
      } finally {
        await secure.close();
        await open.close();
      }
    });
  });
});

/** The use case behind `update`, with less patience than the command line has. @returns the feed's error */
async function updateWithin(archive: TestArchive, limits: Partial<NetLimits>): Promise<FeedkeyError | undefined> {
  const transport = createTransport({ limits });
  const nobody = {
    warn: () => undefined,
    note: () => undefined,
    progress: () => ({ update: () => {}, stop: () => {} }),
  };
  const session = await Session.open({
    profile: await loadProfile(archive.profile),
    stateFolder: archive.state,
    at,
    offline: false,
    transport,
    keyserverTransport: transport,
    reporter: nobody,
  });
  try {
    const [outcome] = await updateFeeds(session, await refresh(session), session.profile.feeds, { allowEmpty: false });
    return outcome?.ok === false && outcome.error instanceof FeedkeyError ? outcome.error : undefined;
  } finally {
    await transport.close();
  }
}
