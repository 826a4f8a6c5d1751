/** What packages need and offer, in each format's own words: whether an offer meets a need. */
import { expect } from "chai";
import type { FeedFormat } from "../../src/formats/formats.ts";
import { formatOf } from "../../src/formats/formats.ts";
import type { Related } from "../../src/formats/relations.ts";
import { tar } from "../testkit/packages/build-package.ts";

/** Two packages, of which the first needs something and the second may have it. */
type Writer = (need: string, name: string, version: string, offer: string) => Uint8Array;

const opkg: Writer = (need, name, version, offer) => {
  const provides = offer === "" ? "" : `Provides: ${offer}\n`;
  return Buffer.from(
    `Package: one\nVersion: 1\nDepends: ${need}\n\nPackage: ${name}\nVersion: ${version}\n${provides}\n`,
  );
};

const pkgsrc: Writer = (need, name, version) => {
  return Buffer.from(`PKGNAME=one-1\nDEPENDS=${need}\n\nPKGNAME=${name}-${version}\n`);
};

const pacman: Writer = (need, name, version, offer) => {
  const desc = (one: string, of: string, more: string) => Buffer.from(`%NAME%\n${one}\n\n%VERSION%\n${of}\n\n${more}`);
  const provides = offer === "" ? "" : `%PROVIDES%\n${offer.split(" ").join("\n")}\n\n`;
  return tar([
    { name: "one-1-1/desc", data: desc("one", "1-1", `%DEPENDS%\nother\n${need}\n\n`) },
    { name: `${name}-${version}/desc`, data: desc(name, version, provides) },
  ]);
};

/** `NAME FLAGS VERSION` of an rpm:entry. */
function rpmEntry(text: string): string {
  const [name = "", flags, version = ""] = text.startsWith("(") ? [text] : text.split(" ");
  const [, epoch = "0", ver, rel] = /^(?:(\d+):)?([^-]*)(?:-(.*))?$/.exec(version) ?? [];
  const release = rel === undefined ? "" : ` rel="${rel}"`;
  const range = flags === undefined ? "" : ` flags="${flags}" epoch="${epoch}" ver="${ver}"${release}`;
  return `<rpm:entry name="${name}"${range}/>`;
}

const rpmMd: Writer = (need, name, version, offer) => {
  const [, epoch = "0", ver, rel] = /^(?:(\d+):)?(.*)-(.*)$/.exec(version) ?? [];
  const file = offer.startsWith("/") ? `<file>${offer}</file>` : "";
  const provides = offer === "" || file !== "" ? "" : `<rpm:provides>${rpmEntry(offer)}</rpm:provides>`;
  const one = (of: string, at: string, format: string) =>
    `<package type="rpm"><name>${of}</name><arch>noarch</arch><version ${at}/><format>${format}</format></package>`;
  return Buffer.from(
    `<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm">${one(
      "one",
      'epoch="0" ver="1" rel="1"',
      `<rpm:requires><rpm:entry name="rpmlib(X)" flags="LE" ver="1"/>${rpmEntry(need)}</rpm:requires>`,
    )}${one(name, `epoch="${epoch}" ver="${ver}" rel="${rel}"`, provides + file)}</metadata>`,
  );
};

const writers: Readonly<Partial<Record<FeedFormat, Writer>>> = { opkg, apt: opkg, pkgsrc, pacman, "rpm-md": rpmMd };

/** Whether the second package meets the last need of the first; undefined if that needs nothing. */
function isMet(format: FeedFormat, terms: readonly [string, string, string, string]): boolean | undefined {
  const text = writers[format]?.(...terms) ?? new Uint8Array();
  const [one, other] = [...(formatOf(format).relations?.read(text) ?? [])] as [Related, Related];
  const need = one.needs().at(-1);
  return need?.some(({ names, isMetBy }) => {
    return other.offers.some((offer) => (names === undefined || names.includes(offer.name)) && isMetBy(offer));
  });
}

type Row = readonly [need: string, name: string, version: string, met: boolean | undefined, offer?: string];

