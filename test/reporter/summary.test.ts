import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";

describe("the test reporter", () => {
  let folder: string;

  before(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "feedkey-test-"));
  });

  after(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Runs mocha on hand-written files, without this project's settings but for the reporter. */
  function report(source: string, ...options: string[]): { status: number | null; lines: string[] } {
    const file = join(folder, "some.test.cjs");
    fs.writeFileSync(file, source);
    const reporter = resolve("dist/test/reporter/summary.js");
    const args = [resolve("node_modules/mocha/bin/mocha.js"), "--no-config", "--reporter", reporter, ...options, file];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: folder });
    return { status, lines: stdout.trimEnd().split("\n") };
  }

  const mixed = `
    const assert = require("node:assert");
    describe("group", () => {
      it("holds", () => {});
      it("does not", () => assert.deepEqual({ a: 1 }, { a: 2 }));
      it("waits");
      it("is skipped", function () { this.skip(); });
    });`;

  it("ends with the counts, and nothing after them", () => {
    const { status, lines } = report(mixed);
    expect(lines.at(-1)).to.equal("1 passed, 1 failed, 2 skipped");
    expect(lines.filter((line) => /^\d+ passed, /.test(line))).to.have.length(1);
    expect(status).to.equal(1);
  });

  it("shows which test failed, with the difference and the place", () => {
    const text = report(mixed).lines.join("\n");
    expect(text).to.contain("FAILED  group does not");
    expect(text).to.match(/- +"a": 1/);
    expect(text).to.match(/\+ +"a": 2/);
    expect(text).to.contain("some.test.cjs:5");
  });

  it("names what was skipped and counts what a group holds", () => {
    const { lines } = report(mixed);
    expect(lines).to.include("skipped  group waits");
    expect(lines).to.include("skipped  group is skipped");
    expect(lines.some((line) => /^ +4 {2}group \(\d+ ms\)$/.test(line))).to.equal(true);
  });

  it("counts a hook that fails", () => {
    const { status, lines } = report(
      `describe("group", () => { before(() => { throw new Error("no"); }); it("never runs", () => {}); });`,
    );
    expect(lines.at(-1)).to.equal("0 passed, 1 failed, 0 skipped");
    expect(status).to.equal(1);
  });

  describe("of files that run in parallel", () => {
    const parallel = (source: string) => report(source, "--parallel", "--jobs", "2");

    it("counts and shows the same", () => {
      const { status, lines } = parallel(mixed);
      expect(lines.at(-1)).to.equal("1 passed, 1 failed, 2 skipped");
      expect(lines).to.include("skipped  group waits");
      expect(lines.some((line) => /^ +4 {2}group \(\d+ ms\)$/.test(line))).to.equal(true);
      expect(lines.join("\n")).to.match(/- +"a": 1/);
      expect(status).to.equal(1);
    });

    for (const [what, source] of [
      ["can't be loaded", `throw new Error("no");`],
      [
        "ends its process",
        `describe("group", () => { it("ends", () => process.exit(0)); it("never runs", () => {}); });`,
      ],
      [
        "fails in a hook",
        `describe("group", () => { before(() => { throw new Error("no"); }); it("never runs", () => {}); });`,
      ],
    ] as const) {
      it(`ends without success where a file ${what}`, () => {
        const { status, lines } = parallel(source);
        expect(status).to.not.equal(0);
        expect(lines.at(-1) ?? "").to.not.match(/ 0 failed/);
      });
    }
  });
});
