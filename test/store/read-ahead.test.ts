import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ReadAhead } from "../../src/files/read-ahead.ts";
import { runProgram } from "../testkit/programs/command-line.ts";

describe("store/read-ahead", () => {
  let folder: string;

  before(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "fk-ahead-"));
  });

  after(() => fs.rm(folder, { recursive: true }));

  for (const size of [0, 1, 1024 * 1024, 1024 * 1024 + 1, 5_000_000]) {
    it(`reads and hashes ${size} bytes`, async () => {
      const file = join(folder, String(size));
      const bytes = createHash("shake256", { outputLength: size }).update("ahead").digest();
      await fs.writeFile(file, bytes);
      const found = await new ReadAhead(file, 5_000_000).found;
      expect(found?.bytes.equals(bytes)).to.equal(true);
      expect(found?.sha256.digest("hex")).to.equal(createHash("sha256").update(bytes).digest("hex"));
    });
  }

  it("gives up at what is not there, too large, a folder, and leaves a pipe alone", async () => {
    const large = join(folder, "large");
    await fs.writeFile(large, "12345");
    const pipe = join(folder, "pipe");
    await runProgram("mkfifo", [pipe]);
    for (const path of [join(folder, "missing"), large, folder, pipe]) {
      expect(await new ReadAhead(path, 4).found, path).to.equal(undefined);
    }
  });
});
