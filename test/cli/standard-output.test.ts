import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { skip } from "../testkit/programs/present.ts";

const program = join(import.meta.dirname, "../../../bin/feedkey.js");

function statusInto(place: string, args: readonly string[]): { status: number | null; stderr: string } {
  const descriptor = openSync(place, "w");
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], {
    stdio: ["ignore", descriptor, "pipe"],
    encoding: "utf8",
  });
  closeSync(descriptor);
  return { status, stderr };
}

const commands = [
  ["--help"],
  ["--version"],
  ["help", "verify"],
  ["key", "list", "--help"],
  ["version-order", "--help"],
];
const results = [
  ["profile", "list", "--json"],
  ["--json", "--home", "/nonexistent", "key", "list"],
];

describe("cli/standard output", () => {
  before(function () {
    if (!existsSync("/dev/full")) skip(this, "needs /dev/full");
  });

  for (const args of [...commands, ...results]) {
    it(`${args.join(" ")} on a full disk is output`, () => {
      const { status, stderr } = statusInto("/dev/full", args);
      expect(stderr)
        .to.include("cannot write to standard output: no space is left on the device")
        .and.not.include(" at ");
      expect(status).to.equal(73);
      expect(statusInto("/dev/null", args)).to.deep.equal({ status: 0, stderr: "" });
    });
  }

  it("a file that can't take all of it is output", () => {
    const folder = mkdtempSync(join(tmpdir(), "feedkey-test-"));
    const shell = 'trap "" XFSZ; ulimit -f "$1"; exec "$2" "$3" --help > "$4"';
    const statusWithin = (blocks: string) => {
      return spawnSync("sh", ["-c", shell, "sh", blocks, process.execPath, program, join(folder, "out")]).status;
    };
    try {
      expect(statusWithin("1")).to.equal(73);
      expect(statusWithin("2000")).to.equal(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("keeps the status of a command that failed by itself", () => {
    expect(statusInto("/dev/full", ["--json", "no-such-command"]).status).to.equal(2);
  });
});
