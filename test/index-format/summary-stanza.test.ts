import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import {
  readSummary,
  readSummaryChunks,
  type SummaryPiece,
  writeSummaryStanza,
} from "../../src/index-format/summary-stanza.ts";
import { refusal } from "../refusal.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");

async function collect(chunks: readonly Uint8Array[]): Promise<SummaryPiece[]> {
  async function* source() {
    yield* chunks;
  }
  const pieces: SummaryPiece[] = [];
  for await (const piece of readSummaryChunks(source())) pieces.push(piece);
  return pieces;
}

/** Pieces as plain values, with runs of blank lines joined: the chunked reader may give them in parts. */
function plain(pieces: readonly SummaryPiece[]) {
  const result: { line: number; text: string; variables: string[] }[] = [];
  let afterBlank = false;
  for (const piece of pieces) {
    const text = Buffer.from(piece.bytes).toString("latin1");
    const said = piece.kind === "blank" ? [] : piece.variables;
    const last = result.at(-1);
    if (afterBlank && piece.kind === "blank" && last !== undefined) last.text += text;
    else
      result.push({
        line: piece.line,
        text,
        variables: said.map(({ name, value }) => `${name}=${latin1(`${value}`)}`),
      });
    afterBlank = piece.kind === "blank";
  }
  return result;
}

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

  it("reads the same from chunks, however they are cut", async () => {
    await fc.assert(
      fc.asyncProperty(nearlySummary, fc.array(fc.nat(40), { maxLength: 6 }), async (bytes, cuts) => {
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const outcome = async (work: () => SummaryPiece[] | Promise<SummaryPiece[]>) => {
          try {
            return plain(await work());
          } catch (error) {
            if (!(error instanceof FeedkeyError)) throw error;
            return `${error.code} ${error.message}`;
          }
        };
        const whole = await outcome(() => [...readSummary(bytes)]);
        const parts = await outcome(() => collect(chunks));
        // A fault further down is found before or after the stanzas above it are given, with the same words.
        if (typeof whole === "string") expect(parts).to.be.a("string");
        else expect(parts).to.deep.equal(whole);
      }),
      { numRuns: 1000 },
    );
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
