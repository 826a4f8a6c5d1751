// rpm-md's two documents: what is read, and what dnf or zypper would take but feedkey refuses beside test/vectors/index.
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
    // Files without dates: such a number says nothing, and a time does.
    const dateless = data({ timestamp: "" });
    expect(repomd(repomdXml("<revision>2026113001</revision>", dateless)).madeAt).to.equal(0);
    expect(repomd(repomdXml("<revision>1796043589</revision>", dateless)).madeAt).to.equal(1_796_043_589_000);
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

  const good = repomdXml(data());
  it("is refused with a comment or a name that does not end for a megabyte and more", () => {
    expect(repomd(good).parts).to.have.length(1);
    const comment = good.replace("<repomd", `<!--${" x".repeat(1 << 20)}--><repomd`);
    for (const document of [comment, `${good}<${"x".repeat(3 << 20)}`]) {
      expect(refusal(() => repomd(document)).code).to.equal("bad_index");
    }
  });
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
});
