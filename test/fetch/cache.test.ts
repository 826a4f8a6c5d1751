/** A cache of packages that several runs share: verified when it is read, and bounded. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type CacheOptions, openClient } from "../../src/index.ts";
import { hour, inUse, packageOf, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { leftovers } from "../testkit/snapshot.ts";

const at = published + 2 * hour;

/** Fetches both packages into an empty folder. @returns which the server was asked for, and the warnings */
async function fetchInto(archive: TestArchive, name: string, cache: CacheOptions) {
  const { profile, state: stateFolder } = archive;
  const asked = archive.mirror.asked.length;
  await using client = await openClient({ profile, stateFolder, at });
  const folder = join(archive.folder, name);
  const { packages, warnings } = await client.fetchAll(["alpha", "beta"], { folder, cache });
  for (const one of packages) expect(await fs.readFile(one.path, "latin1")).to.match(/^!<arch>/);
  const names = archive.mirror.asked.slice(asked).flatMap((path) => /([a-z]+)_[^/]*ipk$/.exec(path)?.[1] ?? []);
  return { asked: names.sort(), warnings };
}

describe("the cache of packages", () => {
  it("serves what is in it to every run; what is damaged, or is no file, is downloaded again", async () => {
    await inUse(async (archive) => {
      const folder = join(archive.folder, "cache");
      const cache = { folder };
      expect(await fetchInto(archive, "one", cache)).to.deep.equal({ asked: ["alpha", "beta"], warnings: [] });
      const runs = await Promise.all(["two", "three", "four"].map((name) => fetchInto(archive, name, cache)));
      expect(runs.map(({ asked }) => asked)).to.deep.equal([[], [], []]);
      const names = await fs.readdir(folder);
      expect(names).to.have.length(2);
      const [first = "", second = ""] = names.map((name) => join(folder, name));
      const bytes = await fs.readFile(first);
      await fs.writeFile(first, Buffer.from(bytes).fill(1, 9, 10));
      await fs.truncate(second, 100);
      const damaged = await fetchInto(archive, "five", cache);
      expect(damaged.asked).to.deep.equal(["alpha", "beta"]);
      expect(damaged.warnings.filter((text) => /in the cache is damaged/.test(text))).to.have.length(2);
      expect((await fs.readFile(first)).equals(bytes)).to.equal(true);
      await fs.rm(first);
      await fs.symlink(join(archive.folder, "one", "alpha_1.0-1_all.ipk"), first);
      expect((await fetchInto(archive, "six", cache)).asked).to.have.length(1);
      expect(await leftovers(archive.folder)).to.deep.equal([]);
    });
  });

  it("has no more bytes than it may: what was used last stays", async () => {
    await inUse(async (archive) => {
      const folder = join(archive.folder, "cache");
      await fs.mkdir(folder);
      const old = join(folder, "0".repeat(64));
      await fs.writeFile(old, Buffer.alloc(1000));
      await fs.utimes(old, 0, 0);
      await fs.writeFile(join(folder, "notes"), "mine");
      const maxBytes = packageOf("alpha").length + packageOf("beta", "2.0-1").length;
      await fetchInto(archive, "one", { folder, maxBytes });
      expect((await fs.readdir(folder)).filter((name) => name === "0".repeat(64))).to.deep.equal([]);
      expect((await fetchInto(archive, "two", { folder, maxBytes })).asked).to.deep.equal([]);
      await fetchInto(archive, "three", { folder, maxBytes: maxBytes - 1 });
      expect(await fs.readdir(folder))
        .to.have.length(2)
        .and.include("notes");
      await fetchInto(archive, "four", { folder, maxBytes: 1 });
      expect(await fs.readdir(folder)).to.deep.equal(["notes"]);
    });
  });

  it("that takes nothing more is a warning, and the packages come", async () => {
    await inUse(async (archive) => {
      const folder = join(archive.folder, "cache");
      // A folder in the place of a file can't be replaced.
      const { packages } = await (async () => {
        await using client = await openClient({ profile: archive.profile, stateFolder: archive.state, at });
        return await client.fetchAll(["alpha"], { folder: join(archive.folder, "one") });
      })();
      await fs.mkdir(join(folder, packages[0]?.sha256 ?? "", "inside"), { recursive: true });
      const { asked, warnings } = await fetchInto(archive, "two", { folder });
      expect(asked).to.deep.equal(["alpha", "beta"]);
      expect(warnings.join()).to.match(/no more packages are stored in the cache/);
      expect(await leftovers(archive.folder)).to.deep.equal([]);
    });
  });
});
