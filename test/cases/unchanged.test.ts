// Conditional requests: an unchanged archive costs a few hundred bytes, and the answer "not modified" vouches for nothing.
import * as fs from "node:fs/promises";
import { join, sep } from "node:path";
import { expect } from "chai";
import { sha256 } from "../../src/store/state-file.ts";
import { hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { Mirror } from "../testkit/servers/mirror.ts";
import { type Behaviour, plain, unlessKnown } from "../testkit/servers/misbehaving-server.ts";

const index = "feeds/base/Packages.gz";
const signature = "feeds/base/Packages.sig";
const bundle = "keys/archive-keyring.pgp";
const other = "feeds/base/Packages.asc";

type Headers = (bytes: Uint8Array) => Readonly<Record<string, string>>;
const tagged: Headers = (bytes) => ({ etag: `"${sha256(bytes)}"` });
const dated: Headers = () => ({
  "last-modified": new Date(published + hour / 2).toUTCString(),
  date: new Date(published + hour).toUTCString(),
});
const fixed: Headers = () => ({
  "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT",
  date: "Sun, 06 Nov 1994 09:49:37 GMT",
});
const future: Headers = () => ({
  "last-modified": "Fri, 01 Jan 2100 00:00:00 GMT",
  date: "Sat, 02 Jan 2100 00:00:00 GMT",
});

/** Every file of the published tree with a validator, as servers have it. */
async function serve(archive: TestArchive, headers: Headers = tagged, mirror = archive.mirror): Promise<void> {
  await mirror.sync(archive.site);
  for (const entry of await fs.readdir(archive.site, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const bytes = await fs.readFile(file);
    mirror.behave(file.slice(archive.site.length + 1).replaceAll(sep, "/"), unlessKnown(bytes, headers(bytes)));
  }
}

/** An archive served with validators, whose client has accepted what was published. */
async function inUse(action: (archive: TestArchive) => Promise<void>, headers?: Headers): Promise<void> {
  await inArchive(async (archive) => {
    await serve(archive, headers);
    await archive.accept(published + hour, "update");
    await action(archive);
  });
}

/** Updates; what was asked for with a condition and what without, each in order. */
async function asked(archive: TestArchive, at = published + 2 * hour, mirror = archive.mirror) {
  const before = mirror.requests.length;
  const document = await archive.accept(at, "update");
  const requests = mirror.requests.slice(before);
  const isConditional = (request: string) => /\r\nif-(none-match|modified-since): /.test(request);
  const path = (request: string) => /^\S+ \/(\S*)/.exec(request)?.[1] ?? "";
  return {
    feeds: document.feeds,
    conditional: requests.filter(isConditional).map(path).sort(),
    plainly: requests
      .filter((request) => !isConditional(request))
      .map(path)
      .sort(),
  };
}

const notModified: Behaviour = (socket) => socket.write("HTTP/1.1 304 Not Modified\r\n\r\n");

/** Says "not modified" to any condition at all. */
function stubborn(otherwise: Behaviour): Behaviour {
  return (socket, request) => (/\r\nif-none-match: /.test(request) ? notModified : otherwise)(socket, request);
}

/** A server that calls index and signature unchanged, whatever has become of them. */
async function claimUnchanged(archive: TestArchive): Promise<void> {
  for (const path of [index, signature]) {
    const bytes = await fs.readFile(join(archive.site, path));
    archive.mirror.behave(path, stubborn(plain(200, bytes, tagged(bytes))));
  }
}

describe("cases: an unchanged archive", function () {
  this.timeout(60_000);

  it("is not downloaded again, unless what is kept of it is lost", async () => {
    await inUse(async (archive) => {
      const good = await archive.lastGood();
      for (const time of [2, 3]) {
        const { conditional, plainly, feeds } = await asked(archive, published + time * hour);
        expect([conditional, plainly]).to.deep.equal([
          [index, signature],
          [other, bundle],
        ]);
        expect(JSON.stringify(feeds)).to.contain('"changed":false');
      }
      expect(await archive.lastGood()).to.equal(good);

      // What one mirror calls a version says nothing to another.
      const mirror = await Mirror.start(archive.site);
      try {
        await serve(archive, tagged, mirror);
        await archive.writeProfile({ url: mirror.url });
        expect((await asked(archive, published + 2 * hour, mirror)).conditional).to.deep.equal([]);
        expect((await asked(archive, published + 3 * hour, mirror)).conditional).to.have.length(2);
      } finally {
        await mirror.close();
        await archive.writeProfile();
      }
      await asked(archive);

      // A state of an older version has no versions of files; nobody then asked for "not modified".
      const file = join(archive.state, "example", "feeds", "base", "meta.json");
      const { versions, ...meta } = JSON.parse(await fs.readFile(file, "utf8"));
      expect(Object.keys(versions)).to.deep.equal(["index", "signature"]);
      await fs.writeFile(file, JSON.stringify(meta));
      archive.mirror.behave(index, notModified);
      await archive.refuse({ code: "unavailable", status: 69 }, published + 4 * hour, "update");
      await serve(archive);
      expect((await asked(archive)).plainly).to.include(index);
      expect((await asked(archive)).conditional).to.include(index);

      const now = published + 4 * hour;
      for (const wrong of [
        { index: {} },
        { index: 1 },
        { others: versions.index },
        { index: { url: "x", tag: "y" } },
      ]) {
        await fs.writeFile(file, JSON.stringify({ ...meta, versions: wrong }));
        await archive.refuse({ code: "bad_state", status: 74 }, now, "update");
      }
      await fs.writeFile(file, JSON.stringify({ ...meta, versions }));
      const kept = await fs.readFile(join(file, "../index"));
      kept[0] = 0x21;
      await fs.writeFile(join(file, "../index"), kept);
      await archive.refuse({ code: "bad_state", status: 74 }, now, "update");
    });
  });

  it("is parsed again only by another release or with other settings", async () => {
    await inUse(async (archive) => {
      const file = join(archive.state, "example", "feeds", "base", "meta.json");
      const entries = async () => {
        const { feeds } = await asked(archive);
        return (feeds as { readonly entries: number }[]).map((feed) => feed.entries);
      };
      const right = await entries();
      const profile = await fs.readFile(archive.profile, "utf8");
      const pretend = async (readAs?: string) => {
        await fs.writeFile(archive.profile, profile);
        await asked(archive);
        const meta = JSON.parse(await fs.readFile(file, "utf8"));
        await fs.writeFile(file, JSON.stringify({ ...meta, entries: 77, readAs: readAs ?? meta.readAs }));
      };
      // The recorded number shows that nothing was parsed.
      await pretend();
      expect(await entries()).to.deep.equal([77]);
      const fetched = ["fetch", "alpha", "-o", archive.out];
      await archive.accept(published + 2 * hour, ...fetched);
      await pretend("0".repeat(64));
      expect(await entries()).to.deep.equal(right);
      await pretend();
      await fs.writeFile(archive.profile, `${profile}max-index-size = 64M\n`);
      expect(await entries()).to.deep.equal(right);
      await pretend();
      const meta = JSON.parse(await fs.readFile(file, "utf8"));
      await fs.writeFile(file, JSON.stringify({ ...meta, readAs: undefined }));
      expect(await entries()).to.deep.equal(right);
    });
  });

  it("is downloaded whole once a day, and after a poisoned date", async () => {
    await inUse(async (archive) => {
      expect((await asked(archive, published + 24 * hour)).conditional).to.have.length(2);
      expect((await asked(archive, published + 25 * hour)).conditional).to.deep.equal([]);
      expect((await asked(archive, published + 48 * hour)).conditional).to.have.length(2);
      const file = join(archive.state, "example", "feeds", "base", "meta.json");
      const text = await fs.readFile(file, "utf8");
      await fs.writeFile(file, text.replaceAll(/"etag": "[^\n]*"/g, '"lastModified": "Fri, 01 Jan 2100 00:00:00 GMT"'));
      expect((await asked(archive, published + 48 * hour)).conditional).to.deep.equal([]);
      expect((await asked(archive, published + 48 * hour)).conditional).to.have.length(2);
    });
  });

  it("is known by dates too, but not by one that the next version may have as well", async () => {
    await inArchive(async (archive) => {
      const date = "Sun, 06 Nov 1994 08:49:37 GMT";
      for (const [headers, expected] of [
        [() => ({}), 0],
        [() => ({ "last-modified": date, date }), 0],
        [future, 0],
        [future, 0],
        [dated, 0],
        [dated, 2],
        // Older than the signature in the file: every version may have that date. The index must fit its signature anyway.
        [fixed, 2],
        [fixed, 1],
        [tagged, 1],
        [tagged, 2],
      ] as const) {
        await serve(archive, headers);
        expect((await asked(archive)).conditional).to.have.length(expected);
      }
    });
  });

  it("that was signed again, has something new, or whose key was revoked, is seen", async () => {
    await inUse(async (archive) => {
      const good = await archive.lastGood();
      const sign = ["sign", archive.file("Packages"), "--key", archive.key, "--feed", "base"];
      expect((await runHere(archive.keeperArgs(published + 5 * hour, ...sign))).status).to.equal(0);
      const signedAgain = await fs.readFile(archive.file("Packages.sig"));
      await serve(archive);
      expect(JSON.stringify((await asked(archive, published + 6 * hour)).feeds)).to.contain('"changed":true');
      expect(archive.mirror.requests.filter((one) => one.includes(index))).to.have.length(1);
      expect(await archive.lastGood()).to.equal(good);
      const kept = await fs.readFile(join(archive.state, "example", "feeds", "base", "signature"));
      expect(kept.equals(signedAgain), "the new signature is kept").to.equal(true);

      await archive.addPackage("gamma");
      await archive.publish(published + 7 * hour);
      await serve(archive);
      await asked(archive, published + 8 * hour);
      const gamma = await archive.lastGood();
      expect(gamma).not.to.equal(good);

      // A cache that holds back the index: the pair does not fit, and it is asked past the cache.
      await archive.addPackage("delta");
      await archive.publish(published + 9 * hour);
      await serve(archive);
      archive.mirror.behave(index, stubborn(plain(200, await fs.readFile(archive.file("Packages.gz")))));
      await archive.accept(published + 10 * hour, "update");
      expect(archive.mirror.requests.filter((one) => one.includes(index))).to.have.length(2);
      expect(await archive.lastGood()).not.to.equal(gamma);

      await serve(archive);
      await claimUnchanged(archive);
      const revoke = ["revoke", archive.key, "--config", archive.config, "--reason", "compromised", "--force"];
      const ended = await runHere(archive.keeperArgs(published + 11 * hour, ...revoke));
      expect(ended.status, ended.stdout).to.equal(0);
      const bytes = await fs.readFile(join(archive.site, bundle));
      archive.mirror.behave(bundle, unlessKnown(bytes, tagged(bytes)));
      const failed = await runHere(archive.clientArgs(published + 12 * hour, "update"));
      expect([failed.status, documentOf(failed).error?.code]).to.deep.equal([1, "revoked"]);
    });
  });

  it("becomes stale however often a server calls it unchanged; then only what it sends counts", async () => {
    await inUse(async (archive) => {
      const late = published + 60 * hour;
      const stale = { code: "stale", status: 1 };
      await archive.writeProfile({ trust: ["max-index-age = 2d"] });
      await claimUnchanged(archive);
      await archive.accept(published + 40 * hour, "update");
      await archive.refuse(stale, late, "update");
      // A server that is away when asked for more does not blur the refusal.
      archive.mirror.behave(index, stubborn(plain(503, "")));
      await archive.refuse(stale, late, "update");
      await archive.addPackage("gamma");
      await archive.publish(late);
      await serve(archive);
      await claimUnchanged(archive);
      await archive.accept(late + hour, "update");
    });
  });
});
