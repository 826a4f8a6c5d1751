import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { readSummary, type SummaryPiece, writeSummaryStanza } from "../../src/formats/pkgsrc/summary-stanza.ts";
import { refusal } from "../testkit/refusal.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");

const nearlySummary = fc
  .array(
    fc.constantFrom("PKGNAME=a-1\n", "A=\n", "\n", "\n", "B==x = y\n", "C=\xff\n", "LAST=1", "bad", "=", "D=\r\n"),
    {
      maxLength: 14,
    },
  )
  .map((lines) => latin1(lines.join("")));

describe("index-format/summary-stanza", () => {
  it("reads stanzas, variables and the lines between", () => {
    const pieces = [...readSummary(latin1("\nA=1\nB==2 = \n\n\nA=\n"))];
    expect(pieces.map(({ kind, line }) => `${kind} ${line}`)).to.deep.equal([
      "blank 1",
      "stanza 2",
      "blank 4",
      "stanza 6",
    ]);
    const stanza = pieces[1];
    const said = stanza?.kind === "stanza" ? stanza.variables : [];
    expect(said.map(({ name, value }) => [name, Buffer.from(value).toString()])).to.deep.equal([
      ["A", "1"],
      ["B", "=2 = "],
    ]);
  });

  it("gives the text back, piece by piece and stanza by stanza", () => {
    let stanzas = 0;
    fc.assert(
      fc.property(nearlySummary, (bytes) => {
        let pieces: SummaryPiece[];
        try {
          pieces = [...readSummary(bytes)];
        } catch (error) {
          if (!(error instanceof FeedkeyError)) throw error;
          expect(error.code).to.equal("bad_index");
          return;
        }
        expect(Buffer.concat(pieces.map((piece) => piece.bytes))).to.deep.equal(bytes);
        for (const piece of pieces) {
          if (piece.kind === "blank") continue;
          stanzas++;
          expect(writeSummaryStanza(piece)).to.deep.equal(Buffer.from(piece.bytes));
        }
      }),
      { numRuns: 2000 },
    );
    expect(stanzas).to.be.greaterThan(200);
  });

  it("writes no variable that would read back as something else", () => {
    const write = (name: string, value: string) =>
      writeSummaryStanza({ variables: [{ name, value: latin1(value) }], terminated: true });
    expect(write("A", "x = y").toString()).to.equal("A=x = y\n");
    for (const [name, value] of [
      ["a", "1"],
      ["", "1"],
      ["A B", "1"],
      ["A=", "1"],
      ["A", "1\nB=2"],
      ["A", "1\r"],
      ["A", "\0"],
    ] as const) {
      expect(
        refusal(() => write(name, value)),
        `${name}=${value}`,
      ).to.include({ code: "bad_package" });
    }
  });
});
