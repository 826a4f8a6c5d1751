import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { maxStanzaLength } from "../../src/formats/line-cursor.ts";
import { maxFieldNames } from "../../src/formats/opkg/field-names.ts";
import { readPackages } from "../../src/formats/opkg/packages-text.ts";
import { refusal } from "../testkit/refusal.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const read = (text: string) => [...readPackages(latin1(text))];
const sha256 = "0123456789abcdef".repeat(4);
const md5 = "0123456789abcdef".repeat(2);
const head = "Package: a\nVersion: 1\n";

describe("index-format/opkg", () => {
  it("reads what a stanza says", () => {
    const text = `\nPackage: lib-a+b\nVersion: 1:2.0~rc1-1\nArchitecture: x86_64\nFilename: pool/lib-a_1.ipk\nSize: 1234
MD5Sum: ${md5}\nSHA256sum: ${sha256}\nDescription: one\n two\n\nVersion: 2\nPackage:b`;
    expect(read(text)).to.deep.equal([
      {
        name: "lib-a+b",
        version: "1:2.0~rc1-1",
        architecture: "x86_64",
        filename: "pool/lib-a_1.ipk",
        size: 1234,
        sha256,
        md5,
        description: "one",
        line: 2,
      },
      {
        name: "b",
        version: "2",
        architecture: "",
        filename: undefined,
        size: undefined,
        sha256: undefined,
        md5: undefined,
        description: undefined,
        line: 12,
      },
    ]);
  });

  it("reads an empty text, and one of empty lines, as an index without entries", () => {
    expect(read("")).to.deep.equal([]);
    expect(read("\n\n")).to.deep.equal([]);
  });

  for (const name of ["SHA256", "SHA256sum", "SHA256Sum", "sha256SUM", "sha256"]) {
    it(`reads ${name}, whatever spaces and case its digits have`, () => {
      expect(read(`${head}${name}:${sha256}\n`)[0]).to.include({ sha256 });
      expect(read(`${head}${name}: \t ${sha256.toUpperCase()} \t\n`)[0]).to.include({ sha256 });
    });
  }

  it("takes two spellings of the digest when they agree, in either case", () => {
    expect(read(`${head}SHA256: ${sha256}\nSHA256sum: ${sha256.toUpperCase()}\n`)[0]).to.include({ sha256 });
  });

  for (const [what, size, expected] of [
    ["zero", "0", 0],
    ["the greatest safe number", "9007199254740991", 9007199254740991],
    ["a number beyond it", "9007199254740992", undefined],
    ["a leading zero", "012", undefined],
    ["a sign", "+12", undefined],
    ["hex", "0x12", undefined],
    ["a fraction", "1.5", undefined],
    ["an exponent", "1e3", undefined],
    ["nothing", "", undefined],
    ["a space inside", "1 2", undefined],
  ] as const) {
    it(`reads a size of ${what} as ${expected}`, () => {
      expect(read(`${head}Size: ${size} \n`)[0]?.size).to.equal(expected);
    });
  }

  it("keeps a name in UTF-8 and does not mind other encodings in fields that identify nothing", () => {
    expect(read("Package: \xc3\xa4\nVersion: 1\nMaintainer: \xff\xfe\nFilename: \xff\n")[0]).to.include({
      name: "ä",
      filename: "\ufffd",
    });
  });

  const malformed: readonly [string, string, number, string][] = [
    ["no Package", "Version: 1\nX: 1\n", 1, 'begins a stanza without "Package"'],
    ["no Version", `${head}\n\nPackage: b\nX: 1`, 5, 'begins a stanza without "Version"'],
    ["a field twice", `${head}X: 1\nY: 1\nX: 2\n`, 5, 'gives the field "x" a second time'],
    ["a field twice in other case", `${head}Size: 1\nsize: 1\n`, 4, 'gives the field "size" a second time'],
    ["Package twice", `${head}package: a\n`, 3, 'gives the field "package" a second time'],
    [
      "the digest twice, equal",
      `${head}SHA256: ${sha256}\nSHA256: ${sha256}\n`,
      4,
      'gives the field "sha256" a second time',
    ],
    [
      "two spellings that differ",
      `${head}SHA256: ${sha256}\nX: 1\nSHA256sum: ${sha256.replace("0", "1")}\n`,
      5,
      'has a "sha256sum" that contradicts the digest above it in the stanza',
    ],
    [
      "two spellings that differ in the last digit",
      `${head}SHA256sum: ${sha256}\nSHA256: ${sha256.slice(0, -1)}0\n`,
      4,
      'has a "sha256" that contradicts the digest above it in the stanza',
    ],
    [
      "a digest too short",
      `${head}SHA256: ${sha256.slice(1)}\n`,
      3,
      'has a "sha256" of 63 characters instead of 64 hex digits',
    ],
    ["a digest too long", `${head}SHA256: ${sha256}0\n`, 3, 'has a "sha256" of 65 characters instead of 64 hex digits'],
    ["an empty digest", `${head}SHA256:\n`, 3, 'has a "sha256" of 0 characters instead of 64 hex digits'],
    [
      "a digest with a letter that is no digit",
      `${head}SHA256: ${sha256.replace("0", "g")}\n`,
      3,
      'has a "sha256" with a character that is not a hex digit',
    ],
    [
      "a digest with a space inside",
      `${head}SHA256: ${sha256.replace("1", " ")}\n`,
      3,
      'has a "sha256" with a character that is not a hex digit',
    ],
    [
      "a digest of bytes that look like digits with other bits",
      `${head}SHA256: ${sha256.replace("0", "\xb0")}\n`,
      3,
      'has a "sha256" with a character that is not a hex digit',
    ],
    ["a folded digest", `${head}SHA256: ${sha256}\n 0\n`, 4, "continues a field that must be on one line"],
    [
      "a digest on a further line",
      `${head}SHA256:\n ${sha256}\n`,
      3,
      'has a "sha256" of 0 characters instead of 64 hex digits',
    ],
    ["a short MD5", `${head}MD5Sum: ${md5}0\n`, 3, 'has a "md5sum" of 33 characters instead of 32 hex digits'],
    ["a short SHA-1", `${head}SHA1: ${md5}\n`, 3, 'has a "sha1" of 32 characters instead of 40 hex digits'],
    [
      "a short SHA-512",
      `${head}SHA512sum: ${sha256}\n`,
      3,
      'has a "sha512sum" of 64 characters instead of 128 hex digits',
    ],
    ["an empty name", "Package: \nVersion: 1\n", 1, 'has an empty "package"'],
    ["an empty version", "Package: a\nVersion:\n", 2, 'has an empty "version"'],
    ["an empty architecture", `${head}Architecture:  \n`, 3, 'has an empty "architecture"'],
    ["a space in a name", "Package: a b\nVersion: 1\n", 1, 'has a space or control character in "package"'],
    ["a tab in a version", "Package: a\nVersion: 1\t2\n", 2, 'has a space or control character in "version"'],
    ["an escape in a name", "Package: a\x1b[1m\nVersion: 1\n", 1, 'has a space or control character in "package"'],
    ["DEL in an architecture", `${head}Architecture: a\x7f\n`, 3, 'has a space or control character in "architecture"'],
    [
      "a C1 control in a name",
      "Package: \xc2\x9b\nVersion: 1\n",
      1,
      'has a "package" that is not UTF-8 or has a space or control character',
    ],
    [
      "a no-break space in a version",
      "Package: a\nVersion: 1\xc2\xa02\n",
      2,
      'has a "version" that is not UTF-8 or has a space or control character',
    ],
    [
      "a name that is not UTF-8",
      "Package: \xff\nVersion: 1\n",
      1,
      'has a "package" that is not UTF-8 or has a space or control character',
    ],
    ["a folded file name", `${head}Filename: a\n b\n`, 4, "continues a field that must be on one line"],
    ["a NUL in a later stanza", `${head}\n${head.replace("a", "b")}X: \0\n`, 6, "contains a NUL byte"],
    ["a blank-looking line between stanzas", `${head} \n${head}`, 3, "has only spaces or tabs"],
  ];
  for (const [what, text, line, problem] of malformed) {
    it(`refuses ${what}`, () => {
      const message = `line ${line} of the index ${problem}`;
      expect(refusal(() => read(text))).to.include({ code: "bad_index", line, message });
      // A fault in one stanza must be found wherever it stands.
      const before = "Package: z\nVersion: 9\n\n";
      expect(
        refusal(() => readPackages(latin1(before + text + (text.endsWith("\n") ? "\n" : "\n\n") + before))),
      ).to.include({ code: "bad_index", line: line + 3 });
    });
  }

  it("refuses an index with absurdly many field names", () => {
    const many = Array.from({ length: maxFieldNames + 1 }, (_, index) => `X-${index}: 1\n`).join("");
    expect(refusal(() => read(head + many)).message).to.match(/ has more than 1000 different field names$/);
  });

  it("refuses a stanza beyond the limit", () => {
    const line = ` ${"x".repeat(999_998)}\n`;
    const text = `${head}Description:\n${line.repeat(Math.ceil(maxStanzaLength / line.length) + 1)}`;
    expect(refusal(() => read(text))).to.include({ code: "bad_index", line: 1 });
  });

  it("finds every stanza at its line, and fails with bad_index alone", () => {
    const lines = fc.constantFrom(
      ...["Package: a\n", "Package: b\n", "Version: 1\n", "Version: 2", "\n", " c\n", "X: 1\n", "Size: 1\n", ":", "\t"],
      ...[
        `SHA256: ${sha256}\n`,
        `SHA256sum: ${sha256}\n`,
        `MD5Sum: ${md5}\n`,
        "SHA256: 1\n",
        "Filename: a/b\n",
        "\xff",
      ],
    );
    const stanza = fc.tuple(fc.constantFrom(head, "", "Package: b\n"), fc.array(lines, { maxLength: 4 }));
    const text = fc.array(stanza, { maxLength: 4 }).map((parts) => latin1(parts.flat(2).join("")));
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: text }, fc.uint8Array({ maxLength: 80 })), (bytes) => {
        try {
          const entries = [...readPackages(bytes)];
          const lines = Buffer.from(bytes).toString("latin1").split("\n");
          const firsts = lines.flatMap((line, at) => (line !== "" && (lines[at - 1] ?? "") === "" ? [at + 1] : []));
          expect(entries.map((entry) => entry.line)).to.deep.equal(firsts);
          accepted += entries.length;
        } catch (error) {
          if (!(error instanceof FeedkeyError)) throw error;
          expect(error.code).to.equal("bad_index");
          expect(error.details.line).to.be.a("number").at.least(1);
        }
      }),
      { numRuns: 5000 },
    );
    expect(accepted).to.be.greaterThan(50);
  });
});
