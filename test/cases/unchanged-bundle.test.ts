// The key bundle brings revocations: a server's word that it has not changed is enough for a day, and only beside key servers.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { createTransport } from "../../src/net/transport.ts";
import { readProfile } from "../../src/profile/read-profile.ts";
import { Bundles } from "../../src/refresh/bundles.ts";
import { Session } from "../../src/refresh/session.ts";
import { hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { unlessKnown } from "../testkit/servers/misbehaving-server.ts";

const path = "keys/archive-keyring.pgp";

/** Downloads the bundle as a run does, and keeps a copy. @returns whether it was asked for with a condition */
async function isConditional(archive: TestArchive, at: number, whole = false): Promise<boolean> {
  const transport = createTransport();
  const reporter = {
    warn: (text: string) => expect.fail(text),
    note: () => undefined,
    progress: () => ({ update: () => undefined, stop: () => undefined }),
  };
  try {
    const profile = readProfile(await fs.readFile(archive.profile, "utf8"), archive.profile);
    const common = { transport, keyserverTransport: transport, reporter, offline: false, at };
    const session = await Session.open({ profile, stateFolder: archive.state, ...common });
    const before = archive.mirror.requests.length;
    const bundles = new Bundles(session, whole);
    await bundles.takeAll();
    await session.write((state) => state.keepBundles(session.bundles));
    const [request = "", ...more] = archive.mirror.requests.slice(before);
    expect(more).to.deep.equal([]);
    return /\r\nif-(none-match|modified-since): /.test(request);
  } finally {
    await transport.close();
  }
}

async function withKeyservers(archive: TestArchive): Promise<void> {
  const text = await fs.readFile(archive.profile, "utf8");
  await fs.writeFile(archive.profile, text.replace("keyservers = none", "keyservers = hkps://localhost:1"));
}

async function serve(archive: TestArchive, headers: Readonly<Record<string, string>>): Promise<void> {
  archive.mirror.behave(path, unlessKnown(await fs.readFile(join(archive.site, path)), headers));
}

describe("cases: an unchanged key bundle", function () {
  this.timeout(60_000);

  it("comes whole once a day, when asked for explicitly, and when its copy is damaged", async () => {
    await inArchive(async (archive) => {
      await withKeyservers(archive);
      await serve(archive, { etag: '"a"' });
      const at = (hours: number) => published + hours * hour;
      expect(await isConditional(archive, at(1))).to.equal(false);
      expect(await isConditional(archive, at(2))).to.equal(true);
      // Not modified: that says nothing about when it came whole.
      expect(await isConditional(archive, at(24))).to.equal(true);
      expect(await isConditional(archive, at(25))).to.equal(false);
      expect(await isConditional(archive, at(26))).to.equal(true);
      expect(await isConditional(archive, at(26), true)).to.equal(false);
      // A clock that was ahead.
      expect(await isConditional(archive, at(2))).to.equal(false);

      const folder = join(archive.state, "example", "bundles");
      const [name = ""] = await fs.readdir(folder);
      const copy = await fs.readFile(join(folder, name));
      for (const damaged of [copy.subarray(0, -1), Buffer.concat([copy, copy]), Buffer.from("{}"), undefined]) {
        if (damaged === undefined) await fs.rm(folder, { recursive: true });
        else await fs.writeFile(join(folder, name), damaged);
        expect(await isConditional(archive, at(2))).to.equal(false);
      }
      expect(await isConditional(archive, at(2))).to.equal(true);

      // A copy that an older version kept does not say when it came, and one with a date of the future was poisoned.
      for (const [from, to] of [
        [/,"wholeAt":"[^"]*"/, ""],
        [/"etag":"\\"a\\""/, '"lastModified":"Fri, 01 Jan 2100 00:00:00 GMT"'],
      ] as const) {
        const text = await fs.readFile(join(folder, name), "latin1");
        expect(text).to.match(from);
        await fs.writeFile(join(folder, name), text.replace(from, to), "latin1");
        expect(await isConditional(archive, at(2))).to.equal(false);
      }
    });
  });

  it("comes whole every time if no key server can be asked", async () => {
    await inArchive(async (archive) => {
      await serve(archive, { etag: '"a"' });
      for (const time of [1, 2]) expect(await isConditional(archive, published + time * hour)).to.equal(false);
    });
  });

  it("is not asked for by a date of the future, which an honest server would call unchanged for ever", async () => {
    await inArchive(async (archive) => {
      await withKeyservers(archive);
      const date = "Sat, 02 Jan 2100 00:00:00 GMT";
      await serve(archive, { "last-modified": "Fri, 01 Jan 2100 00:00:00 GMT", date });
      for (const time of [1, 2]) expect(await isConditional(archive, published + time * hour)).to.equal(false);
    });
  });
});
