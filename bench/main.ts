/**
 * `npm run bench`: feedkey beside the programs that do a part of the same work, in one run on this machine.
 * FEEDKEY_BENCH_RUNS: rounds that count (5). FEEDKEY_BENCH_SCALE: share of the full sizes (1).
 */
import * as fs from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { BenchArchive } from "./archive.ts";
import { type Contender, measure } from "./measure.ts";
import { makeDeb, makePackages, padIndex } from "./packages.ts";
import { table } from "./table.ts";

const rounds = Number(process.env.FEEDKEY_BENCH_RUNS ?? "5");
const scale = Number(process.env.FEEDKEY_BENCH_SCALE ?? "1");
const scaled = (count: number) => Math.max(1, Math.round(count * scale));
const number = (count: number) => count.toLocaleString("en");

// The digests that a feedkey index has, no more.
const digests = ["md5", "sha256"];
const ftparchive = ["sha1", "sha512"].flatMap((name) => ["-o", `APT::FTPArchive::${name.toUpperCase()}=false`]);

function aptFtparchive(folder: string, db?: string): Contender["command"] {
  return ["apt-ftparchive", ...ftparchive, ...(db === undefined ? [] : ["--db", db]), "packages", folder];
}

/** Scan everything, index it and sign. */
function publishAll(folder: string): string {
  const count = scaled(2000);
  const archive = new BenchArchive(folder);
  makePackages(archive.root, count, 20_000);
  const output = join(folder, "Packages.other");
  const db = join(folder, "ftparchive.db");
  const prepare = () => {
    archive.unpublish();
    fs.rmSync(db, { force: true });
  };
  const rivals: Contender[] = [
    { name: "apt-ftparchive packages", command: aptFtparchive(archive.root), output, prepare },
    { name: "apt-ftparchive --db (empty)", command: aptFtparchive(archive.root, db), output, prepare },
    {
      name: "dpkg-scanpackages (one round)",
      once: true,
      command: ["dpkg-scanpackages", "--multiversion", "--hash", digests.join(","), archive.root],
      output,
      prepare,
    },
  ];
  const ours = { name: "feedkey publish (signs too)", command: archive.publishCommand(), prepare };
  return table(`index ${number(count)} packages of 20 KB, nothing cached`, measure([ours, ...rivals], rounds, folder));
}

/** One package came; everything else is as it was. */
function publishOneMore(folder: string): string {
  const count = scaled(10_000);
  const archive = new BenchArchive(folder);
  makePackages(archive.root, count, 20_000);
  const output = join(folder, "Packages.other");
  const db = join(folder, "ftparchive.db");
  let added = 0;
  const addOne = () => {
    added += 1;
    const file = join(archive.root, `new${added}_1.0_amd64.deb`);
    fs.writeFileSync(file, makeDeb(`new${added}`, "1.0", 20_000));
    // As if it had come a while ago: a file changed this very second is read again by the next run.
    fs.utimesSync(file, 1_700_000_000, 1_700_000_000);
  };
  archive.publish();
  const contenders: Contender[] = [
    { name: "feedkey publish (signs too)", command: archive.publishCommand(), prepare: addOne },
    { name: "apt-ftparchive --db", command: aptFtparchive(archive.root, db), output, prepare: addOne },
    { name: "apt-ftparchive packages", command: aptFtparchive(archive.root), output, prepare: addOne },
  ];
  return table(`one new package among ${number(count)}, cache at hand`, measure(contenders, rounds, folder));
}

/** A large index with its packages, and indexes alone. */
function verifyAll(folder: string): string[] {
  const count = scaled(1000);
  const archive = new BenchArchive(folder);
  makePackages(archive.root, count, 200_000);
  archive.publish();
  const big = join(archive.root, "Packages");
  const small = join(folder, "Packages");
  fs.copyFileSync(big, small);
  padIndex(big, scaled(50_000_000));
  padIndex(small, scaled(5_000_000));
  for (const index of [big, small]) archive.sign(index);

  const gpgv = (index: string) => `gpgv --quiet --keyring ${archive.keyring} ${index}.sig ${index}`;
  const sqv = (index: string): Contender["command"] => ["sqv", "--keyring", archive.keyring, `${index}.sig`, index];
  const list = `awk '/^Filename:/ { file = $2 } /^SHA256sum:/ && file ~ /pack/ { print $2 "  " file }' ${big}`;
  const both = `set -e; ${gpgv(big)}; cd ${archive.root}; ${list} | sha256sum --check --quiet -`;
  const alone = (index: string): Contender[] => [
    { name: "feedkey verify", command: archive.verifyCommand(index) },
    { name: "gpgv", command: ["sh", "-c", gpgv(index)] },
    { name: "sqv", command: sqv(index) },
    { name: "node -e 0", command: [process.execPath, "-e", "0"] },
  ];
  const [megabytes, few] = [number(scaled(50)), number(scaled(5))];
  return [
    table(
      `verify an index of ${megabytes} MB and ${number(count)} packages of 200 KB`,
      measure(
        [
          { name: "feedkey verify", command: archive.verifyCommand(big, "--packages", archive.root) },
          { name: "gpgv, awk, sha256sum", command: ["sh", "-c", both] },
        ],
        rounds,
        folder,
      ),
    ),
    table(`verify an index of ${megabytes} MB`, measure(alone(big), rounds, folder)),
    table(`verify an index of ${few} MB`, measure(alone(small), rounds, folder)),
  ];
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = fs.mkdtempSync(join(tmpdir(), "feedkey-bench-"));
  try {
    return work(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const machine = `${availableParallelism()} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`;
process.stdout.write(`medians of ${rounds} rounds; ${machine}; x: times feedkey's own\n\n`);
process.stdout.write(`${inFolder(publishAll)}\n\n`);
process.stdout.write(`${inFolder(publishOneMore)}\n\n`);
process.stdout.write(`${inFolder(verifyAll).join("\n\n")}\n`);
