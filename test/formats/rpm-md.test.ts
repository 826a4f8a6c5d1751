// rpm-md's two documents: what is read, and what dnf or zypper would take but feedkey refuses, each beside its honest form.
import { expect } from "chai";
import { readPrimary } from "../../src/formats/rpm-md/primary.ts";
import { readRepomd } from "../../src/formats/rpm-md/repomd.ts";
import { dataXml, hash, packageXml, primaryXml, repomdXml } from "../rpm-md/xml.ts";
import { refusal } from "../testkit/refusal.ts";

const text = primaryXml(packageXml("alpha"));
const file = { data: Buffer.from("compressed"), text, name: "primary.xml.gz" };
const repomd = (document: string) => readRepomd(Buffer.from(document));
const data = (parts: Record<string, string> = {}) => dataXml(file, parts);
const primary = (document: string, architectures?: readonly string[]) =>
  readPrimary(Buffer.from(document), architectures);

describe("repomd.xml", () => {
  it("names primary by size and digest, compressed and not, below its own folder", () => {
    const { madeAt, parts, identity } = repomd(
      repomdXml(
        "<revision>1796043589</revision><tags><repo>one</repo><distro cpeid='cpe:/o:x:1'>X 1</distro></tags>",
        data({ timestamp: "<timestamp>1796043000.52</timestamp>" }),
        dataXml(
          { ...file, name: "other.xml.gz" },
          { checksum: `<checksum type="md5">${hash("", "md5")}</checksum>` },
          "other",
        ),
      ),
    );
    expect({ madeAt, identity }).to.deep.equal({
      madeAt: 1_796_043_589_000,
      identity: { repo: "one", distro: "cpe:/o:x:1 X 1" },
    });
    expect(parts).to.deep.equal([
      {
        path: "primary.xml.gz",
        open: { size: text.length, sha256: hash(text) },
        forms: [{ form: "gz", file: { size: 10, sha256: hash("compressed") }, places: ["primary.xml.gz"] }],
      },
    ]);
  });

  it("has the date of its files where the revision is a date written as a number", () => {
    const timestamp = data({ timestamp: "<timestamp>1796043000</timestamp>" });
    expect(repomd(repomdXml("<revision>2026113001</revision>", timestamp)).madeAt).to.equal(1_796_043_000_000);
  });

  it("may have SHA-512, a list that is not compressed, words for a revision, and no dates", () => {
    const sha512 = hash(text, "sha512");
    const { madeAt, parts } = repomd(
      repomdXml(
        "<!-- by hand --><revision>7</revision>",
        dataXml(
          { data: Buffer.from(text), text, name: "primary.xml" },
          { checksum: `<checksum type="sha512">${sha512}</checksum>`, "open-checksum": "", "open-size": "" },
        ),
      ),
    );
    expect(madeAt).to.equal(0);
    expect(parts[0]?.open).to.deep.equal({ size: text.length, sha512 });
  });

  const vectors: Readonly<Record<string, string>> = {
    "no checksum": data({ checksum: "" }),
    MD5: data({ checksum: `<checksum type="md5">${hash("x", "md5")}</checksum>` }),
    "SHA-1": data({ checksum: `<checksum type="sha">${hash("x", "sha1")}</checksum>` }),
    "SHA-1 by its other name": data({ checksum: `<checksum type="sha1">${hash("x", "sha1")}</checksum>` }),
    "an unknown checksum": data({ checksum: `<checksum type="crc">${hash("x")}</checksum>` }),
    "a checksum of no type": data({ checksum: `<checksum>${hash("x")}</checksum>` }),
    "the digits of another type": data({ checksum: `<checksum type="sha256">${hash("x", "sha512")}</checksum>` }),
    "upper-case hex": data({ checksum: `<checksum type="sha256">${hash("x").toUpperCase()}</checksum>` }),
    "two checksums": data({ checksum: `<checksum type="sha256">${hash("x")}</checksum>`.repeat(2) }),
    "an element inside of a checksum": data({ checksum: `<checksum type="sha256">${hash("x")}<b/></checksum>` }),
    "no size": data({ size: "" }),
    "a size that is no number": data({ size: "<size>1e3</size>" }),
    "no open-checksum where it is compressed": data({ "open-checksum": "" }),
    "an open-checksum by MD5": data({
      "open-checksum": `<open-checksum type="md5">${hash("x", "md5")}</open-checksum>`,
    }),
    "no open-size where it is compressed": data({ "open-size": "" }),
    "no location": data({ location: "" }),
    "a location that leads out": data({ location: '<location href="repodata/../../primary.xml.gz"/>' }),
    "a location in another folder": data({ location: '<location href="other/primary.xml.gz"/>' }),
    "an absolute location": data({ location: '<location href="/repodata/primary.xml.gz"/>' }),
    "an address": data({ location: '<location href="http://example.net/repodata/primary.xml.gz"/>' }),
    "another base": data({ location: '<location xml:base="http://example.net/" href="repodata/primary.xml.gz"/>' }),
    "two primaries": data() + data(),
    "two lists of another type": data() + dataXml(file, {}, "other").repeat(2),
    "no primary": dataXml(file, {}, "other"),
    "a timestamp that is no number": data({ timestamp: "<timestamp>today</timestamp>" }),
    "a processing instruction": `<?php 1 ?>${data()}`,
    CDATA: data({ size: "<size><![CDATA[10]]></size>" }),
    "an entity that is not XML's": data({ size: "<size>&ten;</size>" }),
    "another namespace inside": data({ size: '<size xmlns="http://example.net/">10</size>' }),
    "an attribute twice": data({ location: '<location href="repodata/a.gz" href="repodata/b.gz"/>' }),
    "a control character": data({ size: "<size>10\u0001</size>" }),
    "elements that are deep": "<a>".repeat(40) + "</a>".repeat(40) + data(),
    "a tag that is not closed": data({ size: "<size>10" }),
  };
  for (const [what, inner] of Object.entries(vectors)) {
    it(`is refused with ${what}`, () => {
      const { code, line } = refusal(() => repomd(repomdXml(inner)));
      expect(code).to.equal("bad_index");
      expect(line).to.be.a("number");
    });
  }

  const good = repomdXml(data());
  const documents: Readonly<Record<string, string | Buffer>> = {
    "a document type": good.replace("<repomd", '<!DOCTYPE repomd [<!ENTITY ten "10">]><repomd'),
    "another root": good.replaceAll("repomd ", "metadata ").replaceAll("/repomd>", "/metadata>"),
    "another namespace": good.replace("metadata/repo", "metadata/other"),
    "text behind the end": `${good}more`,
    "a second document": good + good.replace(/^.*\n/, ""),
    "another encoding": good.replace("UTF-8", "ISO-8859-1"),
    "XML 1.1": good.replace('"1.0"', '"1.1"'),
    "bytes that are not UTF-8": Buffer.concat([
      Buffer.from(good.slice(0, -11)),
      Buffer.of(0xff),
      Buffer.from(good.slice(-11)),
    ]),
    nothing: "",
    "a megabyte and more of a comment": good.replace("<repomd", `<!--${" x".repeat(1 << 20)}--><repomd`),
    "a name without an end": `${good}<${"x".repeat(3 << 20)}`,
  };
  for (const [what, document] of Object.entries(documents)) {
    it(`is refused with ${what}`, () => {
      expect(repomd(good).parts).to.have.length(1);
      expect(refusal(() => readRepomd(Buffer.from(document as string))).code).to.equal("bad_index");
    });
  }
});

