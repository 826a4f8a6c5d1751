// What is too large for memory: written to a file without a name, and cut into stanzas as it comes back.
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { bytesOf } from "../../src/content.ts";
import { writeFileAtomic } from "../../src/files/atomic.ts";
import { HashedFile } from "../../src/files/hashed-file.ts";
import { type Spool, Spools } from "../../src/files/spool.ts";
import { stanzaRuns } from "../../src/publish/index-text/stanza-runs.ts";
import { refusalOf } from "../testkit/refusal.ts";

/** Stanzas of many lengths, 2 MB of them. */
const stanzas = Array.from({ length: 3000 }, (_, place) => {
  const noise = createHash("shake256", { outputLength: 1 + ((place * 7919) % 600) })
    .update(String(place))
    .digest("hex");
  return `Package: p${place}\nVersion: 1\nDescription: ${noise}\n\n`;
});
const text = Buffer.from(stanzas.join(""));

describe("a spool", () => {
  let spools: Spools;
  beforeEach(() => {
    spools = new Spools();
  });
  afterEach(() => spools.close());

  /** The text, written in parts of a size. */
  const spooled = (size: number): Spool => {
    const spool = spools.make();
    for (let at = 0; at < text.length; at += size) spool.write(text.subarray(at, at + size));
    return spool;
  };

  it("gives back what was written, all of it or any part, while more is written", () => {
    for (const size of [700, 64 * 1024, 300_000, text.length]) {
      const spool = spooled(size);
      expect(spool.length).to.equal(text.length);
      expect(Buffer.from(bytesOf(spool)).equals(text), String(size)).to.equal(true);
      for (let at = 0; at < text.length - 40_000; at += 9973) {
        for (const length of [1, 600, 16 * 1024, 40_000]) {
          expect(spool.read(at, length).equals(text.subarray(at, at + length)), `${at} ${length}`).to.equal(true);
        }
      }
      spool.writeText("näher");
      expect(spool.read(text.length, 6).toString()).to.equal("näher");
      expect(spool.read(text.length - 3, 9).toString()).to.equal(`${text.toString("utf8", text.length - 3)}näher`);
    }
  });

  it("is copied into a file as it is", async () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "feedkey-spool-"));
    try {
      await writeFileAtomic(join(folder, "copy"), spooled(1000));
      expect(fs.readFileSync(join(folder, "copy")).equals(text)).to.equal(true);
      const found = HashedFile.read(join(folder, "copy"), text.length);
      if ("problem" in found) throw new Error(found.problem);
      await writeFileAtomic(join(folder, "again"), found);
      expect(fs.readFileSync(join(folder, "again")).equals(text)).to.equal(true);
      fs.appendFileSync(join(folder, "copy"), "x");
      expect(HashedFile.read(join(folder, "copy"), text.length)).to.have.property("problem");
      const refused = async (change: () => void) => {
        change();
        return (await refusalOf(() => writeFileAtomic(join(folder, "again"), found))).code;
      };
      // Longer is the same as far as it goes.
      expect(await refused(() => fs.writeFileSync(join(folder, "copy"), text.subarray(1)))).to.equal("locked");
      expect(fs.readdirSync(folder).sort()).to.deep.equal(["again", "copy"]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it("has no name that anybody could open", () => {
    const before = fs.readdirSync(tmpdir());
    spooled(1000);
    const after = fs.readdirSync(tmpdir()).filter((name) => name.startsWith(".feedkey-") && !before.includes(name));
    expect(after).to.deep.equal([]);
  });

  it("is cut between stanzas, whatever pieces it comes in", () => {
    const spool = spooled(1000);
    expect([...stanzaRuns(spool.pieces(), 1)].length).to.equal(stanzas.length);
    let place = 0;
    for (const stanza of stanzaRuns(spool.pieces(), 1)) expect(stanza.toString()).to.equal(stanzas[place++]);
    const runs: Buffer[] = [];
    for (const run of stanzaRuns(spool.pieces(), 100_000)) {
      expect(run.toString().endsWith("\n\n")).to.equal(true);
      runs.push(Buffer.from(run));
    }
    expect(Buffer.concat(runs).equals(text)).to.equal(true);
    expect(runs.slice(0, -1).every(({ length }) => length >= 100_000 && length < 102_000)).to.equal(true);
    const cut = function* (size: number) {
      for (let at = 0; at < 4000; at += size) yield text.subarray(at, Math.min(4000, at + size));
    };
    for (const size of [1, 2, 3, 999]) {
      const parts: string[] = [];
      for (const one of stanzaRuns(cut(size), 1)) parts.push(one.toString());
      expect(parts.join("")).to.equal(text.toString("utf8", 0, 4000));
      expect(parts.slice(0, -1).every((one) => one.endsWith("\n\n"))).to.equal(true);
    }
  });
});
