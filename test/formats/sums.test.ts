// Checksum files, line by line: what is read, and what sha256sum -c would take but feedkey refuses.
import { expect } from "chai";
import { readSums } from "../../src/formats/sums/sums-text.ts";
import { refusalOf } from "../testkit/refusal.ts";

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

  const good = `${a}  good\n`;
  for (const [what, line] of [
    ["a blank line", ""],
    ["a comment", "# comment"],
    ["words", "hello"],
    ["one space", `${a} one`],
    ["a tab", `${a}\t one`],
    ["short hex", `${a.slice(1)}  one`],
    ["long hex", `${a}a  one`],
    ["a letter that is not hex", `g${a.slice(1)}  one`],
    ["SHA-512", `${a}${b}  one`],
    ["another algorithm", `SHA512 (one) = ${a}`],
    ["MD5", `MD5 (one) = ${a.slice(32)}`],
    ["no name", `${a}  `],
    ["an escaped name", `\\${a}  one\\ntwo`],
    ["an escaped name, BSD form", `\\SHA256 (one) = ${a}`],
    ["a backslash", `${a}  one\\two`],
    ["an absolute name", `${a}  /etc/passwd`],
    ["a name that leads out", `${a}  ../one`],
    ["a name that leads out later", `SHA256 (sub/../../one) = ${a}`],
    ["a dot within", `${a}  sub/./one`],
    ["an empty segment", `${a}  sub//one`],
    ["a folder", `${a}  sub/`],
    ["standard input", `${a}  -`],
    ["a space before the name", `${a}   one`],
    ["a space behind the name", `${a}  one `],
    ["a control character", `${a}  one\x1b[m`],
    ["a carriage return", `${a}  one\r`],
    ["a NUL", `${a}  one\0`],
    ["the same file", `${a}  good`],
    ["the same file with another sum", `${b}  good`],
    ["the same file by ./", `${a}  ./good`],
    ["the same file in the other form", `SHA256 (good) = ${a}`],
    ["a name that differs in case alone", `${b}  GOOD`],
  ] as const) {
    it(`are refused with the line: ${what}`, async () => {
      const refusal = await refusalOf(() => read(`${good}${line}\n${b}  last\n`));
      expect({ code: refusal.code, line: refusal.details.line }).to.deep.equal({ code: "bad_index", line: 2 });
    });
  }

  it("are refused: bytes that are not UTF-8, and an accent written in two ways", async () => {
    const bytes = Buffer.concat([Buffer.from(`${a}  `), Buffer.of(0xe9, 0x0a)]);
    expect((await refusalOf(() => readSums(bytes))).code).to.equal("bad_index");
    expect((await refusalOf(() => read(`${a}  \u00e9\n${b}  e\u0301\n`))).code).to.equal("bad_index");
  });
});
