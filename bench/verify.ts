/** Compares verifying with scripts of gpgv or sqv, awk, and sha256sum or openssl. */
import * as fs from "node:fs";
import { join } from "node:path";
import { BenchArchive } from "./archive.ts";
import { bareNode, type Goal, measureGoals, type Outcome } from "./goal.ts";
import type { Contender } from "./measure.ts";
import { makePackages, padIndex, writeLargeDeb } from "./packages.ts";
import { number, rounds, scaled } from "./size.ts";

const quote = (text: string) => `'${text}'`;

function shell(name: string, ...lines: readonly string[]): Contender {
  return { name, command: ["sh", "-c", ["set -e", ...lines].join("; ")] };
}

/** An index alone, and with its packages. */
export function verifyIndex(folder: string): Outcome[] {
  const count = scaled(2000);
  const archive = new BenchArchive(folder);
  makePackages(archive.root, count, 200_000);
  archive.publish();
  const big = join(archive.root, "Packages");
  const small = join(folder, "small", "Packages");
  const edwards = join(folder, "edwards", "Packages");
  for (const copy of [small, edwards]) {
    fs.mkdirSync(join(copy, ".."));
    fs.copyFileSync(big, copy);
  }
  for (const index of [big, edwards]) padIndex(index, scaled(50_000_000));
  padIndex(small, scaled(5_000_000));
  for (const index of [big, small]) archive.sign(index);
  const other = new BenchArchive(join(folder, "other"), "ed25519");
  other.sign(edwards);

  const gpgv = (index: string, { keyring }: BenchArchive) => `gpgv --quiet --keyring ${keyring} ${index}.sig ${index}`;
  const sqv = `sqv --keyring ${archive.keyring} ${big}.sig ${big}`;
  const fields = `awk '/^Filename:/ { file = $2 } /^SHA256sum:/ && file ~ /pack/ { print $2 "  " file }' ${big}`;
  const sums = join(folder, "sums");
  const half = Math.ceil(count / 2);
  const compare = `NR == FNR { want[$2] = $1; next } { sub(/^\\*/, "", $2); if (want[$2] != $1) bad = 1; n++ } END { exit bad || n != ${count} }`;
  const work = `verify an index of ${number(scaled(50))} MB`;
  const with_ = `verify an index of ${number(scaled(50))} MB and ${number(count)} packages of 200 KB`;
  const all = { name: "feedkey verify", command: archive.verifyCommand(big, "--packages", archive.root) };
  // The index is among the files.
  const bothFloor = bareNode("files", archive.root);
  const goals: Goal[] = [
    {
      floor: bareNode("index", big),
      work: `${work}, RSA-3072`,
      ours: { name: "feedkey verify", command: archive.verifyCommand(big) },
      beside: shell("gpgv", gpgv(big, archive)),
      ratio: 1,
    },
    {
      floor: bareNode("index", edwards),
      work: `${work}, Ed25519`,
      ours: { name: "feedkey verify", command: other.verifyCommand(edwards) },
      beside: shell("gpgv, Ed25519", gpgv(edwards, other)),
      ratio: 1,
    },
    {
      floor: bothFloor,
      work: with_,
      ours: all,
      beside: shell(
        "gpgv, awk, sha256sum",
        gpgv(big, archive),
        `cd ${archive.root}`,
        `${fields} | sha256sum --check --quiet -`,
      ),
      ratio: 0.33,
    },
    {
      floor: bothFloor,
      work: "the same",
      ours: all,
      // The file of expected digests: openssl prints another form, so awk compares them.
      beside: shell(
        "sqv, awk, two openssl",
        `${sqv} > ${sums}.signer`,
        `cd ${archive.root}`,
        `${fields} > ${sums}`,
        `awk '{ print $2 }' ${sums} > ${sums}.files`,
        `head -n ${half} ${sums}.files | xargs openssl dgst -sha256 -r > ${sums}.1 & tail -n +${half + 1} ${sums}.files | xargs openssl dgst -sha256 -r > ${sums}.2`,
        "wait",
        `awk '${compare}' ${sums} ${sums}.1 ${sums}.2`,
      ),
      ratio: 1,
    },
    {
      floor: bareNode("index", small),
      work: `verify an index of ${number(scaled(5))} MB`,
      ours: { name: "feedkey verify", command: archive.verifyCommand(small) },
      beside: { name: "node -e 0", command: [process.execPath, "-e", "0"] },
      ratio: 2,
    },
  ];
  return measureGoals(goals, rounds, folder);
}

/** One very large package. */
export function verifyLarge(folder: string): Outcome[] {
  const archive = new BenchArchive(folder);
  const size = scaled(1024 * 1024 * 1024);
  const file = join(archive.root, "large_1.0_amd64.deb");
  writeLargeDeb(file, "large", size);
  archive.publish();
  const goal: Goal = {
    floor: bareNode("index", file),
    work: `verify one package of ${number(Math.round(size / 1024 / 1024))} MiB`,
    ours: { name: "feedkey verify", command: archive.verifyCommand(join(archive.root, "Packages"), file) },
    beside: shell("openssl dgst -sha256", `openssl dgst -sha256 ${quote(file)}`),
    ratio: 1.1,
  };
  return measureGoals([goal], rounds, folder);
}
