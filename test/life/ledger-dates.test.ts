// T5: what was accepted before is what was accepted before the reference time.
import { expect } from "chai";
import { seedOf, successorOf, withChain } from "../testkit/archives/chain.ts";
import { day } from "../testkit/dates.ts";

const seed = seedOf("dated");
const [kept, rival] = [successorOf([seed], "dated kept"), successorOf([seed], "dated rival")];

describe("the ledger's dates (T5)", function () {
  this.timeout(60_000);

  it("what was accepted with a clock that was ahead decides nothing before that time", async () => {
    await withChain({ seeds: [seed], bundle: [kept] }, async (chain) => {
      expect((await chain.chain(day(100))).trusted.has(kept.fingerprint)).to.equal(true);
      await chain.putBundle([kept, rival]);
      for (const one of [kept, rival])
        expect((await chain.chain(day(20))).rejected.get(one.fingerprint)?.code).to.equal("fork");
      // Nor is it forgotten for that: when its time has come it counts.
      const later = await chain.chain(day(101));
      expect(later.trusted.has(kept.fingerprint)).to.equal(true);
      expect(later.rejected.get(rival.fingerprint)?.code).to.equal("fork");
    });
  });

  it("what is accepted again before that time counts from then on", async () => {
    await withChain({ seeds: [seed], bundle: [kept] }, async (chain) => {
      await chain.chain(day(100));
      await chain.chain(day(20));
      await chain.putBundle([kept, rival]);
      const { trusted, rejected } = await chain.chain(day(21));
      expect(trusted.has(kept.fingerprint)).to.equal(true);
      expect(rejected.get(rival.fingerprint)?.code).to.equal("fork");
    });
  });
});
