// apt's Release file: what is read of it, and which parts come out of it. What is refused: test/vectors/index/Release.json.
import { expect } from "chai";
import { readDate } from "../../src/formats/apt/date.ts";
import { readRelease } from "../../src/formats/apt/release.ts";
import { releaseText } from "../../src/formats/apt/release-text.ts";
import { contentOf } from "../../src/formats/apt/suite.ts";

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
