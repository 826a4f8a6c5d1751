/**
 * Machines that fail: a full disk at every moment, clocks that are wrong, eight processes on one state. A limit on file sizes, and two
 * processes, are in `test/cases/state.test.ts`; what a wrong clock does to single indexes in `test/cases/index-age.test.ts`, and to
 * publishing in `test/publish/signature-date.test.ts`.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hour, inUse, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, runHere, runProcess } from "../testkit/programs/command-line.ts";
import { forgetLocks, fullAt } from "../testkit/programs/crash.ts";
import { freshClient } from "../testkit/programs/kill.ts";
import { leftovers } from "../testkit/snapshot.ts";
import { at, commands, Story } from "./story.ts";

const span = day(1) - day(0);

describe("faults of the machine", function () {
  this.timeout(120_000);
  let story: Story;
  before(async () => {
    story = await Story.make();
  });
  after(() => story.archive.remove());

  for (const command of commands) {
    it(`${command}: the disk is full from any call on`, async () => {
      const codes = new Set<string | undefined>();
      for (let call = 0, isFull = true; isFull; call++) {
        const { code } = await story.attempt(command, `file://${story.new}/`, {
          fault: async (run) => {
            ({ isFull } = await fullAt(call, run));
          },
        });
        expect(code, `from call ${call} on`).to.be.oneOf([undefined, "output"]);
        codes.add(code);
      }
      expect(codes).to.include("output");
    });

    it(`${command}: the clock is wrong for one run`, async () => {
      const codes = [];
      for (const days of [-36_500, -3650, -30, -1, 1, 7, 30, 3650, 36_500]) {
        const time = at + days * span;
        codes.push((await story.attempt(command, `file://${story.new}/`, { time })).code ?? "none");
      }
      // By a clock that is behind, the key that signed the new index has not been made yet; by one that is ahead, it has expired.
      const [early, late] = command === "fetch" ? ["not_yet_valid", "stale"] : ["untrusted_signer", "expired"];
      expect(codes).to.deep.equal([...Array(4).fill(early), "none", "none", "stale", late, late]);
    });
  }

  const keepers: Readonly<Record<string, (copy: TestArchive) => readonly string[]>> = {
    publish: ({ config }) => ["publish", "--config", config],
    rotate: ({ config, folder }) => ["rotate", "--at-once", "--config", config, "--backup", join(folder, "backup")],
  };
  for (const [command, args] of Object.entries(keepers)) {
    it(`${command}: the disk is full from any call on; clients follow, and the next run finishes`, async () => {
      await inUse(async (start) => {
        const keyring = join(start.folder, "shipped");
        await fs.cp(join(start.home, "certs"), keyring, { recursive: true });
        await start.addPackage("gamma");
        const codes = new Set<string | undefined>();
        // Each third call: with a kill, every one is tested.
        for (let call = 0, full = true; full; call += 3) {
          const copy = await start.copy();
          await copy.writeProfile({ url: `file://${copy.site}/`, keyring });
          const line = copy.keeperArgs(published + hour, ...args(copy));
          const { ended, isFull } = await fullAt(call, () => runHere(line));
          full = isFull;
          const code = documentOf(ended).error?.code;
          codes.add(code);
          expect(code, `from call ${call} on: ${ended.stdout}`).to.be.oneOf([undefined, "output"]);
          await forgetLocks(copy.folder);
          expect(await freshClient(copy, "Packages"), "a new client").to.be.a("string");
          if (code !== undefined || command === "publish") {
            const again = await runHere(line);
            expect(again.status, again.stdout).to.equal(0);
          }
          expect(await freshClient(copy, "Packages"), "a new client in the end").to.be.a("string");
          expect(await fs.readdir(join(copy.home, "private"))).to.have.length(command === "rotate" ? 2 : 1);
          expect(await leftovers(copy.site)).to.deep.equal([]);
          await copy.removeFolder();
        }
        expect(codes).to.include("output");
      });
    });
  }

  it("eight processes on one state: all succeed, and what they leave is whole", async () => {
    const { archive } = story;
    const { state, out } = archive;
    const mirror = join(archive.folder, "mirror");
    const fetch = ["fetch", "--all", "-o", out];
    const lines = [
      ["update"],
      ["update"],
      ["refresh"],
      ["chain"],
      fetch,
      fetch,
      ["mirror", "base", mirror],
      ["status"],
    ];
    await archive.accept(at, "update");
    const runs = await Promise.all(lines.map((args) => runProcess(archive.clientArgs(at, ...args))));
    for (const [place, run] of runs.entries()) expect(run.status, `${lines[place]}: ${run.stdout}`).to.equal(0);
    for (const folder of [state, out, mirror]) expect(await leftovers(folder)).to.deep.equal([]);
    await archive.expectOut(...(await fs.readdir(archive.file("."))).filter((name) => name.endsWith(".ipk")));
    await archive.accept(at, "verify", "--packages", join(mirror, "feeds/base"), join(mirror, "feeds/base/Packages"));
  });
});
