/** `feedkey list` and `feedkey show`: what accepted indexes list. They ask nobody and record nothing. */
import { expect } from "chai";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";

interface Listed {
  readonly packages: readonly { readonly feed: string; readonly name: string; readonly sha256: string | null }[];
}

const at = published + hour;

describe("feedkey list, search and show", () => {
  let archive: TestArchive;

  beforeEach(async () => {
    archive = await TestArchive.make({ feeds: ["base", "extra"] });
  });

  afterEach(() => archive.remove());

  /** It must succeed, ask nobody and leave every file as it is. */
  async function asked(...args: readonly string[]): Promise<Listed["packages"]> {
    const before = await archive.everything();
    archive.mirror.sync(archive.site);
    const { packages } = (await archive.accept(at, ...args)) as unknown as Listed;
    expect(archive.mirror.asked).to.deep.equal([]);
    expect(await archive.everything()).to.deep.equal(before);
    return packages;
  }

  const names = (packages: Listed["packages"]) => packages.map(({ feed, name }) => `${feed} ${name}`);

  it("lists by name, with stars and question marks, and by feed", async () => {
    await archive.accept(at, "update");
    expect(names(await asked("list"))).to.deep.equal(["base alpha", "base beta", "extra alpha", "extra beta"]);
    expect(names(await asked("list", "b*", "nothing"))).to.deep.equal(["base beta", "extra beta"]);
    expect(names(await asked("list", "*p?a", "--feed", "extra"))).to.deep.equal(["extra alpha"]);
    for (const pattern of ["alph", "lpha", "alpha?", "*x*", "a*a*a*", "alpha*alpha"]) {
      expect(await asked("list", pattern), pattern).to.deep.equal([]);
    }
  });

  it("searches names and descriptions for all the words, in any case", async () => {
    await archive.accept(at, "update");
    expect(names(await asked("search", "PHA"))).to.deep.equal(["base alpha", "extra alpha"]);
    expect(names(await asked("search", "PACKAGE", "beta", "--feed", "base"))).to.deep.equal(["base beta"]);
    expect(names(await asked("search", "alpha", "beta"))).to.deep.equal([]);
  });

  it("shows one package with its digest, and who signed the index when", async () => {
    await archive.accept(at, "update");
    const [shown, ...others] = await asked("show", "alpha", "--feed", "base");
    expect(others).to.deep.equal([]);
    expect(shown?.sha256).to.match(/^[0-9a-f]{64}$/);
    expect(shown).to.include({ feed: "base", version: "1.0-1" }).and.have.property("signers").eql([archive.key]);
  });

  it("refuses a package that no index lists, a feed that the profile lacks, and a client that never updated", async () => {
    await archive.refuse({ code: "not_found", status: 66 }, at, "list");
    await archive.accept(at, "update");
    await archive.refuse({ code: "not_found", status: 66 }, at, "show", "nothing");
    await archive.refuse({ code: "usage", status: 2 }, at, "list", "--feed", "nothing");
  });

  it("lists nothing of an index that no longer stands", async () => {
    await archive.accept(at, "update");
    const { error } = await archive.refuse({ code: "stale", status: 1 }, at + 400 * 24 * hour, "list");
    expect(error?.message).to.include("base");
  });
});
