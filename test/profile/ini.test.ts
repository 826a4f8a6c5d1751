import { expect } from "chai";
import fc from "fast-check";
import { nearest } from "../../src/did-you-mean.ts";
import { FeedkeyError } from "../../src/error.ts";
import { errorsOf } from "../../src/profile/config-error.ts";
import { encodeValue, readIni } from "../../src/profile/ini.ts";
import { refusal } from "../testkit/refusal.ts";

const read = (text: string) => readIni(text, errorsOf("bad_profile", "x.ini"));
/** The value of `k` in a file that says nothing else. */
const value = (raw: string) => read(`[s]\nk = ${raw}\n`)[0]?.values.get("k")?.text;

const isControlled = (text: string) => /[^\P{Cc}\t]/u.test(text);

describe("profile/ini", () => {
  it("gives sections and keys in their order with their lines", () => {
    const sections = read("; comment\n\n[one]\n a =1\n# comment\n\tb= 2 \n[ feed \t base ] ; comment\nc=\n[three]");
    expect(sections.map((s) => [s.name, s.line, [...s.values].map(([k, v]) => [k, v.text, v.line])])).to.deep.equal([
      [
        "one",
        3,
        [
          ["a", "1", 4],
          ["b", "2", 6],
        ],
      ],
      ["feed base", 7, [["c", "", 8]]],
      ["three", 9, []],
    ]);
  });

  it("reads CRLF, a byte order mark and no last newline", () => {
    const [section] = read("\ufeff[s]\r\na = 1\r\nb = 2");
    expect(section?.values.get("a")?.text).to.equal("1");
    expect(section?.values.get("b")?.text).to.equal("2");
  });

  it("reads an empty file as no sections", () => {
    expect(read("")).to.deep.equal([]);
    expect(read("\n; only a comment\n")).to.deep.equal([]);
  });

  const values: readonly [string, string, string][] = [
    ["a user ID", "Archive Key <archive@example.org>", "Archive Key <archive@example.org>"],
    ["an inline comment", "14d     ; half a month", "14d"],
    ["an inline comment after a tab", "14d\t;x", "14d"],
    ["nothing but a comment", "; nothing", ""],
    ["a semicolon inside a word", "Foo; Bar;Baz <a@b>", "Foo; Bar;Baz <a@b>"],
    ["a number sign after a space", "Key #2 <a@b>", "Key #2 <a@b>"],
    ["an escaped semicolon", "Foo \\; Bar", "Foo ; Bar"],
    ["an escaped number sign and backslash", "a \\# \\\\ b", "a # \\ b"],
    ["other backslashes", "a\\b \\", "a\\b \\"],
    ["an equals sign and brackets", "a=b [c] $d", "a=b [c] $d"],
    ["quotes inside", 'The "Real" Key', 'The "Real" Key'],
    ["quotes around", '" a ; b # c\\u00e4 "', " a ; b # c\u00e4 "],
    ["quotes around, then a comment", '"a" ; b', "a"],
    ["quotes around nothing", '""', ""],
    ["an escaped quote", '"\\"a\\\\"', '"a\\'],
    ["a line separator of Unicode", "a\u2028b", "a\u2028b"],
    ["the words that ini takes for values", "true", "true"],
  ];
  for (const [what, raw, expected] of values) {
    it(`decodes a value with ${what}`, () => expect(value(raw)).to.equal(expected));
  }

  it("takes __proto__ and the like for plain names", () => {
    const [section] = read("[__proto__]\n__proto__ = 1\nconstructor = 2\n");
    expect(section?.name).to.equal("__proto__");
    expect([...(section?.values.keys() ?? [])]).to.deep.equal(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["1"]).to.equal(undefined);
  });

  const refused: readonly [string, string, number, string][] = [
    ["a section twice", "[a]\n[b]\n[a]\n", 3, "section [a] appears twice, first in line 1"],
    [
      "a section twice in other spacing",
      "[feed a]\n\n[feed  a]\n",
      3,
      "section [feed a] appears twice, first in line 1",
    ],
    ["a key twice", "[a]\nk=1\n\nk=1\n", 4, 'key "k" appears twice, first in line 2'],
    ["a key outside", "\nk=1\n[a]\n", 2, 'key "k" is outside of any section'],
    ["a word alone", "[a]\nk\n", 2, "the line is neither a section, nor a key with a value, nor a comment"],
    ["a key without a name", "[a]\n= 1\n", 2, "the line is neither a section, nor a key with a value, nor a comment"],
    ["a key with a space", "[a]\nk l = 1\n", 2, "the line is neither a section, nor a key with a value, nor a comment"],
    [
      "a list in ini's own way",
      "[a]\nk[] = 1\n",
      2,
      "the line is neither a section, nor a key with a value, nor a comment",
    ],
    ["an open section", "[a\n", 1, "the section is not closed by ] at the end of the line"],
    ["text after a section", "[a] b = c\n", 1, "the section is not closed by ] at the end of the line"],
    ["a section without a name", "\n[ ]\n", 2, "the section has no name"],
    ["a NUL", "[a]\nk = \0\n", 2, "the line has a control character"],
    ["a NUL in a comment", "[a]\n; \0\n", 2, "the line has a control character"],
    ["a bare carriage return", "[a]\nk = 1\rl = 2\n", 2, "the line has a control character"],
    ["an escape sequence", "[a]\nk = \x1b[1m\n", 2, "the line has a control character"],
    ["a quoted control character", '[a]\nk = "a\\u0000"\n', 2, "the value has a control character"],
    ["an open quote", '[a]\nk = "a\n', 2, "the value in double quotes is not a valid JSON string"],
    ["text after a quote", '[a]\nk = "a" b\n', 2, "the value in double quotes is not a valid JSON string"],
    ["an escape that JSON lacks", '[a]\nk = "\\x"\n', 2, "the value in double quotes is not a valid JSON string"],
    ["single quotes", "[a]\nk = 'a'\n", 2, "the value starts with a single quote"],
    [
      "an unusual space at the end",
      "[a]\nk = a\u00a0\n",
      2,
      "the value begins or ends with a space character other than a plain space or tab",
    ],
  ];
  for (const [what, text, line, problem] of refused) {
    it(`refuses ${what}`, () => {
      expect(refusal(() => read(text))).to.include({ code: "bad_profile", line, message: `x.ini:${line}: ${problem}` });
    });
  }

  it("reads back what encodeValue writes", () => {
    const text = fc.oneof(
      fc.string({
        unit: fc.constantFrom("a", " ", ";", "#", '"', "'", "\\", "=", "[", "\t", "\u00a0", "<", "$"),
        maxLength: 8,
      }),
      fc.string({ unit: "grapheme" }).filter((string) => !isControlled(string)),
      fc.string({ unit: "binary" }).filter((string) => !isControlled(string)),
    );
    fc.assert(
      fc.property(text, (given) => {
        expect(value(encodeValue(given))).to.equal(given);
      }),
      { numRuns: 2000 },
    );
  });

  it("keeps every value on one line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (given) => {
        expect(encodeValue(given)).not.to.match(/[\n\r\0]/);
      }),
    );
    expect(encodeValue("a\nb = c")).to.equal('"a\\nb = c"');
  });

  it("writes plain values without quotes", () => {
    expect(encodeValue("Archive Key <archive@example.org>")).to.equal("Archive Key <archive@example.org>");
  });

  it("fails with its own error alone, whatever the text", () => {
    const nearly = fc.array(
      fc.constantFrom("[a]", "[b", "k", "=", "1", "\n", "\r\n", " ;", '"', "\\", "'", " ", "\0", "é"),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          nearly.map((parts) => parts.join("")),
          fc.string({ unit: "binary" }),
        ),
        (text) => {
          try {
            read(text);
          } catch (error) {
            if (!(error instanceof FeedkeyError)) throw error;
            expect(error.details.line).to.be.a("number").at.least(1);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("is not held up by long runs of spaces and long words", () => {
    const spaces = " ".repeat(1_000_000);
    expect(value(`a${spaces}b`)).to.have.length(1_000_002);
    expect(nearest(`grace${"e".repeat(1_000_000)}`, ["seeds", "grace"])).to.equal("grace");
  });
});

describe("profile/nearest", () => {
  for (const [word, expected] of [
    ["keyserver", "keyservers"],
    ["SEEDS", "seeds"],
    ["sedes", "seeds"],
    ["max-age", "max-index-age"],
    ["gracee", "grace"],
  ] as const) {
    it(`takes ${word} for ${expected}`, () => {
      expect(nearest(word, ["grace", "keyring", "keyservers", "max-index-age", "seeds"])).to.equal(expected);
    });
  }

  it("knows nothing among nothing", () => expect(nearest("a", [])).to.equal(undefined));
});
