import * as fs from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { scanPackages } from "../../src/publish/scan/scan.ts";
import { isSettled, loadScanCache, saveScanCache } from "../../src/publish/scan/scan-cache.ts";
import type { CachedPackage, ScanCache } from "../../src/publish/scan/scan-cache-format.ts";
import { deb, debOf } from "../testkit/packages/build-package.ts";
import { skipUnlessRoot } from "../testkit/programs/present.ts";
import { refusalOf } from "../testkit/refusal.ts";
import { ScanFolder } from "./scan-folder.ts";

/** A clock so far ahead that files written just now are settled. */
const later = () => Date.now() + 60_000;

/** The cache with another digest in each entry: what is taken from it can be told from what was read. */
function marked(cache: ScanCache): ScanCache {
  const mark = ({ identity, scanned }: CachedPackage) => ({
    identity,
    scanned: { ...scanned, sha256: "0".repeat(64) },
  });
  return new Map([...cache].map(([path, entry]) => [path, mark(entry)]));
}

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

  const scan = (cache?: ScanCache) => scanPackages(folder.path, { now: later(), ...(cache && { cache }) });
  const readAgain = async (cache: ScanCache) => {
    const { packages } = await scan(marked(cache));
    return packages.filter(({ sha256 }) => sha256 !== "0".repeat(64)).map(({ path }) => path);
  };

  describe("in a scan", () => {
    it("spares the reading of packages that did not change", async () => {
      for (let index = 0; index < 20; index += 1) folder.write(`${index}.deb`, deb());
      const { cache } = await scan();
      expect(cache.size).to.equal(20);
      folder.write("new.deb", deb());
      expect(await readAgain(cache)).to.deep.equal(["new.deb"]);
    });

    it("gives what a first scan gives", async () => {
      for (const name of ["b.deb", "a.deb"]) folder.write(name, debOf(`Package: ${name}\nVersion: 1\n`));
      folder.write("bad.deb", "x");
      const first = await scan();
      await saveScanCache(file, first.cache);
      const second = await scan(await loadScanCache(file));
      expect(second.packages.map(plain)).to.deep.equal(first.packages.map(plain));
      expect(second.bad.map(({ path }) => path)).to.deep.equal(["bad.deb"]);
    });

    it("does not hide a change of content, of times or of the file itself", async () => {
      const same = folder.write("same.deb", deb());
      const times = folder.write("times.deb", deb());
      const other = folder.write("other.deb", deb());
      folder.write("kept.deb", deb());
      const { cache } = await scan();
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
      expect((await scan()).cache.size).to.equal(0);
    });

    it("forgets packages that are gone", async () => {
      folder.write("a.deb", deb());
      const gone = folder.write("gone.deb", deb());
      const { cache } = await scan();
      fs.rmSync(gone);
      const next = await scan(cache);
      expect([...next.cache.keys()]).to.deep.equal(["a.deb"]);
    });

    it("is the same object when nothing changed, and only then", async () => {
      folder.write("a.deb", deb());
      const { cache } = await scan();
      expect((await scan(cache)).cache).to.equal(cache);
      folder.write("b.deb", deb());
      expect((await scan(cache)).cache).to.not.equal(cache);
      fs.rmSync(join(folder.path, "a.deb"));
      expect((await scan(cache)).cache).to.not.equal(cache);
    });

    it("leaves out files that changed in the last two seconds before the scan", async () => {
      folder.write("a.deb", deb());
      expect((await scanPackages(folder.path)).cache.size).to.equal(0);
      const at = 1_700_000_000_000;
      const identity = (modified: number, changed: number) => ({
        size: 1n,
        modifiedNs: BigInt(modified) * 1_000_000n,
        changedNs: BigInt(changed) * 1_000_000n,
        inode: 1n,
      });
      expect(isSettled(identity(at - 2001, at - 2001), at)).to.equal(true);
      expect(isSettled(identity(at - 2000, at - 2001), at)).to.equal(false);
      expect(isSettled(identity(at - 2001, at - 2000), at)).to.equal(false);
      expect(isSettled(identity(at + 9000, at - 9000), at)).to.equal(false);
    });
  });

  describe("on the disk", () => {
    const entry = fc.record({
      path: fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }),
      size: fc.nat(),
      modifiedNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
      changedNs: fc.bigInt({ min: 0n, max: 2n ** 62n }),
      inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      md5: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      name: fc.string({ unit: "grapheme" }),
      version: fc.string(),
      architecture: fc.string({ maxLength: 9 }),
      own: fc.uint8Array({ maxLength: 100 }),
    });
    const cacheOf = (entries: readonly (typeof entry extends fc.Arbitrary<infer Each> ? Each : never)[]): ScanCache =>
      new Map(
        entries.map(({ path, size, modifiedNs, changedNs, inode, sha256, md5, ...words }) => {
          const digests = { sha256: Buffer.from(sha256).toString("hex"), md5: Buffer.from(md5).toString("hex") };
          const identity = { size: BigInt(size), modifiedNs, changedNs, inode };
          return [path, { identity, scanned: { path, size, ...digests, ...words } }];
        }),
      );

    it("comes back as it was saved", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(entry, { maxLength: 8 }), async (entries) => {
          const cache = cacheOf(entries);
          await saveScanCache(file, cache);
          expect(shown(await loadScanCache(file))).to.deep.equal(shown(cache));
        }),
        { numRuns: 50 },
      );
    });

    it("is for nobody else to read, and leaves nothing beside it", async () => {
      await saveScanCache(file, new Map());
      expect(fs.statSync(file).mode & 0o777).to.equal(0o600);
      expect(fs.readdirSync(store.path)).to.deep.equal(["scan.cache"]);
    });

    it("cannot be saved where there is no folder", async () => {
      expect((await refusalOf(() => saveScanCache(join(store.path, "none", "c"), new Map()))).code).to.equal("output");
    });

    it("is empty where there is none", async () => {
      expect((await loadScanCache(file)).size).to.equal(0);
    });

    describe("is ignored as a whole", () => {
      let good: Buffer;
      beforeEach(async () => {
        folder.write("a.deb", deb());
        folder.write("b.deb", deb());
        await saveScanCache(file, (await scan()).cache);
        good = fs.readFileSync(file);
        expect((await loadScanCache(file)).size).to.equal(2);
      });

      const expectIgnored = async () => expect((await loadScanCache(file)).size).to.equal(0);

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

const plain = <Item extends { readonly own: Uint8Array }>(item: Item) => ({
  ...item,
  own: Buffer.from(item.own).toString("hex"),
});
const shown = (cache: ScanCache) =>
  [...cache].map(([path, { identity, scanned }]) => ({ path, identity, scanned: plain(scanned) }));
