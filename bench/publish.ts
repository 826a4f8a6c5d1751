/** Publishing beside apt-ftparchive. It prints an index; feedkey also compresses and signs it, and swaps both in. */
import * as fs from "node:fs";
import { join } from "node:path";
import { BenchArchive } from "./archive.ts";
import { bareNode, type Goal, measureGoals, type Outcome } from "./goal.ts";
import type { Contender } from "./measure.ts";
import { makeDeb, makePackages } from "./packages.ts";
import { number, rounds, scaled } from "./size.ts";

// MD5 and SHA-256, the digests that a feedkey index has; of itself it makes SHA-1 and SHA-512 too.
const fewer = ["SHA1", "SHA512"].flatMap((name) => ["-o", `APT::FTPArchive::${name}=false`]);

function aptFtparchive(folder: string, ...options: readonly string[]): Contender["command"] {
  return ["apt-ftparchive", ...options, "packages", folder];
}

/** Everything is new. */
export function publishAll(folder: string): Outcome[] {
  const count = scaled(2000);
  const archive = new BenchArchive(folder);
  makePackages(archive.root, count, 20_000);
  const output = join(folder, "Packages.other");
  const prepare = () => archive.unpublish();
  const work = `publish ${number(count)} packages of 20 KB, nothing cached`;
  const ours = { name: "feedkey publish", command: archive.publishCommand(), prepare };
  const other = (name: string, ...options: readonly string[]): Contender => {
    return { name, command: aptFtparchive(archive.root, ...options), output, prepare };
  };
  const floor = bareNode("scan", archive.root);
  const scan = ["dpkg-scanpackages", "--multiversion", "--hash", "md5,sha256", archive.root] as const;
  const goals: Goal[] = [
    { work, ours, beside: other("apt-ftparchive packages"), ratio: 0.7, floor },
    { work: "the same", ours, beside: other("apt-ftparchive, MD5 and SHA-256 only", ...fewer), ratio: 1, floor },
    {
      floor,
      work: "the same",
      ours,
      beside: { name: "dpkg-scanpackages", command: scan, output, prepare, once: true },
      ratio: 1,
    },
  ];
  return measureGoals(goals, rounds, folder);
}

/** One package came; everything else is as it was. */
export function publishOneMore(folder: string): Outcome[] {
  const count = scaled(10_000);
  const archive = new BenchArchive(folder);
  makePackages(archive.root, count, 20_000);
  const output = join(folder, "Packages.other");
  const db = join(folder, "ftparchive.db");
  let added = 0;
  const prepare = () => {
    added += 1;
    const file = join(archive.root, `new${added}_1.0_amd64.deb`);
    fs.writeFileSync(file, makeDeb(`new${added}`, "1.0", 20_000));
    // As if it had come a while ago: a file changed this very second is read again by the next run.
    fs.utimesSync(file, 1_700_000_000, 1_700_000_000);
  };
  archive.publish();
  const ours = { name: "feedkey publish", command: archive.publishCommand(), prepare };
  const other = { name: "apt-ftparchive --db", command: aptFtparchive(archive.root, "--db", db), output, prepare };
  const work = `publish, one new package among ${number(count)}`;
  return measureGoals(
    [{ work, ours, beside: other, ratio: 0.5, floor: bareNode("stat", archive.root) }],
    rounds,
    folder,
  );
}
