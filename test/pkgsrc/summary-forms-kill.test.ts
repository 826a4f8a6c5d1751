/** kill -9 at every step that changes the names of a feed's files, while one form comes along and another goes. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import { done, hour, PkgsrcArchive, published } from "../testkit/archives/pkgsrc-archive.ts";
import { killEverywhere } from "../testkit/programs/kill.ts";

describe("the forms of a summary, with kill -9 at every step", function () {
  this.timeout(300_000);

  it("fit their signatures, and none lies beside a newer one; the next run finishes", async () => {
    const archive = await PkgsrcArchive.make();
    try {
      const config = await fs.readFile(archive.config, "utf8");
      await archive.addPackage({ name: "a-1.0" });
      await fs.writeFile(archive.config, `${config}compress = xz, zst\n`);
      await archive.publish(published);
      await archive.addPackage({ name: "b-1.0" });
      await fs.writeFile(archive.config, `${config}compress = zst\n`);

      /** What a client that was never here gets: the number of packages, or undefined. */
      const client = async (copy: PkgsrcArchive, form: string) => {
        await copy.writeProfile(`index = pkg_summary.${form}`);
        const { status, stdout } = await copy.client(published + 2 * hour, "update");
        await fs.rm(join(copy.folder, "state"), { recursive: true, force: true });
        return status === 0 ? JSON.parse(stdout).feeds[0].entries : undefined;
      };
      const seen = new Set<string>();
      const steps = await killEverywhere({
        start: archive,
        args: ({ home, config }) => [
          ...["--home", home, "--json", "--at", iso(published + hour)],
          ...["publish", "--config", config],
        ],
        steps: ["rename", "rm"],
        check: async (copy, killed) => {
          const summary = gunzipSync(await fs.readFile(copy.file("pkg_summary.gz"))).toString();
          const now = summary.split("PKGNAME=").length - 1;
          for (const form of ["gz", "zst"]) {
            const got = await client(copy, form);
            expect(got, `.${form}`).to.be.oneOf(killed ? [1, 2] : [2]);
            seen.add(`${form} ${got}`);
          }
          expect(await client(copy, "gz")).to.equal(now);
          const old = await client(copy, "xz");
          expect(old, ".xz").to.be.oneOf([undefined, 1]);
          if (now === 2) expect(old, ".xz beside the new one").to.equal(undefined);
          seen.add(`xz ${old}`);
          done(await copy.keeper(published + hour, "publish", "--config", copy.config));
          const left = (await fs.readdir(copy.file("."))).filter((name) => /pkg_summary|tmp/.test(name));
          const whole = ["gz", "zst"].flatMap((form) => ["", ".asc", ".sig"].map((end) => `pkg_summary.${form}${end}`));
          expect(left.sort()).to.deep.equal(whole);
        },
      });
      expect(steps).to.be.at.least(12);
      expect([...seen]).to.have.members(["gz 1", "gz 2", "zst 1", "zst 2", "xz 1", "xz undefined"]);
    } finally {
      await archive.remove();
    }
  });
});
