import { expect } from "chai";
import { compareDewey } from "../../src/formats/pkgsrc/dewey.ts";

describe("index-format/dewey", () => {
  // Each one is older than the next.
  const chains = [
    ["1.0alpha1", "1.0beta1", "1.0beta2", "1.0rc1", "1.0", "1.0nb1", "1.0nb2", "1.0nb10", "1.0.1", "1.0.10", "1.1"],
    ["0.9", "1", "1.1", "1.2", "1.10", "2", "20040101", "20260101"],
    ["1.0", "1.0a", "1.0b", "1.0.3", "1.1"],
    ["5.36", "5.36nb4", "5.38", "5.38.1"],
    ["2.0pre3", "2.0", "2.0pl1"],
  ];
  for (const chain of chains) {
    it(`orders ${chain.join(" < ")}`, () => {
      for (const [i, a] of chain.entries()) {
        for (const [j, b] of chain.entries())
          expect(Math.sign(compareDewey(a, b)), `${a} ${b}`).to.equal(Math.sign(i - j));
      }
    });
  }

  it("takes for the same what pkg_install takes for the same", () => {
    for (const [a, b] of [
      ["1.0", "1.0.0"],
      ["1.0", "1_0"],
      ["1.0pl2", "1.0.2"],
      ["1.0RC1", "1.0rc1"],
      ["1.0pre1", "1.0rc1"],
      ["1.0nb0", "1.0"],
    ] as const) {
      expect(compareDewey(a, b), `${a} ${b}`).to.equal(0);
    }
  });

  it("compares numbers of any length", () => {
    expect(compareDewey("1.99999999999999999999", "1.100000000000000000000")).to.equal(-1);
  });
});
