/** Random histories of an archive's keys as its keepers make them with `rotate`, side keys and abandoned successors too. */
import fc from "fast-check";
import { type Day, type Name, type Signed, World } from "./thief-world.ts";

/** What becomes of a key after its successor has taken over. */
type Fate = "expires" | "stays" | "retired";

interface GenerationPlan {
  /** Days at work before its successor is made, and days together with it. */
  readonly alone: Day;
  readonly overlap: Day;
  readonly fate: Fate;
  /** Days between the end of the overlap and the key's end. */
  readonly linger: Day;
  /** It was to end sooner at first, and was extended in time or after it had lapsed. */
  readonly extended: "never" | "in time" | "lapsed";
  /** A successor that was given up before the right one. */
  readonly abandons: boolean;
}

interface SidePlan {
  /** Generation that certifies it. */
  readonly under: number;
  /** After how many days it is rotated, if it is. */
  readonly rotates: Day | undefined;
  readonly overlap: Day;
  readonly fate: Fate;
}

export interface HistoryPlan {
  readonly generations: readonly GenerationPlan[];
  readonly sides: readonly SidePlan[];
}

export interface History {
  readonly world: World;
  /** The keys that sign one after the other, with the day from which each does. */
  readonly main: readonly { readonly name: Name; readonly from: Day; readonly made: Day }[];
  readonly sides: readonly { readonly name: Name; readonly made: Day }[];
  readonly end: Day;
}

const fate = fc.constantFrom<Fate>("expires", "expires", "stays", "retired");
const overlap = fc.constantFrom(0, 5, 10, 20);

/** Plans of up to four generations with up to two side keys. */
export const historyPlans: fc.Arbitrary<HistoryPlan> = fc.record({
  generations: fc.array(
    fc.record({
      alone: fc.constantFrom(30, 40, 60),
      overlap,
      fate,
      linger: fc.constantFrom(0, 1, 15, 40, 100),
      extended: fc.oneof(
        { weight: 4, arbitrary: fc.constant("never" as const) },
        { weight: 2, arbitrary: fc.constantFrom("in time" as const, "lapsed" as const) },
      ),
      abandons: fc.nat({ max: 4 }).map((roll) => roll === 4),
    }),
    { minLength: 1, maxLength: 4, size: "max" },
  ),
  sides: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 2,
      arbitrary: fc.array(
        fc
          .record({
            under: fc.nat({ max: 3 }),
            rotates: fc.option(fc.constantFrom(20, 50, 90)),
            overlap,
            fate,
          })
          .map(({ rotates, ...rest }) => ({ ...rest, rotates: rotates ?? undefined })),
        { minLength: 1, maxLength: 2 },
      ),
    },
  ),
});

class Keepers {
  readonly world = new World();
  /** Days on which keys are over; none: never. */
  readonly #over = new Map<Name, Day>();
  /** Pairs that certified each other. */
  readonly #beside = new Map<Name, Set<Name>>();

  make(name: Name, createdAt: Day, first: Day | undefined): void {
    this.world.make(name, createdAt, first);
    this.#beside.set(name, new Set());
  }

  /** An acknowledgement that passes nothing on: it has expired when anybody hears of it. */
  acknowledge(a: Name, b: Name, day: Day): void {
    this.world.add(
      { kind: "certified", by: a, key: b, at: day, until: day },
      { kind: "certified", by: b, key: a, at: day, until: day },
    );
    this.#pair(a, b);
  }

