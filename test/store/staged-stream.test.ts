import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { commitStaged } from "../../src/files/atomic.ts";
import { stageStream } from "../../src/files/staged-stream.ts";
import { inScratch, refusal, run } from "../testkit/scratch.ts";

const endEarly = fileURLToPath(new URL("./end-early.js", import.meta.url));
const bytes = (text: string) => Buffer.from(text, "utf8");

describe("store/staged-stream", () => {
  it("counts what it writes and gives the final name only at the commit", () =>
    inScratch(async (folder) => {
      const path = join(folder, "tiny.ipk");
      const stream = await stageStream(path, { mode: 0o644 });
      await stream.write(bytes("one "));
      await stream.write(bytes("two"));
      await stream.write(new Uint8Array());
      expect(stream.bytes).to.equal(7);
      expect(dirname(stream.temporary)).to.equal(folder);
      expect(await fs.readdir(folder)).to.not.include("tiny.ipk");
      await stream.commit();
      expect(await fs.readFile(path, "utf8")).to.equal("one two");
      expect((await fs.stat(path)).mode & 0o777).to.equal(0o644);
      expect(await fs.readdir(folder)).to.deep.equal(["tiny.ipk"]);
    }));

  it("can be committed later together with others", () =>
    inScratch(async (folder) => {
      const streams = await Promise.all(["a", "b"].map((name) => stageStream(join(folder, name))));
      const staged = [];
      for (const stream of streams) {
        await stream.write(bytes(stream.path));
        staged.push(await stream.finish());
      }
      await commitStaged(staged);
      expect((await fs.readdir(folder)).sort()).to.deep.equal(["a", "b"]);
    }));

  it("leaves nothing when discarded, also twice and half-written", () =>
    inScratch(async (folder) => {
      const stream = await stageStream(join(folder, "a"));
      await stream.write(bytes("half"));
      await stream.discard();
      await stream.discard();
      expect(await fs.readdir(folder)).to.deep.equal([]);
    }));

  it("refuses to go on after it was discarded", () =>
    inScratch(async (folder) => {
      const stream = await stageStream(join(folder, "a"));
      await stream.discard();
      expect((await refusal(stream.write(bytes("more")))).code).to.equal("output");
      expect((await refusal(stream.commit())).code).to.equal("output");
      expect(await fs.readdir(folder)).to.deep.equal([]);
    }));

  it("replaces a link at the final name, wherever it leads", () =>
    inScratch(async (folder) => {
      await fs.mkdir(join(folder, "out"));
      await fs.writeFile(join(folder, "victim"), "precious");
      await fs.symlink("../victim", join(folder, "out", "a"));
      const stream = await stageStream(join(folder, "out", "a"), { within: join(folder, "out") });
      await stream.write(bytes("new"));
      await stream.commit();
      expect(await fs.readFile(join(folder, "victim"), "utf8")).to.equal("precious");
      expect(await fs.readFile(join(folder, "out", "a"), "utf8")).to.equal("new");
    }));

  it("makes missing folders below the output folder", () =>
    inScratch(async (folder) => {
      const out = join(folder, "out");
      const stream = await stageStream(join(out, "pool", "base", "a"), { within: out });
      await stream.write(bytes("x"));
      await stream.commit();
      expect(await fs.readFile(join(out, "pool", "base", "a"), "utf8")).to.equal("x");
    }));

  it("follows a link that stays inside the output folder, and an output folder that is a link itself", () =>
    inScratch(async (folder) => {
      await fs.mkdir(join(folder, "real", "pool-1"), { recursive: true });
      await fs.symlink("pool-1", join(folder, "real", "pool"));
      await fs.symlink("real", join(folder, "out"));
      const stream = await stageStream(join(folder, "out", "pool", "a"), { within: join(folder, "out") });
      await stream.commit();
      expect(await fs.readdir(join(folder, "real", "pool-1"))).to.deep.equal(["a"]);
    }));

  for (const [what, target] of [
    ["leads out", "../elsewhere"],
    ["leads to a folder whose name only begins like the output folder's", "../out-2"],
    ["leads nowhere", "../missing"],
    ["leads to itself", "pool"],
  ] as const) {
    it(`refuses a folder below the output folder that is a link and ${what}`, () =>
      inScratch(async (folder) => {
        const out = join(folder, "out");
        for (const name of ["out", "elsewhere", "out-2"]) await fs.mkdir(join(folder, name));
        await fs.symlink(target, join(out, "pool"));
        const error = await refusal(stageStream(join(out, "pool", "deep", "a"), { within: out }));
        expect(error.code).to.equal("bad_path");
        expect(error.message).to.equal(`"${join(out, "pool", "deep")}" leads out of the output folder "${out}"`);
        expect(await fs.readdir(join(folder, "elsewhere"))).to.deep.equal([]);
        expect(await fs.readdir(join(folder, "out-2"))).to.deep.equal([]);
        expect(await fs.readdir(folder)).to.not.include("missing");
      }));
  }

  it("refuses a path that climbs out of the output folder", () =>
    inScratch(async (folder) => {
      const out = join(folder, "out");
      const error = await refusal(stageStream(`${out}/../elsewhere/a`, { within: out }));
      expect(error.code).to.equal("bad_path");
      expect(await fs.readdir(folder)).to.deep.equal([]);
    }));

  it("says which folder cannot be made", () =>
    inScratch(async (folder) => {
      await fs.writeFile(join(folder, "pool"), "a file");
      const error = await refusal(stageStream(join(folder, "pool", "base", "a"), { within: folder }));
      expect(error.code).to.equal("output");
      expect(error.message).to.equal(
        `cannot write "${join(folder, "pool", "base")}": a part of the path is not a folder`,
      );
    }));

  for (const how of ["SIGINT", "SIGTERM", "SIGHUP", "exit"]) {
    it(`leaves no temporary file behind when the program ends by ${how}`, () =>
      inScratch(async (folder) => {
        const { status, stderr } = await run(process.execPath, [endEarly, folder, how]);
        expect(status, stderr).to.equal(how === "exit" ? 3 : null);
        expect(await fs.readdir(folder)).to.deep.equal(["done"]);
      }));
  }
});
