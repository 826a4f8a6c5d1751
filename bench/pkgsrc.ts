/**
 * `node dist/bench/pkgsrc.js`: a pkg_summary of a quarterly branch, 25,000 packages in some 40 MB, published, signed and
 * verified, beside an opkg index of as many packages.
 * FEEDKEY_BENCH_RUNS: rounds that count (3). FEEDKEY_BENCH_SCALE: share of the full size (1).
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { BenchArchive } from "./archive.ts";
import { inFolder } from "./folder.ts";
import { type Contender, measure } from "./measure.ts";
import { makeDeb, makePackages } from "./packages.ts";
import { makePackage, makePkgsrcPackages } from "./pkgsrc-packages.ts";
import { machine, number, roundsOr, scaled } from "./size.ts";
import { table } from "./table.ts";

const rounds = roundsOr(3);
const count = scaled(25_000);
const megabytes = (file: string) => `${(fs.statSync(file).size / 1e6).toFixed(1)} MB`;

const show = (title: string, contenders: readonly Contender[], times: number, folder: string) => {
  process.stdout.write(`${table(title, measure(contenders, times, folder))}\n\n`);
};

/** Set to an older date, because the next run reads a file again that was changed in this second. */
function addLongAgo(file: string, bytes: Uint8Array): void {
  fs.writeFileSync(file, bytes);
  fs.utimesSync(file, 1_700_000_000, 1_700_000_000);
}

function publishing(pkgsrc: BenchArchive, opkg: BenchArchive, folder: string): void {
  const all = `publish ${number(count)} packages, nothing cached`;
  show(
    all,
    [
      { name: "pkgsrc", command: pkgsrc.publishCommand(), prepare: () => pkgsrc.unpublish() },
      { name: "opkg", command: opkg.publishCommand(), prepare: () => opkg.unpublish() },
      {
        name: "pkgsrc, .xz and .zst too (one round)",
        command: pkgsrc.publishCommand("--compress", "xz,zst"),
        prepare: () => pkgsrc.unpublish(),
        once: true,
      },
    ],
    rounds,
    folder,
  );
  for (const archive of [pkgsrc, opkg]) {
    archive.unpublish();
    archive.publish();
  }
  let added = 0;
  const contenders: Contender[] = [
    {
      name: "pkgsrc",
      command: pkgsrc.publishCommand(),
      prepare: () => {
        const name = `new${++added}-1.0`;
        addLongAgo(join(pkgsrc.root, `${name}.tgz`), makePackage(name, count));
      },
    },
    {
      name: "opkg",
      command: opkg.publishCommand(),
      prepare: () => {
        const name = `new${++added}`;
        addLongAgo(join(opkg.root, `${name}_1.0_amd64.deb`), makeDeb(name, "1.0", 500));
      },
    },
    { name: "pkgsrc, nothing new", command: pkgsrc.publishCommand() },
    { name: "opkg, nothing new", command: opkg.publishCommand() },
  ];
  show(`publish one new package among ${number(count)}`, contenders, rounds, folder);
}

function signing(pkgsrc: BenchArchive, opkg: BenchArchive, folder: string): void {
  const [summary, packages] = [join(pkgsrc.root, "pkg_summary.gz"), join(opkg.root, "Packages")];
  const title = `sign: pkg_summary.gz of ${megabytes(summary)}, Packages of ${megabytes(packages)}`;
  const contenders: Contender[] = [
    { name: "pkgsrc", command: pkgsrc.signCommand(summary) },
    { name: "opkg", command: opkg.signCommand(packages) },
  ];
  show(title, contenders, rounds, folder);
}

function verifying(pkgsrc: BenchArchive, opkg: BenchArchive, folder: string): void {
  const [gz, packages] = [join(pkgsrc.root, "pkg_summary.gz"), join(opkg.root, "Packages")];
  const plain = join(pkgsrc.root, "pkg_summary");
  const contenders: Contender[] = [
    { name: "pkgsrc, pkg_summary.gz", command: pkgsrc.verifyCommand(gz) },
    { name: "opkg, Packages", command: opkg.verifyCommand(packages) },
  ];
  // The installed programs write the other forms, because only reading is measured.
  fs.writeFileSync(plain, spawnSync("gzip", ["-dc", gz], { maxBuffer: 1 << 30 }).stdout);
  for (const [program, ending, level] of [
    ["zstd", "zst", "-9"],
    ["xz", "xz", "-1"],
    ["bzip2", "bz2", "-9"],
  ] as const) {
    const { status, stdout } = spawnSync(program, ["-c", level, plain], { maxBuffer: 1 << 30 });
    if (status !== 0) continue;
    const file = join(pkgsrc.root, `pkg_summary.${ending}`);
    fs.writeFileSync(file, stdout);
    pkgsrc.sign(file);
    contenders.push({ name: `pkgsrc, .${ending} of ${megabytes(file)}`, command: pkgsrc.verifyCommand(file) });
  }
  pkgsrc.sign(plain);
  contenders.push({ name: "pkgsrc, pkg_summary, plain", command: pkgsrc.verifyCommand(plain) });
  const title = `verify: pkg_summary of ${megabytes(plain)} in .gz of ${megabytes(gz)}, Packages of ${megabytes(packages)}`;
  show(title, contenders, rounds, folder);
}

await inFolder((folder) => {
  process.stdout.write(`medians of ${rounds} rounds; ${machine}; x: times the first one\n\n`);
  const [pkgsrc, opkg] = [
    new BenchArchive(join(folder, "pkgsrc"), "rsa3072", "pkgsrc"),
    new BenchArchive(join(folder, "opkg")),
  ];
  makePkgsrcPackages(pkgsrc.root, count);
  // As large as those of pkgsrc, so that only the format differs.
  makePackages(opkg.root, count, 500);
  publishing(pkgsrc, opkg, folder);
  signing(pkgsrc, opkg, folder);
  verifying(pkgsrc, opkg, folder);
});
