// The publisher's clock steps back, or two runs fall into one second: clients that have the earlier index must accept the next one.
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { addKey, hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";

const minute = 60_000;
const behind = { code: "not_yet_valid", status: 1 };
const publish = (archive: TestArchive, ...args: string[]) => ["publish", "--config", archive.config, ...args];
const sign = (archive: TestArchive) => ["sign", archive.file("Packages"), "--key", archive.key, "--feed", "base"];

async function keeper(archive: TestArchive, at: number, ...args: readonly string[]): Promise<void> {
  const ended = await runHere(archive.keeperArgs(at, ...args));
  expect(ended.status, ended.stdout).to.equal(0);
  await archive.mirror.sync(archive.site);
}

/** Another index as another program would write it, the signatures still those of the one before. */
async function rewrite(archive: TestArchive): Promise<void> {
  const text = await fs.readFile(archive.file("Packages"), "utf8");
  await fs.writeFile(archive.file("Packages"), `${text.split("\n\n").slice(0, 1).join("")}\n`);
  await fs.rm(archive.file("Packages.gz"));
}

describe("publish: the date of a signature", () => {
  for (const [what, back] of [
    ["three minutes back", 3 * minute],
    ["within one second", 0],
  ] as const) {
    it(`publish, ${what}: clients follow, and the run after that has nothing to do`, async () => {
      await inArchive(async (archive) => {
        await archive.accept(published, "update");
        await archive.addPackage("gamma");
        await archive.publish(published - back);
        await archive.accept(published + hour, "update");
        const again = await archive.publish(published - back);
        expect((again.feeds as { changed: boolean }[])[0]?.changed).to.equal(false);
      });
    });

    it(`sign, ${what}: clients follow`, async () => {
      await inArchive(async (archive) => {
        await archive.accept(published, "update");
        await rewrite(archive);
        await keeper(archive, published - back, ...sign(archive));
        await archive.accept(published + hour, "update");
      });
    });
  }

  it("a rotation in the second of the last publication: clients follow", async () => {
    await inArchive(async (archive) => {
      await archive.accept(published, "update");
      await keeper(archive, published, "rotate", "--config", archive.config, "--at-once", "--force");
      await archive.accept(published + hour, "update");
    });
  });

  it("more than clients allow: publish, its --dry-run and sign refuse and change nothing", async () => {
    await inArchive(async (archive) => {
      await archive.addPackage("gamma");
      const at = published - 6 * minute;
      const before = await fs.readFile(archive.file("Packages.sig"));
      await archive.refuseKeeper(behind, at, ...publish(archive));
      await archive.refuseKeeper(behind, at, ...publish(archive, "--dry-run"));
      await archive.refuseKeeper(behind, at, ...sign(archive));
      expect(await fs.readFile(archive.file("Packages.sig"))).to.deep.equal(before);
    });
  });

  it("what is published is dated in the future and nothing else changed: publish says so", async () => {
    await inArchive(async (archive) => {
      await archive.refuseKeeper(behind, published - hour, ...publish(archive));
      for (const name of ["Packages.sig", "Packages.asc"]) await fs.rm(archive.file(name));
      await archive.publish(published - hour);
    });
  });

  it("a date that a stranger's key gave keeps nobody from publishing", async () => {
    await inArchive(async (archive) => {
      const home = `${archive.folder}/stranger`;
      const key = await addKey(home, { userId: "Stranger <stranger@example.net>" });
      const args = ["--home", home, "--at", "2040-01-01T00:00:00Z", "sign", archive.file("Packages"), "--key", key];
      await fs.rm(archive.file("Packages.sig"));
      await fs.rm(archive.file("Packages.asc"));
      const signed = await runHere(args);
      // The key has no end, so the only question is what publish makes of the date.
      expect(signed.status, signed.stderr).to.equal(0);
      await archive.publish(published + hour);
      await archive.accept(published + 2 * hour, "update");
    });
  });
});
