/** How much is measured, and where: FEEDKEY_BENCH_RUNS, rounds that count (9); FEEDKEY_BENCH_SCALE, the share of the full sizes (1). */
import { availableParallelism } from "node:os";

/** The default number of rounds that count. */
export const roundsOr = (usual: number) => Number(process.env.FEEDKEY_BENCH_RUNS ?? usual);
export const rounds = roundsOr(9);
const scale = Number(process.env.FEEDKEY_BENCH_SCALE ?? "1");

/** That share of a full size, at least one. */
export const scaled = (count: number) => Math.max(1, Math.round(count * scale));

/** A number in readable form. */
export const number = (count: number) => count.toLocaleString("en");

/** The machine and date of the measurement. */
export const machine = `${availableParallelism()} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`;
