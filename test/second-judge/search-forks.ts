/**
 * Looks longer than the tests do for a history that a client does not follow, and for a thief whose key is accepted: `npm run
 * search:forks [CASES [SEED]]`. Exit status 1 with the smallest counterexample.
 */
import fc from "fast-check";
import { honestCases, honestFault, spell } from "./thief-honest.ts";
import { spellCase, thiefCases, thiefFault } from "./thief-search.ts";

const cases = Number(process.argv[2] ?? 200_000);
const seed = Number(process.argv[3] ?? 20_260_131);
const step = 5000;

function search<Case>(
  what: string,
  all: fc.Arbitrary<Case>,
  fault: (one: Case) => string | undefined,
  words: (one: Case) => string,
) {
  for (let done = 0; done < cases; done += step) {
    const property = fc.property(all, (one) => fault(one) === undefined);
    const result = fc.check(property, { numRuns: Math.min(step, cases - done), seed: seed + done });
    const [found] = result.counterexample ?? [];
    if (found !== undefined) {
      process.stdout.write(`${what}: ${fault(found)}\n${words(found)}\n`);
      process.exitCode = 1;
      return;
    }
    process.stdout.write(`${what}: ${Math.min(done + step, cases)} of ${cases}\n`);
  }
}

search("with a thief", thiefCases, (one) => thiefFault(one).fault, spellCase);
search("without", honestCases, honestFault, ({ history }) => spell(history));
