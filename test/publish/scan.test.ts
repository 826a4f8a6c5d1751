import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { Spool } from "../../src/files/spool.ts";
import { type ScanOptions, scanPackages, walkPackages } from "../../src/publish/scan/scan.ts";
import { scanBatch, type ToScan } from "../../src/publish/scan/scan-batch.ts";
import { scanFile } from "../../src/publish/scan/scan-file.ts";
import { findPackages } from "../../src/publish/scan/scan-walk.ts";
import { Helper, shareOf, workTogether } from "../../src/threads.ts";
import { ar, CONTROL, controlTar, deb, debOf, oldIpk, VERSION } from "../testkit/packages/build-package.ts";
import { expectDamage } from "../testkit/packages/package-refusal.ts";
import { refusalOf } from "../testkit/refusal.ts";
import { ScanFolder } from "./scan-folder.ts";

const digest = (name: string, bytes: Uint8Array) => createHash(name).update(bytes).digest("hex");

describe("scanning packages", () => {
  let folder: ScanFolder;
  beforeEach(() => {
    folder = new ScanFolder();
  });
  afterEach(() => folder.remove());

  const scan = async (options?: ScanOptions) => {
    const { table, bad } = await scanPackages(walkPackages(folder.path, options), new Spool(), options);
    return { packages: table.rows.map((row) => table.at(row)), bad };
  };

  it("tells path, size, digests and control file of each package", async () => {
    folder.write("pool/a.deb", deb());
    const { packages, bad } = await scan();
    expect(bad).to.deep.equal([]);
    expect(packages).to.deep.equal([
      {
        path: "pool/a.deb",
        size: deb().length,
        sha256: digest("sha256", deb()),
        md5: digest("md5", deb()),
        name: "tiny",
        version: "1.0-1",
        architecture: "all",
        own: Buffer.from(CONTROL),
      },
    ]);
  });

  it("hashes files that are larger than one read", async () => {
    const control = { name: "control.tar.gz", data: gzipSync(controlTar()) };
    const large = ar([VERSION, control, { name: "data.tar", data: Buffer.alloc(2_500_001, "0123456789") }]);
    folder.write("large.deb", large);
    const { packages, bad } = await scan();
    expect(bad).to.deep.equal([]);
    expect(packages[0]?.sha256).to.equal(digest("sha256", large));
    expect(packages[0]?.md5).to.equal(digest("md5", large));
  });

  it("gives the same in threads as in the calling thread, in the same order", async () => {
    for (let index = 0; index < 40; index += 1)
      folder.write(`${index % 7}/p${index}.deb`, debOf(`Package: p${index}\nVersion: 1\n`));
    for (let index = 0; index < 5; index += 1) folder.write(`broken/b${index}.ipk`, oldIpk().subarray(0, 40 + index));
    const alone = await scan({ workers: 0 });
    expect(alone.packages).to.have.length(40);
    expect(alone.bad).to.have.length(5);
    for (const workers of [1, 3, undefined]) {
      const { packages, bad } = await scan(workers === undefined ? {} : { workers });
      expect(packages).to.deep.equal(alone.packages);
      expect(
        bad.map(({ path, error }) => [path, error.name, error.code, error.message, error.details, error.hint]),
      ).to.deep.equal(
        alone.bad.map(({ path, error }) => [path, error.name, error.code, error.message, error.details, error.hint]),
      );
    }
  });

  it("sorts by the bytes of the path", async () => {
    // By UTF-16 units the last two would change places, by words the dot and the dash.
    const names = ["Z.deb", "a-b/x.deb", "a.deb", "a/x.deb", "\u{ff5e}.deb", "\u{1f600}.deb"];
    for (const name of [...names].reverse()) folder.write(name, deb());
    expect((await scan()).packages.map(({ path }) => path)).to.deep.equal(names);
  });

  it("reports damaged packages beside the good ones, by relative path", async () => {
    folder.write("pool/bad.deb", "<html>");
    folder.write("pool/good.deb", deb());
    folder.link("away.deb", "/etc/hosts");
    const { packages, bad } = await scan();
    expect(packages.map(({ path }) => path)).to.deep.equal(["pool/good.deb"]);
    expect(bad.map(({ path, error }) => [path, error.code])).to.deep.equal([
      ["away.deb", "bad_path"],
      ["pool/bad.deb", "bad_package"],
    ]);
    expect(bad[1]?.error.message).to.match(/^package "pool\/bad.deb": expected an ar archive/);
    expect(bad[1]?.error.details.path).to.equal("pool/bad.deb");
  });

  it("counts each package once in its progress", async () => {
    for (let index = 0; index < 20; index += 1) folder.write(`${index}.deb`, index === 7 ? "bad" : deb());
    const steps: [number, number][] = [];
    await scan({ workers: 2, onProgress: (done, total) => steps.push([done, total]) });
    expect(steps[0]).to.deep.equal([0, 20]);
    expect(steps.at(-1)).to.deep.equal([20, 20]);
    expect(steps.map(([done]) => done)).to.deep.equal(steps.map(([done]) => done).sort((a, b) => a - b));
  });

  it("ends with the error of whoever listens to its progress", async () => {
    for (let index = 0; index < 20; index += 1) folder.write(`${index}.deb`, deb());
    for (const workers of [0, 2]) {
      const onProgress = (done: number) => {
        if (done > 0) throw new Error("stop");
      };
      const error = await scan({ workers, onProgress }).catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(Error).with.property("message", "stop");
    }
  });

  it("finds nothing in an empty folder, and says so for a missing one", async () => {
    expect(await scan()).to.deep.include({ packages: [], bad: [] });
    expect((await refusalOf(() => walkPackages(join(folder.path, "none")))).code).to.equal("not_found");
  });

  it("fails as a whole when a thread dies of a bug", async () => {
    const broken = [{ row: 0, found: { file: "", identity: { size: 0 } } }] as unknown as ToScan[];
    const helper = new Helper();
    const error = await refusalOf(() => helper.serve(shareOf("scan", broken, "opkg", 16), () => undefined));
    expect(error.code).to.equal("internal");
    // A bug in this thread ends the others too.
    const share = shareOf("scan", broken, "opkg", 16);
    const caught = await workTogether([share], scanBatch, [new Helper()], () => undefined).catch(
      (thrown: unknown) => thrown,
    );
    expect(caught).to.be.instanceOf(TypeError);
  });

  describe("a package that changes", () => {
    const found = async () => {
      return findPackages(folder.path).found.at(0);
    };

    it("since it was found is bad", async () => {
      const path = folder.write("a.deb", deb());
      const before = await found();
      fs.appendFileSync(path, "x");
      const error = await expectDamage(
        () => scanFile(before),
        /^package "a.deb": changed while feedkey was reading it$/,
      );
      expect(error.details).to.deep.equal({ path: "a.deb", reason: "changed" });
      expect(error.hint).to.equal("publish again when no program is writing to the folder");
    });

    it("to the same size and time is bad", async () => {
      const path = folder.write("a.deb", deb());
      const before = await found();
      const { atime, mtime } = fs.statSync(path);
      fs.writeFileSync(path, deb());
      fs.utimesSync(path, atime, mtime);
      await expectDamage(() => scanFile(before), /changed while feedkey was reading it/);
    });

    it("by being replaced is bad", async () => {
      const path = folder.write("a.deb", deb());
      const before = await found();
      folder.write("new", deb());
      fs.renameSync(join(folder.path, "new"), path);
      await expectDamage(() => scanFile(before), /changed while feedkey was reading it/);
    });

    it("while its control file is read is bad, not damaged", async () => {
      const path = folder.write("a.deb", oldIpk());
      const before = await found();
      // The first read is made at once; the file shrinks before the second.
      const reading = scanFile(before);
      fs.truncateSync(path, 20);
      await expectDamage(() => reading, /changed while feedkey was reading it/);
    });

    it("while it is read, though all that was read is whole, is bad", async () => {
      const path = folder.write("a.deb", oldIpk());
      const reading = scanFile(await found());
      fs.appendFileSync(path, "x");
      await expectDamage(() => reading, /changed while feedkey was reading it/);
    });

    it("into a link is not followed", async () => {
      const path = folder.write("a.deb", deb());
      const before = await found();
      fs.renameSync(path, join(folder.path, "elsewhere"));
      fs.symlinkSync("elsewhere", path);
      expect((await refusalOf(() => scanFile(before))).message).to.equal('package "a.deb": cannot be read: ELOOP');
    });

    it("into nothing is not_found", async () => {
      const path = folder.write("a.deb", deb());
      const before = await found();
      fs.rmSync(path);
      const error = await refusalOf(() => scanFile(before));
      expect(error.code).to.equal("not_found");
      expect(error.details.path).to.equal("a.deb");
    });
  });
});
