// A soak of a few seconds; `npm run soak` takes minutes.
import { expect } from "chai";
import { soak } from "./soak.ts";

describe("a soak", function () {
  this.timeout(120_000);

  it("of eight clients, an archive, and connections that break: nothing wrong is accepted", async () => {
    const { wrong, accepted, errors, ...counts } = await soak({
      seed: 1,
      duration: 7000,
      pause: 200,
      rotationPeriod: 3,
    });
    expect(wrong).to.deep.equal([]);
    expect(accepted.update).to.be.greaterThan(0);
    expect(Object.keys(errors)).to.not.deep.equal([]);
    expect(counts.publications).to.be.greaterThan(1);
  });
});