describe("primary.xml", () => {
  it("is read in pieces of any size, with epochs, and its packages are found by name and by file", () => {
    const packages = ["alpha", "beta"].map((name) =>
      packageXml(name, { version: 'epoch="2" ver="1.0~rc1" rel="3.é"' }),
    );
    // Longer than the pieces that are decoded at once, with characters of two bytes all over them.
    const long = packageXml("gamma", { parts: { summary: `<summary>${"é".repeat(100_001)}</summary>` } });
    const index = primary(primaryXml(...packages, long, packageXml("gamma", { arch: "x86_64" })));
    expect(index.count).to.equal(4);
    expect(
      index
        .find("beta")
        .map(({ version, architecture, filename, size, sha256, line }) => [
          version,
          architecture,
          filename,
          size,
          sha256,
          line,
        ]),
    ).to.deep.equal([["2:1.0~rc1-3.é", "noarch", "beta-1.0-1.noarch.rpm", 12, hash("package beta"), 13]]);
    expect(index.find("gamma").map((one) => one.architecture)).to.deep.equal(["noarch", "x86_64"]);
    expect(index.findByFile("gamma-1.0-1.x86_64.rpm").map((one) => one.name)).to.deep.equal(["gamma"]);
  });

  it("leaves out other architectures where some are wanted, but for noarch", () => {
    const text = primaryXml(...["x86_64", "src", "noarch"].map((arch) => packageXml("alpha", { arch })));
    expect([...primary(text, ["x86_64"])].map((one) => one.architecture)).to.deep.equal(["x86_64", "noarch"]);
    expect(primary(text).count).to.equal(3);
  });

  it("is another repository where it has packages, but none of an architecture that was asked for", () => {
    const text = primaryXml(...["aarch64", "noarch"].map((arch) => packageXml("alpha", { arch })));
    expect(refusal(() => primary(text, ["x86_64"])).code).to.equal("wrong_feed");
    expect(primary(text, ["x86_64", "aarch64"]).count).to.equal(2);
    // Nothing is left out.
    expect(primary(primaryXml(packageXml("alpha")), ["x86_64"]).count).to.equal(1);
    expect(primary(primaryXml(), ["x86_64"]).count).to.equal(0);
  });

  it("keeps entries that can't be fetched, for the others' sake", () => {
    const index = primary(
      primaryXml(
        packageXml("good"),
        packageXml("md5", { parts: { checksum: `<checksum type="md5">${hash("x", "md5")}</checksum>` } }),
        packageXml("sha1", { parts: { checksum: `<checksum type="sha">${hash("x", "sha1")}</checksum>` } }),
        packageXml("none", { parts: { checksum: "" } }),
        packageXml("sizeless", { parts: { size: "" } }),
        packageXml("out", { parts: { location: '<location href="../out.rpm"/>' } }),
        packageXml("nowhere", { parts: { location: "" } }),
      ),
    );
    expect([...index].map(({ name, sha256, size, filename }) => [name, sha256?.length, size, filename])).to.deep.equal([
      ["good", 64, 12, "good-1.0-1.noarch.rpm"],
      ["md5", undefined, 11, "md5-1.0-1.noarch.rpm"],
      ["sha1", undefined, 12, "sha1-1.0-1.noarch.rpm"],
      ["none", undefined, 12, "none-1.0-1.noarch.rpm"],
      ["sizeless", 64, undefined, "sizeless-1.0-1.noarch.rpm"],
      ["out", 64, 11, "../out.rpm"],
      ["nowhere", 64, 15, undefined],
    ]);
  });

  it("may be empty", () => {
    expect(primary(primaryXml()).count).to.equal(0);
  });

  const one = (parts: Record<string, string>) => packageXml("alpha", { parts });
  const vectors: Readonly<Record<string, string>> = {
    "upper-case hex": one({ checksum: `<checksum type="sha256">${hash("x").toUpperCase()}</checksum>` }),
    "short hex": one({ checksum: `<checksum type="sha256">${hash("x").slice(1)}</checksum>` }),
    "an unknown checksum": one({ checksum: `<checksum type="adler32">${hash("x")}</checksum>` }),
    "two checksums": one({ checksum: `<checksum type="sha256">${hash("x")}</checksum>`.repeat(2) }),
    "two names": one({ name: "<name>alpha</name><name>beta</name>" }),
    "two locations": one({ location: '<location href="a.rpm"/><location href="b.rpm"/>' }),
    "no name": one({ name: "" }),
    "a name with a space": one({ name: "<name>al pha</name>" }),
    "an empty name": one({ name: "<name/>" }),
    // dnf keeps them: for it the package has another name.
    "a space before a name": one({ name: "<name> hello</name>" }),
    "a space that is not ASCII before a name": one({ name: "<name>\u00a0hello</name>" }),
    "a byte-order mark before a name": one({ name: "<name>\ufeffhello</name>" }),
    "a line end after an architecture": one({ arch: "<arch>noarch\n</arch>" }),
    "no version": one({ version: "" }),
    "no release": one({ version: '<version epoch="0" ver="1.0"/>' }),
    "a version with a hyphen": one({ version: '<version epoch="0" ver="1-0" rel="1"/>' }),
    "an epoch that is no number": one({ version: '<version epoch="x" ver="1" rel="1"/>' }),
    "no arch": one({ arch: "" }),
    "another base": one({ location: '<location xml:base="http://example.net/" href="a.rpm"/>' }),
    "another type of package": one({}).replace('"rpm"', '"deb"'),
    "one package with two digests": one({}) + one({ checksum: `<checksum type="sha256">${hash("x")}</checksum>` }),
    "one package with two weak digests":
      one({ checksum: `<checksum type="sha">${hash("x", "sha1")}</checksum>` }) + one({}),
  };
  for (const [what, inner] of Object.entries(vectors)) {
    it(`is refused with ${what}`, () => {
      const { code, line } = refusal(() => primary(primaryXml(inner)));
      expect(code).to.equal("bad_index");
      expect(line).to.be.a("number");
    });
  }
});
