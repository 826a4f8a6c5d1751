/** An index that is read in windows must say what it says in memory, wherever the windows end. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Content } from "../../src/content.ts";
import { orRefusal } from "../../src/error.ts";
import { type HashedFile, HeldFiles } from "../../src/files/hashed-file.ts";
import { readPackages } from "../../src/formats/opkg/packages-text.ts";
import { refusal } from "../testkit/refusal.ts";

const sizes = [1, 2, 7, 100, 1000, 1 << 20];

/** Pieces that end at multiples of a size, as a file's pieces do; their memory is used again. */
function inPieces(text: Buffer, size: number): Content {
  const memory = Buffer.alloc(Math.min(size, text.length));
  return {
    length: text.length,
    *pieces(from = 0) {
      for (let at = from; at < text.length; ) {
        const end = Math.min(text.length, (Math.floor(at / size) + 1) * size);
        text.copy(memory, 0, at, end);
        yield memory.subarray(0, end - at);
        at = end;
      }
    },
  };
}

const stanza = (name: string, more = "") =>
  `Package: ${name}\nVersion: 1\nArchitecture: all\n${more}Filename: pool/${name}.ipk\nSHA256sum: ${"ab".repeat(32)}\nDescription: x\n y\n`;

/** Many stanzas: some appear again far away, and some have other fields, more empty lines, or none at the end. */
function manyStanzas(count = 60): string[] {
  return Array.from({ length: count }, (_, at) => {
    const more = at % 7 === 0 ? `Section: s${at}\nFIELD-${at % 3}: x\n` : at % 5 === 0 ? "SIZE:\t12 \n" : "";
    return `${stanza(`p${at % 50}`, at % 50 === 0 ? "" : more)}${at % 11 === 0 ? "\n\n" : ""}`;
  });
}

describe("index-format/window-scanner", () => {
  it("gives the entries of the text in memory, and finds them, in any order", () => {
    for (const text of [
      "",
      "\n",
      "\n\n\n",
      stanza("a"),
      `\n\n${stanza("a")}\n\n\n${stanza("b")}`,
      manyStanzas(49).join("\n"),
    ]) {
      const known = readPackages(Buffer.from(text));
      const entries = [...known];
      for (const size of sizes) {
        const index = readPackages(inPieces(Buffer.from(text), size));
        expect([...index]).to.deep.equal(entries);
        for (const { name, filename } of [...entries].reverse()) {
          expect(index.find(name)).to.deep.equal(known.find(name));
          const file = filename?.split("/").pop() ?? "";
          expect(index.findByFile(file)).to.deep.equal(known.findByFile(file));
        }
        expect([...index]).to.deep.equal(entries);
      }
    }
  });

  it("knows a repeated entry far from the first one, and one with another digest", () => {
    const whole = [...manyStanzas(49), ...manyStanzas(49)];
    const twice = whole.join("\n");
    const other = twice.replace(/(p48\n(?:.*\n)+.*p48\n(?:.*\n)+?SHA256sum: )ab/, "$1cd");
    expect(other).not.to.equal(twice);
    const known = readPackages(Buffer.from(twice));
    const { message } = refusal(() => readPackages(Buffer.from(other)));
    expect(message).to.include("different digests");
    for (const size of sizes) {
      const index = readPackages(inPieces(Buffer.from(twice), size));
      expect(index.count).to.equal(known.count);
      expect(index.find("p7")).to.deep.equal(known.find("p7")).and.to.have.length(1);
      expect(refusal(() => readPackages(inPieces(Buffer.from(other), size))).message).to.equal(message);
    }
  });

  it("refuses what is refused in memory, with the same line", () => {
    const names = Array.from({ length: 70 }, (_, at) =>
      stanza(`p${at}`, Array.from({ length: 100 }, (_, no) => `F${at}-${no}: x\n`).join("")),
    );
    const faults = {
      "a NUL byte": [stanza("a"), stanza("b").replace("y", "\0"), stanza("c")],
      "a carriage return": [stanza("a"), stanza("b"), stanza("c").replace("y\n", "y\r\n")],
      "a field twice": [stanza("a"), stanza("b", "Version: 2\n")],
      "no version": [stanza("a"), stanza("b"), stanza("c").replace("Version: 1\n", "")],
      "a continuation of nothing": [stanza("a"), ` x\n${stanza("b")}`],
      "too many names of fields": names,
      "an endless stanza": [stanza("a"), `${stanza("b")}${` ${"x".repeat(1 << 19)}\n`.repeat(40)}`],
    };
    for (const [what, stanzas] of Object.entries(faults)) {
      const text = Buffer.from(stanzas.join("\n"));
      const known = refusal(() => readPackages(text));
      expect(known.code, what).to.equal("bad_index");
      for (const size of text.length > 1e6 ? [1 << 17, 1 << 20] : sizes) {
        const found = refusal(() => readPackages(inPieces(text, size)));
        expect([found.code, found.message], `${what} ${size}`).to.deep.equal([known.code, known.message]);
      }
    }
  });

  describe("of a held file", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "feedkey-window-"));
    const path = join(folder, "Packages");
    const text = manyStanzas(20_000).join("\n");
    const files = new HeldFiles();
    afterEach(() => files.close());
    after(() => fs.rmSync(folder, { recursive: true }));
    beforeEach(() => fs.writeFileSync(path, text));

    function held(): HashedFile {
      const file = files.open(path);
      if ("problem" in file) throw new Error(file.problem);
      return file;
    }

    it("reads it even when its name is gone", () => {
      const file = held();
      fs.rmSync(path);
      fs.writeFileSync(path, "x");
      const index = readPackages(file);
      expect(index.count).to.equal(20_000);
      expect(index.find("p49")).to.deep.equal(readPackages(Buffer.from(text)).find("p49"));
    });

    it("never gives a byte that is not what was hashed", async () => {
      const [before, later] = [held(), held()];
      const index = readPackages(later);
      const entry = index.find("p49")[0];
      const at = text.lastIndexOf("Package: p49");
      const file = fs.openSync(path, "r+");
      fs.writeSync(file, "q", at + "Package: ".length);
      fs.closeSync(file);
      expect((await orRefusal(() => readPackages(before))) as object).to.include({ code: "locked" });
      expect(index.find("p49")[0]).to.deep.equal(entry);
      // A look-up at that place.
      expect((await orRefusal(() => [...index])) as object).to.include({ code: "locked" });
      expect(files.open(folder)).to.have.property("problem");
    });
  });
});
