/** What a thief of one key of the chain may do: sign in its name, and make keys of any sort that sign whatever they like. */
import fc from "fast-check";
import type { History } from "./thief-history.ts";
import type { Day, Name, World } from "./thief-world.ts";

/** A day near something that happened: which of these days, and how many days beside it. */
interface Moment {
  readonly nth: number;
  readonly beside: number;
}

interface ThiefKeyPlan {
  readonly created: Moment;
  /** Whether it ends, and whether it is extended later. */
  readonly end: Moment | undefined;
  readonly extended: { readonly at: Moment; readonly end: Moment | undefined; readonly heard: Moment } | undefined;
  readonly retired: Moment | undefined;
  readonly weak: boolean;
  readonly heard: Moment;
}

interface MovePlan {
  readonly kind: "certify" | "withdraw";
  /** The stolen key is 0; then come the thief's. */
  readonly by: number;
  /** The thief's keys and then the honest ones. */
  readonly key: number;
  readonly at: Moment;
  readonly until: Moment | undefined;
  readonly heard: Moment;
}

export interface ThiefPlan {
  /** Which of the honest keys he has, and since when. */
  readonly stolen: number;
  readonly since: Moment;
  readonly keys: readonly ThiefKeyPlan[];
  readonly moves: readonly MovePlan[];
  /** Ends that the stolen key claims, later or sooner than those before. */
  readonly ends: readonly { readonly at: Moment; readonly end: Moment | undefined; readonly heard: Moment }[];
  /** Retirements of the stolen key. */
  readonly retirements: readonly { readonly at: Moment; readonly heard: Moment }[];
  /**
   * One more key of his, made and certified as early as the stolen key can have done it; what that certified rightfully he then
   * leaves after its end or its retirement.
   */
  readonly early: "alone" | "shortens" | "retires" | undefined;
  /** Which of his keys certified more than is looked at: 0 is the stolen one. */
  readonly crowds: readonly { readonly key: number; readonly from: Moment }[];
}

const moment: fc.Arbitrary<Moment> = fc.record({ nth: fc.nat({ max: 19 }), beside: fc.constantFrom(0, 0, 1, -1) });
const some = <T>(value: fc.Arbitrary<T>, share: number) =>
  fc.oneof({ weight: 10 - share, arbitrary: fc.constant(undefined) }, { weight: share, arbitrary: value });
const extension = fc.record({ at: moment, end: some(moment, 4), heard: moment });

export const thiefPlans: fc.Arbitrary<ThiefPlan> = fc.record({
  stolen: fc.nat({ max: 7 }),
  since: moment,
  keys: fc.array(
    fc.record({
      created: moment,
      end: some(moment, 5),
      extended: some(extension, 2),
      retired: some(moment, 1),
      weak: fc.nat({ max: 9 }).map((roll) => roll === 9),
      heard: moment,
    }),
    { minLength: 1, maxLength: 5, size: "max" },
  ),
  moves: fc.array(
    fc.record({
      kind: fc.constantFrom("certify" as const, "certify", "certify", "certify", "certify", "withdraw"),
      by: fc.nat({ max: 5 }),
      key: fc.nat({ max: 12 }),
      at: moment,
      until: some(moment, 1),
      heard: moment,
    }),
    { minLength: 1, maxLength: 12, size: "max" },
  ),
  ends: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.array(extension, { minLength: 1, maxLength: 3 }) },
  ),
  retirements: fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.record({ at: moment, heard: moment }), { minLength: 1, maxLength: 2 }) },
  ),
  early: some(fc.constantFrom("alone" as const, "shortens", "retires"), 3),
  crowds: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.record({ key: fc.nat({ max: 5 }), from: moment }), { minLength: 1, maxLength: 2 }),
    },
  ),
});

export interface Theft {
  /** All that there is, his doings included. */
  readonly world: World;
  readonly stolen: Name;
  /** The first day on which anything of his is there. */
  readonly since: Day;
  readonly crowdsOn: (day: Day) => Name[];
}

