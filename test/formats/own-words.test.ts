/** What a package says of itself: control data as everybody writes it, and as nobody should. */
import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { ownWords } from "../../src/formats/opkg/package-stanza.ts";
import { readPackages } from "../../src/formats/opkg/packages-text.ts";
import { refusal } from "../testkit/refusal.ts";

const usual =
  "Package: a\nVersion: 1.0-1\nArchitecture: all\nDescription: some words\n and more\n .\nHomepage: https://example.org/\n";

const read = (text: string) => {
  const { own, ...words } = ownWords(Buffer.from(text));
  return { ...words, own: Buffer.from(own).toString() };
};

describe("index-format: a package's own words", () => {
  for (const text of [
    usual,
    usual.replace("Architecture: all\n", ""),
    usual.replace("some words", "Wörter  "),
    usual.replace(" .\n", "\t  .\n"),
    usual.replace("some words", "w".repeat(16 * 1024)),
  ]) {
    it(`are taken as they stand: ${JSON.stringify(text.slice(0, 120))}`, () => {
      const architecture = text.includes("Architecture") ? "all" : "";
      expect(read(text)).to.deep.equal({ name: "a", version: "1.0-1", architecture, own: text });
    });
  }

  for (const [what, text, own] of [
    ["an empty line before", `\n${usual}`, usual],
    ["an empty line behind", `${usual}\n`, usual],
    ["no newline at the end", usual.trimEnd(), usual],
    ["two spaces", usual.replace("Version: 1.0-1", "Version:  1.0-1"), usual],
    ["another spelling", usual.replace("Version:", "version:"), usual.replace("Version:", "version:")],
    ["a file name", usual.replace("Homepage", "Filename"), usual.replace(/Homepage.*\n/, "")],
    ["a digest", usual.replace("Homepage", "SHA-256"), usual.replace(/Homepage.*\n/, "")],
    ["another digest", usual.replace("Homepage", "MD5Sum"), usual.replace(/Homepage.*\n/, "")],
    ["a size", usual.replace("Homepage", "Size"), usual.replace(/Homepage.*\n/, "")],
  ] as const) {
    it(`are put in order: ${what}`, () => {
      expect(read(text)).to.deep.equal({ name: "a", version: "1.0-1", architecture: "all", own });
    });
  }

  it("may name the architecture in letters of other languages", () => {
    expect(read(usual.replace("Architecture: all", "Architecture: é")).architecture).to.equal("é");
  });

  for (const text of [
    "",
    "\n",
    `${usual}\n${usual}`,
    usual.replace("Package: a\n", ""),
    usual.replace("Version: 1.0-1", "Version:"),
    usual.replace("Version: 1.0-1", "Version: 1.0 1"),
    usual.replace("Version: 1.0-1", "Version: 1.0-1\n more"),
    usual.replace("Homepage:", "architecture: any\nHomepage:"),
    usual.replace(" .\n", "  \n"),
    usual.replace(" .\n", "\n"),
    usual.replace(" .\n", ".\n"),
    usual.replace("some words", "some\rwords"),
    usual.replace("some words", "some\0words"),
    usual.replace("Homepage", "-Homepage"),
    usual.replace("Homepage", "#Homepage"),
    usual.replace("Homepage", "Home page"),
    usual.replace("Homepage", "Description"),
  ]) {
    it(`are refused: ${JSON.stringify(text)}`, () => {
      expect(refusal(() => read(text)).code).to.equal("bad_package");
    });
  }

  it("read back from an index as they were said, whatever byte is changed", () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.nat(usual.length - 1), fc.integer({ min: 0, max: 255 }), (place, byte) => {
        const text = Buffer.from(usual);
        text[place] = byte;
        try {
          const { own, ...words } = ownWords(text);
          const index = Buffer.concat([own, Buffer.from("Filename: a.ipk\n\n")]);
          expect(
            [...readPackages(index)].map(({ name, version, architecture }) => ({ name, version, architecture })),
          ).to.deep.equal([words]);
          taken++;
        } catch (error) {
          if (!(error instanceof FeedkeyError)) throw error;
          expect(error.code).to.equal("bad_package");
        }
      }),
      { numRuns: 3000 },
    );
    expect(taken).to.be.above(200);
  });
});
