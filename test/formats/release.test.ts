// apt's Release file: what is read of it, what apt lets pass but feedkey refuses, and which parts come out of it.
import { expect } from "chai";
import { readDate } from "../../src/formats/apt/date.ts";
import { readRelease } from "../../src/formats/apt/release.ts";
import { releaseText } from "../../src/formats/apt/release-text.ts";
import { contentOf } from "../../src/formats/apt/suite.ts";
import { refusalOf } from "../testkit/refusal.ts";

const a = "ab".repeat(32);
const b = "cd".repeat(32);
const c = "ef".repeat(64);
const head = "Suite: stable\nCodename: trixie\nDate: Sat, 28 Nov 2026 02:15:35 UTC\n";
const lists = `SHA256:\n ${a}  10 main/binary-amd64/Packages\n ${b} 5 main/binary-amd64/Packages.gz\n`;
const read = (text: string) => readRelease(Buffer.from(text));
const wanted = { index: undefined, suite: "stable", components: ["main"], architectures: ["amd64"] };
const partsOf = (text: string, more = {}) => contentOf(read(text), { ...wanted, ...more }).parts;

describe("apt's Release file", () => {
  it("is read", () => {
    const text = `Origin: Example\nLabel: Example Archive\n${head}Valid-Until: Sun, 6 Dec 2026 02:15:35 +0000\nComponents: main contrib\nArchitectures: all amd64\nAcquire-By-Hash: yes\n`;
    const release = read(`${text}MD5Sum:\n 00 1 whatever\n${lists}SHA512:\n ${c} 10 main/binary-amd64/Packages\n`);
    const { files, ...rest } = release;
    expect(rest).to.deep.equal({
      suite: "stable",
      origin: "Example",
      label: "Example Archive",
      codename: "trixie",
      date: Date.parse("2026-11-28T02:15:35Z"),
      validUntil: Date.parse("2026-12-06T02:15:35Z"),
      components: ["main", "contrib"],
      architectures: ["all", "amd64"],
      byHash: true,
    });
    expect([...files]).to.deep.equal([
      ["main/binary-amd64/Packages", { size: 10, sha256: a, sha512: c }],
      ["main/binary-amd64/Packages.gz", { size: 5, sha256: b }],
    ]);
  });

  it("keeps what apt does not take for a blank: the suite has another name then", () => {
    expect(read(head.replace(" stable", "\t stable ") + lists).suite).to.equal("stable");
    for (const odd of ["\u00a0stable", "stable\u3000", "\ufeffstable"]) {
      expect(read(head.replace("stable", odd) + lists).suite).to.equal(odd);
    }
  });

  for (const [what, text] of [
    ["MD5 alone", `${head}MD5Sum:\n ${a.slice(32)} 10 main/binary-amd64/Packages\n`],
    ["SHA-1 alone", `${head}SHA1:\n ${a.slice(24)} 10 main/binary-amd64/Packages\n`],
    ["no list", head],
    ["upper-case hex", head + lists.replace(a, a.toUpperCase())],
    ["short hex", head + lists.replace(a, a.slice(1))],
    ["SHA-512 in the list of SHA-256", head + lists.replace(a, c)],
    ["no size", head + lists.replace("  10 ", " ")],
    ["a size that is none", head + lists.replace(" 10 ", " 0x10 ")],
    ["a path that leads out", head + lists.replace("main/binary", "../main/binary")],
    ["an absolute path", head + lists.replace("main/binary", "/main/binary")],
    ["a file with two digests", `${head}${lists} ${b} 10 main/binary-amd64/Packages\n`],
    ["a file with two sizes", `${head}${lists}SHA512:\n ${c} 11 main/binary-amd64/Packages\n`],
    ["a list that begins beside its name", head + lists.replace("SHA256:\n", "SHA256:")],
    ["a field twice", `${head}${lists}Suite: other\n`],
    ["a field twice, in other case", `${head}${lists}sHA256:\n ${b} 7 other\n`],
    ["a second paragraph", `${head}${lists}\nSHA512:\n ${c} 10 x\n`],
    ["a carriage return", (head + lists).replaceAll("\n", "\r\n")],
    ["no Date", (head + lists).replace(/^Date.*\n/m, "")],
    ["a Date that is none", (head + lists).replace("Sat, 28 Nov 2026", "2026-11-28")],
    ["a Valid-Until that is none", `${head}Valid-Until: 2026-12-06T00:00:00Z\n${lists}`],
    ["neither Suite nor Codename", (head + lists).replace(/^(Suite|Codename).*\n/gm, "")],
  ] as const) {
    it(`is refused: ${what}`, async () => {
      expect(read(head + lists).files.size).to.equal(2);
      expect((await refusalOf(() => read(text))).code).to.equal("bad_index");
    });
  }

  it("has dates in UTC that exist", () => {
    expect(readDate("Thu, 29 Feb 2024 00:00:00 GMT")).to.equal(Date.parse("2024-02-29T00:00:00Z"));
    expect(readDate("1 Jan 2026 1:02:03 Z")).to.equal(Date.parse("2026-01-01T01:02:03Z"));
    for (const text of [
      "Sun, 29 Feb 2026 00:00:00 UTC",
      "31 Apr 2026 00:00:00 UTC",
      "1 Jan 2026 24:00:00 UTC",
      "1 Jan 2026 00:00:00 +0100",
    ]) {
      expect(readDate(text), text).to.equal(undefined);
    }
  });

  it("gives the parts that are asked for, by-hash first where it says so", () => {
    const places = (text: string) => partsOf(text).flatMap(({ forms }) => forms.flatMap((form) => form.places));
    expect(places(head + lists)).to.deep.equal(["main/binary-amd64/Packages.gz", "main/binary-amd64/Packages"]);
    expect(places(`${head}Acquire-By-Hash: yes\n${lists}`)).to.deep.equal([
      `main/binary-amd64/by-hash/SHA256/${b}`,
      "main/binary-amd64/Packages.gz",
      `main/binary-amd64/by-hash/SHA256/${a}`,
      "main/binary-amd64/Packages",
    ]);
    expect(partsOf(head + lists, { suite: "trixie" })).to.have.length(1);
  });

  for (const [what, text, more] of [
    ["another suite", head + lists, { suite: "testing" }],
    ["a component that it does not have", `${head}Components: main\n${lists}`, { components: ["contrib"] }],
    ["an architecture that it does not have", `${head}Architectures: amd64\n${lists}`, { architectures: ["arm64"] }],
    ["a list that it does not have", head + lists, { components: ["main", "contrib"] }],
    ["no uncompressed list", head + lists.replace(/^.*Packages\n/m, "").replace("SHA256:", "SHA256:\n"), {}],
  ] as const) {
    it(`is not what is wanted: ${what}`, async () => {
      const text2 = text.replace("SHA256:\n\n", "SHA256:\n");
      const refusal = await refusalOf(() => partsOf(text2, more));
      expect(refusal.code).to.be.oneOf(["wrong_feed"]);
    });
  }

  it("is written so that it reads back", () => {
    const names = { origin: "Example", label: "Example Archive", suite: "stable", codename: "trixie" };
    const content = {
      ...{ ...names, date: Date.parse("2026-11-28T02:15:35Z"), validUntil: Date.parse("2026-12-12T02:15:35Z") },
      ...{ components: ["main", "contrib"], architectures: ["amd64", "arm64"], description: "An example" },
      signedBy: ["0123456789ABCDEF0123456789ABCDEF01234567", "89ABCDEF0123456789ABCDEF0123456789ABCDEF"],
      files: new Map([["main/binary-amd64/Packages", { size: 10, sha256: a }]]),
    };
    const { date, validUntil, signedBy, description, ...rest } = content;
    const text = releaseText(content);
    expect(readRelease(text)).to.deep.equal({ ...rest, date, validUntil, byHash: true });
    const lines = Buffer.from(text).toString().split("\n");
    expect(lines).to.include.members([
      "Date: Sat, 28 Nov 2026 02:15:35 UTC",
      "Valid-Until: Sat, 12 Dec 2026 02:15:35 UTC",
      `Description: ${description}`,
      `Signed-By: ${signedBy.join(", ")}`,
      "SHA256:",
    ]);
    const least = { ...content, ...{ origin: undefined, label: undefined, signedBy: [] } };
    expect(Buffer.from(releaseText(least as never)).toString()).to.match(/^Suite: stable\nCodename: /);
  });
});
