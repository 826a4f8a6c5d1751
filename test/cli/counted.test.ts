import { expect } from "chai";
import { counted } from "../../src/cli/counted.ts";

describe("what is counted", () => {
  it("is singular for one alone", () => {
    const said = [0, 1, 2].map((count) => counted(count, "package file"));
    expect(said).to.deep.equal(["0 package files", "1 package file", "2 package files"]);
  });
});
