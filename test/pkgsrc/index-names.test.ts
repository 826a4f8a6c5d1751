/** Which index files a client asks for. */
import { expect } from "chai";
import { indexLimit, indexNames, usualIndexBytes } from "../../src/client/index-files.ts";
import { maxIndexBytes } from "../../src/formats/formats.ts";
import type { Feed } from "../../src/profile/types.ts";
import { refusal } from "../testkit/refusal.ts";

const feed = (format: Feed["format"], index?: string): Feed => {
  return { name: "base", format, path: "base", index, packages: "feed" };
};

describe("the index of a feed", () => {
  it("is what the profile names, or what is always there", () => {
    expect(indexNames(feed("pkgsrc"))).to.deep.equal(["pkg_summary.gz"]);
    for (const ending of ["", ".gz", ".bz2", ".xz", ".zst"]) {
      expect(indexNames(feed("pkgsrc", `pkg_summary${ending}`))).to.deep.equal([`pkg_summary${ending}`]);
    }
    expect(indexNames(feed("opkg"))).to.deep.equal(["Packages.gz", "Packages"]);
    expect(indexNames(feed("opkg", "Packages.xz"))).to.deep.equal(["Packages.xz"]);
  });

  it("is never bzip2 for opkg, whose signature is verified after decompressing only", () => {
    const error = refusal(() => indexNames(feed("opkg", "Packages.bz2")));
    expect(error).to.include({ code: "bad_profile" });
    expect(error.hint).to.contain("Packages.gz");
  });
});

describe("the size of an index", () => {
  const size = 80 * 1024 * 1024;

  it("follows the last accepted one, from a usual size up to what is ever read", () => {
    expect(indexLimit(feed("opkg"), undefined)).to.equal(usualIndexBytes);
    expect(indexLimit(feed("opkg"), { size: 1000 })).to.equal(usualIndexBytes);
    expect(indexLimit(feed("opkg"), { size })).to.equal(2 * size);
    expect(indexLimit(feed("opkg"), { size: 10 * size })).to.equal(maxIndexBytes);
    // Kept compressed, it says less of what it holds.
    expect(indexLimit(feed("pkgsrc"), { size: size / 8 })).to.equal(2 * size);
  });

  it("is what the profile says, more or less", () => {
    for (const maxIndexSize of [1000, 4 * size]) {
      expect(indexLimit({ ...feed("opkg"), maxIndexSize }, { size })).to.equal(maxIndexSize);
    }
  });
});
