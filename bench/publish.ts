/**
 * Publishing beside what a keeper would run: apt-ftparchive, gzip -9, and gpg for a binary and an armored signature. feedkey also
 * swaps all of it in at once, and reads the index as clients will.
 */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { BenchArchive } from "./archive.ts";
import { bareNode, type Goal, measureGoals, type Outcome } from "./goal.ts";
import type { Contender } from "./measure.ts";
import { makeDeb, makePackages } from "./packages.ts";
import { number, rounds, roundsOr, scaled } from "./size.ts";

// MD5 and SHA-256, the digests that a feedkey index has; by default it makes SHA-1 and SHA-512 too.
const fewer = ["SHA1", "SHA512"].flatMap((name) => ["-o", `APT::FTPArchive::${name}=false`]);

/** A keyring of GnuPG's own with a key like the archive's, while some work is done. */
function withGpg<Result>(folder: string, work: (gpg: string) => Result): Result {
  const home = join(folder, "gnupg");
  fs.mkdirSync(home, { mode: 0o700 });
  const gpg = ["--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""];
  try {
    execFileSync("gpg", [...gpg, "--quick-generate-key", "Bench <bench@bench.example>", "rsa3072", "sign", "never"]);
    return work(`gpg ${gpg.map((word) => word || "''").join(" ")} --yes`);
  } finally {
    spawnSync("gpgconf", ["--homedir", home, "--kill", "all"]);
  }
}

/** The whole job as a script of a keeper. */
function script(
  folder: string,
  archive: BenchArchive,
  gpg: string,
  ...options: readonly string[]
): Contender["command"] {
  const index = join(folder, "Packages.other");
  const scan = ["apt-ftparchive", ...options, "packages", archive.root].join(" ");
  const signed = ["--detach-sign", "--armor --detach-sign"].map((how) => `${gpg} ${how} ${index}`);
  return ["sh", "-c", [`${scan} > ${index}`, `gzip -9nkf ${index}`, ...signed].join(" && ")];
}

const lessThanPublish =
  "replace the files one by one, do not read the index as clients will, and publish no keys; MD5 and SHA-256 only, as feedkey";

/** Everything is new. */
export function publishAll(folder: string): Outcome[] {
  const count = scaled(2000);
  const archive = new BenchArchive(folder);
  makePackages(archive.root, count, 20_000);
  const prepare = () => archive.unpublish();
  const work = `publish ${number(count)} packages of 20 KB, nothing cached`;
  const ours = { name: "feedkey publish", command: archive.publishCommand(), prepare };
  return withGpg(folder, (gpg) => {
    const name = "apt-ftparchive, gzip -9, gpg twice";
    const beside = { name, command: script(folder, archive, gpg, ...fewer), prepare, less: lessThanPublish };
    return measureGoals([{ work, ours, beside, ratio: 1, floor: bareNode("scan", archive.root) }], rounds, folder);
  });
}

/** One package is new; everything else is unchanged. */
export function publishOneMore(folder: string): Outcome[] {
  const count = scaled(10_000);
  const archive = new BenchArchive(folder);
  makePackages(archive.root, count, 20_000);
  const db = join(folder, "ftparchive.db");
  let added = 0;
  const prepare = () => {
    added += 1;
    const file = join(archive.root, `new${added}_1.0_amd64.deb`);
    fs.writeFileSync(file, makeDeb(`new${added}`, "1.0", 20_000));
    // Set to an older date, because the next run reads a file again that was changed in this second.
    fs.utimesSync(file, 1_700_000_000, 1_700_000_000);
  };
  archive.publish();
  const ours = { name: "feedkey publish", command: archive.publishCommand(), prepare };
  const work = `publish, one new package among ${number(count)}`;
  return withGpg(folder, (gpg) => {
    const command = script(folder, archive, gpg, ...fewer, "--db", db);
    const beside = { name: "apt-ftparchive --db, gzip -9, gpg twice", command, prepare, less: lessThanPublish };
    return measureGoals([{ work, ours, beside, ratio: 1, floor: bareNode("stat", archive.root) }], rounds, folder);
  });
}

/** A large archive, of which everything is new, then nothing. */
export function publishMany(folder: string): Outcome[] {
  const count = scaled(100_000);
  const archive = new BenchArchive(folder);
  makePackages(archive.root, count, 2000);
  const output = join(folder, "Packages.other");
  const command = archive.publishCommand();
  const less = "compresses and signs nothing";
  const all: Goal = {
    work: `publish ${number(count)} packages of 2 KB, nothing cached`,
    ours: { name: "feedkey publish", command, prepare: () => archive.unpublish() },
    beside: { name: "apt-ftparchive", command: ["apt-ftparchive", "packages", archive.root], output, less },
    ratio: 0.9,
    megabytes: 200,
  };
  const outcomes = measureGoals([all], roundsOr(3), folder);
  const same: Goal = {
    work: "the same, nothing changed",
    ours: { name: "feedkey publish", command },
    seconds: 0.7,
    floor: bareNode("stat", archive.root),
  };
  return [...outcomes, ...measureGoals([same], rounds, folder)];
}
