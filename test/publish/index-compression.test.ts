/** Writing the compressed forms: read back by the real programs, the same bytes each time. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { expect } from "chai";
import { compressionOf } from "../../src/formats/format.ts";
import { detectCompression } from "../../src/packages/compression/compression.ts";
import { summaryForms } from "../../src/profile/summary-forms.ts";
import type { SummaryForm } from "../../src/profile/types.ts";
import { compressIndex } from "../../src/publish/index-text/index-compression.ts";
import { summaryStanza } from "../testkit/packages/summary-text.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";

const programs = { gz: "gzip", xz: "xz", zst: "zstd" } as const;
const stanzas = Array.from({ length: 2000 }, (_, number) => summaryStanza({ PKGNAME: `p${number}-1.0` })).join("\n");
const texts: readonly [string, Buffer][] = [
  ["nothing", Buffer.alloc(0)],
  ["one byte", Buffer.from("a")],
  ["what can't be packed", createHash("shake256", { outputLength: 300_000 }).update("noise").digest()],
  ["a summary", Buffer.from(stanzas)],
  // Of several streams where it is .xz.
  ["more than one stream holds", Buffer.alloc(9 << 20, "some text, ")],
];

async function compressed(text: Buffer, form: SummaryForm): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of compressIndex(text, form)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("a compressed index", () => {
  for (const form of summaryForms) {
    it(`is what the program of its format reads: .${form}`, async function () {
      for (const [what, text] of texts) {
        const written = await compressed(text, form);
        expect(detectCompression(written)).to.equal(compressionOf[form]);
        const read = spawnSync(programs[form], ["-dc"], { input: written, maxBuffer: 1 << 26 });
        if (!presentOrSkip(this, read.error === undefined, `${programs[form]} is not installed`)) return;
        expect({ what, status: read.status, stderr: String(read.stderr) }).to.deep.equal({
          what,
          status: 0,
          stderr: "",
        });
        expect(read.stdout.equals(text), what).to.equal(true);
        expect(spawnSync(programs[form], ["-t"], { input: written }).status, what).to.equal(0);
      }
    });

    it(`is the same each time, and when several are written at once: .${form}`, async () => {
      const once = await Promise.all(texts.map(([, text]) => compressed(text, form)));
      for (const [place, [what, text]] of texts.entries()) {
        const again = await compressed(text, form);
        expect(Buffer.from(again).equals(Buffer.from(once[place] ?? [])), what).to.equal(true);
      }
    });
  }

  it("leaves no thread behind, so that the program ends", async () => {
    // In a process of its own: other tests of this one may have threads that are about to end.
    const module = new URL("../../src/publish/index-text/index-compression.js", import.meta.url).href;
    // A thread would take over --input-type, so the script is not a module itself.
    const script = `import(${JSON.stringify(module)}).then(async ({ compressIndex }) => {
      for await (const _ of compressIndex(Buffer.alloc(9 << 20, "some text, "), "xz"));
      const open = process.getActiveResourcesInfo().filter((kind) => kind === "MessagePort" || kind === "Worker");
      console.log(JSON.stringify(open));
    });`;
    const { status, stdout, stderr } = await runProgram(process.execPath, ["-e", script]);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).to.deep.equal([]);
  });
});
