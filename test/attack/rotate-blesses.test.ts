// Attack: who can write to the published tree, but has no key, lets `rotate` sign what he put there.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { dearmor } from "../../src/openpgp/packet/armor.ts";
import { hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { concat, framed } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { dataSignature } from "../testkit/signature.ts";

const names = ["Packages", "Packages.gz", "Packages.asc", "Packages.sig"];

async function rotateAtOnce(archive: TestArchive, code: string, at = published + 2 * hour): Promise<void> {
  const backup = join(archive.folder, "safe");
  const args = ["rotate", "--at-once", "--config", archive.config, "--backup", backup, "--expires", "1y"];
  const passphrase = join(archive.folder, "passphrase");
  await fs.writeFile(passphrase, "correct horse\n", { mode: 0o600 });
  const ended = await runHere(archive.keeperArgs(at, ...args, "--passphrase-file", passphrase));
  expect({ status: ended.status, code: documentOf(ended).error?.code }).to.deep.equal({ status: 1, code });
  expect(ended.stdout).to.include("NOT signed");
  await archive.mirror.sync(archive.site);
}

async function recordOf({ home }: TestArchive): Promise<string> {
  const [records = ""] = await fs.readdir(join(home, "archives"));
  return join(home, "archives", records, "published.json");
}

describe("attack: what a rotation signs", () => {
  it("not another feed's index in a feed's place", async () => {
    await inArchive(
      async (archive) => {
        await archive.addPackage("only-in-test", "1.0-1", "test");
        await archive.publish(published + hour);
        for (const name of names) await fs.copyFile(archive.file(name, "test"), archive.file(name, "base"));
        await archive.mirror.sync(archive.site);
        const wrong = { code: "wrong_feed", status: 1 };
        await archive.refuse(wrong, published + hour, "verify", "--no-state", archive.file("Packages", "base"));
        await rotateAtOnce(archive, "wrong_feed");
        await archive.refuse(wrong, published + 3 * hour, "verify", "--no-state", archive.file("Packages", "base"));
        await archive.accept(published + 3 * hour, "verify", "--no-state", archive.file("Packages", "test"));
      },
      { feeds: ["base", "test"] },
    );
  });

  it("not an old index whose signature has ended", async () => {
    await inArchive(async (archive) => {
      const stale = { code: "stale", status: 1 };
      await archive.refuse(stale, day(60), "verify", "--no-state", archive.file("Packages"));
      await rotateAtOnce(archive, "stale", day(60));
      await archive.refuse(stale, day(61), "verify", "--no-state", archive.file("Packages"));
    });
  });

  it("not an older index of the same feed, however good its signature still is", async () => {
    await inArchive(async (archive) => {
      const old = await Promise.all(names.map((name) => fs.readFile(archive.file(name))));
      await archive.addPackage("mended", "2.0-1");
      await archive.publish(published + hour);
      await archive.accept(published + hour, "update");
      for (const [place, name] of names.entries()) await fs.writeFile(archive.file(name), old[place] ?? "");
      await archive.accept(published + hour, "verify", "--no-state", archive.file("Packages"));
      await rotateAtOnce(archive, "rollback");
      const ended = await runHere(archive.clientArgs(published + 3 * hour, "verify", archive.file("Packages")));
      expect({ status: ended.status, code: documentOf(ended).error?.code }).to.deep.equal({
        status: 1,
        code: "rollback",
      });
    });
  });

  it("what was published last, even if publishing was cut off before that could be put on record", async () => {
    await inArchive(async (archive) => {
      const record = await recordOf(archive);
      const before = await fs.readFile(record, "utf8");
      await archive.addPackage("gamma");
      await archive.publish(published + hour);
      const [was, is] = [before, await fs.readFile(record, "utf8")].map((text) => JSON.parse(text).indexes);
      const [path = ""] = Object.keys(is);
      const during = { version: 1, indexes: { [path]: [...was[path], ...is[path]] } };
      await fs.writeFile(record, JSON.stringify(during));
      const args = ["rotate", "--at-once", "--config", archive.config, "--force", "--expires", "1y"];
      const ended = await runHere(archive.keeperArgs(published + 2 * hour, ...args));
      expect(ended.status, ended.stdout).to.equal(0);
    });
  });

  it("not what a subkey signed that somebody laid to a copy of the archive's certificate", async () => {
    await inArchive(async (archive) => {
      const certs = join(archive.home, "certs", `${archive.key}.asc`);
      const stray = ed25519Key("rotate-stray");
      const copy = concat(
        dearmor(await fs.readFile(certs), "PUBLIC KEY BLOCK")[0] ?? new Uint8Array(),
        framed({ tag: 14, body: stray.body }),
      );
      const file = join(archive.folder, "copy.pgp");
      await fs.writeFile(file, copy);
      expect((await runHere(archive.keeperArgs(published, "key", "import", file))).status).to.equal(0);
      const data = (await fs.readFile(archive.file("Packages"), "utf8")).replaceAll("alpha", "other");
      const signature = dataSignature({
        by: stray,
        at: published,
        data: Buffer.from(data),
        feed: "base",
        expiresAfter: 14 * 86_400,
      });
      await fs.writeFile(archive.file("Packages"), data);
      await fs.writeFile(archive.file("Packages.sig"), framed(signature));
      // Another program publishes, and nothing is on record.
      await fs.writeFile(await recordOf(archive), JSON.stringify({ version: 1, indexes: {} }));
      await rotateAtOnce(archive, "untrusted_signer");
    });
  });

  it("nothing while the record of what was published is damaged", async () => {
    await inArchive(async (archive) => {
      await fs.writeFile(await recordOf(archive), "{}");
      const before = await archive.everything();
      const args = ["rotate", "--at-once", "--config", archive.config, "--force", "--expires", "1y"];
      const ended = await runHere(archive.keeperArgs(published + 2 * hour, ...args));
      expect(documentOf(ended).error?.code).to.equal("bad_config");
      expect((await archive.everything())[archive.file("Packages.sig")]).to.equal(before[archive.file("Packages.sig")]);
    });
  });
});
