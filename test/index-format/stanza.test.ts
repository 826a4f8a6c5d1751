import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { maxLineLength } from "../../src/index-format/line-cursor.ts";
import {
  maxStanzaLength,
  type Piece,
  readStanzaChunks,
  readStanzas,
  type Stanza,
  writeStanza,
} from "../../src/index-format/stanza.ts";
import { refusal } from "../refusal.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const readAll = (text: string) => [...readStanzas(latin1(text))];

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const piece of readStanzaChunks(chunks)) pieces.push(piece);
  return pieces;
}

function readChunks(chunks: readonly Uint8Array[]): Promise<Piece[]> {
  async function* source() {
    yield* chunks;
  }
  return collect(source());
}

/** Pieces as plain values, with runs of blank lines joined: the chunked reader may give them in parts. */
function plain(pieces: readonly Piece[]) {
  const result: { line: number; text: string; fields: string[] }[] = [];
  let afterBlank = false;
  for (const piece of pieces) {
    const text = Buffer.from(piece.bytes).toString("latin1");
    const fields = piece.kind === "blank" ? [] : piece.fields.map((f) => `${f.line} ${f.name}=${Buffer.from(f.raw)}`);
    const last = result.at(-1);
    if (afterBlank && piece.kind === "blank" && last !== undefined) last.text += text;
    else result.push({ line: piece.line, text, fields });
    afterBlank = piece.kind === "blank";
  }
  return result;
}

/** Text close enough to the grammar that much of it is accepted. */
const nearlyPackages = fc
  .array(
    fc.constantFrom(
      "Package: a\n",
      "Version:1\n",
      "\n",
      "\n",
      "Description: first\n",
      " second\n",
      "\tthird: x\n",
      "X:\n",
      "Y: \xff\xfe\n",
      "last",
      " ",
      ":",
      "#",
      "\r",
      "\0",
    ),
    { maxLength: 30 },
  )
  .map((parts) => latin1(parts.join("")));

