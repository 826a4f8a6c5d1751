import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { skip } from "../testkit/programs/present.ts";

const module = pathToFileURL(join(import.meta.dirname, "../../src/files/folder.js")).href;

/** In a process of its own: a call that never returns would stop the tests as well. */
function ensure(folder: string): string {
  const script = `import { ensureFolder } from ${JSON.stringify(module)};
    await ensureFolder(${JSON.stringify(folder)}, 0o777).then(() => console.log("made"), (error) => console.log(error.code));`;
  return execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 30_000,
  }).trim();
}

describe("files/folder: ensureFolder", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "feedkey-test-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("makes what is missing, and leaves what is there", () => {
    const deep = join(root, "a/b/c");
    expect(ensure(deep)).to.equal("made");
    expect(statSync(deep).isDirectory()).to.equal(true);
    expect(ensure(deep)).to.equal("made");
  });

  it("refuses a file, and what lies below one", () => {
    const file = join(root, "file");
    writeFileSync(file, "");
    for (const place of [file, join(file, "below"), join(file, "far/below")])
      expect(ensure(place), place).to.equal("output");
  });

  it("returns where the system makes no folders", function () {
    if (!existsSync("/proc/self")) skip(this, "needs /proc");
    for (const place of ["/proc/x", "/proc/x/y", "/proc/self/x"]) expect(ensure(place), place).to.equal("output");
  });
});
