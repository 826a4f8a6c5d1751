// Checksum files: what is read of them. What is refused: test/vectors/index/SHA256SUMS.json.
import { expect } from "chai";
import { readSums } from "../../src/formats/sums/sums-text.ts";

const a = "ab".repeat(32);
const b = "cd".repeat(32);
const read = (text: string) => readSums(Buffer.from(text));

describe("checksum files", () => {
  it("are read in both forms, mixed, with or without ./ and in either case of hex", () => {
    const text = `${a}  one.tar.gz\n${b.toUpperCase()} *sub/two (x).iso\nSHA256 (./three) = ${a}\n${b}  näme.zip`;
    const found = [...read(text)].map(({ name, sha256, filename, size, line }) => [name, sha256, filename, size, line]);
    expect(found).to.deep.equal([
      ["one.tar.gz", a, "one.tar.gz", undefined, 1],
      ["sub/two (x).iso", b, "sub/two (x).iso", undefined, 2],
      ["three", a, "three", undefined, 3],
      ["näme.zip", b, "näme.zip", undefined, 4],
    ]);
  });

  it("are found by path and by file name", () => {
    const index = read(`${a}  win/node.exe\n${b}  mac/node.exe\n`);
    expect(index.find("win/node.exe").map(({ sha256 }) => sha256)).to.deep.equal([a]);
    expect(index.findByFile("node.exe").map(({ sha256 }) => sha256)).to.deep.equal([a, b]);
    expect(index.find("node.exe")).to.deep.equal([]);
  });

  it("may be empty, as a text", () => {
    expect(read("").count).to.equal(0);
  });
});