  #pair(a: Name, b: Name): void {
    this.#beside.get(a)?.add(b);
    this.#beside.get(b)?.add(a);
  }

  /** The issuer certifies, the subject certifies back until a day, and acknowledges whatever stands beside the issuer. */
  rotate(issuer: Name, subject: Name, day: Day, until: Day | undefined, isSide: (name: Name) => boolean): void {
    this.world.add(
      { kind: "certified", by: issuer, key: subject, at: day },
      { kind: "certified", by: subject, key: issuer, at: day, until },
    );
    for (const beside of [...(this.#beside.get(issuer) ?? [])]) {
      const over = this.#over.get(beside);
      if (beside === subject || (over !== undefined && over <= day)) continue;
      if (isSide(beside) || isSide(subject)) this.acknowledge(subject, beside, day);
    }
    this.#pair(issuer, subject);
  }

  end(name: Name, fate: Fate, day: Day): void {
    if (fate === "stays") return;
    this.#over.set(name, day);
    if (fate === "retired") this.world.add({ kind: "retired", key: name, at: day });
  }

  add(...signed: Signed[]): void {
    this.world.add(...signed);
  }
}

interface Work {
  readonly day: Day;
  readonly order: number;
  readonly run: () => void;
}

/** What the keepers do by a plan. */
export function historyOf({ generations, sides }: HistoryPlan): History {
  const keepers = new Keepers();
  const work: Work[] = [];
  const later = (day: Day, run: () => void) => work.push({ day, order: work.length, run });
  const isSide = (name: Name) => name.startsWith("S");
  const main: { name: Name; from: Day; made: Day }[] = [];
  let made = 0;
  let from = 0;
  generations.forEach((plan, nth) => {
    const name = `K${nth}`;
    const isLast = nth === generations.length - 1;
    const [made0, from0] = [made, from];
    main.push({ name, from, made });
    const rotation = from + plan.alone;
    const over = rotation + Math.max(1, plan.overlap + plan.linger);
    const end = !isLast && plan.fate === "expires" ? over : undefined;
    const first = from + Math.floor(plan.alone / 2);
    later(made0, () => {
      keepers.make(name, made0, plan.extended === "never" ? end : first);
      const before = main[nth - 1];
      const beforePlan = generations[nth - 1];
      if (before !== undefined && beforePlan !== undefined) keepers.rotate(before.name, name, made0, from0, isSide);
    });
    if (plan.extended !== "never") {
      const day = plan.extended === "in time" ? first - 3 : first + 3;
      later(day, () => keepers.add({ kind: "said", key: name, at: day, end }));
    }
    if (plan.abandons && !isLast) {
      const lost = `X${nth}`;
      const day = rotation - 10;
      later(day, () => {
        keepers.make(lost, day, undefined);
        keepers.rotate(name, lost, day, day + 5, isSide);
      });
      later(day + 4, () => {
        keepers.add({ kind: "withdrew", by: name, key: lost, at: day + 4 });
        keepers.end(lost, "retired", day + 4);
      });
    }
    if (!isLast) later(over, () => keepers.end(name, plan.fate, over));
    made = rotation;
    from = rotation + plan.overlap;
  });
  const made1: { name: Name; made: Day }[] = [];
  sides.forEach((plan, nth) => {
    const issuer = main[plan.under % main.length];
    if (issuer === undefined) return;
    const name = `S${nth}`;
    const day = issuer.from + 1 + nth;
    made1.push({ name, made: day });
    const rotates = plan.rotates === undefined ? undefined : day + plan.rotates;
    const over = rotates === undefined || plan.fate === "stays" ? undefined : rotates + Math.max(1, plan.overlap);
    later(day, () => {
      keepers.make(name, day, plan.fate === "expires" ? over : undefined);
      // Side by side for good; each successor of the issuer that is there acknowledges it too.
      keepers.rotate(issuer.name, name, day, undefined, isSide);
    });
    if (rotates === undefined) return;
    const next = `S${nth}b`;
    made1.push({ name: next, made: rotates });
    later(rotates, () => {
      keepers.make(next, rotates, undefined);
      keepers.rotate(name, next, rotates, rotates + plan.overlap, isSide);
    });
    if (over !== undefined) later(over, () => keepers.end(name, plan.fate, over));
  });
  for (const { run } of work.sort((a, b) => a.day - b.day || a.order - b.order)) run();
  const last = Math.max(...work.map(({ day }) => day));
  return { world: keepers.world, main, sides: made1, end: last + 60 };
}
