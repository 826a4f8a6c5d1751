/** A command that waits for something that never comes: Node ends, and must not say that all is well. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { runProgram } from "../testkit/programs/command-line.ts";
import { inScratch } from "../testkit/scratch.ts";

describe("a command that ends early", () => {
  const endless =
    "import fs from 'node:fs/promises'; fs.readFile = fs.open = fs.readdir = fs.stat = () => new Promise(() => undefined);";
  const preload = `data:text/javascript,${encodeURIComponent(endless)}`;

  it("fails, and says that nothing of it counts", async () => {
    const args = ["bin/feedkey.js", "profile", "check", "debian-keys"];
    expect((await runProgram(process.execPath, args)).status, "control").to.equal(0);
    const { status, stdout, stderr } = await runProgram(process.execPath, ["--import", preload, ...args]);
    expect({ status, stdout }).to.deep.equal({ status: 70, stdout: "" });
    expect(stderr)
      .to.contain("the command stopped before it had finished")
      .and.contain("rely on nothing from this run");
  });

  // The threads' program is worker.js beside threads.js, as it is beside the bundle.
  for (const [what, action] of Object.entries({
    "a helper thread is being ended": "await new Helper().end();",
    "a helper thread works on two shares, one of them empty": `const helper = new Helper();
const shares = [[], Array(2000).fill("package.json")].map((paths) => shareOf("digest", paths, undefined, 1));
await Promise.all(shares.map((share) => helper.serve(share, () => undefined)));`,
  })) {
    it(`does not happen while ${what}`, () =>
      inScratch(async (folder) => {
        // Threads inherit the options of Node, and none of these would let them start.
        const script = join(folder, "script.mjs");
        const threads = pathToFileURL("dist/src/threads.js").href;
        await writeFile(script, `import { Helper, shareOf } from "${threads}";\n${action}\nprocess.exitCode = 3;`);
        const { status, stderr } = await runProgram(process.execPath, [script]);
        expect(status, stderr).to.equal(3);
      }));
  }
});
