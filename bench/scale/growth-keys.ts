/**
 * `node dist/bench/scale/growth-keys.js [FILE.svg]`: how `verify` grows with the keys that a client knows, from 10 to 4,000 keys of
 * a chain and from 1 to 10,000 delegates; and a picture of it, docs/growth-keys.svg by default. The client has its state already.
 */
import * as fs from "node:fs";
import { feedkey } from "../archive.ts";
import { chart } from "../chart.ts";
import { inFolder } from "../folder.ts";
import { measure } from "../measure.ts";
import { number, roundsOr, scaled } from "../size.ts";
import { alignedTable } from "../table.ts";
import { type ManyKeys, makeChain, makeDelegates, writeClient } from "./many-keys.ts";

interface Point {
  readonly count: number;
  readonly seconds: number;
  readonly megabytes: number;
}

async function pointOf(make: (count: number) => ManyKeys, count: number): Promise<Point> {
  return await inFolder((folder) => {
    const { index, profile, state } = writeClient(folder, make(count), Number.POSITIVE_INFINITY, ["keyservers = none"]);
    const command = feedkey("verify", index, "--profile", profile, "--state", state);
    // The round that does not count makes the state.
    const [measured] = measure([{ name: "feedkey verify", command }], roundsOr(3), folder);
    const seconds = measured?.processorSeconds ?? measured?.seconds ?? 0;
    return { count, seconds, megabytes: (measured?.peakKiB ?? 0) / 1024 };
  });
}

const works = [
  { name: "keys of the chain", make: makeChain, counts: [10, 100, 1000, 2000, 4000] },
  { name: "delegates", make: makeDelegates, counts: [1, 10, 100, 1000, 10_000] },
];
const series = [];
const rows = [];
for (const { name, make, counts } of works) {
  const points: Point[] = [];
  for (const count of counts) points.push(await pointOf(make, scaled(count)));
  series.push({ name, points: points.map(({ count, seconds }) => [count, seconds] as const) });
  for (const { count, seconds, megabytes } of points) {
    rows.push([name, number(count), `${seconds.toFixed(2)} s`, `${megabytes.toFixed(0)} MB`]);
  }
}
process.stdout.write(`${alignedTable(["verify with", "count", "processor time", "memory"], rows)}\n`);
const title = "Seconds of processor time over the number of keys that a client knows, both axes logarithmic";
const picture = chart({ title, across: "keys of the chain, delegates", up: "seconds of processor time", series });
fs.writeFileSync(process.argv[2] ?? "docs/growth-keys.svg", picture);
