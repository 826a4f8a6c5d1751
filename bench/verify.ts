/** Compares verifying with gpgv, and with a script of gpgv, awk and sha256sum. */
import * as fs from "node:fs";
import { join } from "node:path";
import { BenchArchive } from "./archive.ts";
import { bareNode, type Goal, measureGoals, type Outcome } from "./goal.ts";
import type { Contender } from "./measure.ts";
import { makePackages, padIndex, writeLargeDeb } from "./packages.ts";
import { number, rounds, scaled } from "./size.ts";

function shell(name: string, ...lines: readonly string[]): Contender {
  return { name, command: ["sh", "-c", ["set -e", ...lines].join("; ")] };
}

const readsNothing = "reads no index, follows no chain of keys, and checks neither age nor replay";

/** An index alone, and with its packages. */
export function verifyIndex(folder: string): Outcome[] {
  const count = scaled(2000);
  const archive = new BenchArchive(folder);
  makePackages(archive.root, count, 200_000);
  archive.publish();
  const index = join(archive.root, "Packages");
  padIndex(index, scaled(50_000_000));
  archive.sign(index);
  const signature = `gpgv --quiet --keyring ${archive.keyring} ${index}.sig ${index}`;
  const gpgv = { ...shell("gpgv", signature), less: readsNothing };
  const fields = `awk '/^Filename:/ { file = $2 } /^SHA256sum:/ && file ~ /pack/ { print $2 "  " file }' ${index}`;
  const script = [signature, `cd ${archive.root}`, `${fields} | sha256sum --check --quiet -`];
  const work = `verify an index of ${number(scaled(50))} MB`;
  const state = join(folder, "state");
  const prepare = () => fs.rmSync(state, { recursive: true, force: true });
  const floor = bareNode("index", index);
  const goals: Goal[] = [
    {
      floor,
      work: `${work}, an audit (--no-state)`,
      ours: { name: "feedkey verify", command: archive.verifyCommand(index) },
      beside: gpgv,
      ratio: 0.9,
    },
    {
      floor,
      work: "the same, and keep a copy of the index",
      ours: { name: "feedkey verify", command: archive.keptCommand(index, state), prepare },
      beside: gpgv,
      ratio: 1.2,
    },
    {
      // The index is among the files.
      floor: bareNode("files", archive.root),
      work: `${work} and ${number(count)} packages of 200 KB`,
      ours: { name: "feedkey verify", command: archive.verifyCommand(index, "--packages", archive.root) },
      beside: { ...shell("gpgv, awk, sha256sum", ...script), less: `awk checks no grammar; gpgv ${readsNothing}` },
      ratio: 0.33,
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
    beside: {
      ...shell("openssl dgst -sha256", `openssl dgst -sha256 ${file}`),
      less: "compares the digest with no index",
    },
    ratio: 1,
  };
  return measureGoals([goal], rounds, folder);
}
