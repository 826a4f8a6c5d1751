import { expect } from "chai";
import { refusal } from "../testkit/refusal.ts";
import { feed, file, itRefuses, read } from "./sample-profile.ts";

describe("profile/read-profile refuses in feeds and variables", () => {
  itRefuses([
    ["no format", { "feed base": { format: undefined } }, 9, 'section [feed base] lacks "format"'],
    [
      "an unknown format",
      { "feed base": { format: "rpm" } },
      10,
      '"format" must be opkg or pkgsrc or sums or apt or pacman or rpm-md, not "rpm"',
    ],
    ["no path", { "feed base": { path: undefined } }, 9, 'section [feed base] lacks "path"'],
    [
      "an index elsewhere",
      { "feed base": { index: "a/b" } },
      12,
      '"index" must be the plain name of a file, not "a/b"',
    ],
    ["an index above", { "feed base": { index: ".." } }, 12, '"index" must be the plain name of a file, not ".."'],
    ...["0", "-1", "1.5M", "1 M", "1T", "513M", "1G", "9".repeat(30), "x"].map((size) => {
      const problem = `"max-index-size" must be a size, not "${size}"`;
      const hint = "write a number of bytes, or a number with K, M or G, for example 200M; at most 536870912 bytes";
      return [`an index size of ${size}`, { "feed base": { "max-index-size": size } }, 12, problem, hint] as const;
    }),
    ["packages elsewhere", { "feed base": { packages: "pool" } }, 12, '"packages" must be . or /, not "pool"'],
    [
      "an unknown feed key",
      { "feed base": { paht: "x" } },
      12,
      'unknown key "paht" in section [feed base]',
      'the nearest known key is "path"',
    ],
    [
      "an index that is the folder",
      { "feed base": { index: "." } },
      12,
      '"index" must be the plain name of a file, not "."',
    ],
    ["a feed name that is a folder", { "feed .": feed }, 12, '"." can\'t be the name of a feed'],
    ["a feed name that leads out", { "feed ..": feed }, 12, '".." can\'t be the name of a feed'],
    [
      "a feed name with a slash",
      { "feed a/b": feed },
      12,
      '"a/b" can\'t be the name of a feed',
      "use letters, digits, dots, dashes and underscores",
    ],
    ["a feed name with a space", { "feed a b": feed }, 12, '"a b" can\'t be the name of a feed'],
    [
      "an unknown section",
      { varables: {} },
      12,
      "there is no section [varables]",
      'the nearest known section is "variables"',
    ],
    [
      "a feed section without a name",
      { feed },
      12,
      "there is no section [feed]",
      'the nearest known section is "feed NAME"',
    ],
    [
      "an undefined variable",
      { "feed base": { path: `a/\${b}` } },
      11,
      'variable "b" is not defined',
      "define it in a section [variables]",
    ],
    [
      "a misspelt variable",
      { "feed base": { path: `a/\${site}` }, variables: { arch: "x", suite: "y" } },
      11,
      'variable "site" is not defined',
      'the nearest known variable is "suite"',
    ],
    [
      "a variable of every object",
      { archive: { url: `https://\${constructor}/` } },
      3,
      'variable "constructor" is not defined',
    ],
    ["an open variable", { "feed base": { path: `a/\${b` } }, 11, `"a/\${b" has a $ without {name}`],
    ["a bare dollar", { "feed base": { path: "a/$b" } }, 11, '"a/$b" has a $ without {name}'],
    [
      "a variable in a variable",
      { variables: { a: "1", b: `\${a}` } },
      14,
      'variable "b" contains a $, but one variable can\'t refer to another',
    ],
    [
      "a variable that leads out",
      { "feed base": { path: `a/\${b}` }, variables: { b: "../c" } },
      11,
      '"path" must be a path below the archive: "a/../c" has a segment "." or ".."',
    ],
  ]);

  const below = '"path" must be a path below the archive:';
  for (const [path, why] of [
    ["/a", "is absolute"],
    ["..", 'has a segment "." or ".."'],
    ["a/..", 'has a segment "." or ".."'],
    ["./a", 'has a segment "." or ".."'],
    ["a//b", "has an empty segment"],
    ["a/", "has an empty segment"],
    ["a\\b", "has a backslash, %, ?, # or control character"],
    ["%2e%2e/a", "has a backslash, %, ?, # or control character"],
    ["a?b", "has a backslash, %, ?, # or control character"],
    ["a#b", "has a backslash, %, ?, # or control character"],
    ["a\u0085b", undefined],
    ["https://x/", "is a URL"],
    ["file:a", "is a URL"],
  ] as const) {
    it(`refuses the feed path ${path}`, () => {
      const said = refusal(() => read({ "feed base": { path } }));
      expect(said).to.include({ code: "bad_profile", line: 11 });
      if (why !== undefined) expect(said.message).to.equal(`${file}:11: ${below} "${path}" ${why}`);
    });
  }
});
