// Found by an attack: 70 KB that unpack to gigabytes are refused within 400 MiB, whoever made them.
import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { hour, inArchive, inUse, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { ar, DATA, VERSION } from "../testkit/packages/build-package.ts";
import { documentOf, runProcess } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";

const later = published + 2 * hour;
const mostKiB = 400 * 1024;
const MiB = 1024 * 1024;
const measured = ["--import", new URL("../testkit/programs/memory-preload.js", import.meta.url).href];

/** Runs a command; it must end so, within the memory. */
async function ends(args: readonly string[], status: number, code: string | undefined): Promise<void> {
  const ended = await runProcess(args, { node: measured });
  const { error } = documentOf(ended);
  expect([ended.status, error?.code], error?.message).to.deep.equal([status, code]);
  expect(Number(/peak memory (\d+) kB/.exec(ended.stderr)?.[1])).to.be.within(1, mostKiB);
}

const times = (part: Uint8Array, count: number) => Buffer.concat(Array.from({ length: count }, () => part));

/** One frame of blocks that repeat a byte 131,072 times, four bytes each (RFC 8878 section 3.1.1). */
function zstdBomb(size: number): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38]);
  const block = (isLast: number) => {
    const value = isLast | (1 << 1) | ((128 * 1024) << 3);
    return Buffer.from([value & 0xff, (value >>> 8) & 0xff, value >>> 16, 0x0a]);
  };
  return Buffer.concat([header, times(block(0), size / (128 * 1024) - 1), block(1)]);
}

