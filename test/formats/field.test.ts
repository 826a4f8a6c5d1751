import { expect } from "chai";
import { fieldText, parseControl } from "../../src/formats/opkg/field.ts";
import { refusal } from "../testkit/refusal.ts";

const parse = (text: string) => parseControl(Buffer.from(text, "latin1"));

describe("index-format/field", () => {
  it("reads control data and keeps its bytes", () => {
    const fields = parse("\nPackage: \t a \nDescription: one\n\ttwo\xff\nX:\nConffiles:\n /etc/a\n\n\n");
    expect(fields.map((f) => [f.name, f.value])).to.deep.equal([
      ["Package", "a "],
      ["Description", "one\n\ttwo\xff"],
      ["X", ""],
      ["Conffiles", "\n /etc/a"],
    ]);
  });

  it("gives a field's text by name in any case", () => {
    const fields = parse("Package: \xc3\xa4 \nX:");
    expect(fieldText(fields, "package")).to.equal("ä");
    expect(fieldText(fields, "X")).to.equal("");
    expect(fieldText(fields, "Y")).to.equal(undefined);
    expect(fieldText(fields, "__proto__")).to.equal(undefined);
  });

  const refused: readonly [string, string, number, string][] = [
    ["nothing", "", 1, "begins no paragraph: there are no fields"],
    ["empty lines alone", "\n\n", 1, "begins no paragraph: there are no fields"],
    ["two paragraphs", "A: 1\n\n\nB: 1\n", 4, "begins a second paragraph"],
    ["a field twice", "A: 1\nB: 1\n x\na: 2\n", 4, 'gives the field "a" a second time'],
    ["a carriage return", "A: 1\nB: 1\r\n", 2, "contains a carriage return"],
    ["a NUL", "A: 1\nB: 1\n\0", 3, "contains a NUL byte"],
    ["a blank-looking line", "A: 1\n \n", 2, "has only spaces or tabs"],
    ["a line that is no field", "A: 1\nB\n", 2, "is not a field: it has no colon"],
  ];
  for (const [what, text, line, problem] of refused) {
    it(`refuses ${what}`, () => {
      expect(refusal(() => parse(text))).to.include({
        code: "bad_package",
        line,
        message: `line ${line} of the control data ${problem}`,
      });
    });
  }
});
