/** One line of the results: feedkey's command, another command, and the intended ratio. */
import { resolve } from "node:path";
import type { Contender, Measured } from "./measure.ts";
import { measure } from "./measure.ts";
import { alignedTable } from "./table.ts";

export interface Goal {
  readonly work: string;
  readonly ours: Contender;
  readonly beside: Contender;
  /** The intended ratio of feedkey's time to the other's. */
  readonly ratio: number;
  /** The minimal work of any program on Node. */
  readonly floor?: Contender;
}

/** A program of `bare-node.cjs`. */
export function bareNode(...args: readonly string[]): Contender {
  return { name: "bare Node", command: [process.execPath, resolve("bench/bare-node.cjs"), ...args] };
}

export interface Outcome {
  readonly goal: Goal;
  readonly ours: Measured;
  readonly beside: Measured;
  readonly floor: Measured | undefined;
}

/** Measures goals that share their files, all commands in turn. A command in several goals is measured once. */
export function measureGoals(goals: readonly Goal[], rounds: number, scratch: string): Outcome[] {
  const contenders = [
    ...new Set(goals.flatMap(({ ours, beside, floor }) => [ours, beside, ...(floor === undefined ? [] : [floor])])),
  ];
  const measured = new Map(measure(contenders, rounds, scratch).map((one, place) => [contenders[place], one]));
  return goals.map((goal) => {
    const [ours, beside] = [measured.get(goal.ours), measured.get(goal.beside)];
    if (ours === undefined || beside === undefined) throw new Error(`${goal.work} was not measured`);
    return { goal, ours, beside, floor: goal.floor && measured.get(goal.floor) };
  });
}

const seconds = (value: number | undefined) => {
  return value === undefined ? "-" : value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`;
};
const megabytes = (value: number | undefined) => (value === undefined ? "-" : `${Math.round(value / 1024)} MB`);

/** All outcomes as a table of Markdown: it can be put into the documentation as it is. */
export function goalTable(outcomes: readonly Outcome[]): string {
  const head = ["work", "feedkey", "beside", "", "ratio", "goal", "bare Node", "memory", "its memory"];
  const rows = outcomes.map(({ goal, ours, beside, floor }) => {
    const ratio =
      ours.seconds === undefined || beside.seconds === undefined ? undefined : ours.seconds / beside.seconds;
    return [
      goal.work,
      seconds(ours.seconds),
      beside.name,
      seconds(beside.seconds),
      ratio === undefined ? "-" : ratio.toFixed(2),
      `${goal.ratio.toFixed(2)}${ratio === undefined || ratio <= goal.ratio ? "" : " missed"}`,
      seconds(floor?.seconds),
      megabytes(ours.peakKiB),
      megabytes(beside.peakKiB),
    ];
  });
  return alignedTable(head, rows);
}
