import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { hashOf } from "../../src/formats/package-index.ts";
import { formatFileCksum } from "../../src/formats/pkgsrc/file-cksum.ts";
import { readSummary } from "../../src/formats/pkgsrc/summary-stanza.ts";
import { readSummaryPackages, SummaryScanner } from "../../src/formats/pkgsrc/summary-text.ts";
import { allRequired, usual, variables } from "../../src/formats/pkgsrc/summary-variables.ts";
import { type Said, sha256, summaryStanza } from "../testkit/packages/summary-text.ts";
import { refusal } from "../testkit/refusal.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const read = (text: string) => [...readSummaryPackages(latin1(text))];
const one = (said: Said) => read(summaryStanza(said))[0];
const sha512 = sha256.repeat(2);

describe("index-format/pkgsrc", () => {
  it("reads what a stanza says", () => {
    const file = { FILE_NAME: "py311-tiny-1.0nb2.txz", FILE_SIZE: "4321", FILE_CKSUM: `sha256 ${sha256}` };
    const text = `\n${summaryStanza({ PKGNAME: "py311-tiny-1.0nb2", ...file })}\n${summaryStanza().trimEnd()}`;
    expect(read(text)).to.deep.equal([
      {
        name: "py311-tiny",
        version: "1.0nb2",
        architecture: "x86_64",
        filename: "py311-tiny-1.0nb2.txz",
        size: 4321,
        sha256,
        md5: undefined,
        description: "Package that holds nothing",
        line: 2,
      },
      {
        name: "tiny",
        version: "1.0",
        architecture: "x86_64",
        filename: "tiny-1.0.tgz",
        size: undefined,
        sha256: undefined,
        md5: undefined,
        description: "Package that holds nothing",
        line: 20,
      },
    ]);
  });

  it("reads an empty text, and one of empty lines, as an index without entries", () => {
    expect(read("")).to.deep.equal([]);
    expect(read("\n\n\n")).to.deep.equal([]);
  });

  for (const spelling of [
    `sha256 ${sha256}`,
    `SHA256 ${sha256}`,
    `Sha256   ${sha256}`,
    `sha256:${sha256}`,
    `SHA256: ${sha256}`,
    `sha256\t${sha256.toUpperCase()}`,
    ` sha256 ${sha256} `,
    `SHA-256 ${sha256}`,
  ]) {
    it(`reads FILE_CKSUM=${spelling.replace(/[0-9a-f]{64}/i, "HEX")}`, () => {
      expect(one({ FILE_CKSUM: spelling })).to.include({ sha256 });
    });
  }

  it("reads what it writes", () => {
    expect(formatFileCksum(sha256)).to.equal(`sha256 ${sha256}`);
    expect(one({ FILE_CKSUM: formatFileCksum(sha256) })).to.include({ sha256 });
  });

  it("takes no other digest for SHA-256, known or not", () => {
    for (const other of [`sha512 ${sha512}`, `SHA1 ${sha256.slice(24)}`, `rmd160:${sha256.slice(24)}`, "whirl 00ff"]) {
      expect(one({ FILE_CKSUM: other })?.sha256, other).to.equal(undefined);
    }
  });

  it("reads a size that is no plain number as missing", () => {
    for (const size of ["012", "+1", "1.5", "1e3", "0x10", "", " 1", "9007199254740992"]) {
      expect(one({ FILE_SIZE: size })?.size, size).to.equal(undefined);
    }
    expect(one({ FILE_SIZE: "0" })?.size).to.equal(0);
  });

  it("lets lists and texts repeat their variable, and means nothing by unknown ones", () => {
    const list = { CONFLICTS: ["a-[0-9]*", "b<2"], DEPENDS: ["c>=1", "c>=1"], PROVIDES: ["/l.so", "/l.so"] };
    const more = { REQUIRES: ["/x", "/y"], SUPERSEDES: ["old-[0-9]*", "older"], X_OWN: ["1", "2"], PKG_OPTIONS: "" };
    expect(one({ ...list, ...more })).to.include({ name: "tiny", version: "1.0" });
  });

  it("does not care where in a stanza a variable stands", () => {
    const lines = summaryStanza({ FILE_NAME: "x.tgz" }).trimEnd().split("\n");
    for (let shift = 0; shift < lines.length; shift++) {
      const text = [...lines.slice(shift), ...lines.slice(0, shift)].join("\n");
      expect(read(text)[0]).to.include({ name: "tiny", version: "1.0", filename: "x.tgz", architecture: "x86_64" });
    }
  });

  it("knows each variable by a hash of its own", () => {
    expect(variables).to.have.length(23);
    expect(variables.reduce((bits, { required }) => bits | required, 0)).to.equal(allRequired);
  });

  describe("refuses a stanza without", () => {
    for (const { name, required } of variables) {
      if (required === 0) continue;
      it(name, () => {
        const text = `${summaryStanza()}${summaryStanza({ [name]: undefined, PKGNAME: name === "PKGNAME" ? undefined : "b-1" })}`;
        const message = `line 15 of the index begins a stanza without "${name}"`;
        expect(refusal(() => read(text))).to.include({ code: "bad_index", line: 15, message });
      });
    }
  });

  it("takes a stanza without what old and hand-made packages lack", () => {
    for (const name of usual) expect(read(summaryStanza({ [name]: undefined })), name).to.have.length(1);
    const none = Object.fromEntries(usual.map((name) => [name, undefined]));
    expect(read(summaryStanza(none))[0]).to.include({ name: "tiny", version: "1.0", architecture: "x86_64" });
  });

  describe("refuses a second", () => {
    for (const { name, repeatable } of variables) {
      if (repeatable) continue;
      it(name, () => {
        const value = name === "FILE_CKSUM" ? `sha256 ${sha256}` : name === "PKGNAME" ? "tiny-1.0" : "1";
        const text = summaryStanza({ [name]: [value, value] });
        const line = text.split("\n").lastIndexOf(`${name}=${value}`) + 1;
        const message = `line ${line} of the index gives "${name}" a second time`;
        expect(refusal(() => read(text))).to.include({ code: "bad_index", line, message });
      });
    }
  });

  const wrong: readonly [string, Said, string, string][] = [
    [
      "a short digest",
      { FILE_CKSUM: `sha256 ${sha256.slice(1)}` },
      "FILE_CKSUM",
      "has 63 characters instead of the 64",
    ],
    ["a long digest", { FILE_CKSUM: `sha256:${sha256}0` }, "FILE_CKSUM", "has 65 characters instead of the 64"],
    ["a short SHA-1", { FILE_CKSUM: "SHA1 abcd" }, "FILE_CKSUM", "has 4 characters instead of the 40"],
    ["a digest that is not hex", { FILE_CKSUM: `sha256 ${sha256.replace("0", "g")}` }, "FILE_CKSUM", "is not the name"],
    ["a digest without a name", { FILE_CKSUM: sha256 }, "FILE_CKSUM", "is not the name"],
    ["two digests in one", { FILE_CKSUM: `sha256 ${sha256} ${sha256}` }, "FILE_CKSUM", "is not the name"],
    ["an empty checksum", { FILE_CKSUM: "" }, "FILE_CKSUM", "is not the name"],
    ["a name without version", { PKGNAME: "tiny" }, "PKGNAME", "is not a name, a dash and a version"],
    ["a name that ends in a dash", { PKGNAME: "tiny-" }, "PKGNAME", "is not a name, a dash and a version"],
    ["a name that is a version only", { PKGNAME: "-1.0" }, "PKGNAME", "is not a name, a dash and a version"],
    ["an empty name", { PKGNAME: "" }, "PKGNAME", 'has an empty "PKGNAME"'],
    ["a space in a name", { PKGNAME: "ti ny-1" }, "PKGNAME", "has a space or control character"],
    ["a name that is not UTF-8", { PKGNAME: "\xff-1" }, "PKGNAME", "that is not UTF-8"],
    ["an architecture with a space", { MACHINE_ARCH: "x86 64" }, "MACHINE_ARCH", "has a space or control character"],
    ["an empty architecture", { MACHINE_ARCH: "" }, "MACHINE_ARCH", 'has an empty "MACHINE_ARCH"'],
  ];
  for (const [what, said, variable, problem] of wrong) {
    it(`refuses ${what}`, () => {
      const text = summaryStanza({ PKGNAME: "a-1" }) + summaryStanza(said);
      const refused = refusal(() => read(text));
      const line = text.split("\n").findLastIndex((each) => each.startsWith(`${variable}=`)) + 1;
      expect(refused).to.include({ code: "bad_index", line });
      expect(refused.message).to.contain(problem);
    });
  }

  const malformed: readonly [string, string, string][] = [
    ["a line without equals sign", "PKGNAME", "is not a variable: it has no equals sign"],
    [
      "a name in lower case",
      "pkgname=a-1",
      "whose name contains other characters than upper-case letters, digits and underscores",
    ],
    ["a space before the equals sign", "PKGNAME =a-1", "whose name contains other characters than"],
    ["a folded line", " more=text", "whose name contains other characters than"],
    ["a blank-looking line", "  ", "is not a variable: it has no equals sign"],
    ["a line without name", "=a-1", "has a variable without a name"],
    ["a carriage return", "HOMEPAGE=x\r", "contains a carriage return"],
    ["a NUL", "HOMEPAGE=\0", "contains a NUL byte"],
  ];
  for (const [what, line, problem] of malformed) {
    it(`refuses ${what}`, () => {
      const refused = refusal(() => read(`${summaryStanza({ PKGNAME: "a-1" })}${line}\n${summaryStanza()}`));
      expect(refused).to.include({ code: "bad_index", line: 15 });
      expect(refused.message).to.contain(problem);
    });
  }

  it("refuses one package with two digests, of whatever kind", () => {
    for (const [a, b] of [
      [`sha256 ${sha256}`, `sha256 ${sha256.replace("0", "1")}`],
      [`sha256 ${sha256}`, undefined],
      [`sha512 ${sha512}`, `sha512 ${sha512.replace("0", "1")}`],
      [`sha512 ${sha512}`, `sha384 ${sha512.slice(32)}`],
    ] as const) {
      const text = summaryStanza({ FILE_CKSUM: a }) + summaryStanza({ FILE_CKSUM: b });
      expect(
        refusal(() => read(text)),
        `${a} ${b}`,
      ).to.include({ code: "bad_index" });
    }
    const apart = summaryStanza({ FILE_CKSUM: `sha256 ${sha256}` }) + summaryStanza({ MACHINE_ARCH: "sparc" });
    expect(read(apart)).to.have.length(2);
  });

  it("finds by name and version, and by file name, also where that is left out", () => {
    const index = readSummaryPackages(
      latin1(
        summaryStanza({ PKGNAME: "a-b-1" }) +
          summaryStanza({ PKGNAME: "a-b-2", FILE_NAME: "sub/a-b-2.txz" }) +
          summaryStanza({ PKGNAME: "a-1" }),
      ),
    );
    expect(index.find("a-b").map(({ version }) => version)).to.deep.equal(["1", "2"]);
    expect(index.find("a", "1", "x86_64")).to.have.length(1);
    expect(index.find("a-b", "3")).to.deep.equal([]);
    expect(index.findByFile("a-b-1.tgz").map(({ line }) => line)).to.deep.equal([1]);
    expect(index.findByFile("a-b-2.txz").map(({ line }) => line)).to.deep.equal([15]);
    expect(index.findByFile("a-b-2.tgz")).to.deep.equal([]);
  });

  it("hashes as the index looks up", () => {
    const scanner = new SummaryScanner(latin1(summaryStanza({ FILE_NAME: "All/x.tgz" })));
    expect(scanner.next()).to.equal(true);
    expect(scanner.nameHash).to.equal(hashOf("tiny"));
    expect(scanner.keyHash).to.equal(hashOf("tiny\u{0}1.0\u{0}x86_64"));
    expect(scanner.fileHash).to.equal(hashOf("x.tgz"));
  });

  it("reads 25,000 stanzas in the memory of their text and little more", () => {
    const program = fileURLToPath(new URL("./large-summary.js", import.meta.url));
    // The text lies outside this heap: what is kept of each stanza, and of the reading, must fit into it.
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--max-old-space-size=24", program], {
      encoding: "utf8",
    });
    expect(status, stderr).to.equal(0);
    const { count, length, last, peak } = JSON.parse(stdout) as Record<string, number>;
    expect({ count, last }).to.deep.equal({ count: 25_000, last: 25_999 });
    expect(length).to.be.greaterThan(35e6);
    expect(peak, "peak memory in kB").to.be.lessThan(200_000);
  });

  it("agrees with the lossless reader on the grammar, and fails with bad_index alone", () => {
    const whole = fc.constantFrom(summaryStanza(), summaryStanza({ PKGNAME: "b-1" }), `${summaryStanza()}\n`);
    const lines = ["PKGNAME=a-1\n", "COMMENT=x\n", "\n", "DEPENDS=a\n", "X=", "=", "x=1\n", "FILE_CKSUM=1\n", "\xff"];
    const text = fc
      .array(fc.oneof({ weight: 2, arbitrary: whole }, fc.constantFrom(...lines)), { maxLength: 5 })
      .map((parts) => latin1(parts.join("")));
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: text }, fc.uint8Array({ maxLength: 80 })), (bytes) => {
        try {
          const entries = [...readSummaryPackages(bytes)];
          const stanzas = [...readSummary(bytes)].filter((piece) => piece.kind === "stanza");
          expect(entries.map((entry) => entry.line)).to.deep.equal(stanzas.map((stanza) => stanza.line));
          accepted += entries.length;
        } catch (error) {
          if (!(error instanceof FeedkeyError)) throw error;
          expect(error.code).to.equal("bad_index");
          expect(error.details.line).to.be.a("number").at.least(1);
        }
      }),
      { numRuns: 3000 },
    );
    expect(accepted).to.be.greaterThan(500);
  });
});
