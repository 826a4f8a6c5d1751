/** Which packages `fetch` means: wildcards, versions, the newest of each by the format's own order. */
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { type Client, type FetchAllOptions, openClient } from "../../src/index.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { finalNames } from "../testkit/snapshot.ts";

describe("the packages that fetch means", () => {
  let archive: TestArchive;
  let client: Client;

  before(async () => {
    archive = await TestArchive.make({ feeds: ["base", "extra"] });
    await archive.addPackage("alpha", "1.0~rc1-1");
    await archive.addPackage("alpha", "1.10-1");
    await archive.addPackage("alpha", "1.9-1", "extra");
    await archive.addPackage("gamma", "1.0-1", "extra");
    await archive.publish(published + hour);
    client = await openClient({ profile: archive.profile, stateFolder: archive.state, at: published + 2 * hour });
    await client.update();
  });

  after(async () => {
    await client.close();
    await archive.remove();
  });

  async function fetched(requests: readonly string[], options: Partial<FetchAllOptions> = {}): Promise<string[]> {
    await fs.rm(archive.out, { recursive: true, force: true });
    const { errors } = await client.fetchAll(requests, { folder: archive.out, partial: true, ...options });
    const names = (await finalNames(archive.out)).map((name) => name.replace(/_all\.ipk$/, ""));
    return [...names, ...errors.map(({ code }) => code)];
  }

  it("a name with wildcards: the newest of each package, whichever feed has it", async () => {
    expect(await fetched(["*a"])).to.deep.equal(["alpha_1.10-1", "beta_2.0-1", "gamma_1.0-1"]);
    expect(await fetched(["?amma", "alph*"])).to.deep.equal(["alpha_1.10-1", "gamma_1.0-1"]);
    expect(await fetched(["alph*"], { feeds: ["extra"] })).to.deep.equal(["alpha_1.9-1"]);
    expect(await fetched(["x*", "gamma"])).to.deep.equal(["gamma_1.0-1", "not_found"]);
  });

  it("a version, exact or with wildcards", async () => {
    expect(await fetched(["alpha=1.0~rc1-1"])).to.deep.equal(["alpha_1.0~rc1-1"]);
    expect(await fetched(["alpha=1.0*"])).to.deep.equal(["alpha_1.0-1", "alpha_1.0~rc1-1"]);
    expect(await fetched(["*=2.*"])).to.deep.equal(["beta_2.0-1"]);
    expect(await fetched(["alpha=3*"])).to.deep.equal(["not_found"]);
  });

  it("the newest of all packages, and all of them", async () => {
    expect(await fetched([], { latest: true })).to.deep.equal(["alpha_1.10-1", "beta_2.0-1", "gamma_1.0-1"]);
    const all = ["alpha_1.0-1", "alpha_1.0~rc1-1", "alpha_1.10-1", "alpha_1.9-1", "beta_2.0-1", "gamma_1.0-1"];
    expect(await fetched([], { all: true, latest: true })).to.deep.equal(all);
  });

  it("nothing new where all of it is there", async () => {
    await fetched([], { latest: true });
    const { packages } = await client.fetchAll([], { folder: archive.out, latest: true });
    expect(packages.map(({ present }) => present)).to.deep.equal([true, true, true]);
  });
});
