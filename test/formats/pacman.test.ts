// Databases of pacman: what is read of them, and how versions are ordered. What is refused: test/vectors/index/NAME.db.json.
import { expect } from "chai";
import { readDatabase } from "../../src/formats/pacman/database.ts";
import { compareVersions } from "../../src/formats/pacman/version.ts";
import { type TarFile, tar } from "../testkit/packages/build-package.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";

const digest = "ab".repeat(32);

/** Fields as repo-add writes them; `undefined` leaves one out. */
function desc(fields: Readonly<Record<string, string | undefined>> = {}): string {
  const all = {
    FILENAME: "tool-1.0-1-any.pkg.tar.zst",
    NAME: "tool",
    VERSION: "1.0-1",
    DESC: "A tool",
    CSIZE: "12",
    SHA256SUM: digest,
    ARCH: "any",
    ...fields,
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => `%${name}%\n${value}\n\n`).join("");
}

const folder: TarFile = { name: "tool-1.0-1/", type: "5" };
const file = (data: string, name = "tool-1.0-1/desc"): TarFile => ({ name, data });
const read = (...files: readonly TarFile[]) => [...readDatabase(tar(files))];

describe("index-format/pacman", () => {
  it("reads what repo-add writes", () => {
    const depends = file("%DEPENDS%\nglibc\nbash\n\n", "tool-1.0-1/depends");
    const files = file("%FILES%\nusr/\nusr/bin/tool\n", "tool-1.0-1/files");
    const library = file(desc({ NAME: "lib-tool", VERSION: "2:1.0-3", ARCH: "x86_64" }), "lib-tool-2:1.0-3/desc");
    const [tool, lib] = read(folder, file(desc()), depends, files, library);
    expect(tool).to.deep.equal({
      name: "tool",
      version: "1.0-1",
      architecture: "any",
      filename: "tool-1.0-1-any.pkg.tar.zst",
      size: 12,
      sha256: digest,
      md5: undefined,
      line: 1,
    });
    expect(lib).to.include({ name: "lib-tool", version: "2:1.0-3", architecture: "x86_64" });
    expect(read()).to.deep.equal([]);
    const index = readDatabase(tar([folder, file(desc()), library]));
    expect(index.find("lib-tool").map(({ version }) => version)).to.deep.equal(["2:1.0-3"]);
    expect(index.findByFile("tool-1.0-1-any.pkg.tar.zst")).to.have.length(2);
  });

  it("leaves digest and size undefined where pacman would fall back to MD5 or to nothing", () => {
    const [entry] = read(file(desc({ SHA256SUM: undefined, CSIZE: undefined, MD5SUM: "ab".repeat(16) })));
    expect(entry).to.include({ sha256: undefined, size: undefined });
    for (const size of ["", "012", "-1", "1e3", "0x10"])
      expect(read(file(desc({ CSIZE: size })))[0]?.size).to.equal(undefined);
  });
});

const rising = [
  ["1.0a", "1.0alpha", "1.0b", "1.0rc1", "1.0", "1.0.a", "1.0.1", "1.1", "1.10", "2", "1:0.1", "2:0"],
  ["a", "0", "1", "20200101"],
  ["1.0-1", "1.0-1.1", "1.0-2", "1.0-10"],
] as const;
const same = [
  ["1.0-1", "1.0"],
  ["1.0_1", "1.0.1"],
  ["01.0", "1.0"],
  ["0:1.0", "1.0"],
  ["1.0..", "1.0.."],
] as const;

describe("the order of pacman's versions", () => {
  it("is what its table says", () => {
    for (const chain of rising) {
      for (const [i, a] of chain.entries()) {
        for (const [j, b] of chain.entries())
          expect(Math.sign(compareVersions(a, b)), `${a} ${b}`).to.equal(Math.sign(i - j));
      }
    }
    for (const [a, b] of same) expect(compareVersions(a, b), `${a} ${b}`).to.equal(0);
    // Unlike in dpkg and rpm.
    expect(compareVersions("1.0~rc1", "1.0")).to.equal(1);
  });

  describe("beside vercmp", () => {
    before(needing("vercmp"));

    it("is the same for the table and for 300 random versions", async () => {
      // As pieces, so that many of them are nearly the same.
      const pieces = ["0", "1", "01", "10", "2", "a", "b", "rc", ".", "..", "_", "~", "+", "-", ":", "1:", "-1"];
      let seed = 7;
      const next = (below: number) => {
        seed = (seed * 48271) % 0x7fffffff;
        return seed % below;
      };
      const word = () => Array.from({ length: 1 + next(6) }, () => pieces[next(pieces.length)]).join("");
      const pairs: (readonly [string, string])[] = rising.flatMap((chain) =>
        chain.flatMap((a) => chain.map((b) => [a, b] as const)),
      );
      pairs.push(...same);
      for (let count = 0; count < 300; count++) {
        const a = word();
        pairs.push([a, next(3) === 0 ? a + word() : word()]);
      }
      // vercmp takes a leading hyphen for an option.
      const plain = pairs.filter((pair) => pair.every((text) => !text.startsWith("-")));
      const script = 'while read -r a b; do vercmp "$a" "$b"; done';
      const input = plain.map((pair) => `${pair.join(" ")}\n`).join("");
      const { stdout } = await runProgram("bash", ["-c", script], { input });
      const theirs = stdout.trimEnd().split("\n");
      expect(theirs).to.have.length(plain.length);
      const differing = plain.filter(([a, b], i) => Math.sign(compareVersions(a, b)) !== Number(theirs[i]));
      expect(differing.map((pair, i) => [...pair, theirs[plain.indexOf(pair)] ?? i])).to.deep.equal([]);
    }).timeout(120_000);
  });
});
