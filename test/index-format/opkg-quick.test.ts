/** The quick scan beside the scanner that decides: what the first takes, the second takes too, and both say the same of it. */
import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { OpkgScanner } from "../../src/index-format/opkg.ts";
import { scanQuickly } from "../../src/index-format/opkg-quick.ts";
import { Columns } from "../../src/index-format/package-columns.ts";

const digest = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789";
const stanza = (name: string) =>
  `Package: ${name}\nVersion: 1.0-1\nArchitecture: all\nDescription: some words\n and more of them\n .\nFilename: pool/${name}_1.ipk\n` +
  `Size: 12\nMD5Sum: ${digest.slice(0, 32)}\nSHA256sum: ${digest}\n`;

function plain({ count, offsets, lines, nameHashes, keyHashes, fileHashes }: Columns): number[][] {
  return [offsets, lines, nameHashes, keyHashes, fileHashes].map((column) => [...column.subarray(0, count)]);
}

function quickly(text: Buffer): Columns | undefined {
  return text.includes(0) || text.includes(0x0d) ? undefined : scanQuickly(text, 0, text.length, 1);
}

function slowly(text: Buffer): Columns | FeedkeyError {
  try {
    return Columns.of(new OpkgScanner(text));
  } catch (error) {
    if (error instanceof FeedkeyError) return error;
    throw error;
  }
}

function agree(text: Buffer): boolean {
  const quick = quickly(text);
  if (quick === undefined) return false;
  const slow = slowly(text);
  expect(slow, text.toString("latin1")).to.be.instanceOf(Columns);
  if (slow instanceof Columns) expect(plain(quick)).to.deep.equal(plain(slow));
  return true;
}

describe("index-format/opkg-quick", () => {
  it("takes what indexes look like", () => {
    for (const text of [
      "",
      "\n\n",
      stanza("a"),
      `${stanza("a")}\n${stanza("b")}`,
      `\n\n${stanza("a")}\n\n\n${stanza("b")}\n`,
      stanza("a").trimEnd(),
      stanza("a").replace("Version:", "VERSION:\t").replace("Size: 12", "Size:12  "),
    ]) {
      expect(agree(Buffer.from(text)), text).to.equal(true);
    }
  });

  it("scans a part of a text as if it stood there alone, but for its place", () => {
    const [one, two] = [`${stanza("a")}\n`, stanza("b")];
    const columns = scanQuickly(Buffer.from(one + two), one.length, one.length + two.length, 12);
    expect(columns && plain(columns).slice(0, 2)).to.deep.equal([[one.length], [12]]);
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
    it(`leaves to the other scanner: ${what}`, () => {
      expect(quickly(Buffer.from(text))).to.equal(undefined);
    });
  }

  it("never takes what the other scanner refuses, nor reads it otherwise", () => {
    const text = Buffer.from(`${stanza("one")}\n${stanza("two")}`);
    let taken = 0;
    const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from("\n\t :aAfFgG09#-\0\r")));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(text.length - 1), byte, fc.constantFrom(0, 1, 2)), { minLength: 1, maxLength: 3 }),
        (changes) => {
          let changed = Buffer.from(text);
          for (const [at, value, how] of changes) {
            const tail = changed.subarray(how === 1 ? at : at + 1);
            changed = Buffer.concat([changed.subarray(0, at), ...(how === 2 ? [] : [Buffer.of(value)]), tail]);
          }
          if (agree(changed)) taken++;
        },
      ),
      { numRuns: 3000 },
    );
    expect(taken).to.be.above(100);
  });
});