describe("index-format/stanza", () => {
  it("gives fields with their raw values, spelling and lines", () => {
    const [stanza, blank, second] = readAll("Package: a\nDescription: b\n c\n\td \n\nX-y:\n") as [
      Stanza,
      Piece,
      Stanza,
    ];
    expect(stanza.kind).to.equal("stanza");
    expect(stanza.fields.map((f) => [f.name, Buffer.from(f.raw).toString(), f.line])).to.deep.equal([
      ["Package", " a", 1],
      ["Description", " b\n c\n\td ", 2],
    ]);
    expect(blank).to.include({ kind: "blank", line: 5 });
    expect(second).to.include({ kind: "stanza", line: 6, terminated: true });
    expect(second.fields.map((f) => [f.name, f.raw.length])).to.deep.equal([["X-y", 0]]);
  });

  for (const text of [
    "",
    "\n",
    "\n\n\n",
    "A: 1",
    "A: 1\n",
    "\n\nA: 1\n\n\n\nB:2\n c",
    "A: 1\n\n\n",
    "A: \xe9\xff\n \x80\n",
  ]) {
    it(`loses no byte of ${JSON.stringify(text)}`, () => {
      const pieces = readAll(text);
      expect(Buffer.concat(pieces.map((piece) => piece.bytes)).toString("latin1")).to.equal(text);
      for (const piece of pieces) {
        if (piece.kind === "stanza") expect(Buffer.from(writeStanza(piece)).equals(piece.bytes)).to.equal(true);
      }
    });
  }

  const malformed: readonly [string, string, number, string][] = [
    ["a NUL", "A: 1\n\nB: x\0y\n", 3, "line 3 of the index holds a NUL byte"],
    ["a carriage return at a line's end", "A: 1\r\n", 1, "line 1 of the index holds a carriage return"],
    ["a bare carriage return", "A: 1\nB: 2\rC: 3\n", 2, "line 2 of the index holds a carriage return"],
    ["a line of spaces", "A: 1\n  \nB: 2\n", 2, "line 2 of the index holds nothing but spaces or tabs"],
    ["a line of tabs at the end", "A: 1\n\t", 2, "line 2 of the index holds nothing but spaces or tabs"],
    ["a continuation first", " a\n", 1, "line 1 of the index continues a field, but no field stands above it"],
    ["a tab continuation first", "\ta\n", 1, "line 1 of the index continues a field, but no field stands above it"],
    [
      "a continuation after an empty line",
      "A: 1\n\n a\n",
      3,
      "line 3 of the index continues a field, but no field stands above it",
    ],
    ["no colon", "A: 1\nB\n", 2, "line 2 of the index is not a field: it has no colon"],
    ["no colon in the last line", "A: 1\nB", 2, "line 2 of the index is not a field: it has no colon"],
    ["no colon before the next line's", "AB\nC: 1\n", 1, "line 1 of the index is not a field: it has no colon"],
    ["a space in the name", "A b: 1\n", 1, "line 1 of the index has a field name with a forbidden byte"],
    ["a space after the name", "A : 1\n", 1, "line 1 of the index has a field name with a forbidden byte"],
    [
      "a byte above ASCII in the name",
      "\xc3\xa4: 1\n",
      1,
      "line 1 of the index has a field name with a forbidden byte",
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
    it(`refuses ${what}`, () => {
      expect(refusal(() => readAll(text))).to.include({ code: "bad_index", line, message });
    });
  }

  it("reads a line as long as allowed and refuses one byte more", () => {
    const field = `A:${"x".repeat(maxLineLength - 2)}`;
    expect(readAll(`${field}\n`)).to.have.length(1);
    expect(refusal(() => readAll(`B: 1\n${field}x\n`))).to.include({
      code: "bad_index",
      line: 2,
      message: `line 2 of the index is longer than ${maxLineLength} bytes`,
    });
  });

  it("refuses a stanza beyond its limit, whole or in chunks", async () => {
    const line = Buffer.from(` ${"x".repeat(999_998)}\n`);
    const head = Buffer.from("\nA:\n");
    const lines: Buffer[] = Array(Math.floor(maxStanzaLength / line.length) + 1).fill(line);
    const message = `line 2 of the index begins a stanza longer than ${maxStanzaLength} bytes`;
    expect(refusal(() => [...readStanzas(Buffer.concat([head, ...lines]))])).to.include({ line: 2, message });
    let asked = 0;
    async function* endless() {
      yield head;
      for (; asked < 10 * lines.length; asked++) yield line;
    }
    const outcome = await collect(endless()).catch((error: Error) => error.message);
    // The chunked reader gives up at once, before it knows that the stanza begins behind the blank line.
    expect(outcome).to.equal(message.replace("line 2", "line 1"));
    expect(asked).to.be.lessThan(lines.length + 1);
  });

  it("holds no more than a stanza when the blank lines fall between chunks", async () => {
    const stanza = Buffer.from(`\nA:${"x".repeat(999_990)}\n`);
    const chunks: Buffer[] = Array(Math.ceil((1.5 * maxStanzaLength) / stanza.length)).fill(stanza);
    expect((await readChunks(chunks)).filter((piece) => piece.kind === "stanza")).to.have.length(chunks.length);
  });

  it("gives the same over chunks of any size", () =>
    fc.assert(
      fc.asyncProperty(nearlyPackages, fc.array(fc.nat(400), { maxLength: 12 }), async (bytes, cuts) => {
        const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
        const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        let expected: Piece[];
        try {
          expected = [...readStanzas(bytes)];
        } catch (error) {
          expect(error).to.be.instanceOf(FeedkeyError);
          const outcome = await readChunks(chunks).catch((caught: unknown) => caught);
          expect(outcome).to.be.instanceOf(FeedkeyError);
          return;
        }
        expect(plain(await readChunks(chunks))).to.deep.equal(plain(expected));
      }),
    ));

  it("loses no byte of anything it accepts, and fails with bad_index alone", () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(nearlyPackages, fc.uint8Array({ maxLength: 60 })), (bytes) => {
        try {
          const pieces = [...readStanzas(bytes)];
          expect(Buffer.concat(pieces.map((piece) => piece.bytes)).equals(bytes)).to.equal(true);
          for (const piece of pieces) {
            if (piece.kind === "stanza") expect(Buffer.from(writeStanza(piece)).equals(piece.bytes)).to.equal(true);
          }
          accepted++;
        } catch (error) {
          if (!(error instanceof FeedkeyError)) throw error;
          expect(error.code).to.equal("bad_index");
          expect(error.details.line).to.be.a("number").at.least(1);
        }
      }),
      { numRuns: 2000 },
    );
    // Else the property would say nothing.
    expect(accepted).to.be.greaterThan(50);
  });
});
