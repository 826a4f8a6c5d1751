import { expect } from "chai";
import { OpkgScanner, readPackages } from "../../src/formats/opkg/packages-text.ts";
import { hashOf } from "../../src/formats/package-index.ts";
import { refusal } from "../testkit/refusal.ts";

const digest = (digit: string) => digit.repeat(64);

function stanza(name: string, version: string, architecture: string, rest: Readonly<Record<string, string>> = {}) {
  const fields = { Package: name, Version: version, ...(architecture && { Architecture: architecture }), ...rest };
  return `${Object.entries(fields)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join("")}\n`;
}

const open = (...stanzas: readonly string[]) => readPackages(Buffer.from(stanzas.join("")));
const lines = (entries: readonly { line: number }[]) => entries.map((entry) => entry.line);

describe("index-format/package-index", () => {
  const index = open(
    stanza("a", "1", "amd64", { Filename: "pool/a/a_1.ipk" }),
    stanza("a", "2", "amd64", { Filename: "pool/a/a_2.ipk" }),
    stanza("b", "1", "all", { Filename: "a_1.ipk" }),
    stanza("a", "1", "arm64", { Filename: "pool/arm/a_1.ipk" }),
    stanza("ä", "1", "", { Filename: "pool/ä.ipk" }),
    stanza("nofile", "1", ""),
  );

  it("counts and gives all entries in the order of the text, as often as asked", () => {
    expect(index.count).to.equal(6);
    expect(lines([...index])).to.deep.equal([1, 6, 11, 16, 21, 25]);
    expect([...index].map((entry) => entry.name)).to.deep.equal(["a", "a", "b", "a", "ä", "nofile"]);
  });

  it("finds by name, version and architecture", () => {
    expect(lines(index.find("a"))).to.deep.equal([1, 6, 16]);
    expect(lines(index.find("a", "1"))).to.deep.equal([1, 16]);
    expect(lines(index.find("a", "1", "arm64"))).to.deep.equal([16]);
    expect(lines(index.find("a", undefined, "amd64"))).to.deep.equal([1, 6]);
    expect(lines(index.find("ä", "1", ""))).to.deep.equal([21]);
    expect(index.find("a", "3")).to.deep.equal([]);
    expect(index.find("A")).to.deep.equal([]);
    expect(index.find("")).to.deep.equal([]);
    expect(index.find("__proto__")).to.deep.equal([]);
  });

  it("finds by the last segment of the file name", () => {
    expect(lines(index.findByFile("a_1.ipk"))).to.deep.equal([1, 11, 16]);
    expect(lines(index.findByFile("ä.ipk"))).to.deep.equal([21]);
    expect(index.findByFile("pool/a/a_1.ipk")).to.deep.equal([]);
    expect(index.findByFile("1.ipk")).to.deep.equal([]);
    expect(index.findByFile("")).to.deep.equal([]);
  });

  it("can be searched while it is walked over", () => {
    const seen: number[] = [];
    for (const entry of index) {
      expect(index.find("b")).to.have.length(1);
      seen.push(entry.line);
    }
    expect(seen).to.deep.equal([1, 6, 11, 16, 21, 25]);
  });

  it("tells entries apart whose hashes are equal", () => {
    expect(hashOf("costarring")).to.equal(hashOf("liquid"));
    const twins = open(stanza("costarring", "1", ""), stanza("liquid", "1", ""));
    expect(twins.find("costarring")).to.have.length(1);
    expect(twins.find("liquid")).to.have.length(1);
    expect(twins.find("liquid")[0]).to.include({ name: "liquid" });
    for (const [one, other] of [
      [stanza("a", "43469", "", { SHA256: digest("1") }), stanza("a", "1767694", "", { SHA256: digest("2") })],
      [stanza("a", "1", "737909", { SHA256: digest("1") }), stanza("a", "1", "1088004", { SHA256: digest("2") })],
    ] as const) {
      const hashes = [one, other].map((text) => {
        const scanner = new OpkgScanner(Buffer.from(text));
        scanner.next();
        return scanner.keyHash;
      });
      expect(hashes[0]).to.equal(hashes[1]);
      expect(open(one, other).find("a")).to.have.length(2);
    }
  });

  it("refuses one package with two digests and names both lines", () => {
    const one = stanza("a", "1", "all", { SHA256: digest("1") });
    const other = stanza("a", "1", "all", { SHA256: digest("2") });
    expect(refusal(() => open(one, stanza("b", "1", ""), other))).to.include({
      code: "bad_index",
      line: 9,
      message: "line 9 of the index lists a 1 all with different digests from line 1",
    });
  });

  it("refuses it too when one of them has no digest, when only MD5 differs, and without an architecture", () => {
    const plain = stanza("a", "1", "");
    const withSha = stanza("a", "1", "", { SHA256: digest("1") });
    const withMd5 = stanza("a", "1", "", { SHA256: digest("1"), MD5Sum: "0".repeat(32) });
    expect(refusal(() => open(plain, withSha)).message).to.equal(
      "line 4 of the index lists a 1 with different digests from line 1",
    );
    expect(refusal(() => open(withSha, withMd5))).to.include({ code: "bad_index", line: 5 });
  });

  it("allows other digests for another version or architecture", () => {
    const texts = ["1", "2"].flatMap((version) =>
      ["all", "amd64", ""].map((arch, at) => stanza("a", version, arch, { SHA256: digest(String(at)) })),
    );
    expect(open(...texts).find("a")).to.have.length(6);
  });

  it("does not take the parts of name and version for one another", () => {
    expect(
      open(stanza("a", "bc", "", { SHA256: digest("1") }), stanza("ab", "c", "", { SHA256: digest("2") })).count,
    ).to.equal(2);
  });

  it("allows an entry to be repeated, and finds it once", () => {
    const entry = stanza("a", "1", "all", { SHA256: digest("a"), Filename: "x/a.ipk" });
    const elsewhere = stanza("a", "1", "all", { SHA256: digest("A"), Filename: "y/a.ipk" });
    const repeated = open(entry, elsewhere, entry);
    expect(repeated.count).to.equal(3);
    expect(lines(repeated.find("a"))).to.deep.equal([1]);
    expect(lines(repeated.findByFile("a.ipk"))).to.deep.equal([1, 7, 13]);
  });

  it("stays quick when one entry is repeated 20,000 times", () => {
    const entry = stanza("a", "1", "all", { SHA256: digest("a") });
    expect(open(entry.repeat(20_000)).find("a")).to.have.length(1);
  });
});
