// A suite of apt's, made by `publish` from a pool of packages, and followed by feedkey's client.
import * as fs from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { readRelease } from "../../src/formats/apt/release.ts";
import { decompress } from "../../src/packages/compression/compression.ts";
import { day } from "../testkit/dates.ts";
import { oldIpk } from "../testkit/packages/build-package.ts";
import { snapshot } from "../testkit/snapshot.ts";
import { debNamed, type Pool, usual, withPool } from "./pool.ts";
import { hash } from "./suite.ts";

const main = "main/binary-amd64";

describe("publishing a suite of apt's", function () {
  this.timeout(60_000);

  it("makes lists, by name and by digest, a Release file and its signatures, and clients fetch by them", async () => {
    await withPool(async (pool) => {
      await pool.add("alpha");
      await pool.add("beta", "2.0", "all");
      const feed = await pool.publish(day(10));
      expect(feed).to.deep.include({ packages: 2, changed: true, removes: [], signed: "the index changes" });
      expect(feed.changes).to.deep.equal(["+ alpha 1.0 amd64", "+ beta 2.0 all"]);
      const release = readRelease(Buffer.from(await pool.read("Release")));
      const { files, ...said } = release;
      expect(said).to.deep.equal({
        ...{ suite: "stable", codename: undefined, origin: undefined, label: undefined, byHash: true },
        ...{ components: ["main"], architectures: ["amd64"], date: day(10), validUntil: day(24) },
      });
      const text = await pool.read(`${main}/Packages`);
      const unpacked = {
        "": Buffer.from,
        ".gz": gunzipSync,
        ".xz": (file: Buffer) => decompress(file, "xz", text.length),
      };
      expect([...files.keys()]).to.deep.equal(Object.keys(unpacked).map((form) => `${main}/Packages${form}`));
      for (const [form, unpack] of Object.entries(unpacked)) {
        const name = `${main}/Packages${form}`;
        const file = await fs.readFile(pool.path(`dists/stable/${name}`));
        expect(Buffer.from(await unpack(file)).toString(), name).to.equal(text);
        expect(files.get(name)).to.deep.equal({ size: file.length, sha256: hash(file) });
        const byHash = await fs.readFile(pool.path(`dists/stable/${main}/by-hash/SHA256/${hash(file)}`));
        expect(byHash.equals(file)).to.equal(true);
      }
      const deb = debNamed("alpha");
      expect(text.split("\n\n")[0]).to.equal(
        `Package: alpha\nVersion: 1.0\nArchitecture: amd64\nMaintainer: A. Keeper <keeper@example.org>\nDescription: alpha\n A longer text.\nFilename: pool/alpha_1.0_amd64.deb\nSize: ${deb.length}\nSHA256: ${hash(deb)}`,
      );
      await pool.accept(day(10), "update");
      expect(await pool.fetch(day(10), "alpha", "beta")).to.deep.equal(["alpha_1.0_amd64.deb", "beta_2.0_all.deb"]);
    });
  });

  const stable = (pool: Pool) => snapshot(pool.path("dists/stable"));

  it("writes nothing where nothing changed, and a later Release file and signatures when half of their time is over", async () => {
    await withPool(async (pool) => {
      await pool.add("alpha");
      await pool.publish(day(10));
      const before = await stable(pool);
      for (const at of [day(10), day(16)]) {
        expect(await pool.publish(at)).to.deep.include({ changed: false, writes: [], removes: [], signed: null });
      }
      expect(await stable(pool)).to.deep.equal(before);
      // Another key store of the archive, which has no record of it: the signature vouches for the Release file.
      await fs.rm(`${pool.folder}/home/archives`, { recursive: true });
      expect(await pool.publish(day(16))).to.deep.include({ changed: false });
      expect(await pool.publish(day(18))).to.deep.include({ writes: ["Release"], removes: [], changes: [] });
      expect(readRelease(Buffer.from(await pool.read("Release")))).to.include({ date: day(18), validUntil: day(32) });
      await pool.accept(day(30), "update");
      await pool.refuse("stale", day(33), "update");
      // Clients refuse a date that goes back: a run of the same second is dated after the one before.
      await pool.add("beta");
      await pool.publish(day(18));
      expect(readRelease(Buffer.from(await pool.read("Release"))).date).to.equal(day(18) + 1000);
      // What is good for longer than archive.ini says now is replaced.
      await pool.configure(usual, ["valid-for = 4d"]);
      expect((await pool.publish(day(18) + 2000)).writes).to.deep.equal(["Release"]);
    });
  });

  const byHash = `${main}/by-hash/SHA256`;
  const hashes = (pool: Pool) => fs.readdir(pool.path(`dists/stable/${byHash}`));

  it("keeps the lists of the generation before by their digests, and no older ones", async () => {
    await withPool(async (pool) => {
      const generations: string[][] = [];
      for (const [at, change] of [
        [day(10), () => pool.add("alpha")],
        [day(11), () => pool.add("beta")],
        [day(12), () => fs.rm(pool.path("pool/alpha_1.0_amd64.deb"))],
      ] as const) {
        await change();
        const before = await pool.read("InRelease").catch(() => undefined);
        const { changes } = await pool.publish(at);
        const { files } = readRelease(Buffer.from(await pool.read("Release")));
        const present = [...files.values()].map(({ sha256 = "" }) => sha256);
        generations.push(present);
        expect(await hashes(pool)).to.have.members([...(generations.at(-2) ?? []), ...present]);
        expect(changes).to.have.length(1);
        // A client that read the Release file a moment ago.
        if (before === undefined) continue;
        const now = await pool.read("InRelease");
        await pool.write("dists/stable/InRelease", before);
        await pool.accept(at, "update");
        await pool.write("dists/stable/InRelease", now);
        await pool.accept(at, "update");
      }
      expect(await pool.fetch(day(12), "beta")).to.have.length(1);
      await pool.refuse("not_found", day(12), "fetch", "-o", pool.folder, "alpha");
      // The same lists under a later date are a generation of their own, and an unchanged run is none.
      await pool.publish(day(13));
      expect(await hashes(pool)).to.have.length(6);
      await pool.publish(day(20));
      expect(await hashes(pool)).to.have.length(3);
    });
  });

  const wide = ["path = debian/dists/stable", "packages = debian/pool", "components = main contrib"];

  it("divides packages by the folder of the component and by architecture, those for all in each list", async () => {
    await withPool(
      async (pool) => {
        for (const [name, architecture, folder] of [
          ["alpha", "amd64", "main/a"],
          ["beta", "arm64", "main"],
          ["gamma", "all", "contrib/deep/er"],
        ] as const) {
          await pool.add(name, "1.0", architecture, `debian/pool/${folder}`);
        }
        expect(await pool.publish(day(10))).to.deep.include({ packages: 3 });
        const { files, ...said } = readRelease(
          Buffer.from(await fs.readFile(pool.path("debian/dists/stable/Release"))),
        );
        expect(files).to.have.length(4 * 3);
        expect(said).to.deep.include({ origin: "Example", label: "An Example", suite: "stable", codename: "trixie" });
        const list = async (name: string) => {
          const text = await fs.readFile(pool.path(`debian/dists/stable/${name}/Packages`), "utf8");
          return [...text.matchAll(/^Filename: (.*)$/gm)].map(([, path]) => path);
        };
        expect(await list(main)).to.deep.equal(["pool/main/a/alpha_1.0_amd64.deb"]);
        expect(await list("main/binary-arm64")).to.deep.equal(["pool/main/beta_1.0_arm64.deb"]);
        const gamma = "pool/contrib/deep/er/gamma_1.0_all.deb";
        for (const one of ["amd64", "arm64"]) expect(await list(`contrib/binary-${one}`)).to.deep.equal([gamma]);
        await pool.profile(["components = main, contrib", "architectures = amd64, arm64"], "debian");
        await pool.accept(day(10), "update");
        expect(await pool.fetch(day(10), "--all")).to.have.length(3);
      },
      [
        ...[...wide, "architectures = amd64, arm64", "origin = Example", "label = An Example", "codename = trixie"],
        ...["suite = stable", "description = Packages - of an example", "signed-by = yes"],
      ],
    );
  });

  it("leaves out what clients would not get, or refuses", async () => {
    const settings = [...wide, "architectures = amd64"];
    await withPool(async (pool) => {
      await pool.add("alpha", "1.0", "amd64", "debian/pool/main");
      const path = "debian/pool/main/wrong_1_amd64.deb";
      for (const [code, what, where, data] of [
        ["bad_package", "architecture", path, debNamed("wrong", "1.0", "i386")],
        ["bad_package", "architecture", path, debNamed("wrong", "1.0", "")],
        ["bad_package", "components", "debian/pool/other/wrong.deb", debNamed("wrong")],
        ["bad_package", "components", "debian/pool/wrong.deb", debNamed("wrong")],
        ["bad_package", "ar archive", path, oldIpk()],
        ["bad_package", "Version", path, debNamed("wrong", "1_0")],
        ["bad_package", "Package", path, debNamed("Wrong")],
        ["bad_path", "percent", "debian/pool/main/%2e.deb", debNamed("wrong")],
      ] as const) {
        await pool.write(where, data);
        expect(await pool.refuseToPublish(code, day(10))).to.contain(what);
        const { document } = await pool.tryKeep(day(10), "publish", "--skip-bad");
        expect(document.error?.code).to.equal("not_listed");
        await pool.profile(["components = main, contrib", "architectures = amd64"], "debian");
        await pool.accept(day(11), "update");
        await pool.refuse("not_found", day(11), "fetch", "-o", pool.folder, "wrong");
        await fs.rm(pool.path(where));
      }
      // One package twice, in whichever components.
      await pool.write("debian/pool/contrib/other.deb", debNamed("alpha", "1.0", "amd64", "Section: x\n"));
      expect(await pool.refuseToPublish("bad_package", day(12))).to.contain("alpha 1.0 amd64");
      await fs.rm(pool.path("debian/pool"), { recursive: true });
      await fs.mkdir(pool.path("debian/pool"));
      await pool.refuseToPublish("not_found", day(12));
      expect(await pool.publish(day(12), "--allow-empty")).to.deep.include({ packages: 0 });
      await pool.accept(day(12), "update", "--allow-empty");
    }, settings);
  });

  it("shows with --dry-run what it would do", async () => {
    await withPool(async (pool) => {
      await pool.add("alpha");
      const { writes } = await pool.publish(day(10), "--dry-run");
      expect(writes).to.have.length(7);
      expect(writes.map((name) => name.replace(/[0-9a-f]{64}/, "HEX"))).to.deep.equal([
        ...[0, 1, 2].map(() => `${byHash}/HEX`),
        ...["Packages", "Packages.gz", "Packages.xz"].map((name) => `${main}/${name}`),
        "Release",
      ]);
      await fs.access(pool.path("dists")).then(
        () => expect.fail("it wrote something"),
        () => undefined,
      );
    });
  });

  it("takes nothing over that somebody else wrote there, dates least of all", async () => {
    await withPool(async (pool) => {
      await pool.add("alpha");
      await pool.publish(day(10));
      const before = await stable(pool);
      for (const [name, change] of [
        ["Release", (text: string) => text.replace(/^Valid-Until: .*$/m, "Valid-Until: Sat, 28 Nov 2099 02:15:35 UTC")],
        ["Release", (text: string) => text.replace(/^Date: .*$/m, "Date: Sat, 28 Nov 2099 02:15:35 UTC")],
        [`${main}/Packages`, (text: string) => text.replace("alpha", "omega")],
        [`${main}/Packages.xz`, () => "x"],
      ] as const) {
        await pool.write(`dists/stable/${name}`, change(await pool.read(name)));
        await pool.publish(day(10) + 5000);
        const { validUntil = 0, date } = readRelease(Buffer.from(await pool.read("Release")));
        expect(validUntil - date).to.equal(day(14) - day(0));
        expect(date).to.be.lessThan(day(10) + 10_000);
        await pool.accept(day(11), "update");
        if (name === "Release") continue;
        const after = await stable(pool);
        expect(Object.keys(after)).to.deep.equal(Object.keys(before));
      }
      // No link is followed.
      await fs.rename(pool.path("dists/stable/main"), pool.path("dists/stable/moved"));
      await fs.symlink("moved", pool.path("dists/stable/main"));
      await pool.add("beta");
      await pool.refuseToPublish("bad_path", day(11));
    });
  });

  it("says which keys may sign the next one, where that is asked for", async () => {
    await withPool(async (pool) => {
      await pool.add("alpha");
      await pool.configure([...usual, "signed-by = yes"]);
      await pool.publish(day(10));
      expect(await pool.read("Release")).to.contain(`\nSigned-By: ${pool.key}\n`);
    });
  });

  it("is signed again as it is by a rotation, and clients follow", async () => {
    await withPool(async (pool) => {
      await pool.add("alpha");
      await pool.configure([...usual, "signed-by = yes"], ["keyservers = none"]);
      await pool.publish(day(10));
      await pool.accept(day(10), "update");
      const release = await pool.read("Release");
      const { successor } = await pool.keep(day(11), "rotate", "--backup", `${pool.folder}/safe`);
      await pool.keep(day(12), "rotate", "--finish", "--force");
      expect(await pool.read("Release")).to.equal(release);
      const said = await pool.accept(day(12), "update");
      const [feed] = said.feeds as { signatures: { certificate: string }[] }[];
      expect(feed?.signatures.map(({ certificate }) => certificate)).to.include(successor);
      expect(await pool.publish(day(12) + 5000)).to.deep.include({ writes: ["Release"] });
      expect(await pool.read("Release")).to.match(new RegExp(`^Signed-By: ${pool.key}, ${successor}$`, "m"));
      await pool.accept(day(13), "update");
      expect(await pool.fetch(day(13), "alpha")).to.have.length(1);
    });
  });
});