describe("cases: bombs", function () {
  this.timeout(120_000);
  // Line feeds: an index of nothing else would be a valid one, so that nothing but its size speaks against it.
  const lines = Buffer.alloc(90 * MiB, "\n");
  let bombs: ReadonlyMap<string, Buffer>;
  let nearly: ReadonlyMap<string, Buffer>;

  before(function () {
    needing("xz").call(this);
    const xz = execFileSync("xz", ["-0", "-c"], { input: lines, maxBuffer: MiB });
    const gz = gzipSync(lines, { level: 9 });
    bombs = new Map([
      ["Packages.xz", times(xz, 20)],
      ["Packages.gz", times(gz, 20)],
      ["Packages.zst", zstdBomb(2048 * MiB)],
    ]);
    nearly = new Map([
      ["Packages.xz", xz],
      ["Packages.gz", gz],
      ["Packages.zst", times(zstdBomb(30 * MiB), 3)],
    ]);
  });

  const withIndex = async (archive: TestArchive, name: string, bytes: Buffer) => {
    const text = await fs.readFile(archive.profile, "utf8");
    const url = archive.mirror.url.replace("localhost", "127.0.0.1");
    await fs.writeFile(archive.profile, `${text.replace("[trust]", `mirrors = ${url}\n[trust]`)}index = ${name}\n`);
    await fs.rm(archive.file("Packages"));
    await fs.rm(archive.file("Packages.gz"));
    await fs.writeFile(archive.file(name), bytes);
    await archive.mirror.sync(archive.site);
  };

  for (const name of ["Packages.xz", "Packages.gz", "Packages.zst"]) {
    it(`${name} of gigabytes: bad_index for update from each mirror and for verify, within 400 MiB`, async () => {
      await inUse(async (archive) => {
        await withIndex(archive, name, bombs.get(name) ?? Buffer.alloc(0));
        const before = await archive.lastGood();
        await ends(archive.clientArgs(later, "update"), 65, "bad_index");
        await ends(archive.clientArgs(later, "verify", archive.file(name)), 65, "bad_index");
        expect(await archive.lastGood()).to.equal(before);
      });
    });

    it(`${name} just within the cap, not signed by anybody: refused for its signature, within 400 MiB`, async () => {
      await inUse(async (archive) => {
        await withIndex(archive, name, nearly.get(name) ?? Buffer.alloc(0));
        await ends(archive.clientArgs(later, "update"), 1, "bad_signature");
      });
    });
  }

  it("an index without end out of a pipe or device: bad_index at the cap", async () => {
    await inUse(async (archive) => {
      const signature = ["--signature", archive.file("Packages.sig")];
      await ends(archive.clientArgs(later, "verify", "/dev/zero", ...signature), 65, "bad_index");
    });
  });

  it("a signature that is a pipe or a device beside its index: passed over, and nobody waits", async () => {
    await inUse(async (archive) => {
      const index = archive.file("Packages");
      await fs.rm(`${index}.sig`);
      execFileSync("mkfifo", [`${index}.sig`]);
      await archive.accept(later, "verify", index);
      await fs.rm(`${index}.asc`);
      await fs.symlink("/dev/zero", `${index}.asc`);
      await ends(archive.clientArgs(later, "verify", index), 1, "no_signature");
    });
  });

  for (const [ending, bomb] of [
    ["gz", () => bombs.get("Packages.gz")],
    ["xz", () => bombs.get("Packages.xz")],
    ["zst", () => bombs.get("Packages.zst")],
  ] as const) {
    it(`pkg_summary.${ending}, whose compressed bytes are signed: not unpacked before its signature is good, nor beyond the cap`, async () => {
      await inArchive(async (archive) => {
        const name = `pkg_summary.${ending}`;
        await fs.rm(join(archive.site, "feeds"), { recursive: true });
        await fs.mkdir(join(archive.site, "feeds/base"), { recursive: true });
        await fs.writeFile(archive.file(name), bomb() ?? Buffer.alloc(0));
        const profile = (await fs.readFile(archive.profile, "utf8")).replace("format = opkg", "format = pkgsrc");
        await fs.writeFile(archive.profile, `${profile}index = ${name}\n`);
        await ends(archive.clientArgs(later, "verify", archive.file(name)), 1, "no_signature");
        const sign = ["sign", archive.file(name), "--key", archive.key, "--feed", "base", "--force"];
        await ends(archive.keeperArgs(published, ...sign), 0, undefined);
        await ends(archive.clientArgs(later, "verify", archive.file(name)), 65, "bad_index");
      });
    });

    it(`a package whose control.tar.${ending} is a bomb: not published, within 400 MiB`, async () => {
      await inArchive(async (archive) => {
        const control = { name: `control.tar.${ending}`, data: bomb() ?? Buffer.alloc(0) };
        for (const number of [1, 2, 3, 4]) {
          await fs.writeFile(archive.file(`bomb${number}.ipk`), ar([VERSION, control, DATA]));
        }
        await ends(archive.keeperArgs(later, "publish", "--config", archive.config), 65, "bad_package");
      });
    });
  }

  for (const [ending, bomb] of [
    ["tgz", () => bombs.get("Packages.gz")],
    ["txz", () => bombs.get("Packages.xz")],
    ["tzst", () => bombs.get("Packages.zst")],
  ] as const) {
    it(`a pkgsrc package that is a bomb, .${ending}: not published, within 400 MiB`, async () => {
      await inArchive(async (archive) => {
        await fs.rm(join(archive.site, "feeds"), { recursive: true });
        await fs.mkdir(join(archive.site, "feeds/base"), { recursive: true });
        // A tar archive of nothing but zeros goes on for ever.
        const bytes = bomb() ?? Buffer.alloc(0);
        for (const number of [1, 2]) await fs.writeFile(archive.file(`bomb-${number}.0.${ending}`), bytes);
        const config = (await fs.readFile(archive.config, "utf8")).replace("format = opkg", "format = pkgsrc");
        await fs.writeFile(archive.config, config);
        await ends(archive.keeperArgs(later, "publish", "--config", archive.config), 65, "bad_package");
      });
    });
  }
});

describe("cases: an index that is large by right", () => {
  const larger = `${"X-Padding: ".padEnd(1000, "x")}\n`;

  it("is taken with max-index-size, and refused with a hint that names it where it is larger than that", async () => {
    await inUse(async (archive) => {
      const text = `Package: alpha\nVersion: 1\n${larger}\n`;
      await archive.signText(text, published + hour);
      const profile = await fs.readFile(archive.profile, "utf8");
      await fs.writeFile(archive.profile, `${profile}max-index-size = 1K\n`);
      const refused = { code: "unavailable", status: 69 };
      const { error } = await archive.refuse(refused, later, "update");
      expect(error?.hint).to.include("max-index-size");
      const index = archive.file("Packages");
      const local = await archive.refuse({ code: "bad_index", status: 65 }, later, "verify", index);
      expect(local.error?.hint).to.include("max-index-size");
      await fs.writeFile(archive.profile, `${profile}max-index-size = 2K\n`);
      await archive.accept(later, "update");
      await archive.accept(later, "verify", index);
    });
  });
});
