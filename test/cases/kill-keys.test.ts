// State and archive side: kill -9 while the archive's keys change. Each step can be repeated and does
// nothing twice; clients follow all the while.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hour, inUse, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { at, freshClient, killEverywhere } from "../testkit/programs/kill.ts";

const present = async (copy: TestArchive) => /^key = (\S+)/m.exec(await fs.readFile(copy.config, "utf8"))?.[1];

/** Where something gets its final name or loses it: between these, only temporary files differ. */
const steps = ["rename", "rm", "rmdir", "symlink", "unlink"];

/** The keyring that clients were shipped with before anything happened. */
async function shippedKeyring(start: TestArchive): Promise<string> {
  const keyring = join(start.folder, "shipped.asc");
  await fs.copyFile(join(start.home, "certs", `${start.key}.asc`), keyring);
  return keyring;
}

describe("cases: kill -9 while keys change", function () {
  this.timeout(300_000);

  it("rotate --at-once: clients accept all the while; the next run ends with two keys, never three", async () => {
    await inUse(async (start) => {
      const keyring = await shippedKeyring(start);
      const backup = (copy: TestArchive) => ["--backup", join(copy.folder, "backup")];
      const rotate = (copy: TestArchive) => {
        return copy.keeperArgs(published + hour, "rotate", "--config", copy.config, "--at-once", ...backup(copy));
      };
      const count = await killEverywhere({
        start,
        args: rotate,
        steps,
        check: async (copy, killed) => {
          await copy.writeProfile({ url: `file://${copy.site}/`, keyring });
          const digest = await start.lastGood();
          expect(await freshClient(copy, "Packages"), "a new client").to.equal(digest);
          await copy.accept(at, "update");
          // After a run that got to its end, another one would be another rotation.
          if (killed) {
            const again = await runHere(rotate(copy));
            expect(again.status, again.stdout).to.equal(0);
          }
          const keys = await fs.readdir(join(copy.home, "private"));
          expect(keys, "secret keys").to.have.length(2);
          const successor = keys.map((name) => name.slice(0, -4)).find((key) => key !== copy.key);
          expect(await present(copy)).to.equal(successor);
          expect(await freshClient(copy, "Packages"), "after the next run").to.equal(digest);
          const { feeds } = await copy.accept(at, "update");
          expect(feeds).to.have.nested.property("[0].signatures[0].certificate", successor);
        },
      });
      expect(count).to.be.greaterThan(10);
    });
  });

  it("revoke: the key is whole or revoked for everybody; the next run finishes", async () => {
    await inUse(async (start) => {
      const keyring = await shippedKeyring(start);
      const reason = ["--reason", "compromised", "--force"];
      const revoke = (copy: TestArchive) => {
        return copy.keeperArgs(published + hour, "revoke", copy.key, "--config", copy.config, ...reason);
      };
      const seen = new Set<string | undefined>();
      await killEverywhere({
        start,
        args: revoke,
        steps,
        check: async (copy) => {
          await copy.writeProfile({ url: `file://${copy.site}/`, keyring });
          const code = documentOf(await runHere(copy.clientArgs(at, "update"))).error?.code;
          expect(code).to.be.oneOf([undefined, "revoked"]);
          seen.add(code);
          const again = await runHere(revoke(copy));
          expect(again.status, again.stdout).to.equal(0);
          const ended = await runHere(copy.clientArgs(at, "update"));
          expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([1, "revoked"]);
        },
      });
      expect(seen.size).to.equal(2);
    });
  });
});
