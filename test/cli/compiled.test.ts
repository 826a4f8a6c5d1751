/** What V8 compiled in an earlier run: only of this very source, and only by this user. */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

interface Compiled {
  readonly exports: { readonly word: () => string };
  readonly isKnown: boolean;
  save(): void;
}

const { runCompiled } = createRequire(import.meta.url)("../../../bin/compiled.js") as {
  runCompiled(file: string, command?: string): Compiled;
};

describe("bin/compiled", () => {
  const before = process.env.XDG_CACHE_HOME;
  let work: string;
  const file = () => join(work, "program.js");
  const folder = () => join(work, "feedkey");
  const cached = () => join(folder(), fs.readdirSync(folder())[0] ?? "");
  const write = (word: string) => fs.writeFileSync(file(), `exports.word = () => "${word}";\n`);
  const run = (command = "verify") => {
    const { exports, isKnown, save } = runCompiled(file(), command);
    return { word: exports.word(), isKnown, save };
  };

  beforeEach(() => {
    work = fs.mkdtempSync(join(tmpdir(), "feedkey-compiled-"));
    process.env.XDG_CACHE_HOME = work;
    write("one");
    run().save();
  });
  afterEach(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    fs.rmSync(work, { recursive: true });
  });

  it("is taken by the next run of the same command", () => {
    expect(run()).to.include({ word: "one", isKnown: true });
    expect(run("fetch")).to.include({ word: "one", isKnown: false });
    expect(fs.statSync(folder()).mode & 0o777).to.equal(0o700);
    expect(fs.statSync(cached()).mode & 0o777).to.equal(0o600);
  });

  it("is taken by a copy of the program with other dates in another folder, and by none that differs", () => {
    const copy = join(work, "copy.js");
    const stale = () => runCompiled(copy, "verify");
    fs.copyFileSync(file(), copy);
    fs.utimesSync(copy, 1, 1);
    expect(stale().isKnown).to.equal(true);
    fs.appendFileSync(copy, "// newer\n");
    fs.utimesSync(copy, 1, 1);
    expect(stale().isKnown).to.equal(false);
  });

  it("is not taken for another source of the same length, which replaces it", () => {
    write("two");
    const second = run();
    expect(second).to.include({ word: "two", isKnown: false });
    second.save();
    expect(fs.readdirSync(folder())).to.have.length(1);
    expect(run()).to.include({ word: "two", isKnown: true });
  });

  for (const [what, spoil] of [
    ["whose folder others can write", () => fs.chmodSync(folder(), 0o777)],
    ["that others can write", () => fs.chmodSync(cached(), 0o622)],
    ["that is cut short", () => fs.truncateSync(cached(), fs.statSync(cached()).size - 8)],
    ["that is empty", () => fs.truncateSync(cached(), 0)],
    [
      "that is a link",
      () => {
        fs.renameSync(cached(), join(work, "elsewhere"));
        fs.symlinkSync(join(work, "elsewhere"), join(folder(), "link"));
        fs.renameSync(join(folder(), "link"), nameBefore);
      },
    ],
  ] as const) {
    it(`is not taken ${what}`, () => {
      nameBefore = cached();
      spoil();
      expect(run()).to.include({ word: "one", isKnown: false });
    });
  }
  let nameBefore = "";
});
