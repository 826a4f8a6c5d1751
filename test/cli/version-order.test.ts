/** The order of versions by which `fetch` takes the newest: the same as dpkg's, asked itself about many pairs. */
import { expect } from "chai";
import fc from "fast-check";
import { compareVersions } from "../../src/formats/opkg/version.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";

// Few pieces, so that two versions are often nearly the same.
const piece = fc.constantFrom(
  "0",
  "1",
  "9",
  "10",
  "01",
  "00",
  "a",
  "b",
  "z",
  "A",
  "Z",
  "~",
  "~~",
  "+",
  ".",
  "rc",
  "git",
);
const text = (extra: readonly string[] = []) =>
  fc.array(fc.oneof(piece, fc.constantFrom("1", ...extra)), { maxLength: 5 });

/** deb-version(7): an upstream version may have colons only behind an epoch, and hyphens only before a revision. */
const version = fc
  .record({
    epoch: fc.option(fc.constantFrom("0", "1", "2", "10", "00"), { nil: undefined, freq: 2 }),
    first: fc.constantFrom("0", "1", "2", "10"),
    rest: text(["-", ":"]),
    revision: fc.option(text(), { nil: undefined }),
  })
  .map(({ epoch, first, rest, revision }) => {
    let upstream = [first, ...rest].join("");
    if (epoch === undefined) upstream = upstream.replaceAll(":", "");
    // An empty revision is none.
    const end = revision?.join("") ?? "";
    if (end === "") upstream = upstream.replaceAll("-", "");
    return `${epoch === undefined ? "" : `${epoch}:`}${upstream}${end === "" ? "" : `-${end}`}`;
  });

/** A version, and one that differs from it little or not at all. */
const pair = fc.oneof(
  fc.tuple(version, version),
  version.chain((one) =>
    fc.tuple(fc.constant(one), fc.constantFrom(one, `${one}~`, `${one}0`, `${one}a`, `0:${one.replace(/^\d+:/, "")}`)),
  ),
);

const script = `while read -r a b; do
  if dpkg --compare-versions "$a" lt "$b"; then echo "<"
  elif dpkg --compare-versions "$a" eq "$b"; then echo "="
  else echo ">"; fi
done`;

function signOf(difference: number): string {
  return difference < 0 ? "<" : difference > 0 ? ">" : "=";
}

async function dpkgSays(pairs: readonly (readonly [string, string])[]): Promise<string[]> {
  const input = pairs.map(([a, b]) => `${a} ${b}\n`).join("");
  const ended = await runProgram("sh", ["-c", script], { input });
  expect(ended.stderr, "dpkg takes them for versions").to.equal("");
  return ended.stdout.trim().split("\n");
}

describe("index-format/version", () => {
  it("puts versions in the order in which dpkg puts them", async function () {
    this.timeout(120_000);
    needing("dpkg").call(this);
    await fc.assert(
      fc.asyncProperty(fc.array(pair, { minLength: 400, maxLength: 400 }), async (pairs) => {
        const told = await dpkgSays(pairs);
        const wrong = pairs.flatMap(([a, b], at) => {
          const ours = signOf(compareVersions(a, b));
          return ours === told[at] ? [] : [`${a} ${ours} ${b}, dpkg: ${told[at]}`];
        });
        expect(wrong).to.deep.equal([]);
        expect([...new Set(told)].sort(), "all three answers").to.deep.equal(["<", "=", ">"]);
      }),
      { numRuns: 3, endOnFailure: true },
    );
  });

  for (const [older, newer] of [
    ["1.0~rc1", "1.0"],
    ["1.0", "1.0a"],
    ["1.0a", "1.0+"],
    ["9", "10"],
    ["1.99", "2.0-1"],
    ["99", "1:0"],
    ["1.0-1", "1.0-1.1"],
    ["1.0-~", "1.0"],
    ["1.9999999999999999998", "1.9999999999999999999"],
    ["1.0-2", "1.0-10"],
    ["1-0-9", "1-1-0"],
  ] as const) {
    it(`${older} is older than ${newer}`, () => {
      expect(compareVersions(older, newer)).to.be.below(0);
      expect(compareVersions(newer, older)).to.be.above(0);
    });
  }

  for (const [a, b] of [
    ["1.0", "0:1.0"],
    ["1.0", "1.0-0"],
    ["1.01", "1.1"],
    ["1.", "1.0"],
  ] as const) {
    it(`${a} is as new as ${b}`, () => expect(compareVersions(a, b)).to.equal(0));
  }

  it("is an order, whatever stands in the field", () => {
    const any = fc.oneof(version, fc.string({ maxLength: 8 }), fc.string({ unit: "binary", maxLength: 4 }));
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        const [ab, ba, bc, ac] = [
          compareVersions(a, b),
          compareVersions(b, a),
          compareVersions(b, c),
          compareVersions(a, c),
        ];
        expect(ab, "a number").to.not.satisfy(Number.isNaN);
        expect(Math.sign(ab) + Math.sign(ba)).to.equal(0);
        if (ab <= 0 && bc <= 0) expect(ac).to.be.at.most(0);
        expect(compareVersions(a, a)).to.equal(0);
      }),
    );
  });
});
