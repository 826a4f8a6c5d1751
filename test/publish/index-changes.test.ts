/** What is told of two indexes: only what lies between their common beginning and end is looked at, and it must not show. */
import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { readPackages } from "../../src/formats/opkg/packages-text.ts";
import { HashedDocument } from "../../src/openpgp/packet/hashed-document.ts";
import { indexChanges } from "../../src/publish/index-text/index-changes.ts";

/** Packages by name and version, each with a number that stands for its content. */
type Packages = ReadonlyMap<string, number>;

const digestOf = (content: number) => createHash("sha256").update(String(content)).digest("hex");

function indexOf(packages: Packages): ReadonlyMap<string, HashedDocument> {
  const sorted = [...packages].sort(([a], [b]) => (a < b ? -1 : 1));
  const stanzas = sorted.map(([name, content]) => {
    return `Package: ${name}\nVersion: 1\nArchitecture: all\nSize: ${content}\nSHA256sum: ${digestOf(content)}\n\n`;
  });
  return listOf(Buffer.from(stanzas.join("")));
}

const listOf = (text: Buffer) => new Map([["Packages", new HashedDocument(text)]]);

function expected(before: Packages, after: Packages): string[] {
  const names = (from: Packages, without: Packages) => [...from.keys()].filter((name) => !without.has(name));
  const changed = [...after].filter(([name, content]) => before.has(name) && before.get(name) !== content);
  return [
    ...names(after, before).map((name) => `+ ${name} 1 all`),
    ...names(before, after).map((name) => `- ${name} 1 all`),
    ...changed.map(([name]) => `~ ${name} 1 all`),
  ].sort();
}

const packages = fc
  .dictionary(fc.constantFrom(..."abcdefgh".split(""), "aa", "ab", "hh"), fc.integer({ min: 0, max: 3 }))
  .map((found): Packages => new Map(Object.entries(found)));

describe("archive/index-changes", () => {
  it("names what comes, goes and changes, wherever in the text", () => {
    fc.assert(
      fc.property(packages, packages, (before, after) => {
        const told = indexChanges(indexOf(before), indexOf(after), readPackages);
        expect(told.sort()).to.deep.equal(expected(before, after));
      }),
      { numRuns: 2000 },
    );
  });

  it("names one change among thousands", () => {
    const many = new Map(Array.from({ length: 5000 }, (_, i) => [`package${10_000 + i}`, i]));
    const one = new Map(many).set("package12345", 0);
    const [old, next] = [indexOf(many), indexOf(one)];
    expect(indexChanges(old, next, readPackages)).to.deep.equal(["~ package12345 1 all"]);
    expect(indexChanges(new Map(), next, readPackages)).to.have.length(5000);
  });

  it("says of an index that can't be read that all of the next is new", () => {
    const next = indexOf(new Map([["a", 1]]));
    expect(indexChanges(listOf(Buffer.from("\0\n\n\n")), next, readPackages)).to.deep.equal(["+ a 1 all"]);
  });
});
