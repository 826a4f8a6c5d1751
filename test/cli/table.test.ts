import { stripVTControlCharacters } from "node:util";
import { expect } from "chai";
import { CliReporter } from "../../src/cli/reporter.ts";
import { fitTablesTo, folded, table } from "../../src/cli/table.ts";

describe("cli/table", () => {
  beforeEach(() => fitTablesTo({ isTTY: true, columns: 80 }));
  afterEach(() => fitTablesTo({}));

  it("has one line for each row where it goes to a file or another program", () => {
    fitTablesTo({});
    expect(table(["a", "b"], [["x".repeat(60), "y".repeat(60)]]).split("\n")).to.have.length(2);
    expect(folded("wrote", ["x".repeat(60), "y".repeat(60)])).to.not.contain("\n");
  });

  it("aligns columns, and ends lines with the last letter", () => {
    expect(
      table(
        ["name", "size"],
        [
          ["a", "1"],
          ["long one", ""],
        ],
      ),
    ).to.equal("name      size\na         1\nlong one");
  });

  it("goes on in a second line where eighty columns are too few", () => {
    const key = "286AEC9E97465CF2ED087795BCD5AA2C80E55AF6";
    const shown = table(
      ["fingerprint", "user ID", "algorithm", "state"],
      [
        [key, `Name ${"x".repeat(30)}`, "ed25519", "in force"],
        [key, "Other", "", ""],
      ],
    );
    expect(shown.split("\n")).to.deep.equal([
      "fingerprint                               user ID",
      "    algorithm  state",
      `${key}  Name ${"x".repeat(30)}`,
      "    ed25519    in force",
      `${key}  Other`,
    ]);
  });

  it("folds a list between its words, and leaves a word whole that is too long", () => {
    expect(folded("wrote", ["a", "b"])).to.equal("wrote a, b");
    const long = "x".repeat(90);
    expect(folded("wrote", [long, "b"])).to.equal(`wrote\n    ${long},\n    b`);
    for (const line of folded(
      "wrote",
      Array.from({ length: 40 }, (_, at) => `name${at}`),
    ).split("\n"))
      expect(line.length).to.be.at.most(80);
  });

  it("breaks messages between words on a terminal alone, and indents what continues", () => {
    const said = (stream: object) => {
      let text = "";
      const stderr = { ...stream, write: (part: string) => (text += part) } as unknown as NodeJS.WriteStream;
      new CliReporter({ json: false, quiet: false, verbose: false, color: true, stderr }).line("error", message);
      return text;
    };
    const message = `${"word ".repeat(30)}\nfeedkey: note: forged ${"x".repeat(90)}`;
    expect(said({}).trimEnd().split("\n")).to.have.length(1);
    const lines = said({ isTTY: true, columns: 80 }).trimEnd().split("\n");
    expect(lines[0]).to.match(/^feedkey: \S+error\S+: word/);
    expect(lines.slice(1).every((line) => /^ {4}\S/.test(line))).to.equal(true);
    expect(lines.map((line) => stripVTControlCharacters(line).length > 80)).to.deep.equal([false, false, false, true]);
  });
});
