/** T9 and the last sentence of T13. */
import { expect } from "chai";
import { refuseEmptied, refuseReplay } from "../../src/trust/freshness.ts";
import { skew } from "../../src/trust/policy.ts";
import { day } from "../testkit/dates.ts";

const last = { createdAt: day(50), sha256: "aa", entries: 3 };
const replay = (createdAt: number, sha256 = "bb", at = day(100)) =>
  refuseReplay({ createdAt, sha256 }, last, at)?.code ?? "good";

describe("trust/freshness (T9)", () => {
  it("takes the first index of a feed, whatever its date", () => {
    expect(refuseReplay({ createdAt: day(1), sha256: "aa" }, undefined, day(0))).to.equal(undefined);
  });

  for (const [what, got, wanted] of [
    ["a newer one", replay(day(50) + 1000), "good"],
    ["the same one", replay(day(50), "aa"), "good"],
    ["an older one", replay(day(50) - 1000), "rollback"],
    ["an older one of the same bytes", replay(day(50) - 1000, "aa"), "rollback"],
    ["other bytes of the same date", replay(day(50)), "rollback"],
    ["the clock at the last one's date", replay(day(50), "aa", day(50)), "good"],
    ["the clock behind it within the skew", replay(day(50), "aa", day(50) - skew), "good"],
    ["the clock further behind", replay(day(51), "aa", day(50) - skew - 1000), "not_yet_valid"],
  ] as const) {
    it(`${what}: ${wanted}`, () => expect(got).to.equal(wanted));
  }

  it("names the dates", () => {
    expect(refuseReplay({ createdAt: day(1), sha256: "" }, last, day(100))?.reason).to.equal(
      "it dates from 2026-01-02T12:00:00Z, older than 2026-02-20T12:00:00Z already accepted",
    );
    expect(refuseReplay({ createdAt: day(51), sha256: "" }, last, day(1))?.reason).to.match(
      /clock says 2026-01-02T12:00:00Z/,
    );
  });

  it("keeps out an index that became empty, until that is allowed (T13)", () => {
    expect(refuseEmptied(0, last, false)?.code).to.equal("stale");
    expect(refuseEmptied(0, last, false)?.reason).to.match(/the last accepted index listed 3/);
    expect(refuseEmptied(0, last, true)).to.equal(undefined);
    expect(refuseEmptied(1, last, false)).to.equal(undefined);
    expect(refuseEmptied(0, undefined, false)).to.equal(undefined);
    expect(refuseEmptied(0, { ...last, entries: 0 }, false)).to.equal(undefined);
  });
});
