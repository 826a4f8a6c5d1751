// A rehearsal judges as clients do who ask later, whichever part of a second it falls into.
import { expect } from "chai";
import { rehearse } from "../../src/cli/archive/rehearse.ts";
import { Context } from "../../src/cli/context.ts";
import { CliReporter } from "../../src/cli/reporter.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import { withEnvironment } from "./stand-ins.ts";

/** What feedkey's own new clients would say, by their seed. Nobody else is asked. */
async function predicted(life: Life, at: number, words: readonly string[]): Promise<Record<string, string>> {
  const reporter = new CliReporter({ json: true, quiet: true, verbose: false, color: false, stderr: process.stderr });
  const context = new Context({ home: life.archive.home, json: true }, reporter, at);
  const { json } = await withEnvironment({ PATH: "/nonexistent" }, () => {
    return rehearse(context, words, { config: life.archive.config });
  });
  const rows = json.rows as { generation: string; client: string; after: string }[];
  return Object.fromEntries(rows.flatMap((row) => (row.client === "feedkey" ? [[row.generation, row.after]] : [])));
}

describe("rehearse: at which instant", () => {
  it("when what lasts to the end of the second is over", async () => {
    await inLife(async (life) => {
      const second = await life.rotate(day(2), "--at-once");
      // Made in this very second: what acknowledges it can't date from before.
      const third = await addKey(life.archive.home, { at: day(4) });
      const step = ["--to", third, "--at-once", "--retire", "--force"];
      const words = ["rotate", "--backup", life.safe, ...step];
      const expected = { [life.first]: "refuses", [second]: "refuses", [third]: "accepts" };
      expect(await predicted(life, day(4), words)).to.deep.equal(expected);

      await life.rotate(day(4), ...step);
      for (const [seed, word] of Object.entries(expected)) {
        const client = await life.client(`later-${seed}`, { seeds: [seed] });
        const { status } = await client.run(day(4) + 1000, "update");
        expect(status === 0 ? "accepts" : "refuses", seed).to.equal(word);
      }
    });
  });
});
