/** One line of the results: feedkey's command, another command, and the goal. */
import { resolve } from "node:path";
import type { Contender, Measured } from "./measure.ts";
import { measure } from "./measure.ts";
import { alignedTable, inMegabytes, inSeconds } from "./table.ts";

export interface Goal {
  readonly work: string;
  readonly ours: Contender;
  readonly beside?: Contender;
  /** The intended ratio of feedkey's time to the other's. */
  readonly ratio?: number;
  /** The intended time. */
  readonly seconds?: number;
  /** The intended peak memory. */
  readonly megabytes?: number;
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
  readonly beside: Measured | undefined;
  readonly floor: Measured | undefined;
}

/** Measures goals that share their files, all commands in turn. A command in several goals is measured once. */
export function measureGoals(goals: readonly Goal[], rounds: number, scratch: string): Outcome[] {
  const contenders = [...new Set(goals.flatMap(({ ours, beside, floor }) => [ours, beside, floor]))].filter(
    (one) => one !== undefined,
  );
  const measured = new Map(measure(contenders, rounds, scratch).map((one, place) => [contenders[place], one]));
  return goals.map((goal) => {
    const ours = measured.get(goal.ours);
    if (ours === undefined) throw new Error(`${goal.work} was not measured`);
    return {
      goal,
      ours,
      beside: goal.beside && measured.get(goal.beside),
      floor: goal.floor && measured.get(goal.floor),
    };
  });
}

const shown = (value: number | undefined, form: (value: number) => string) => (value === undefined ? "-" : form(value));

/** The goals of one line, and which were missed. */
function goalsOf({ goal, ours }: Outcome, ratio: number | undefined): string {
  const one = (wanted: number | undefined, value: number | undefined, form: (value: number) => string) =>
    wanted === undefined ? [] : [`${form(wanted)}${value === undefined || value <= wanted ? "" : " missed"}`];
  const megabytes = ours.peakKiB === undefined ? undefined : ours.peakKiB / 1024;
  return [
    ...one(goal.ratio, ratio, (value) => value.toFixed(2)),
    ...one(goal.seconds, ours.seconds, inSeconds),
    ...one(goal.megabytes, megabytes, (value) => `${value} MB`),
  ].join(", ");
}

/** All outcomes as a table of Markdown, and what the other programs do less: it can be put into the documentation as it is. */
export function goalTable(outcomes: readonly Outcome[]): string {
  const head = ["work", "feedkey", "beside", "", "ratio", "goal", "bare Node", "memory", "its memory"];
  const rows = outcomes.map((outcome) => {
    const { goal, ours, beside, floor } = outcome;
    const ratio =
      ours.seconds === undefined || beside?.seconds === undefined ? undefined : ours.seconds / beside.seconds;
    return [
      goal.work,
      shown(ours.seconds, inSeconds),
      beside?.name ?? "-",
      shown(beside?.seconds, inSeconds),
      shown(ratio, (value) => value.toFixed(2)),
      goalsOf(outcome, ratio),
      shown(floor?.seconds, inSeconds),
      shown(ours.peakKiB, inMegabytes),
      shown(beside?.peakKiB, inMegabytes),
    ];
  });
  const less = new Map(outcomes.flatMap(({ goal: { beside } }) => (beside?.less ? [[beside.name, beside.less]] : [])));
  const notes = [...less].map(([name, what]) => `- ${name}: ${what}`);
  return [alignedTable(head, rows), "", "The other programs do less than feedkey:", "", ...notes].join("\n");
}
