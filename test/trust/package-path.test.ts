/** T12: where a package may lie. */
import { expect } from "chai";
import fc from "fast-check";
import { packagePath, packageUrl } from "../../src/trust/package-path.ts";

const path = (filename: string) => {
  const result = packagePath(filename);
  return "code" in result ? result.code : result.segments.join("|");
};
const url = (filename: string, base = "feeds/base", archive = "https://files.example.org/proteanos/") => {
  const result = packageUrl(archive, base, filename);
  return "code" in result ? result.code : result.url.href;
};

describe("trust/package-path (T12)", () => {
  for (const [filename, wanted] of [
    ["a_1_all.ipk", "a_1_all.ipk"],
    ["./a.ipk", "a.ipk"],
    ["././pool/a/a.ipk", "pool|a|a.ipk"],
    ["All/a-1.0nb2.tgz", "All|a-1.0nb2.tgz"],
    ["a+b~c^1:2-3_all.ipk", "a+b~c^1:2-3_all.ipk"],
    ["épée.ipk", "épée.ipk"],
    ["a b.ipk", "a b.ipk"],
    ["50%off.ipk", "50%off.ipk"],
    ["%41.ipk", "%41.ipk"],
    ["...ipk", "bad_path"],
    ["", "bad_path"],
    [".", "bad_path"],
    ["..", "bad_path"],
    ["./", "bad_path"],
    ["../a.ipk", "bad_path"],
    ["a/../b.ipk", "bad_path"],
    ["a/..", "bad_path"],
    ["a/./b.ipk", "bad_path"],
    ["a//b.ipk", "bad_path"],
    ["a/", "bad_path"],
    ["/etc/passwd", "bad_path"],
    [".//etc/passwd", "bad_path"],
    ["//host/a.ipk", "bad_path"],
    ["\\\\host\\a.ipk", "bad_path"],
    ["a\\..\\b.ipk", "bad_path"],
    ["..\\b.ipk", "bad_path"],
    ["http://host/a.ipk", "bad_path"],
    ["HTTPS://host/a.ipk", "bad_path"],
    ["file:/etc/passwd", "bad_path"],
    ["file:///etc/passwd", "bad_path"],
    ["%2e%2e/a.ipk", "bad_path"],
    ["%2E./a.ipk", "bad_path"],
    ["a%2fb.ipk", "bad_path"],
    ["a%5Cb.ipk", "bad_path"],
    ["a%00.ipk", "bad_path"],
    ["a\0.ipk", "bad_path"],
    ["a\n.ipk", "bad_path"],
    ["a\t.ipk", "bad_path"],
    ["a\x7f.ipk", "bad_path"],
    [".hidden", "bad_path"],
    ["a/.hidden", "bad_path"],
    ["a".repeat(255), "a".repeat(255)],
    ["a".repeat(256), "bad_path"],
    ["é".repeat(128), "bad_path"],
    ["lone \ud800 half.ipk", "bad_path"],
  ] as const) {
    it(`${JSON.stringify(filename).slice(0, 60)}: ${wanted.slice(0, 40)}`, () =>
      expect(path(filename)).to.equal(wanted));
  }

  it("gives the reason in words", () => {
    const refused = packagePath("../a.ipk");
    expect("reason" in refused && refused.reason).to.equal('its path "../a.ipk" is not a plain path below the feed');
  });

  for (const [filename, wanted] of [
    ["a_1_all.ipk", "a_1_all.ipk"],
    ["./pool/a b.ipk", "pool/a%20b.ipk"],
    ["a#b?c.ipk", "a%23b%3Fc.ipk"],
    ["%41.ipk", "%2541.ipk"],
    ["file:a.ipk", "file%3Aa.ipk"],
    ["javascript:alert(1)", "javascript%3Aalert(1)"],
    ["a@b;c,d&e=f+g.ipk", "a%40b%3Bc%2Cd%26e%3Df%2Bg.ipk"],
  ] as const) {
    it(`the URL of ${filename}`, () => {
      expect(url(filename)).to.equal(`https://files.example.org/proteanos/feeds/base/${wanted}`);
    });
  }

  it("the URL relative to the archive itself, and with odd folders", () => {
    expect(url("pool/a.ipk", "")).to.equal("https://files.example.org/proteanos/pool/a.ipk");
    expect(url("a.ipk", "my feeds/#1")).to.equal("https://files.example.org/proteanos/my%20feeds/%231/a.ipk");
    expect(url("a.ipk", "x", "file:///srv/archive/")).to.equal("file:///srv/archive/x/a.ipk");
    expect(url("../a.ipk", "x", "file:///srv/archive/")).to.equal("bad_path");
  });

  describe("of any text, if accepted, lies in the folder", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "..",
        ".",
        "/",
        "\\",
        "%2e",
        "%2E",
        "%252e",
        "%00",
        "\0",
        "?",
        "#",
        "@",
        ":",
        "//",
        "a",
        "é",
        "file:",
        " ",
      ),
      fc.string({ maxLength: 3, unit: "binary" }),
    );
    const names = fc.array(piece, { maxLength: 6 }).map((parts) => parts.join(""));
    const archives = fc.constantFrom(
      "https://files.example.org/proteanos/",
      "http://127.0.0.1:8080/",
      "file:///srv/archive/",
    );
    it("as a URL", () => {
      fc.assert(
        fc.property(names, archives, fc.constantFrom("", "feeds/base"), (filename, archive, base) => {
          const result = packageUrl(archive, base, filename);
          if ("code" in result) {
            expect(result.code).to.equal("bad_path");
            return;
          }
          const folder = base === "" ? archive : `${archive}${base}/`;
          const again = new URL(result.url.href);
          expect(again.href.startsWith(folder)).to.equal(true);
          expect(again.href.length).to.be.greaterThan(folder.length);
          expect([again.search, again.hash, again.username]).to.deep.equal(["", "", ""]);
          // What a server makes of the path: decoded once, then again cut at slashes.
          const below = decodeURIComponent(again.pathname.slice(new URL(folder).pathname.length)).split("/");
          expect(below).not.to.include("..").and.not.to.include("");
        }),
        { numRuns: 5000 },
      );
    });

    it("as a path of plain segments", () => {
      fc.assert(
        fc.property(names, (filename) => {
          const result = packagePath(filename);
          if ("code" in result) return;
          for (const segment of result.segments) {
            expect(segment)
              .not.to.match(/[/\\\0]/)
              .and.not.to.equal("..")
              .and.not.to.equal(".");
            expect(segment).not.to.equal("");
          }
        }),
        { numRuns: 5000 },
      );
    });
  });
});