/** Adds a key that the stolen one certified before all others, and what takes these out of the chain. */
function addEarly(
  world: World,
  early: ThiefPlan["early"],
  stolen: History["sides"][number],
  name: Name,
  heard: Day,
): void {
  const rightful = world.signed.filter((one) => one.kind === "certified" && one.by === stolen.name);
  const first = Math.min(...rightful.map(({ at }) => at));
  const { name: key, made } = stolen;
  world.make(name, made, undefined, { heard });
  world.add({ kind: "certified", by: key, key: name, at: made, heard });
  if (!Number.isFinite(first) || first <= made) return;
  if (early === "shortens") world.add({ kind: "said", key, at: heard, end: first, heard });
  if (early === "retires") world.add({ kind: "retired", key, at: first, heard });
}

/** Adds a thief to a history. */
export function steal(history: History, plan: ThiefPlan): Theft {
  const honest = [...history.main, ...history.sides];
  const stolen = honest[plan.stolen % honest.length] ?? { name: "K0", made: 0 };
  const days = [...new Set(history.world.signed.flatMap((one) => [one.at, "end" in one ? (one.end ?? 0) : one.at]))];
  const pool = [...days, history.end].sort((a, b) => a - b);
  const dayOf = ({ nth, beside }: Moment) => Math.max(0, (pool[nth % pool.length] ?? 0) + beside);
  const since = Math.max(stolen.made, dayOf(plan.since));
  const heardOn = (at: Moment) => Math.max(since, dayOf(at));
  const world = history.world.within(() => true);
  const nameOfKey = (nth: number) => `t${nth}`;
  plan.keys.forEach((key, nth) => {
    const name = nameOfKey(nth);
    const created = dayOf(key.created);
    const end = key.end === undefined ? undefined : dayOf(key.end);
    const heard = heardOn(key.heard);
    world.make(name, created, end, { weak: key.weak, heard });
    if (key.extended !== undefined) {
      const { at, end: later } = key.extended;
      const until = later === undefined ? undefined : dayOf(later);
      world.add({ kind: "said", key: name, at: dayOf(at), end: until, heard: heardOn(key.extended.heard) });
    }
    if (key.retired !== undefined) world.add({ kind: "retired", key: name, at: dayOf(key.retired), heard });
  });
  const names = plan.keys.map((_, nth) => nameOfKey(nth));
  if (plan.early !== undefined) {
    const name = nameOfKey(names.length);
    addEarly(world, plan.early, stolen, name, since);
    names.push(name);
  }
  const his = [stolen.name, ...names];
  const all = [...his.slice(1), ...honest.map(({ name }) => name)];
  // One certification by the stolen key is always there: without it nothing hangs together.
  plan.moves.forEach((move, nth) => {
    const by = nth === 0 ? stolen.name : (his[move.by % his.length] ?? stolen.name);
    const key = nth === 0 ? nameOfKey(0) : (all[move.key % all.length] ?? stolen.name);
    if (by === key) return;
    const [at, heard] = [dayOf(move.at), heardOn(move.heard)];
    if (move.kind === "withdraw" && nth > 0) world.add({ kind: "withdrew", by, key, at, heard });
    else {
      const until = move.until === undefined ? undefined : dayOf(move.until);
      world.add({ kind: "certified", by, key, at, until, heard });
    }
  });
  for (const { at, end, heard } of plan.ends) {
    const until = end === undefined ? undefined : dayOf(end);
    world.add({ kind: "said", key: stolen.name, at: dayOf(at), end: until, heard: heardOn(heard) });
  }
  for (const { at, heard } of plan.retirements) {
    world.add({ kind: "retired", key: stolen.name, at: dayOf(at), heard: heardOn(heard) });
  }
  const crowds = plan.crowds.map(({ key, from }) => ({ name: his[key % his.length] ?? "", from: heardOn(from) }));
  const crowdsOn = (day: Day) => crowds.filter(({ from }) => from <= day).map(({ name }) => name);
  return { world, stolen: stolen.name, since, crowdsOn };
}
