// A few kills of real processes; `npm run kills` makes a thousand.
import { expect } from "chai";
import { killMany } from "./kills.ts";

describe("kills at random moments", function () {
  this.timeout(120_000);

  it("of publish, rotate, update, fetch and mirror: each run goes on from what is left", async () => {
    const { killed, wrong } = await killMany(10, 3);
    expect(wrong).to.deep.equal([]);
    expect(Object.values(killed).reduce((sum, count) => sum + count, 0)).to.equal(10);
  });
});
