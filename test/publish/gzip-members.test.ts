import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import fc from "fast-check";
import { gunzip } from "../../src/packages/compression/gzip.ts";
import { cutText, gzipMembers } from "../../src/publish/index-text/gzip-members.ts";

/** An index of so many stanzas, without those left out. */
function indexOf(count: number, without: readonly number[] = []): Buffer {
  const stanza = (place: number) => {
    const digest = createHash("sha256").update(String(place)).digest("hex");
    return `Package: p${place}\nVersion: 1\nDescription: ${"words ".repeat(place % 90)}\nSHA256sum: ${digest}\n\n`;
  };
  const places = Array.from({ length: count }, (_, place) => place).filter((place) => !without.includes(place));
  return Buffer.from(places.map(stanza).join(""));
}

async function packed(text: Buffer, before?: Buffer): Promise<Buffer> {
  const members: Buffer[] = [];
  for await (const member of gzipMembers([text], before)) members.push(member);
  return Buffer.concat(members);
}

/** The parts of a text; the iterator itself reuses its memory. */
function partsOf(pieces: Iterable<Uint8Array>): Buffer[] {
  const parts: Buffer[] = [];
  for (const part of cutText(pieces)) parts.push(Buffer.from(part));
  return parts;
}

describe("archive/gzip-members", () => {
  const text = indexOf(4000);

  it("is gzip for every reader: Node, gzip itself, and the client's", async () => {
    const file = await packed(text);
    expect(gunzipSync(file).equals(text)).to.equal(true);
    expect(Buffer.from(gunzip(file, text.length)).equals(text)).to.equal(true);
    const { stdout, status } = spawnSync("gzip", ["-dc"], { input: file, maxBuffer: 1 << 28 });
    expect(status).to.equal(0);
    expect(stdout.equals(text)).to.equal(true);
    expect(file.length).to.be.below(gzipSync(text, { level: 9 }).length * 1.06);
  });

  it("gives the same bytes for the same text, whatever was there before", async () => {
    const file = await packed(text);
    expect((await packed(text)).equals(file)).to.equal(true);
    for (const before of [
      await packed(indexOf(4000, [7, 2000])),
      Buffer.alloc(0),
      gzipSync(text),
      file.subarray(0, file.length - 1),
    ]) {
      expect((await packed(text, before)).equals(file)).to.equal(true);
    }
  });

  it("moves few borders when a stanza comes or goes", () => {
    const pieces = (bytes: Buffer) => new Set(partsOf([bytes]).map((piece) => piece.toString("latin1")));
    const [before, after] = [pieces(indexOf(4000, [2000])), pieces(text)];
    expect(after.size).to.be.above(12);
    expect([...after].filter((piece) => !before.has(piece)).length).to.be.below(3);
  });

  it("cuts a text into itself", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a: b\n", "\n", "\n\n", `c: ${"x".repeat(30_000)}\n`), { maxLength: 40 }),
        (parts) => {
          const bytes = Buffer.from(parts.join(""));
          expect(Buffer.concat(partsOf([bytes])).equals(bytes)).to.equal(true);
        },
      ),
    );
  });

  it("cuts a text in the same places however it comes", () => {
    const shown = (pieces: Iterable<Buffer>) => partsOf(pieces).map(({ length }) => length);
    for (const size of [1, 4099, 40_000, 70_001]) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
        text.subarray(at * size, (at + 1) * size),
      );
      // Of single bytes a part is enough.
      const some = size === 1 ? pieces.slice(0, 34_000) : pieces;
      expect(shown(some), String(size)).to.deep.equal(shown([Buffer.concat(some)]));
    }
  });

  it("unpacks of what was there before only what it looks for", async () => {
    const file = await packed(text);
    const blank = Buffer.alloc(500_000);
    const bombs = [];
    for (let i = 0; i < 400; i++) {
      blank.writeUInt32LE(i);
      bombs.push(await packed(blank));
    }
    const before = process.memoryUsage().arrayBuffers;
    const made = await packed(text, Buffer.concat([...bombs, file]));
    expect(made.equals(file)).to.equal(true);
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(100_000_000);
  });

  it("takes nothing over that does not hold the very text", async () => {
    const file = await packed(text);
    for (let place = 0; place < 60; place++) {
      const damaged = Buffer.from(file);
      const at = (place * 7919) % damaged.length;
      damaged[at] = (damaged[at] ?? 0) ^ 0x41;
      expect(gunzipSync(await packed(text, damaged)).equals(text), `octet ${at}`).to.equal(true);
    }
  });
});
