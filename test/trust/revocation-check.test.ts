/** T11: whether a key's revocation state is known well enough. */
import { expect } from "chai";
import { type CheckPolicy, checkState, needsCheck, uncheckedKeys } from "../../src/trust/revocation-check.ts";

const hour = 3_600_000;
const dayLong = 24 * hour;
const at = Date.UTC(2026, 0, 31);
const policy: CheckPolicy = { required: true, revocationCheck: "always", grace: 14 * dayLong, at };
const ago = (length: number) => ({ lastGoodAt: at - length });

describe("trust/revocation-check (T11)", () => {
  for (const [what, record, answered, known, more, wanted] of [
    ["a proper answer in this run", undefined, true, false, {}, "fresh"],
    ["no key servers at all, as the profile says", undefined, false, false, { required: false }, "fresh"],
    ["no answer, a known key never checked", undefined, false, true, {}, "unchecked"],
    ["no answer, a known key within grace", ago(14 * dayLong), false, true, {}, "grace"],
    ["no answer, a known key beyond grace", ago(14 * dayLong + 1), false, true, {}, "unchecked"],
    ["no answer, a new key checked an hour ago", ago(hour), false, false, {}, "unchecked"],
    ["no answer, grace of zero", ago(0), false, true, { grace: 0 }, "unchecked"],
    ["no answer, a check dated after the reference time", ago(-1), false, true, {}, "unchecked"],
    ["an answer, a check dated after the reference time", ago(-1), true, true, {}, "fresh"],
    ["a check within the interval", ago(hour), false, true, { revocationCheck: hour }, "fresh"],
    ["a check within the interval, of a new key", ago(hour), false, false, { revocationCheck: hour }, "fresh"],
    ["a check beyond the interval", ago(hour + 1), false, true, { revocationCheck: hour }, "grace"],
    ["a check beyond the interval, of a new key", ago(hour + 1), false, false, { revocationCheck: hour }, "unchecked"],
    [
      "a check within the interval, dated after the reference time",
      ago(-1),
      false,
      true,
      { revocationCheck: hour },
      "unchecked",
    ],
    [
      "a check within the interval, grace of zero",
      ago(hour),
      false,
      true,
      { revocationCheck: hour, grace: 0 },
      "fresh",
    ],
    [
      "a check beyond the interval, grace of zero",
      ago(hour + 1),
      false,
      true,
      { revocationCheck: hour, grace: 0 },
      "unchecked",
    ],
  ] as const) {
    it(`${what}: ${wanted}`, () =>
      expect(checkState(record, answered, known, { ...policy, ...more })).to.equal(wanted));
  }

  for (const [what, record, more, wanted] of [
    ["always", ago(0), {}, true],
    ["never without key servers", undefined, { required: false }, false],
    ["not without key servers, though old", ago(99 * dayLong), { required: false, revocationCheck: hour }, false],
    ["for the first time", undefined, { revocationCheck: hour }, true],
    ["within the interval", ago(hour), { revocationCheck: hour }, false],
    ["in the moment of the last check", ago(0), { revocationCheck: hour }, false],
    ["beyond the interval", ago(hour + 1), { revocationCheck: hour }, true],
    ["when the last check is dated after the reference time", ago(-1), { revocationCheck: hour }, true],
  ] as const) {
    it(`asks ${what}: ${wanted}`, () => expect(needsCheck(record, { ...policy, ...more })).to.equal(wanted));
  }

  it("never needs no check for a key whose state is unknown", () => {
    for (const record of [undefined, ago(0), ago(hour), ago(20 * dayLong), ago(-1)]) {
      for (const revocationCheck of ["always", hour] as const) {
        const own = { ...policy, revocationCheck };
        if (!needsCheck(record, own)) expect(checkState(record, false, true, own)).to.equal("fresh");
      }
    }
  });

  it("bars the unchecked keys alone", () => {
    const states = { A: "fresh", B: "grace", C: "unchecked" } as const;
    expect(uncheckedKeys(["A", "B", "C"], (key) => states[key as keyof typeof states])).to.deep.equal(new Set(["C"]));
  });
});
