/** A skipped test says in the report why it was. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";

const kit = pathToFileURL(resolve("dist/test/testkit/programs/present.js"));
const source = `
import { presentOrSkip, skip } from "${kit}";
describe("group", () => {
  describe("before all", () => {
    before(function () { presentOrSkip(this, false, "needs gpg"); });
    it("first", () => {});
    it("second", () => {});
  });
  describe("before each", () => {
    beforeEach(function () { if (this.currentTest.title === "wants") skip(this, "needs root"); });
    it("runs", () => {});
    it("wants", () => {});
  });
  it("alone", function () { skip(this, "needs Linux"); });
  it("has it", function () { if (!presentOrSkip(this, 0, "needs zero")) throw new Error("no"); });
});`;

describe("a skipped test", () => {
  function report(required: string): { readonly status: number | null; readonly skipped: readonly string[] } {
    const folder = fs.mkdtempSync(join(tmpdir(), "feedkey-skipped-"));
    try {
      const file = join(folder, "some.test.mjs");
      fs.writeFileSync(file, source);
      const reporter = resolve("dist/test/reporter/summary.js");
      const args = [resolve("node_modules/mocha/bin/mocha.js"), "--no-config", "--reporter", reporter, file];
      const env = { ...process.env, FEEDKEY_REQUIRE_PEERS: required };
      const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: folder, env });
      return { status, skipped: stdout.split("\n").filter((line) => line.startsWith("skipped")) };
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }

  it("shows what it needs, in hooks too", () => {
    expect(report("")).to.deep.equal({
      status: 0,
      skipped: [
        "skipped  group alone (needs Linux)",
        "skipped  group before all (needs gpg) first",
        "skipped  group before all (needs gpg) second",
        "skipped  group before each wants (needs root)",
      ],
    });
  });

  it("fails instead with FEEDKEY_REQUIRE_PEERS, but for what depends on the user or the system", () => {
    const { status, skipped } = report("1");
    expect(status).to.equal(1);
    expect(skipped).to.deep.equal([
      "skipped  group alone (needs Linux)",
      "skipped  group before each wants (needs root)",
    ]);
  });
});
