/**
 * Plants wrong rules in a copy of the compiled judge, one at a time, and tells after how many random graphs the second judge
 * objects. `node dist/test/second-judge/plant-wrong-rules.js [BEGINNING-OF-NAMES]` after a build; exit status 1 if one goes unnoticed, its
 * place is no longer found, or the untouched copy is objected to.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { buildGraph, reversed } from "./build-graph.ts";
import { delegateFaults, disagreement, type Judge } from "./disagreement.ts";
import { delegationPlans, feeds } from "./random-delegations.ts";
import { graphPlans } from "./random-graphs.ts";
import { secondDelegates } from "./second-delegates.ts";
import { secondJudge } from "./second-judge.ts";
import type { WrongRule } from "./wrong-fork-rules.ts";
import { control, wrongRules } from "./wrong-rules.ts";

const limit = 20_000;
const compiled = path.join(import.meta.dirname, "..", "..", "src");

async function planted({ file, right, wrong }: WrongRule): Promise<Judge> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "feedkey-planted-"));
  try {
    fs.writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
    fs.cpSync(compiled, path.join(folder, "src"), { recursive: true });
    const target = path.join(folder, "src", "trust", file);
    const text = fs.readFileSync(target, "utf8");
    if (text.split(right).length !== 2) throw new Error(`${file} does not hold exactly once: ${right}`);
    fs.writeFileSync(
      target,
      text.replace(right, () => wrong),
    );
    const { judge } = (await import(pathToFileURL(path.join(folder, "src", "trust", "judge.js")).href)) as {
      judge: Judge;
    };
    return judge;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** How many graphs it took until the judges disagreed, and over what; undefined: they never did. */
function noticedAfter(
  judge: Judge,
  delegates: boolean,
): { readonly graphs: number; readonly over: string } | undefined {
  let over = "";
  const { failed, numRuns } = fc.check(
    fc.property(delegates ? delegationPlans : graphPlans, (plan) => {
      const input = buildGraph(plan);
      const second = secondJudge(input);
      const allowed = delegates ? secondDelegates(input, feeds) : undefined;
      const [first] = [input, reversed(input)].flatMap((either) => {
        if (allowed === undefined) return disagreement(either, judge, second);
        return delegateFaults(either, judge, allowed, feeds);
      });
      over = first ?? "";
      return first === undefined;
    }),
    { numRuns: limit, seed: 20_260_131, endOnFailure: true },
  );
  return failed ? { graphs: numRuns, over } : undefined;
}

const only = process.argv[2];
const chosen = wrongRules.filter(({ name }) => only === undefined || name.startsWith(only));
for (const rule of [control, { ...control, delegates: true as const }, ...chosen]) {
  const noticed = noticedAfter(await planted(rule), rule.delegates === true);
  if ((noticed === undefined) !== (rule.name === control.name)) process.exitCode = 1;
  const count = noticed === undefined ? "never" : `${noticed.graphs}`;
  process.stdout.write(`${count.padStart(6)}  ${rule.name}${noticed === undefined ? "" : ` (${noticed.over})`}\n`);
}
