// Private feeds: credentials from a file that the profile names or from ~/.netrc, to their own server alone, and told to nobody.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, type Ended, runHere } from "../testkit/programs/command-line.ts";
import { type Behaviour, plain } from "../testkit/servers/misbehaving-server.ts";

const at = published + hour;
const basic = `Basic ${Buffer.from("me:s3cret").toString("base64")}`;

/** Serves the archive to those alone who send this. */
async function protect(archive: TestArchive, authorization: string): Promise<void> {
  await archive.mirror.sync(archive.site);
  for (const entry of await fs.readdir(archive.site, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const there = plain(200, await fs.readFile(file));
    const denied = plain(401, "who are you?", { "www-authenticate": 'Basic realm="feeds"' });
    const behaviour: Behaviour = (socket, request) => {
      const isKnown = request.toLowerCase().includes(`\r\nauthorization: ${authorization.toLowerCase()}\r\n`);
      (isKnown ? there : denied)(socket, request);
    };
    archive.mirror.behave(file.slice(archive.site.length + 1), behaviour);
  }
}

/** Names a file of credentials in the profile, and writes it. */
async function give(archive: TestArchive, text: string, mode = 0o600): Promise<string> {
  await archive.writeProfile();
  const profile = await fs.readFile(archive.profile, "utf8");
  await fs.writeFile(archive.profile, profile.replace("[trust]", "credentials = auth.conf\n[trust]"));
  const file = join(archive.folder, "auth.conf");
  await fs.writeFile(file, text);
  await fs.chmod(file, mode);
  return file;
}

/** Nothing that was printed or kept has the secret in it. */
async function expectSecret(archive: TestArchive, { stdout, stderr }: Ended): Promise<void> {
  const told = [stdout, stderr];
  for (const entry of await fs.readdir(archive.state, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) told.push(await fs.readFile(join(entry.parentPath, entry.name), "latin1"));
  }
  const secrets = ["s3cret", Buffer.from("me:s3cret").toString("base64")];
  for (const text of told) for (const secret of secrets) expect(text).to.not.contain(secret);
}

describe("cases: a private feed", function () {
  this.timeout(60_000);

  it("is read with a name and password or a token from a file that the profile names, and they stay secret", async () => {
    await inArchive(async (archive) => {
      const host = archive.mirror.url.replace(/\/$/, "");
      for (const [authorization, text] of [
        [basic, `machine ${host} login me password s3cret`],
        ["Bearer s3cret", `machine ${host}/feeds token s3cret\nmachine ${host}/keys token s3cret`],
      ] as const) {
        await protect(archive, authorization);
        await give(archive, text);
        for (const args of [["update"], ["fetch", "alpha", "-o", archive.out], ["status"]]) {
          const ended = await runHere(archive.clientArgs(at, ...args, "--debug", "--verbose"));
          expect(ended.status, ended.stdout + ended.stderr).to.equal(0);
          await expectSecret(archive, ended);
        }
        await archive.expectOut("alpha_1.0-1_all.ipk");
        await fs.rm(join(archive.out, "alpha_1.0-1_all.ipk"));
      }
      const last = await archive.lastGood();
      for (const [text, code, status] of [
        [`machine ${host} login me password s3cret2`, "unavailable", 69],
        ["machine other.example token s3cret", "unavailable", 69],
        [`machine ${host} login me password s3cret and more`, "bad_config", 78],
      ] as const) {
        await give(archive, text);
        const ended = await runHere(archive.clientArgs(at + hour, "update"));
        expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([status, code]);
        expect(documentOf(ended).error?.hint).to.match(/credentials|machine HOST/);
        await expectSecret(archive, ended);
      }
      expect(await archive.lastGood()).to.equal(last);
    });
  });

  it("a file of credentials that others can read or change, or that is missing, is refused", async () => {
    await inArchive(async (archive) => {
      await protect(archive, basic);
      const text = `machine ${archive.mirror.url} login me password s3cret`;
      for (const mode of [0o640, 0o604, 0o620, 0o602, 0o644]) {
        const file = await give(archive, text, mode);
        const ended = await runHere(archive.clientArgs(at, "update"));
        expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([78, "bad_config"]);
        expect(documentOf(ended).error?.hint).to.contain(`chmod 600 '${file}'`);
        expect(archive.mirror.requests.join()).to.not.match(/authorization/i);
      }
      await fs.rm(await give(archive, text));
      // Without the bundle `refresh` would not hear of a revocation, so that it may not end well either.
      for (const command of ["update", "refresh"]) {
        const ended = await runHere(archive.clientArgs(at, command));
        expect([ended.status, documentOf(ended).error?.code], command).to.deep.equal([78, "bad_config"]);
      }
      await give(archive, text, 0o400);
      await archive.accept(at, "update");
    });
  });

  it("without such a file ~/.netrc serves; one that others can read is refused where it would be used", async () => {
    await inArchive(async (archive) => {
      const before = process.env.HOME;
      const netrc = join(archive.folder, ".netrc");
      process.env.HOME = archive.folder;
      try {
        await protect(archive, basic);
        const text = `machine ${archive.mirror.url} login me password s3cret\nmachine z.example nonsense\n`;
        await fs.writeFile(netrc, text, { mode: 0o600 });
        await archive.accept(at, "update");
        await fs.chmod(netrc, 0o644);
        for (const command of ["update", "refresh"]) {
          const ended = await runHere(archive.clientArgs(at + hour, command));
          expect([ended.status, documentOf(ended).error?.code], command).to.deep.equal([78, "bad_config"]);
        }
        await archive.mirror.sync(archive.site);
        await fs.writeFile(netrc, "machine other.example login me password s3cret\n");
        await archive.accept(at + hour, "update");
      } finally {
        if (before === undefined) delete process.env.HOME;
        else process.env.HOME = before;
      }
    });
  });
});
