import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { bytesOf, piecesOf } from "../../src/content.ts";
import { orRefusal } from "../../src/error.ts";
import { HashedFile, HeldFiles } from "../../src/files/hashed-file.ts";
import { runProgram } from "../testkit/programs/command-line.ts";

const opened = (found: ReturnType<typeof HashedFile.read>): HashedFile => {
  if ("problem" in found) throw new Error(found.problem);
  return found;
};

describe("store/hashed-file", () => {
  let folder: string;
  const files = new HeldFiles();
  afterEach(() => files.close());

  before(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "fk-hashed-"));
  });

  after(() => fs.rm(folder, { recursive: true }));

  for (const size of [0, 1, 128 * 1024, 128 * 1024 + 1, 1_000_000]) {
    it(`reads and hashes ${size} bytes`, async () => {
      const path = join(folder, String(size));
      const bytes = createHash("shake256", { outputLength: size }).update("hashed").digest();
      await fs.writeFile(path, bytes);
      const held = opened(files.open(path));
      for (const file of [held, opened(HashedFile.read(path, size))]) {
        expect(Buffer.from(bytesOf(file)).equals(bytes)).to.equal(true);
        expect(file.sha256.digest("hex")).to.equal(createHash("sha256").update(bytes).digest("hex"));
        for (const from of [0, 1, 128 * 1024 - 1, 128 * 1024, size - 1, size].filter((at) => at >= 0 && at <= size)) {
          const rest = Buffer.concat(Array.from(piecesOf(file, from), (piece) => Buffer.from(piece)));
          expect(rest.equals(bytes.subarray(from)), String(from)).to.equal(true);
        }
      }
      await fs.rm(path);
      expect(Buffer.from(bytesOf(held)).equals(bytes)).to.equal(true);
    });
  }

  it("gives no byte of a file that has changed since, or is shorter", async () => {
    const path = join(folder, "changed");
    const bytes = Buffer.alloc(300_000, "x");
    for (const change of [Buffer.concat([bytes.subarray(1), Buffer.from("y")]), bytes.subarray(1)]) {
      await fs.writeFile(path, bytes);
      const [held, read] = [opened(files.open(path)), opened(HashedFile.read(path, bytes.length))];
      await fs.writeFile(path, change);
      for (const file of [held, read]) {
        const seen: string[] = [];
        const error = await orRefusal(() => {
          for (const piece of file.pieces()) seen.push(piece.toString());
        });
        expect(error).to.include({ code: "locked" });
        expect(seen.join("")).to.match(/^x*$/);
      }
    }
  });

  it("does not keep small files open", async () => {
    const path = join(folder, "small");
    await fs.writeFile(path, "small");
    const before = (await fs.readdir("/proc/self/fd")).length;
    const small = Array.from({ length: 50 }, () => opened(files.open(path)));
    expect((await fs.readdir("/proc/self/fd")).length).to.be.lessThan(before + 10);
    await fs.writeFile(path, "other");
    for (const file of small) expect(Buffer.from(bytesOf(file)).toString()).to.equal("small");
  });

  it("keeps only so many large files open, and can still read the others", async () => {
    const path = join(folder, "many");
    const bytes = Buffer.alloc(300_000, "x");
    await fs.writeFile(path, bytes);
    const before = (await fs.readdir("/proc/self/fd")).length;
    const many = Array.from({ length: 300 }, () => opened(files.open(path)));
    expect((await fs.readdir("/proc/self/fd")).length).to.be.within(before + 60, before + 70);
    for (const file of many) expect(Buffer.from(bytesOf(file)).equals(bytes)).to.equal(true);
  });

  it("reads a closed file only if it is unchanged, even in the middle", async () => {
    const path = join(folder, "closed");
    const bytes = Buffer.alloc(500_000, "x");
    const middle = async (change: () => Promise<void>) => {
      await fs.writeFile(path, bytes);
      const file = opened(files.open(path));
      const pieces = file.pieces();
      pieces.next();
      files.close();
      await change();
      return await orRefusal(
        () => 128 * 1024 + bytesOf({ length: file.length - 128 * 1024, pieces: () => pieces }).length,
      );
    };
    expect(await middle(async () => undefined)).to.equal(bytes.length);
    expect(await middle(() => fs.writeFile(path, bytes.fill("y", 400_000)))).to.include({ code: "locked" });
    const linked = await middle(() => fs.rename(path, `${path}.moved`).then(() => fs.symlink(`${path}.moved`, path)));
    expect(linked).to.include({ code: "locked" });
    await fs.rm(path);
    const gone = await middle(() => fs.rm(path));
    expect(gone).to.include({ code: "not_found" });
    expect(String((gone as Error).message)).to.equal(`${path} can't be read`);
  });

  it("gives up at what is too large or a folder, and leaves a pipe alone", async () => {
    const large = join(folder, "large");
    await fs.writeFile(large, "12345");
    const pipe = join(folder, "pipe");
    await runProgram("mkfifo", [pipe]);
    expect(HashedFile.read(large, 4)).to.have.property("problem");
    for (const path of [folder, pipe]) {
      expect(files.open(path), path).to.have.property("problem");
      expect(HashedFile.read(path, 4), path).to.have.property("problem");
    }
    expect(() => files.open(join(folder, "missing"))).to.throw("ENOENT");
  });
});
