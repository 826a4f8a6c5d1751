import { expect } from "chai";
import { readPackages } from "../../src/formats/opkg/packages-text.ts";
import { biggestList } from "../testkit/programs/apt-list.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";

describe("index-format on apt's own lists", () => {
  let list: Buffer = Buffer.alloc(0);
  let stanzas = 0;

  before(function () {
    const found = biggestList();
    if (!presentOrSkip(this, found, 'apt has no list of packages here: run "apt-get update"')) return;
    list = found;
    // Counted without the code under test: every stanza has one such line.
    stanzas = list.toString("latin1").match(/^Package: /gm)?.length ?? 0;
    expect(stanzas).to.be.greaterThan(0);
  });

  it("reads every entry with its digest and finds each by name and file", () => {
    const index = readPackages(list);
    expect(index.count).to.equal(stanzas);
    let number = 0;
    for (const entry of index) {
      if (entry.sha256 === undefined || entry.size === undefined)
        expect.fail(`line ${entry.line} has no digest or size`);
      if (number++ % 100 !== 0) continue;
      const base = entry.filename?.split("/").pop() ?? "";
      expect(index.find(entry.name, entry.version, entry.architecture)).to.deep.equal([entry]);
      expect(index.findByFile(base)).to.deep.include(entry);
    }
    expect(number).to.equal(stanzas);
  });
});
