import * as fs from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { Spool } from "../../src/files/spool.ts";
import { type ScanResult, scanPackages, walkPackages } from "../../src/publish/scan/scan.ts";
import { batchOf } from "../../src/publish/scan/scan-batch.ts";
import { isSettled, ScanCache, saveScanCache } from "../../src/publish/scan/scan-cache.ts";
import { ScanTable } from "../../src/publish/scan/scan-table.ts";
import { FoundPackages } from "../../src/publish/scan/scan-walk.ts";
import { deb, debOf } from "../testkit/packages/build-package.ts";
import { skipUnlessRoot } from "../testkit/programs/present.ts";
import { refusalOf } from "../testkit/refusal.ts";
import { ScanFolder } from "./scan-folder.ts";

/** A clock so far ahead that files written just now are settled. */
const later = () => Date.now() + 60_000;

describe("scan cache", () => {
  let folder: ScanFolder;
  let store: ScanFolder;
  let file: string;
  beforeEach(() => {
    folder = new ScanFolder();
    store = new ScanFolder();
    file = join(store.path, "scan.cache");
  });
  afterEach(() => {
    folder.remove();
    store.remove();
  });

  const scan = async (cache?: ScanCache, now = later()) => {
    const walked = walkPackages(folder.path, { now, cache });
    return { ...(await scanPackages(walked, new Spool(), { cache })), isKnown: walked.isKnown };
  };
  const packagesOf = ({ table }: ScanResult) =>
    table.rows.map((row) => ({ ...table.at(row), own: Buffer.from(table.at(row).own) }));
  const load = () => ScanCache.load(file) ?? expect.fail("the cache was not taken");
  const save = async ({ table, settled }: ScanResult) => {
    await (await saveScanCache(file, table, settled)).saved;
    return load();
  };
  /** Saves it with another digest for each package: what is taken from it can be told from what was read. */
  const saveMarked = async (result: ScanResult) => {
    result.table.digests.fill(0);
    return await save(result);
  };
  const readAgain = async (cache: ScanCache) => {
    const packages = packagesOf(await scan(cache));
    return packages.filter(({ sha256 }) => sha256 !== "0".repeat(64)).map(({ path }) => path);
  };

  describe("in a scan", () => {
    it("spares the reading of packages that did not change", async () => {
      for (let index = 0; index < 20; index += 1) folder.write(`${index}.deb`, deb());
      const cache = await saveMarked(await scan());
      expect(cache.count).to.equal(20);
      folder.write("new.deb", deb());
      expect(await readAgain(cache)).to.deep.equal(["new.deb"]);
    });

    it("gives what a first scan gives", async () => {
      for (const name of ["b.deb", "a.deb"]) folder.write(name, debOf(`Package: ${name}\nVersion: 1\n`));
      folder.write("bad.deb", "x");
      const first = await scan();
      const second = await scan(await save(first));
      expect(packagesOf(second)).to.deep.equal(packagesOf(first));
      expect(second.bad.map(({ path }) => path)).to.deep.equal(["bad.deb"]);
    });

    it("does not hide a change of content, of times or of the file itself", async () => {
      const same = folder.write("same.deb", deb());
      const times = folder.write("times.deb", deb());
      const other = folder.write("other.deb", deb());
      folder.write("kept.deb", deb());
      const cache = await saveMarked(await scan());
      // Same size, and the time of modification put back.
      const { atime, mtime } = fs.statSync(same);
      fs.writeFileSync(same, deb());
      fs.utimesSync(same, atime, mtime);
      fs.utimesSync(times, new Date(0), new Date(0));
      fs.rmSync(other);
      folder.write("other.deb", deb());
      expect(await readAgain(cache)).to.deep.equal(["other.deb", "same.deb", "times.deb"]);
    });

    it("never keeps damaged packages", async () => {
      folder.write("bad.deb", "x");
      expect((await scan()).settled).to.deep.equal([]);
    });

    it("forgets packages that are gone", async () => {
      folder.write("a.deb", deb());
      const gone = folder.write("gone.deb", deb());
      const cache = await save(await scan());
      fs.rmSync(gone);
      const next = await save(await scan(cache));
      expect(next.count).to.equal(1);
      expect(await readAgain(await saveMarked(await scan(next)))).to.deep.equal([]);
    });

    it("is known to be the same when nothing changed, and only then", async () => {
      folder.write("a.deb", deb());
      const cache = await save(await scan());
      expect(await scan(cache)).to.include({ isKnown: true, isNew: false });
      folder.write("b.deb", deb());
      expect(await scan(cache)).to.include({ isKnown: false, isNew: true });
      fs.rmSync(join(folder.path, "a.deb"));
      expect(await scan(cache)).to.include({ isKnown: false, isNew: true });
      fs.rmSync(join(folder.path, "b.deb"));
      expect(await scan(cache)).to.include({ isKnown: false, isNew: true });
    });

    it("does not know a folder with a file that can't be read, though all others are as they were", async () => {
      folder.write("a.deb", deb());
      const cache = await save(await scan());
      folder.link("away.deb", "/etc/hosts");
      expect(await scan(cache)).to.include({ isKnown: false, isNew: false });
    });

    it("leaves out files that changed in the last two seconds before the scan", async () => {
      folder.write("a.deb", deb());
      expect((await scan(undefined, Date.now())).settled).to.deep.equal([]);
      const at = 1_700_000_000_000;
      const identity = (modified: number, changed: number) => ({ modified, changed });
      expect(isSettled(identity(at - 2001, at - 2001), at)).to.equal(true);
      expect(isSettled(identity(at - 2000, at - 2001), at)).to.equal(false);
      expect(isSettled(identity(at - 2001, at - 2000), at)).to.equal(false);
      expect(isSettled(identity(at + 9000, at - 9000), at)).to.equal(false);
    });
  });

  describe("on the disk", () => {
    const entry = fc.record({
      path: fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }).filter((path) => !path.includes("\n")),
      size: fc.nat(),
      modified: fc.double({ noNaN: true }),
      changed: fc.double({ noNaN: true }),
      inode: fc.nat(),
      sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      md5: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      name: fc.stringMatching(/^[!-~]+$/),
      version: fc.stringMatching(/^[!-~]+$/),
      architecture: fc.stringMatching(/^[!-~]*$/),
      own: fc.uint8Array({ minLength: 1, maxLength: 100 }),
    });

    it("comes back as it was saved", async () => {
      const entries = fc.uniqueArray(entry, { maxLength: 8, selector: ({ path }) => path });
      await fc.assert(
        fc.asyncProperty(entries, async (those) => {
          const paths = those.map(({ path }) => path);
          const numbers = those.flatMap(({ size, modified, changed, inode }) => [size, modified, changed, inode]);
          const found = new FoundPackages(folder.path, paths, Float64Array.from(numbers), new Map());
          const table = new ScanTable(found, new Spool());
          const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
          const scanned = those.map((one) => ({ ...one, sha256: hex(one.sha256), md5: hex(one.md5) }));
          table.add(batchOf([...those.keys()], scanned));
          const cache = await save({ table, settled: table.rows, bad: [], isNew: true });
          expect(cache.isOf(found)).to.equal(true);
          const again = new ScanTable(found, new Spool());
          again.texts.writeText("what is there before");
          cache.fill(again);
          const rows = (of: ScanTable) => of.rows.map((row) => ({ ...of.at(row), own: Buffer.from(of.at(row).own) }));
          expect(rows(again)).to.deep.equal(rows(table));
          cache.close();
        }),
        { numRuns: 50 },
      );
    });

    it("is for nobody else to read, and leaves nothing beside it", async () => {
      await save(await scan());
      expect(fs.statSync(file).mode & 0o777).to.equal(0o600);
      expect(fs.readdirSync(store.path)).to.deep.equal(["scan.cache"]);
    });

    it("cannot be saved where there is no folder", async () => {
      const { table } = await scan();
      expect((await refusalOf(() => saveScanCache(join(store.path, "none", "c"), table, []))).code).to.equal("output");
    });

    it("is empty where there is none", async () => {
      expect(ScanCache.load(file)).to.equal(undefined);
    });

    describe("is ignored as a whole", () => {
      let good: Buffer;
      let found: FoundPackages;
      beforeEach(async () => {
        folder.write("a.deb", deb());
        folder.write("b.deb", deb());
        expect((await save(await scan())).count).to.equal(2);
        good = fs.readFileSync(file);
        ({ found } = walkPackages(folder.path));
      });

      const expectIgnored = async () => {
        const cache = ScanCache.load(file);
        const filled = new ScanTable(found, new Spool());
        cache?.fill(filled);
        expect(filled.rows).to.deep.equal([]);
        cache?.close();
      };

      it("when any byte of it changed", async () => {
        for (let position = 0; position < good.length; position += 1) {
          const bytes = Buffer.from(good);
          bytes[position] = (bytes[position] ?? 0) ^ 1;
          fs.writeFileSync(file, bytes);
          await expectIgnored();
        }
      });

      it("when it was cut off or grew", async () => {
        for (const length of [0, 10, 21, 50, 53, good.length - 1]) {
          fs.writeFileSync(file, good.subarray(0, length));
          await expectIgnored();
        }
        fs.writeFileSync(file, Buffer.concat([good, Buffer.alloc(1)]));
        await expectIgnored();
      });

      it("when others could have written it", async () => {
        for (const mode of [0o620, 0o602]) {
          fs.chmodSync(file, mode);
          await expectIgnored();
        }
      });

      it("when it belongs to somebody else", async function () {
        skipUnlessRoot(this);
        fs.chownSync(file, 12345, 0);
        await expectIgnored();
      });

      it("when it is a link", async () => {
        fs.renameSync(file, `${file}.real`);
        fs.symlinkSync(`${file}.real`, file);
        await expectIgnored();
      });
    });
  });
});
