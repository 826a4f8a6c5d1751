/**
 * `npm run bench`: feedkey beside the programs that do the same work or a part of it, in one run on this machine; medians,
 * with everything in the page cache. `node dist/bench/main.js WORD...` measures only the groups named: verify, large, publish,
 * one-more, many, apt, keys, many-keys, floods.
 * FEEDKEY_BENCH_RUNS: rounds that count (9). FEEDKEY_BENCH_SCALE: share of the full sizes (1).
 */

import { followRepository } from "./apt.ts";
import { judgeFloods } from "./floods.ts";
import { inFolder } from "./folder.ts";
import { goalTable, type Outcome } from "./goal.ts";
import { followChain, verifyMany } from "./keys.ts";
import { publishAll, publishMany, publishOneMore } from "./publish.ts";
import { machine, rounds } from "./size.ts";
import { verifyIndex, verifyLarge } from "./verify.ts";

const groups: Readonly<Record<string, (folder: string) => Outcome[] | Promise<Outcome[]>>> = {
  verify: verifyIndex,
  large: verifyLarge,
  publish: publishAll,
  "one-more": publishOneMore,
  many: publishMany,
  apt: followRepository,
  keys: followChain,
  "many-keys": verifyMany,
  floods: judgeFloods,
};

const asked = process.argv.slice(2);
process.stdout.write(`medians of ${rounds} rounds; ${machine}\n\n`);
const outcomes: Outcome[] = [];
for (const [name, work] of Object.entries(groups)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  if (process.stderr.isTTY) process.stderr.write(`measuring ${name}...\n`);
  for (const outcome of await inFolder(work)) outcomes.push(outcome);
}
process.stdout.write(`${goalTable(outcomes)}\n`);