const rows: Readonly<Partial<Record<FeedFormat, readonly Row[]>>> = {
  opkg: [
    ["two", "two", "1", true],
    ["two", "twofold", "1", false],
    ["two (>= 1.0)", "two", "1.0~rc1", false],
    ["two (>= 1.0)", "two", "1:0.1", true],
    ["two (<< 2), three", "two", "1", false],
    ["three, two (<< 2)", "two", "1", true],
    ["two (<< 2)", "two", "2", false],
    ["two (< 2)", "two", "2", true],
    ["two(=2-1)", "two", "2-1", true],
    ["three | two:any", "two", "1", true],
    ["\n three |\n two", "two", "1", true],
    ["editor", "two", "1", true, "vi, editor"],
    ["editor (>= 1)", "two", "2", false, "editor"],
    ["editor (>= 1)", "two", "2", true, "editor (= 1.5)"],
    ["two (>= 1) nonsense", "two", "2", false],
    ["", "two", "2", undefined],
  ],
  pkgsrc: [
    ["two>=1.0", "two", "1.0nb1", true],
    ["two>=1.0<2", "two", "2.0", false],
    ["two>1.0", "two", "1.0", false],
    ["two-[0-9]*", "two", "1.0", true],
    ["two-1.*", "two", "1.5", true],
    ["two-1.*", "two", "2.1", false],
    ["two", "two", "1.5", true],
    ["two-1.5", "two", "1.5", true],
    ["two-1.5", "two", "1.51", false],
    ["{three,two}>=1", "two", "1", true],
    ["t{hree,wo}-[0-9]*", "two", "1", true],
    ["{a,{b,two}}>=3", "two", "1", false],
    ["t[!a-v]o-[0-9]*", "two", "1", true],
    ["t[a-v]o-[0-9]*", "two", "1", false],
    ["*-two-[0-9]*", "py-two", "1", true],
    ["two-lib-[0-9]*", "two", "1", false],
  ],
  pacman: [
    ["two", "two", "1-1", true],
    ["two>=1.0", "two", "1.0-3", true],
    ["two=1.0-2", "two", "1.0-3", false],
    ["two<1:0", "two", "9-1", true],
    ["two>1.0", "two", "1.0rc1-1", false],
    ["sh", "two", "1-1", true, "vi sh"],
    ["sh>=2", "two", "3-1", false, "sh"],
    ["sh>=2", "two", "1-1", true, "sh=2.1"],
    ["libx.so=1-64", "two", "1-1", true, "libx.so=1-64"],
  ],
  "rpm-md": [
    ["two", "two", "1-1", true],
    ["two GE 1.0", "two", "1.0-3", true],
    ["two GT 1.0", "two", "1.0-3", false],
    ["two EQ 1.0-2", "two", "1.0-3", false],
    ["two LT 1:0", "two", "9-1", true],
    ["two GE 1.0", "two", "1.0~rc1-1", false],
    ["cap(x) GE 2", "two", "1-1", true, "cap(x) EQ 2.5"],
    ["cap(x) GE 2", "two", "1-1", true, "cap(x)"],
    ["cap(x) GE 2", "two", "3-1", false, "cap(x) EQ 1"],
    ["/bin/sh", "two", "1-1", true, "/bin/sh"],
    ["(three or two GE 1)", "two", "1-1", false],
    ["(three or two &gt;= 1)", "two", "1-1", true],
    ["(three and two)", "two", "1-1", true],
    ["(two if three)", "two", "1-1", undefined],
  ],
};

describe("what packages need", () => {
  for (const [format, all] of Object.entries(rows) as [FeedFormat, readonly Row[]][]) {
    it(`${format}: by its own operators, patterns and order of versions`, () => {
      for (const [need, name, version, met, offer = ""] of all) {
        expect(isMet(format, [need, name, version, offer]), `${need} by ${name} ${version} ${offer}`).to.equal(met);
      }
    });
  }

  it("apt reads what opkg reads; checksum files say nothing", () => {
    expect(isMet("apt", ["two (>= 1)", "two", "1", ""])).to.equal(true);
    expect(formatOf("sums").relations).to.equal(undefined);
  });

  it("a pattern with many stars takes no time without end", () => {
    expect(isMet("pkgsrc", [`${"*a".repeat(200)}b`, "a".repeat(500), "1", ""])).to.equal(false);
  });
});
