import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { bytesOf, piecesOf } from "../../src/content.ts";
import { orRefusal } from "../../src/error.ts";
import { HashedFile } from "../../src/files/hashed-file.ts";
import { runProgram } from "../testkit/programs/command-line.ts";

const opened = (found: ReturnType<typeof HashedFile.hold>): HashedFile => {
  if ("problem" in found) throw new Error(found.problem);
  return found;
};

describe("store/hashed-file", () => {
  let folder: string;

  before(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "fk-hashed-"));
  });

  after(() => fs.rm(folder, { recursive: true }));

  for (const size of [0, 1, 128 * 1024, 128 * 1024 + 1, 1_000_000]) {
    it(`reads and hashes ${size} bytes`, async () => {
      const path = join(folder, String(size));
      const bytes = createHash("shake256", { outputLength: size }).update("hashed").digest();
      await fs.writeFile(path, bytes);
      const held = opened(HashedFile.hold(path));
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
      const [held, read] = [opened(HashedFile.hold(path)), opened(HashedFile.read(path, bytes.length))];
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
    const files = Array.from({ length: 50 }, () => opened(HashedFile.hold(path)));
    expect((await fs.readdir("/proc/self/fd")).length).to.be.lessThan(before + 10);
    await fs.writeFile(path, "other");
    for (const file of files) expect(Buffer.from(bytesOf(file)).toString()).to.equal("small");
  });

  it("gives up at what is too large or a folder, and leaves a pipe alone", async () => {
    const large = join(folder, "large");
    await fs.writeFile(large, "12345");
    const pipe = join(folder, "pipe");
    await runProgram("mkfifo", [pipe]);
    expect(HashedFile.read(large, 4)).to.have.property("problem");
    for (const path of [folder, pipe]) {
      expect(HashedFile.hold(path), path).to.have.property("problem");
      expect(HashedFile.read(path, 4), path).to.have.property("problem");
    }
    expect(() => HashedFile.hold(join(folder, "missing"))).to.throw("ENOENT");
  });
});
