// kill -9 between any two files of a suite that get their names: every client finds lists that fit.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hour } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { killEverywhere } from "../testkit/programs/kill.ts";
import { needing } from "../testkit/programs/programs.ts";
import { leftovers } from "../testkit/snapshot.ts";
import { type Pool, withPool } from "./pool.ts";
import { RealApt } from "./real-apt.ts";

// apt goes by the clock.
const at = Math.floor(Date.now() / 1000) * 1000 - hour;

/** What a client sees that was never here before; "none" if it is refused. */
async function fresh(pool: Pool): Promise<string> {
  await fs.rm(join(pool.folder, "state"), { recursive: true, force: true });
  const { status } = await pool.run(at, "update");
  return status === 0 ? await listed(pool) : "none";
}

async function listed(pool: Pool): Promise<string> {
  const said = await pool.accept(at, "list");
  return (said.packages as { name: string }[]).map(({ name }) => name).join(" ");
}

describe("publishing a suite of apt's, killed", function () {
  this.timeout(300_000);
  before(needing("apt-get", "apt-cache"));

  it("leaves lists that fit, of the old Release file or the new; the next run finishes", async () => {
    await withPool(async (pool) => {
      // Generations of lists, the first of which is removed in the run.
      for (const [ago, name] of [
        [2 * hour, "alpha"],
        [hour, "beta"],
      ] as const) {
        await pool.add(name);
        await pool.publish(at - ago);
      }
      await pool.accept(at - hour, "update");
      const before = await pool.read("InRelease");
      await pool.add("gamma");
      const publish = (copy: Pool) => copy.keeperArgs(at, "publish");
      const [old, next] = ["alpha beta", "alpha beta gamma"];
      const seen = new Set<string>();
      const steps = await killEverywhere({
        start: pool,
        args: publish,
        steps: ["rename"],
        check: async (copy) => {
          // In use first: it goes on from what it has.
          await copy.accept(at, "update");
          expect(await listed(copy)).to.be.oneOf([old, next]);
          const got = await fresh(copy);
          expect(got).to.be.oneOf([old, next]);
          const key = join(copy.folder, "home/certs", `${copy.key}.asc`);
          const apt = await RealApt.make(copy.folder, `deb [signed-by=${key}] file:${copy.folder}/site stable main`);
          const ended = await apt.update();
          expect(ended.status, ended.stdout + ended.stderr).to.equal(0);
          expect((await apt.packages()).join(" ")).to.equal(got);
          seen.add(got);
          const again = await runHere(publish(copy));
          expect(again.status, again.stdout).to.equal(0);
          expect(await leftovers(copy.path("."))).to.deep.equal([]);
          expect(await fresh(copy)).to.equal(next);
          // One that read the Release file before the run began.
          await copy.write("dists/stable/InRelease", before);
          expect(await fresh(copy)).to.equal(old);
        },
      });
      expect(steps).to.be.greaterThan(10);
      expect([...seen]).to.have.members([old, next]);
    });
  });
});
