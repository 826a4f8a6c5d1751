/** The grammar of lines, which control data and indexes have in common. */
import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { maxLineLength } from "../../src/formats/line-cursor.ts";
import { parseControl } from "../../src/formats/opkg/field.ts";
import { readPackages } from "../../src/formats/opkg/packages-text.ts";
import { refusal } from "../testkit/refusal.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const head = "Package: a\nVersion: 1\n";
/** The same lines in an index, whose stanzas must have a name and a version. */
const inIndex = (text: string) => latin1(text.replace(/^A: 1\n/m, `${head}A: 1\n`));
const shift = (text: string) => (/^A: 1\n/m.test(text) ? 2 : 0);

/** Lines close enough to the grammar that much of it is accepted. */
const nearlyControl = fc
  .array(
    fc.constantFrom(
      ...["Package: a\n", "Version:1\n", "\n", "Description: first\n", " second\n", "\tthird: x\n", "X:\n"],
      ...["Y: \xff\xfe\n", "last", " ", " \n", ":", "#", "\r", "\0"],
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

/** By one expression: stanza after stanza of fields with their further lines, of which a last description's may be blank. */
const wholeText =
  /^\n*(?:(?![#-])[!-9;-~]+:[^\0\r\n]*(?:\n[ \t]+[^ \t\0\r\n][^\0\r\n]*)*(?:\n|$)|description:[^\0\r\n]*(?:\n[ \t][^\0\r\n]*)*(?:\n+$|$|\n(?=\n)))*\n*$/i;

describe("index-format: lines", () => {
  const malformed: readonly [string, string, number, string][] = [
    ["a NUL", "A: 1\n\nB: x\0y\n", 3, "line 3 of the index contains a NUL byte"],
    ["a carriage return at a line's end", "A: 1\r\n", 1, "line 1 of the index contains a carriage return"],
    ["a bare carriage return", "A: 1\nB: 2\rC: 3\n", 2, "line 2 of the index contains a carriage return"],
    ["a line of spaces", "A: 1\n  \nB: 2\n", 2, "line 2 of the index has only spaces or tabs"],
    ["a line of tabs at the end", "A: 1\n\t", 2, "line 2 of the index has only spaces or tabs"],
    ["a continuation first", " a\n", 1, "line 1 of the index continues a field, but there is no field above it"],
    ["a tab continuation first", "\ta\n", 1, "line 1 of the index continues a field, but there is no field above it"],
    [
      "a continuation after an empty line",
      "A: 1\n\n a\n",
      3,
      "line 3 of the index continues a field, but there is no field above it",
    ],
    ["no colon", "A: 1\nB\n", 2, "line 2 of the index is not a field: it has no colon"],
    ["no colon in the last line", "A: 1\nB", 2, "line 2 of the index is not a field: it has no colon"],
    ["no colon before the next line's", "AB\nC: 1\n", 1, "line 1 of the index is not a field: it has no colon"],
    ["a space in the name", "A b: 1\n", 1, "line 1 of the index has a field name that contains a forbidden byte"],
    ["a space after the name", "A : 1\n", 1, "line 1 of the index has a field name that contains a forbidden byte"],
    [
      "a byte above ASCII in the name",
      "\xc3\xa4: 1\n",
      1,
      "line 1 of the index has a field name that contains a forbidden byte",
    ],
    ["an empty name", ": 1\n", 1, "line 1 of the index has a field without a name"],
    ["a comment", "#A: 1\n", 1, 'line 1 of the index has a field name that starts with "#" or "-"'],
    [
      "a name that starts with a dash",
      "-A: 1\n",
      1,
      'line 1 of the index has a field name that starts with "#" or "-"',
    ],
  ];
  for (const [what, text, line, message] of malformed) {
    it(`refuses ${what}, in control data and in an index`, () => {
      expect(refusal(() => parseControl(latin1(text)))).to.include({
        code: "bad_package",
        line,
        message: message.replace("the index", "the control data"),
      });
      const there = line + shift(text);
      expect(refusal(() => readPackages(inIndex(text)))).to.include({
        code: "bad_index",
        line: there,
        message: message.replace(/^line \d+/, `line ${there}`),
      });
    });
  }

  it("reads a line as long as allowed and refuses one byte more", () => {
    const field = `A:${"x".repeat(maxLineLength - 2)}`;
    expect(parseControl(latin1(`${field}\n`))).to.have.length(1);
    expect(readPackages(latin1(`${head}${field}\n`)).count).to.equal(1);
    const message = `is longer than ${maxLineLength} bytes`;
    expect(refusal(() => parseControl(latin1(`B: 1\n${field}x\n`))).message).to.equal(
      `line 2 of the control data ${message}`,
    );
    expect(refusal(() => readPackages(latin1(`${head}${field}x\n`)))).to.include({
      code: "bad_index",
      line: 3,
      message: `line 3 of the index ${message}`,
    });
  });

  it("takes what the grammar takes, and nothing else", () => {
    let accepted = 0;
    fc.assert(
      fc.property(nearlyControl, (text) => {
        let fields: number | undefined;
        try {
          fields = parseControl(latin1(text)).length;
        } catch (error) {
          if (!(error instanceof FeedkeyError)) throw error;
          expect(error.details.line).to.be.a("number").at.least(1);
        }
        const names = [...text.matchAll(/^[!-9;-~]+(?=:)/gm)].map(([name]) => name.toLowerCase());
        const isOne =
          names.length > 0 && new Set(names).size === names.length && !/\n\n+[^\n]/.test(text.replace(/^\n+/, ""));
        expect(fields, JSON.stringify(text)).to.equal(wholeText.test(text) && isOne ? names.length : undefined);
        if (fields !== undefined) accepted++;
      }),
      { numRuns: 4000 },
    );
    expect(accepted).to.be.greaterThan(50);
  });
});
