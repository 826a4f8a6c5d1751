/**
 * `node dist/bench/growth.js [FILE.svg]`: how time and memory grow with the archive, from 1,000 to 100,000 stanzas and packages, each
 * point the median of 3 rounds; and a picture of it, docs/growth.svg by default.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { BenchArchive } from "./archive.ts";
import { chart } from "./chart.ts";
import { inFolder } from "./folder.ts";
import { type Contender, measure } from "./measure.ts";
import { makePackages, padIndex } from "./packages.ts";
import { number, scaled } from "./size.ts";
import { alignedTable } from "./table.ts";

interface Point {
  readonly work: string;
  readonly count: number;
  readonly seconds: number;
  readonly megabytes: number;
}

const counts = [1000, 3162, 10_000, 31_623, 100_000].map(scaled);

function pointOf(work: string, count: number, contender: Contender, folder: string): Point {
  const [measured] = measure([contender], 3, folder);
  return { work, count, seconds: measured?.seconds ?? 0, megabytes: (measured?.peakKiB ?? 0) / 1024 };
}

/** Stanzas of about 750 bytes in an index without packages. */
async function verifying(count: number): Promise<Point> {
  return await inFolder((folder) => {
    const archive = new BenchArchive(folder);
    const index = join(folder, "Packages");
    fs.writeFileSync(index, "");
    padIndex(index, count * 750);
    archive.sign(index);
    return pointOf("verify: stanzas", count, { name: "verify", command: archive.verifyCommand(index) }, folder);
  });
}

/** Packages of 2 KB, none of them known. */
async function publishing(count: number): Promise<Point> {
  return await inFolder((folder) => {
    const archive = new BenchArchive(folder);
    makePackages(archive.root, count, 2000);
    const prepare = () => archive.unpublish();
    return pointOf("publish: packages", count, { name: "publish", command: archive.publishCommand(), prepare }, folder);
  });
}

/** The same, all of them known and published. */
async function publishingAgain(count: number): Promise<Point> {
  return await inFolder(async (folder) => {
    const archive = new BenchArchive(folder);
    makePackages(archive.root, count, 2000);
    // What changed in the last two seconds is read again by the next run.
    await setTimeout(2100);
    archive.publish();
    return pointOf("publish again", count, { name: "publish again", command: archive.publishCommand() }, folder);
  });
}

const points: Point[] = [];
for (const measureOne of [verifying, publishing, publishingAgain])
  for (const count of counts) points.push(await measureOne(count));
const rows = points.map(({ work, count, seconds, megabytes }) => {
  return [
    work,
    number(count),
    `${seconds.toFixed(2)} s`,
    `${((seconds / count) * 1e6).toFixed(0)} us`,
    `${megabytes.toFixed(0)} MB`,
  ];
});
process.stdout.write(`${alignedTable(["work", "count", "time", "each", "memory"], rows)}\n`);
const file = process.argv[2] ?? "docs/growth.svg";
const works = [...new Set(points.map(({ work }) => work))];
const series = works.map((name) => {
  return {
    name,
    points: points.filter(({ work }) => work === name).map(({ count, seconds }) => [count, seconds] as const),
  };
});
const title = "Seconds over the number of stanzas verified and packages published, both axes logarithmic";
fs.writeFileSync(file, chart({ title, across: "stanzas, packages", up: "seconds", series }));
