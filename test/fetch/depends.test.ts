/** `fetch --with-depends`: what packages need comes too, from every feed of the format. */
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { type Client, type FetchAllOptions, openClient } from "../../src/index.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { finalNames } from "../testkit/snapshot.ts";

describe("packages with what they need", () => {
  let archive: TestArchive;
  let client: Client;

  before(async () => {
    archive = await TestArchive.make({ feeds: ["base", "extra"] });
    const packages = [
      ["app", "1", "base", "Depends: lib (>= 1.5), editor, none | alpha"],
      ["lib", "1.4", "base", ""],
      ["lib", "1.10", "extra", "Depends: round"],
      ["lib", "1.9", "base", "Depends: round"],
      ["round", "1", "extra", "Depends: lib, app"],
      ["vi", "1", "extra", "Provides: editor"],
      ["emacs", "1", "extra", "Provides: editor"],
      ["lost", "1", "base", "Depends: lib (>= 2), gone | away, alpha"],
      ["both", "1", "base", "Depends: emacs\nProvides: something"],
      ["wants", "1", "base", "Depends: editor, lib (<< 1.5), both"],
    ] as const;
    for (const [name, version, feed, extra] of packages) await archive.addPackage(name, version, feed, extra);
    await archive.publish(published + hour);
    client = await openClient({ profile: archive.profile, stateFolder: archive.state, at: published + 2 * hour });
    await client.update();
  });

  after(async () => {
    await client.close();
    await archive.remove();
  });

  async function fetched(requests: readonly string[], options: Partial<FetchAllOptions> = {}) {
    await fs.rm(archive.out, { recursive: true, force: true });
    const terms = { folder: archive.out, partial: true, withDependencies: true, ...options };
    const { errors } = await client.fetchAll(requests, terms);
    const names = (await finalNames(archive.out)).map((name) => name.replace(/_all\.ipk$/, ""));
    return [...names, ...errors.map(({ code, details }) => `${code}: ${details.needs ?? details.package}`)];
  }

  it("the newest that fits, the first alternative that there is, one that stands for a name; cycles end", async () => {
    const all = ["alpha_1.0-1", "app_1", "lib_1.10", "round_1"];
    expect(await fetched(["app"])).to.deep.equal([...all, "emacs_1"].sort());
    // What was asked for meets a need before anything else does.
    expect(await fetched(["vi", "app"])).to.deep.equal([...all, "vi_1"].sort());
    expect(await fetched(["app", "lib=1.9"])).to.deep.equal(
      ["alpha_1.0-1", "app_1", "emacs_1", "lib_1.9", "round_1"].sort(),
    );
    expect(await fetched(["wants"])).to.include.members(["both_1", "emacs_1", "lib_1.4", "wants_1"]);
    expect(await fetched(["app"], { withDependencies: false })).to.deep.equal(["app_1"]);
  });

  it("what no feed has: not_found for each need, and the rest comes", async () => {
    const needs = ["not_found: lib (>= 2)", "not_found: gone | away"];
    expect(await fetched(["lost"])).to.deep.equal(["alpha_1.0-1", "lost_1", ...needs]);
    expect(await fetched(["app"], { feeds: ["extra"] })).to.deep.equal(["not_found: app"]);
    expect(await fetched(["round"], { feeds: ["extra"] })).to.deep.equal(["lib_1.10", "round_1", "not_found: app"]);
  });
});
