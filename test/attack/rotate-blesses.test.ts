// Attack: who can write to the published tree, but has no key, lets `rotate` sign what he put there.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hour, inArchive, published, type TestArchive } from "../cases/archive-kit.ts";
import { runHere } from "../cases/cli.ts";
import { day } from "../testkit/dates.ts";

const names = ["Packages", "Packages.gz", "Packages.asc", "Packages.sig"];

async function rotateAtOnce(archive: TestArchive, at = published + 2 * hour): Promise<void> {
  const backup = join(archive.folder, "safe");
  const args = ["rotate", "--at-once", "--config", archive.config, "--backup", backup, "--expires", "1y"];
  const passphrase = join(archive.folder, "passphrase");
  await fs.writeFile(passphrase, "correct horse\n", { mode: 0o600 });
  const ended = await runHere(archive.keeperArgs(at, ...args, "--passphrase-file", passphrase));
  expect(ended.stdout).to.include("NOT signed");
  await archive.mirror.sync(archive.site);
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
        await rotateAtOnce(archive);
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
      await rotateAtOnce(archive, day(60));
      await archive.refuse(stale, day(61), "verify", "--no-state", archive.file("Packages"));
    });
  });
});
