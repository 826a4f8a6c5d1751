// Transport and package: whatever an entry names is checked, and whatever is a package must be named by one.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { deb, oldIpk, tar } from "../testkit/packages/build-package.ts";
import { summaryStanza } from "../testkit/packages/summary-text.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";

const at = published + 2 * hour;
const honest = Buffer.from("what was listed");
const tampered = Buffer.from("tampered!!!!!!!");

function stanza(filename: string, number: number): string {
  const sha256 = createHash("sha256").update(honest).digest("hex");
  return `Package: p${number}\nVersion: 1\nFilename: ${filename}\nSize: ${honest.length}\nSHA256: ${sha256}\n\n`;
}

function summary(filename: string, number: number): string {
  const FILE_CKSUM = `sha256 ${createHash("sha256").update(honest).digest("hex")}`;
  const FILE_SIZE = String(honest.length);
  return summaryStanza({ PKGNAME: `p${number}-1.0`, FILE_NAME: filename, FILE_SIZE, FILE_CKSUM });
}

/** A folder of packages beside an archive whose one feed lists these files. */
class Pool {
  readonly archive: TestArchive;
  readonly folder: string;

  constructor(archive: TestArchive) {
    this.archive = archive;
    this.folder = join(archive.folder, "pool");
  }

  async put(name: string, bytes: Uint8Array): Promise<string> {
    const path = join(this.folder, name);
    await fs.mkdir(dirname(path), { recursive: true });
    await fs.writeFile(path, bytes);
    return path;
  }

  /** Exit status, and the code with the name of each file that was refused. */
  async verify(...args: string[]): Promise<{ status: number | null; refused: string[]; good: number }> {
    const index = this.archive.file("Packages");
    const ended = await runHere(this.archive.clientArgs(at, "verify", "--no-state", index, ...args));
    const document = documentOf(ended);
    const refused = (document.refused ?? []) as { code: string }[];
    return {
      status: ended.status,
      refused: refused.map(({ code }) => code).sort(),
      good: ((document.packages ?? []) as string[]).length,
    };
  }

  async verifyAll(...args: string[]): ReturnType<Pool["verify"]> {
    return await this.verify("--packages", this.folder, ...args);
  }
}

async function inPool(files: readonly string[], action: (pool: Pool) => Promise<void>): Promise<void> {
  await inArchive(async (archive) => {
    const pool = new Pool(archive);
    await fs.mkdir(pool.folder);
    await archive.signText(files.map(stanza).join(""), published + hour);
    await action(pool);
  });
}

const odd = [
  "b.udeb",
  "c.IPK",
  "d.apk",
  "e.Deb",
  "f.rpm",
  "g",
  "h.bin",
  "i.ipk.old",
  "j.tgz",
  "Packages",
  "README.txt",
];

describe("cases: package folder, what is listed", () => {
  for (const name of odd) {
    it(`${name}: checked, wherever it lies`, () =>
      inPool([name], async (pool) => {
        for (const place of [name, `sub/folder/${name}`]) {
          const path = await pool.put(place, honest);
          expect(await pool.verifyAll("--complete")).to.deep.equal({ status: 0, refused: [], good: 1 });
          expect((await pool.verify(path)).status).to.equal(0);
          await fs.writeFile(path, tampered);
          const refused = { status: 1, refused: ["digest_mismatch"], good: 0 };
          expect(await pool.verifyAll()).to.deep.equal(refused);
          expect(await pool.verifyAll("--complete")).to.deep.equal(refused);
          expect(await pool.verify(path)).to.deep.equal(refused);
          await fs.rm(path);
          const missing = { status: 1, refused: ["size_mismatch"], good: 0 };
          expect(await pool.verifyAll("--complete")).to.deep.equal(missing);
        }
      }));
  }

  it("a hidden name, which fetch would refuse: bad_path", () =>
    inPool([".hidden"], async (pool) => {
      await pool.put(".hidden", honest);
      expect(await pool.verifyAll()).to.deep.equal({ status: 1, refused: ["bad_path"], good: 0 });
    }));

  for (const kind of ["a link", "a link to a folder", "a pipe", "a socket's place taken by a folder"] as const) {
    it(`${kind} in the place of a listed file without an ending: refused, and nobody waits`, () =>
      inPool(["g"], async (pool) => {
        const path = join(pool.folder, "g");
        const outside = join(pool.archive.folder, "outside");
        if (kind === "a link") await fs.writeFile(outside, honest);
        if (kind === "a link to a folder") await fs.mkdir(outside);
        if (kind.startsWith("a link")) await fs.symlink(outside, path);
        else if (kind === "a pipe") execFileSync("mkfifo", [path]);
        else await fs.mkdir(path);
        const { status, good } = await pool.verifyAll("--complete");
        expect([status === 0, good]).to.deep.equal([false, 0]);
      }));
  }

  it("in a pkgsrc feed too", async () => {
    await inArchive(async (archive) => {
      const text = odd.map(summary).join("");
      const index = join(archive.site, "feeds/base/pkg_summary.gz");
      await fs.writeFile(index, gzipSync(text));
      const keeper = archive.keeperArgs(published + hour, "sign", index, "--key", archive.key, "--feed", "base");
      expect((await runHere(keeper)).status).to.equal(0);
      const profile = await fs.readFile(archive.profile, "utf8");
      await fs.writeFile(archive.profile, profile.replace("format = opkg", "format = pkgsrc"));
      const pool = join(archive.folder, "pool");
      await fs.mkdir(pool);
      const verify = ["verify", "--no-state", index, "--packages", pool, "--complete"];
      for (const name of odd) await fs.writeFile(join(pool, name), honest);
      expect((await runHere(archive.clientArgs(at, ...verify))).status).to.equal(0);
      for (const name of odd) await fs.writeFile(join(pool, name), tampered);
      const refused = documentOf(await runHere(archive.clientArgs(at, ...verify))).refused as { code: string }[];
      expect(refused.map(({ code }) => code)).to.deep.equal(odd.map(() => "digest_mismatch"));
    });
  });
});

