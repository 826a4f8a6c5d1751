/** How much is measured: FEEDKEY_BENCH_RUNS, rounds that count (9); FEEDKEY_BENCH_SCALE, the share of the full sizes (1). */

export const rounds = Number(process.env.FEEDKEY_BENCH_RUNS ?? "9");
const scale = Number(process.env.FEEDKEY_BENCH_SCALE ?? "1");

/** That share of a full size, at least one. */
export const scaled = (count: number) => Math.max(1, Math.round(count * scale));

/** A number as people read it. */
export const number = (count: number) => count.toLocaleString("en");
