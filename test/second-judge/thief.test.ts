/** Random histories of an archive's keys: without a thief every client follows, and with one none follows him. */
import { expect } from "chai";
import fc from "fast-check";
import { honestCases, honestFault } from "./thief-honest.ts";
import { thiefCases, thiefFault } from "./thief-search.ts";

const cases = Number(process.env.FEEDKEY_THIEVES ?? 20_000);
const seed = Number(process.env.FEEDKEY_THIEVES_SEED ?? 20_260_131);
const parts = [0, 1, 2, 3];

describe("forks, over random histories", () => {
  for (const part of parts) {
    it(`a client of any generation follows its archive (${part + 1} of ${parts.length})`, function () {
      this.timeout(600_000);
      const property = fc.property(honestCases, (one) => {
        expect(honestFault(one)).to.equal(undefined);
      });
      fc.assert(property, { numRuns: cases / parts.length, seed: seed + part });
    });

    it(`no client accepts a thief's key where the chain leads on (${part + 1} of ${parts.length})`, function () {
      this.timeout(600_000);
      let runs = 0;
      const property = fc.property(thiefCases, (one) => {
        const told = thiefFault(one);
        runs += told.runs;
        expect(told.fault).to.equal(undefined);
      });
      fc.assert(property, { numRuns: cases / parts.length, seed: seed + part });
      expect(runs, "runs in which the thief had a chance").to.be.at.least(cases / parts.length / 4);
    });
  }
});
