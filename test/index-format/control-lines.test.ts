/** The quick look at control data beside the code that decides: what the first takes, the second takes too, and both say the same. */
import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { type OwnWords, ownWordsQuickly } from "../../src/index-format/control-lines.ts";
import { fieldText, parseControl } from "../../src/index-format/field.ts";
import { ownStanza } from "../../src/index-format/package-stanza.ts";

const usual =
  "Package: a\nVersion: 1.0-1\nArchitecture: all\nDescription: some words\n and more\n .\nHomepage: https://example.org/\n";

function slowly(text: Buffer): OwnWords | FeedkeyError {
  try {
    const control = parseControl(text);
    const [name, version, architecture] = ["Package", "Version", "Architecture"].map((field) =>
      fieldText(control, field),
    );
    return { name: name ?? "", version: version ?? "", architecture: architecture ?? "", own: ownStanza(control) };
  } catch (error) {
    if (error instanceof FeedkeyError) return error;
    throw error;
  }
}

const plain = ({ own, ...words }: OwnWords) => ({ ...words, own: Buffer.from(own).toString("latin1") });

function agree(text: Buffer): boolean {
  const quick = ownWordsQuickly(text);
  if (quick === undefined) return false;
  const slow = slowly(text);
  if (slow instanceof FeedkeyError)
    throw new Error(`taken, and refused by the other: ${JSON.stringify(text.toString("latin1"))}`);
  expect(plain(quick)).to.deep.equal(plain(slow));
  return true;
}

describe("index-format/control-lines", () => {
  it("takes what control data looks like", () => {
    for (const text of [
      usual,
      usual.replace("Architecture: all\n", ""),
      usual.replace("some words", "Wörter  "),
      usual.replace(" .\n", "\t  .\n"),
    ]) {
      expect(agree(Buffer.from(text)), text).to.equal(true);
    }
  });

  it("leaves everything else to the other", () => {
    for (const text of [
      "",
      "\n",
      `\n${usual}`,
      `${usual}\n`,
      usual.trimEnd(),
      `${usual}\n${usual}`,
      usual.replace("Package: a\n", ""),
      usual.replace("Version: 1.0-1", "Version:"),
      usual.replace("Version: 1.0-1", "Version: 1.0 1"),
      usual.replace("Version: 1.0-1", "Version: 1.0-1\n more"),
      usual.replace("Version: 1.0-1", "Version:  1.0-1"),
      usual.replace("Version: 1.0-1", "version: 1.0-1"),
      usual.replace("Architecture: all", "Architecture: é"),
      usual.replace("Homepage:", "architecture: any\nHomepage:"),
      usual.replace(" .\n", "  \n"),
      usual.replace(" .\n", "\n"),
      usual.replace(" .\n", ".\n"),
      usual.replace("some words", "some\rwords"),
      usual.replace("some words", "some\0words"),
      usual.replace("Homepage", "Filename"),
      usual.replace("Homepage", "SHA-256"),
      usual.replace("Homepage", "MD5Sum"),
      usual.replace("Homepage", "Size"),
      usual.replace("Homepage", "-Homepage"),
      usual.replace("Homepage", "#Homepage"),
      usual.replace("Homepage", "Home page"),
      usual.replace("Homepage", "Description"),
      usual.replace("some words", "w".repeat(16 * 1024)),
    ]) {
      expect(ownWordsQuickly(Buffer.from(text)), text).to.equal(undefined);
    }
  });

  it("agrees with it on lines of all kinds", () => {
    const plain = fc.tuple(
      fc.constantFrom("X-a", "X-b", "X-c", "X-d", "X-e", "Architecture", "Depends"),
      fc.constantFrom(": a\n", ": b c\n d\n", ": \u00f6 \n", ": 1:2\n\t.\n"),
    );
    const name = fc.constantFrom("Package", "Version", "Architecture", "package", "Size", "Sha1", "", "-x", "\u00c4");
    const value = fc.constantFrom("a", "1.0", " b", "", "c d", "e ", "\t", "x\ry", "z\0", "a:b");
    const odd = fc.tuple(fc.oneof(name, fc.constantFrom(" ", "\t")), fc.constantFrom(": ", ":", " : ", ":  "), value);
    const line = fc.oneof(
      { weight: 8, arbitrary: plain.map((parts) => parts.join("").slice(0, -1)) },
      { weight: 1, arbitrary: odd.map((parts) => parts.join("")) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom(" ", "\t", "  "), value).map((parts) => parts.join("")) },
      { weight: 1, arbitrary: fc.constant("") },
    );
    let taken = 0;
    const lines = fc.array(line, { maxLength: 3 });
    const end = fc.oneof({ weight: 8, arbitrary: fc.constant("\n") }, fc.constantFrom("", "\n\n"));
    fc.assert(
      fc.property(lines, lines, end, (before, after, last) => {
        const text = ["Package: p", ...before, "Version: 2", ...after].join("\n");
        if (agree(Buffer.from(text + last))) taken++;
      }),
      { numRuns: 3000 },
    );
    expect(taken).to.be.within(200, 2800);
  });

  it("agrees with it after a change of any byte", () => {
    fc.assert(
      fc.property(fc.nat(usual.length - 1), fc.integer({ min: 0, max: 255 }), (place, byte) => {
        const text = Buffer.from(usual);
        text[place] = byte;
        agree(text);
      }),
      { numRuns: 3000 },
    );
  });
});
