/** kill -9 at every step that changes the names of a feed's files, while one form comes along and another goes. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { done, hour, PkgsrcArchive, published } from "../testkit/archives/pkgsrc-archive.ts";
import { runProcess } from "../testkit/programs/command-line.ts";

const preload = new URL("../testkit/programs/kill-preload.js", import.meta.url).href;

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
      const start = `${archive.site}.start`;
      await fs.cp(archive.site, start, { recursive: true });

      /** What a client that was never here gets: the number of packages, or undefined. */
      const client = async (form: string) => {
        await archive.writeProfile(`index = pkg_summary.${form}`);
        await archive.mirror.sync(archive.site);
        const { status, stdout } = await archive.client(published + 2 * hour, "update");
        await fs.rm(join(archive.folder, "state"), { recursive: true, force: true });
        return status === 0 ? JSON.parse(stdout).feeds[0].entries : undefined;
      };
      const args = ["--home", archive.home, "--json", "--at", new Date(published + hour).toISOString()];
      const publish = [...args, "publish", "--config", archive.config];
      const seen = new Set<string>();
      let steps = 0;
      for (let killed = true; killed; ) {
        await fs.rm(archive.site, { recursive: true });
        await fs.cp(start, archive.site, { recursive: true });
        steps += 1;
        const env = { FEEDKEY_KILL_AT: String(steps), FEEDKEY_KILL: "rename,rm" };
        const ended = await runProcess(publish, { node: ["--import", preload], env });
        killed = ended.signal === "SIGKILL";
        if (!killed) expect(ended.status, ended.stderr).to.equal(0);
        for (const name of await fs.readdir(archive.home, { recursive: true })) {
          if (/(^|\/)\.lock$/.test(name)) await fs.rm(join(archive.home, name), { recursive: true, force: true });
        }
        const now =
          gunzipSync(await fs.readFile(archive.file("pkg_summary.gz")))
            .toString()
            .split("PKGNAME=").length - 1;
        for (const form of ["gz", "zst"]) {
          const got = await client(form);
          expect(got, `.${form} after step ${steps}`).to.be.oneOf([1, 2]);
          seen.add(`${form} ${got}`);
        }
        expect(await client("gz")).to.equal(now);
        const old = await client("xz");
        expect(old, `.xz after step ${steps}`).to.be.oneOf([undefined, 1]);
        if (now === 2) expect(old, `.xz beside the new one, after step ${steps}`).to.equal(undefined);
        seen.add(`xz ${old}`);
        done(await archive.keeper(published + hour, "publish", "--config", archive.config));
        const left = (await fs.readdir(archive.file("."))).filter((name) => /pkg_summary|tmp/.test(name));
        const whole = ["gz", "zst"].flatMap((form) => ["", ".asc", ".sig"].map((end) => `pkg_summary.${form}${end}`));
        expect(left.sort()).to.deep.equal(whole);
      }
      // As the last run left it.
      expect([await client("gz"), await client("zst")]).to.deep.equal([2, 2]);
      expect(steps).to.be.at.least(12);
      expect([...seen]).to.have.members(["gz 1", "gz 2", "zst 1", "zst 2", "xz 1", "xz undefined"]);
    } finally {
      await archive.remove();
    }
  });
});
