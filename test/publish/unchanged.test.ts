// What publish does where nothing changed: it goes by the record, and takes the long way wherever the record is not proof.
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { type Keeper, openArchive } from "../../src/index.ts";
import type { MadeRecord } from "../../src/publish/published-record.ts";
import { addKey, archiveUserId, packageOf, published } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { pkgsrcPackage } from "../testkit/packages/pkgsrc-package.ts";
import { leftovers, snapshot } from "../testkit/snapshot.ts";

const feeds = ["feeds/base", "All", "dists/stable"] as const;

describe("publishing what has not changed", function () {
  this.timeout(60_000);
  let folder: string;
  let keeper: Keeper;
  let record: string;

  const file = (name: string) => join(folder, "site", name);
  const write = async (name: string, data: string | Uint8Array) => {
    await fs.mkdir(dirname(file(name)), { recursive: true });
    await fs.writeFile(file(name), data);
  };

  before(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "feedkey-unchanged-"));
    const key = await addKey(join(folder, "home"));
    await write("feeds/base/alpha_1.0-1_all.ipk", packageOf("alpha"));
    await write("pool/alpha_1.0-1_all.deb", packageOf("alpha"));
    await write("All/alpha-1.0.tgz", pkgsrcPackage({ name: "alpha-1.0" }));
    const lines = ["[archive]", "root = site", `user-id = ${archiveUserId}`, `key = ${key}`];
    lines.push("[feed base]", "format = opkg", "path = feeds/base");
    lines.push("[feed All]", "format = pkgsrc", "path = All", "compress = gz, zst");
    lines.push("[feed stable]", "format = apt", "path = dists/stable", "packages = pool", "components = main");
    await fs.writeFile(join(folder, "archive.ini"), `${[...lines, "architectures = amd64"].join("\n")}\n`);
    const at = published;
    keeper = await openArchive({ config: join(folder, "archive.ini"), home: join(folder, "home"), at });
    await keeper.publish();
    // A file that has just changed is read again by the next run.
    await setTimeout(2100);
    await keeper.publish();
    const [place = ""] = await fs.readdir(join(folder, "home/archives"));
    record = join(folder, "home/archives", place, "published.json");
  });

  after(() => fs.rm(folder, { recursive: true, force: true }));

  type Made = Record<string, MadeRecord>;

  /** Writes into the record that the feeds have 77 packages: who says so goes by the record. */
  async function mark(change: (made: Made) => void = () => undefined): Promise<void> {
    const document = JSON.parse(await fs.readFile(record, "utf8")) as { made: Made };
    for (const path of feeds) document.made[path] = { ...(document.made[path] as MadeRecord), packages: 77 };
    change(document.made);
    await fs.writeFile(record, JSON.stringify(document));
  }

  const counts = async (from = keeper) => (await from.publish()).plans.map(({ packages }) => packages);

  it("goes by the record, whatever the format", async () => {
    const before = await snapshot(file("."));
    await mark();
    const { plans } = await keeper.publish();
    expect(plans.map(({ packages, writes, removes, sign }) => ({ packages, writes, removes, sign }))).to.deep.equal(
      feeds.map(() => ({ packages: 77, writes: [], removes: [], sign: undefined })),
    );
    expect(await snapshot(file("."))).to.deep.equal(before);
  });

  it("removes the temporary files that killed runs left in its folders", async () => {
    const folders = ["feeds/base", "All", "dists/stable", "dists/stable/main/binary-amd64", "keys"];
    const left = folders.map((name) => file(`${name}/.feedkey-766e0624-1-0bfc8dad1b5dfbfd24be80f3.tmp`));
    for (const path of left) await fs.writeFile(path, "");
    await keeper.publish({ dryRun: true });
    expect(await leftovers(join(folder, "site"))).to.have.length(left.length);
    await keeper.publish();
    expect(await leftovers(join(folder, "site"))).to.deep.equal([]);
  });

  it("makes a file again that is missing, or is another, though it be the same index", async () => {
    const list = "dists/stable/main/binary-amd64/Packages";
    const files = [
      ["feeds/base/Packages", 0],
      ["feeds/base/Packages.gz", 0],
      ["All/pkg_summary.gz", 1],
      ["All/pkg_summary.zst", 1],
      [list, 2],
      [`${list}.xz`, 2],
    ] as const;
    for (const [name, of] of files) {
      const right = await fs.readFile(file(name));
      for (const wrong of [undefined, gzipSync("Package: evil\n\n"), right.subarray(0, -1)]) {
        await mark();
        await (wrong === undefined ? fs.rm(file(name)) : fs.writeFile(file(name), wrong));
        const expected = feeds.map((_, place) => (place === of ? 1 : 77));
        expect(await counts(), name).to.deep.equal(expected);
        expect((await fs.readFile(file(name))).equals(right), name).to.equal(true);
      }
    }
  });

  it("signs again by the record alone what is not signed, or not for long enough", async () => {
    const signatures = ["feeds/base/Packages.sig", "All/pkg_summary.gz.asc", "dists/stable/InRelease"];
    const right = await Promise.all(signatures.map((name) => fs.readFile(file(name))));
    await mark();
    for (const name of signatures) await fs.rm(file(name));
    expect(await counts()).to.deep.equal([77, 77, 77]);
    for (const name of signatures) expect((await fs.stat(file(name))).isFile()).to.equal(true);
    // Half of 14 days later.
    const later = await openArchive({ config: join(folder, "archive.ini"), home: join(folder, "home"), at: day(18) });
    await mark();
    const { plans } = await later.publish();
    expect(plans.map(({ packages, sign }) => [packages, sign !== undefined])).to.deep.equal(
      feeds.map(() => [77, true]),
    );
    for (const [place, name] of signatures.entries()) {
      expect((await fs.readFile(file(name))).equals(right[place] ?? Buffer.alloc(0)), name).to.equal(false);
    }
    keeper = later;
  });

  it("makes the index again where the record does not say what it was made of", async () => {
    for (const change of [
      (made: Made) => void delete made["feeds/base"],
      (made: Made) => void Object.assign(made["feeds/base"] ?? {}, { from: "0".repeat(64) }),
      (made: Made) => void Object.assign(made["feeds/base"] ?? {}, { files: [7] }),
      (made: Made) => void Object.assign(made["feeds/base"] ?? {}, { notes: undefined }),
    ]) {
      await mark(change);
      expect(await counts()).to.deep.equal([1, 77, 77]);
    }
  });

  it("makes the index again where a package or the settings changed, or one can't be told from the other", async () => {
    await mark();
    await fs.utimes(file("feeds/base/alpha_1.0-1_all.ipk"), new Date(0), new Date(0));
    expect((await counts())[0]).to.equal(1);
    await mark();
    await write("feeds/base/bad.ipk", "!<arch>\n");
    expect((await keeper.publish({ skipBad: true, partial: true })).plans[0]?.packages).to.equal(1);
    await fs.rm(file("feeds/base/bad.ipk"));
    await mark();
    const config = await fs.readFile(join(folder, "archive.ini"), "utf8");
    await fs.writeFile(join(folder, "archive.ini"), config.replace("gz, zst", "gz, xz"));
    expect((await counts())[1]).to.equal(1);
    expect((await fs.readdir(file("All"))).includes("pkg_summary.zst")).to.equal(false);
    await fs.rm(
      join(dirname(record), (await fs.readdir(dirname(record))).find((name) => name.endsWith(".cache")) ?? ""),
    );
    await mark();
    expect((await counts()).includes(1)).to.equal(true);
  });
});
