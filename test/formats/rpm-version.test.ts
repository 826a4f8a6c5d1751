// rpm's order of versions: a table, and random texts beside the real rpm.
import { expect } from "chai";
import { compareVersions } from "../../src/formats/rpm-md/version.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";

const table = `
  1.0 = 1.0
  1.0 < 2.0
  1.9 < 1.10
  01.0 = 1.0
  1.0 < 1.0.1
  1.0.0 > 1.0
  1.0a > 1.0
  1.0a < 1.0.1
  1.0_1 = 1.0.1
  A < 1
  a > A
  xyz10 < xyz10.1
  fc4 < 1
  1.0~rc1 < 1.0
  1.0~rc1~git < 1.0~rc1
  1.0~~ < 1.0~
  1.0^ > 1.0
  1.0^git1 < 1.0.1
  1.0^git1~pre < 1.0^git1
  1.0~rc1^git1 > 1.0~rc1
  1.0^20210501 < 1.0^20210502
  1.0.é = 1.0
  ..1 = 1
  18446744073709551617 > 18446744073709551616
  1.0-1 < 1.0-2
  1.0-1 > 1.0
  1.0-1.fc9 < 1.0-1.fc10
  1:1.0-1 > 2.0-1
  0:1.0-1 = 1.0-1
  10:1-1 > 9:1-1
`
  .trim()
  .split("\n")
  .map((line) => line.trim().split(" ") as [string, "<" | "=" | ">", string]);
const signs = { "<": -1, "=": 0, ">": 1 } as const;

/** What rpm says of each pair. */
async function byRpm(pairs: readonly (readonly [string, string])[]): Promise<number[]> {
  const list = pairs.map(([a, b]) => `{"${a}","${b}"}`).join(",");
  const script = `%{lua:for _, p in ipairs({${list}}) do print(rpm.vercmp(p[1], p[2]) .. " ") end}`;
  const { stdout, stderr } = await runProgram("rpm", ["--eval", script]);
  const words = stdout.trim().split(/\s+/);
  expect(words, stderr).to.have.length(pairs.length);
  return words.map(Number);
}

describe("rpm's order of versions", () => {
  it("is that of the table, in both directions", () => {
    for (const [a, sign, b] of table) {
      expect(Math.sign(compareVersions(a, b)), `${a} ${b}`).to.equal(signs[sign]);
      expect(Math.sign(compareVersions(b, a)) + signs[sign], `${b} ${a}`).to.equal(0);
    }
  });

  describe("beside rpm itself", function () {
    this.timeout(20_000);
    before(needing("rpm"));

    it("is the same for the table and for random texts", async () => {
      const pieces = ["1", "0", "10", "01", "a", "b", "ab", "A", "~", "^", ".", "_", "+", "é", "rc", "1.0", "-", ":"];
      const any = () => {
        return Array.from(
          { length: 1 + Math.random() * 6 },
          () => pieces[Math.trunc(Math.random() * pieces.length)],
        ).join("");
      };
      const random = Array.from({ length: 500 }, () => [any(), any()] as const);
      const pairs = [...table.map(([a, , b]) => [a, b] as const), ...random];
      const found = pairs.map(([a, b]) => `${a} ${b} ${Math.sign(compareVersions(a, b))}`);
      const said = await byRpm(pairs);
      expect(found).to.deep.equal(pairs.map(([a, b], place) => `${a} ${b} ${said[place]}`));
    });
  });
});
