/**
 * `node dist/bench/flood.js [WORDS...]`: keys that somebody flooded with junk, judged beside sqv and gpgv over the same packets;
 * with words only the cases that have one of them in their title.
 * FEEDKEY_BENCH_RUNS: rounds that count (3). FEEDKEY_BENCH_SCALE: share of the full sizes (1). FEEDKEY_BENCH_GPGV=1: gpgv
 * too, which takes minutes for some of them.
 */

import { type Archive, archive, bogus, contenders, genuine, mixed, seed, stranger, successor } from "./floods.ts";
import { inFolder } from "./folder.ts";
import { measure } from "./measure.ts";
import { machine, number, roundsOr, scaled } from "./size.ts";
import { table } from "./table.ts";

const rounds = roundsOr(3);
const slowToo = process.env.FEEDKEY_BENCH_GPGV === "1";

async function judge(what: string, flood: Archive): Promise<void> {
  await inFolder((folder) => {
    const { ours, sqv, gpgv } = contenders(folder, flood);
    const all = slowToo ? [ours, sqv, gpgv] : [ours, sqv];
    process.stdout.write(`${table(what, measure(all, rounds, folder))}\n\n`);
  });
}

process.stdout.write(`medians of ${rounds} rounds; ${machine}; x: times feedkey's own\n\n`);
const [many, few] = [number(scaled(100_000)), number(scaled(10_000))];
const cases: readonly (readonly [string, () => Archive])[] = [
  ["no junk", () => archive({})],
  [
    `${many} bogus self-signatures on the successor`,
    () => archive({ onSuccessor: bogus(successor, scaled(100_000), false) }),
  ],
  [
    `${many} bogus self-signatures on the successor, with the right digest`,
    () => archive({ onSuccessor: bogus(successor, scaled(100_000), true) }),
  ],
  [`${many} bogus self-signatures on the seed`, () => archive({ onSeed: bogus(seed, scaled(100_000), false) })],
  [
    `${many} bogus self-signatures on the seed, with the right digest`,
    () => archive({ onSeed: bogus(seed, scaled(100_000), true) }),
  ],
  [
    `${many} junk certifications, ${few} bogus self-signatures, by strangers`,
    () => archive({ onSuccessor: mixed(stranger, false) }),
  ],
  [
    `${many} junk certifications, ${few} bogus self-signatures, in the issuer's name, with the right digest`,
    () => archive({ onSuccessor: mixed(seed, true) }),
  ],
  [
    `${many} genuine self-signatures on the successor`,
    () => archive({ onSuccessor: genuine(successor, scaled(100_000)) }),
  ],
];
const wanted = process.argv.slice(2);
for (const [what, make] of cases) {
  if (wanted.length === 0 || wanted.some((word) => what.includes(word))) await judge(what, make());
}
