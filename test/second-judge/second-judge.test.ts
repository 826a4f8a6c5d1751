/** Two judges, the second naive and written from the rules alone, must agree on thousands of random graphs. */
import { expect } from "chai";
import fc from "fast-check";
import { judge } from "../../src/trust/judge.ts";
import { buildGraph, reversed } from "./build-graph.ts";
import { delegateFaults, disagreement } from "./disagreement.ts";
import { delegationPlans, feeds } from "./random-delegations.ts";
import { graphPlans } from "./random-graphs.ts";
import { secondDelegates } from "./second-delegates.ts";
import { secondJudge } from "./second-judge.ts";
import { oldEnds } from "./statements.ts";

const graphs = Number(process.env.FEEDKEY_GRAPHS ?? 20_000);
// Another one gives other graphs; fast-check names it when the judges disagree.
const seed = Number(process.env.FEEDKEY_GRAPHS_SEED ?? 20_260_131);

describe("the judge and a second, naive one", () => {
  it(`agree on ${graphs} random graphs, in whatever order the certificates come`, function () {
    this.timeout(600_000);
    const property = fc.property(graphPlans, (plan) => {
      const input = buildGraph(plan);
      const second = secondJudge(input);
      expect(disagreement(input, judge, second)).to.deep.equal([]);
      expect(disagreement(reversed(input), judge, second), "the other way round").to.deep.equal([]);
    });
    fc.assert(property, { numRuns: graphs, seed });
  });

  it(`agree on the delegates of ${graphs / 20} random graphs`, function () {
    this.timeout(600_000);
    const property = fc.property(delegationPlans, (plan) => {
      const input = buildGraph(plan);
      const second = secondDelegates(input, feeds);
      expect(delegateFaults(input, judge, second, feeds)).to.deep.equal([]);
      expect(delegateFaults(reversed(input), judge, second, feeds), "the other way round").to.deep.equal([]);
    });
    fc.assert(property, { numRuns: graphs / 20, seed });
  });

  it("are asked what delegation is about: of 1,000 graphs many have delegates of delegates and narrowed scopes", function () {
    this.timeout(60_000);
    const found = { delegates: 0, further: 0, narrowed: 0, nothing: 0, renewed: 0 };
    for (const plan of fc.sample(delegationPlans, { numRuns: 1000, seed })) {
      const input = buildGraph(plan);
      const { trusted } = judge(input);
      const grants = [...trusted.values()].flatMap((key) => key.grants);
      const delegates = secondDelegates(input, feeds);
      if (delegates.size > 0) found.delegates++;
      if (grants.some(({ steps }) => steps.length > 1)) found.further++;
      if (grants.some(({ scopes }) => new Set(scopes.flat()).size > 2)) found.narrowed++;
      if ([...delegates.values()].some((allowed) => allowed.size === 0)) found.nothing++;
      if (grants.some(({ scopes, steps }) => scopes.length > steps.length)) found.renewed++;
    }
    expect(found.delegates).to.be.at.least(500);
    expect(found.further).to.be.at.least(120);
    expect(found.narrowed).to.be.at.least(100);
    expect(found.nothing).to.be.at.least(5);
    expect(found.renewed).to.be.at.least(150);
  });

  it("are asked what the rules are about: of 1,000 graphs many have successors, forks and the like", function () {
    this.timeout(60_000);
    const found = { successors: 0, forks: 0, keptRivals: 0, beyondForks: 0, ledger: 0, checks: 0, crowds: 0 };
    const dead = { heads: 0, remembered: 0, neverLive: 0, takenBack: 0, counted: 0, ledgerEnds: 0 };
    for (const plan of fc.sample(graphPlans, { numRuns: 1000, seed })) {
      const input = buildGraph(plan);
      const { trusted, forks, victims, beyondForks, takenBack } = secondJudge(input);
      const without = (change: Partial<typeof input>) => secondJudge({ ...input, ...change }).trusted;
      const isOther = (others: ReadonlySet<string>) => [...others].sort().join() !== [...trusted].sort().join();
      if ([...trusted].some((key) => !input.seeds.includes(key))) found.successors++;
      if (forks.length > 0) found.forks++;
      if (forks.some(({ rivals }) => [...rivals].some((rival) => !victims.has(rival)))) found.keptRivals++;
      if (beyondForks.size > 0) found.beyondForks++;
      if (isOther(without({ accepted: new Set() }))) found.ledger++;
      if (isOther(without({ unchecked: new Set() }))) found.checks++;
      if (isOther(without({ crowded: new Map() }))) found.crowds++;
      const heads = forks.flatMap(({ sides }) =>
        sides.flatMap((side) => [...side.heads].map((head) => ({ side, head }))),
      );
      if (heads.some(({ side, head }) => head !== side.key && victims.has(head))) dead.heads++;
      if (heads.some(({ side, head }) => side.ways.has(head))) dead.remembered++;
      if (isOther(without({ neverLive: new Set() }))) dead.neverLive++;
      if (takenBack.size > 0) dead.takenBack++;
      const late = input.certificates.filter((one) => {
        return oldEnds(one, input.at, input.ends?.get(one.primary.fingerprint)).length > 0;
      });
      if (late.some(({ primary }) => trusted.has(primary.fingerprint) && !takenBack.has(primary.fingerprint)))
        dead.counted++;
      if (isOther(without({ ends: new Map() }))) dead.ledgerEnds++;
    }
    expect(found.successors).to.be.at.least(400);
    expect(found.forks).to.be.at.least(400);
    expect(found.keptRivals).to.be.at.least(40);
    expect(found.beyondForks).to.be.at.least(40);
    expect(found.ledger).to.be.at.least(60);
    expect(found.checks).to.be.at.least(30);
    expect(found.crowds).to.be.at.least(15);
    expect(dead.heads).to.be.at.least(150);
    expect(dead.remembered).to.be.at.least(2);
    expect(dead.neverLive).to.be.at.least(3);
    expect(dead.takenBack).to.be.at.least(100);
    expect(dead.counted).to.be.at.least(60);
    expect(dead.ledgerEnds).to.be.at.least(10);
  });
});
