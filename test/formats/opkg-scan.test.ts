/** The scanner on what indexes look like, and on small changes of it: what it finds is compared with a reading by plain expressions. */
import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { readPackages } from "../../src/formats/opkg/packages-text.ts";
import { refusal } from "../testkit/refusal.ts";

const digest = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789";
const stanza = (name: string) =>
  `Package: ${name}\nVersion: 1.0-1\nArchitecture: all\nDescription: some words\n and more of them\n .\nFilename: pool/${name}_1.ipk\n` +
  `Size: 12\nMD5Sum: ${digest.slice(0, 32)}\nSHA256sum: ${digest}\n`;

/** What stanzas say, by expressions; the text must be in order. */
function plainly(text: string) {
  return [...text.matchAll(/(?:^|(?<=\n))[^\n](?:[^\n]|\n(?!\n))*/g)].map(({ 0: said, index }) => {
    const value = (name: string) => new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, "im").exec(said)?.[1];
    const sha256 = value("SHA256(?:sum)?")?.toLowerCase();
    const line = text.slice(0, index).split("\n").length;
    return { line, name: value("Package"), version: value("Version"), filename: value("Filename"), sha256 };
  });
}

/** Reads an index; every entry must be found by its name and by its file. */
function scanned(bytes: Buffer) {
  const index = readPackages(bytes);
  const entries = [...index];
  for (const entry of entries) {
    expect(index.find(entry.name, entry.version, entry.architecture)[0]).to.include({ name: entry.name });
    const file = entry.filename?.split("/").pop();
    if (file !== undefined) expect(index.findByFile(file)).to.deep.include(entry);
  }
  return entries.map(({ line, name, version, filename, sha256 }) => ({ line, name, version, filename, sha256 }));
}

describe("index-format/opkg: scanning", () => {
  it("takes what indexes look like", () => {
    for (const text of [
      "",
      "\n\n",
      stanza("a"),
      `${stanza("a")}\n${stanza("b")}`,
      `\n\n${stanza("a")}\n\n\n${stanza("b")}\n`,
      stanza("a").trimEnd(),
      stanza("a").replace("Version:", "VERSION:\t").replace("Size: 12", "Size:12  "),
      // Other names in another order, other spellings, and a name that begins as the expected one.
      `${stanza("a")}\n${stanza("b").replace("Size:", "SIZE:")}\n${stanza("c").replace("Size: 12", "Sizes: 1\nSize: 12")}`,
    ]) {
      expect(scanned(Buffer.from(text)), text).to.deep.equal(plainly(text));
    }
  });

  for (const [what, text] of Object.entries({
    "a field twice": stanza("a").replace("Size: 12", "size: 12\nSize: 12"),
    "a field of no meaning twice": stanza("a").replace("Size", "Section: x\nSECTION: y\nSize"),
    "a digest twice under two names": stanza("a").replace("SHA256sum", `SHA256: ${digest}\nSHA256sum`),
    "a short digest": stanza("a").replace(digest, digest.slice(1)),
    "a long digest": stanza("a").replace(digest, `${digest}0`),
    "a digest of other letters": stanza("a").replace(digest, digest.replace("f", "g")),
    "no name": stanza("a").replace("Package: a\n", ""),
    "an empty name": stanza("a").replace("Package: a", "Package: "),
    "a name with a space": stanza("a").replace("Package: a", "Package: a b"),
    "a name of other letters": stanza("a").replace("Package: a", "Package: \u00e4"),
    "no version": stanza("a").replace("Version: 1.0-1\n", ""),
    "a continued version": stanza("a").replace("1.0-1\n", "1.0-1\n x\n"),
    "a line of blanks": stanza("a").replace(" .\n", " \n"),
    "a continuation of nothing": ` x\n${stanza("a")}`,
    "a continuation after an empty line": stanza("a").replace(" and", "\n and"),
    "a line without a colon": stanza("a").replace("Size: 12", "Size 12"),
    "a field without a name": stanza("a").replace("Size: 12", ": 12"),
    "a comment": stanza("a").replace("Size", "#Size"),
    "a name that starts with a minus": stanza("a").replace("Size", "-Size"),
    "a blank before the colon": stanza("a").replace("Size:", "Size :"),
    "a line too long": stanza("a").replace("some words", "x".repeat(1 << 20)),
  })) {
    it(`knows ${what}, wherever it stands`, () => {
      const taken = ["a digest twice under two names", "a name of other letters"].includes(what);
      for (const whole of [text, `${stanza("z")}\n${stanza("y")}\n${text}`]) {
        const bytes = Buffer.from(whole);
        if (taken) expect(scanned(bytes)).to.deep.equal(plainly(whole));
        else expect(refusal(() => readPackages(bytes)).code).to.equal("bad_index");
      }
    });
  }

  it("reads a changed text as expressions do, or refuses it", () => {
    const text = Buffer.from(`${stanza("one")}\n${stanza("two")}`);
    let taken = 0;
    const byte = fc.oneof(
      fc.integer({ min: 0x20, max: 0x7e }),
      fc.constantFrom(...Buffer.from("\n\t :aAfFgG09#-\0\r")),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(text.length - 1), byte, fc.constantFrom(0, 1, 2)), { minLength: 1, maxLength: 3 }),
        (changes) => {
          let changed = Buffer.from(text);
          for (const [at, value, how] of changes) {
            const tail = changed.subarray(how === 1 ? at : at + 1);
            changed = Buffer.concat([changed.subarray(0, at), ...(how === 2 ? [] : [Buffer.of(value)]), tail]);
          }
          let found: ReturnType<typeof scanned>;
          try {
            found = scanned(changed);
          } catch (error) {
            if (!(error instanceof FeedkeyError)) throw error;
            expect(error.code).to.equal("bad_index");
            return;
          }
          expect(found).to.deep.equal(plainly(changed.toString()));
          taken++;
        },
      ),
      { numRuns: 3000 },
    );
    expect(taken).to.be.above(100);
  });
});
