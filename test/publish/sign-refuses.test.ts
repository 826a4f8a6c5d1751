// What no client could read is not signed: such a signature would shut every client out of the feed.
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { type Keeper, openArchive } from "../../src/index.ts";
import { refuseLarge } from "../../src/publish/index-text/index-forms.ts";
import { warnOfSize } from "../../src/publish/readable-index.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { refusalOf } from "../testkit/refusal.ts";

const stanza = (digest = "1", name = "hello") =>
  `Package: ${name}\nVersion: 1.0\nArchitecture: all\nFilename: h.ipk\nSize: 3\nSHA256sum: ${digest.repeat(64)}\n`;
const summary = [
  ["PKGNAME", "hello-1.0"],
  ["COMMENT", "a greeting"],
  ["SIZE_PKG", "3"],
  ["BUILD_DATE", "2026-01-01 00:00:00 +0000"],
  ["CATEGORIES", "misc"],
  ["MACHINE_ARCH", "x86_64"],
  ["OPSYS", "NetBSD"],
  ["OS_VERSION", "10.0"],
  ["PKGPATH", "misc/hello"],
  ["PKGTOOLS_VERSION", "20091115"],
  ["DESCRIPTION", "It greets."],
]
  .map(([name, value]) => `${name}=${value}\n`)
  .join("");

describe("sign: what clients would refuse", () => {
  let archive: TestArchive;
  let keeper: Keeper;
  const at = published + hour;
  const sign = (names: readonly string[], options: object = {}) => {
    const paths = names.map((name) => archive.file(name));
    return keeper.sign(paths, { key: archive.key, feed: "base", validFor: hour, ...options });
  };

  before(async () => {
    archive = await TestArchive.make();
    keeper = await openArchive({ config: archive.config, home: archive.home, at });
  });

  after(() => archive.remove());

  const wrong: readonly (readonly [what: string, name: string, bytes: string | Buffer])[] = [
    ["CRLF line ends", "Packages", stanza().replaceAll("\n", "\r\n")],
    ["one version twice with other bytes", "Packages", `${stanza("1")}\n${stanza("2")}`],
    ["a byte-order mark", "Packages", `\ufeff${stanza()}`],
    ["UTF-16", "Packages", Buffer.from(`\ufeff${stanza()}`, "utf16le")],
    ["a web page", "Packages", "<html>\n<body>Not found</body>\n</html>\n"],
    ["a field twice", "Packages", `${stanza()}Version: 2.0\n`],
    ["a NUL", "Packages", stanza().replace("hello", "he\0lo")],
    ["a digest of the wrong length", "Packages", stanza("11")],
    ["a stanza without a name", "Packages", stanza().replace(/^Package.*\n/, "")],
    ["a compressed text under the plain name", "Packages", gzipSync(stanza())],
    ["another format under an index's name", "Packages", summary],
    ["a summary with CRLF", "pkg_summary", summary.replaceAll("\n", "\r\n")],
    ["a summary with a web page in it", "pkg_summary.gz", gzipSync("<html>\n")],
    ["a summary that is cut off", "pkg_summary.gz", gzipSync(summary).subarray(0, -9)],
    ["an opkg index under a summary's name", "pkg_summary.gz", gzipSync(stanza())],
    ["another format's file", "modules.xml", "<modules>\n</modules>\n"],
    ["nothing at all, under another name", "Index", ""],
  ];

  for (const [what, name, bytes] of wrong) {
    it(`refuses ${what}; --force signs it`, async () => {
      await fs.writeFile(archive.file(name), bytes);
      const before = await archive.everything();
      const error = await refusalOf(() => sign([name]));
      expect(error.code, error.message).to.equal("bad_index");
      expect(error.hint).to.contain("--force");
      expect(await archive.everything()).to.deep.equal(before);
      expect((await sign([name], { force: true })).signed[0]?.files).to.have.length(2);
      for (const file of [name, `${name}.sig`, `${name}.asc`]) await fs.rm(archive.file(file));
    });
  }

  it("signs what clients read, whatever it is called", async () => {
    const right: readonly (readonly [string, string | Buffer])[] = [
      ["Packages", stanza()],
      ["Index", stanza()],
      ["pkg_summary", summary],
      ["pkg_summary.gz", gzipSync(summary)],
    ];
    for (const [name, bytes] of right) {
      await fs.writeFile(archive.file(name), bytes);
      expect((await sign([name])).signed[0]?.files, name).to.have.length(2);
    }
  });

  it("warns of an index without packages", async () => {
    await fs.writeFile(archive.file("Packages"), "");
    expect((await sign(["Packages"])).warnings.join()).to.contain("lists no package");
  });

  it("signs none of several if one of them is refused", async () => {
    const other = join(dirname(archive.file("Packages")), "../other");
    await fs.mkdir(other);
    await fs.writeFile(join(other, "Packages"), stanza());
    await fs.writeFile(archive.file("Packages"), "<html>\n");
    const error = await refusalOf(() => sign(["../other/Packages", "Packages"]));
    expect(error.code).to.equal("bad_index");
    expect(await fs.readdir(other)).to.deep.equal(["Packages"]);
  });
});

describe("the size of an index", () => {
  it("is refused where no client would take it, with a warning where new ones would not", () => {
    const text = Buffer.from(stanza());
    const { length } = text;
    expect(() => refuseLarge("x", length, length)).not.to.throw();
    expect(() => refuseLarge("x", length, length - 1)).to.throw("no client accepts more than");
    expect(warnOfSize("x", length, length)).to.deep.equal([]);
    expect(warnOfSize("x", length, length - 1).join()).to.contain("max-index-size");
  });
});