describe("cases: package folder, what is not listed", () => {
  const names = ["x.ipk", "x.OPK", "x.deb", "x.udeb", "x.Apk", "x.rpm", "x.tgz", "x.TBZ", "x.txz", "x.tzst", ".x.ipk"];
  const contents: readonly (readonly [string, Uint8Array])[] = [
    ["a .deb", deb()],
    ["an .ipk in its older form", oldIpk()],
    ["the same with its data first", oldIpk([{ name: "data.tar.gz", data: Buffer.alloc(1_000_000) }])],
    ["a pkgsrc package", gzipSync(tar([{ name: "+CONTENTS", data: "@name x-1.0\n" }]))],
    ["a pkgsrc package, not compressed", tar([{ name: "+CONTENTS", data: "@name x-1.0\n" }])],
    [
      "one behind an empty block",
      Buffer.concat([Buffer.alloc(512), tar([{ name: "+CONTENTS", data: "@name x-1.0\n" }])]),
    ],
    ["one that is packed twice", gzipSync(gzipSync(tar([{ name: "+CONTENTS", data: "@name x-1.0\n" }])))],
    ["what only others can unpack: lzma", Buffer.from("5d00008000ffffffffffffffff00", "hex")],
    ["what only others can unpack: zstd with a frame to skip", Buffer.from("502a4d180400000041414141", "hex")],
  ];

  for (const name of names) {
    it(`${name}: not_listed`, () =>
      inPool(["a.ipk"], async (pool) => {
        await pool.put("a.ipk", honest);
        await pool.put(`sub/${name}`, tampered);
        expect(await pool.verifyAll()).to.deep.equal({ status: 1, refused: ["not_listed"], good: 1 });
      }));
  }

  for (const [what, bytes] of contents) {
    it(`${what} under a name that says nothing, or behind a link of such a name: not_listed`, () =>
      inPool(["a.ipk"], async (pool) => {
        for (const name of ["innocent", "innocent.txt", ".innocent"]) {
          const path = await pool.put(name, bytes);
          expect(await pool.verifyAll()).to.deep.equal({ status: 1, refused: ["not_listed"], good: 0 });
          const outside = join(pool.archive.folder, "outside");
          await fs.rename(path, outside);
          await fs.symlink(outside, path);
          expect((await pool.verifyAll()).status).to.not.equal(0);
          await fs.rm(path);
        }
      }));
  }

  it("a name that differs in the case of its letters only", () =>
    inPool(["a.ipk"], async (pool) => {
      await pool.put("A.ipk", honest);
      expect(await pool.verifyAll()).to.deep.equal({ status: 1, refused: ["not_listed"], good: 0 });
    }));

  it("a link to a package that its own name does not tell", () =>
    inPool(["a.ipk"], async (pool) => {
      await fs.writeFile(join(pool.archive.folder, "x.ipk"), tampered);
      await fs.symlink(join(pool.archive.folder, "x.ipk"), join(pool.folder, "current"));
      expect((await pool.verifyAll()).status).to.not.equal(0);
    }));

  it("control: indexes, signatures, texts, archives of sources, pipes and broken links are no packages", () =>
    inPool(["a.ipk"], async (pool) => {
      await pool.put("a.ipk", honest);
      await pool.put("Packages.gz", gzipSync("Package: a\n"));
      await pool.put("Packages", Buffer.from("Package: a\n"));
      await pool.put("README", Buffer.from("read me\n"));
      await pool.put("empty", new Uint8Array());
      await pool.put("source-1.0.tar.gz", gzipSync(tar([{ name: "source-1.0/control", data: "x" }])));
      await pool.put("damaged.gz", gzipSync(Buffer.alloc(100_000)).subarray(0, 50));
      await pool.put("bomb.gz", gzipSync(Buffer.alloc(50_000_000)));
      execFileSync("mkfifo", [join(pool.folder, "pipe")]);
      await fs.symlink("nowhere", join(pool.folder, "broken"));
      await fs.symlink("pipe", join(pool.folder, "link-to-pipe"));
      expect(await pool.verifyAll("--complete")).to.deep.equal({ status: 0, refused: [], good: 1 });
    }));
});
