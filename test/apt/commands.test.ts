// What commands say of suites of apt's: which feed a file is of, when the last index ends, and whether its signers fit the profile.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { largerIndexHint, largerRootHint } from "../../src/client/index-files.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { releaseDate, stanza, withSuite } from "./suite.ts";

describe("apt's repositories: commands", function () {
  this.timeout(60_000);

  it("verify takes a root for that of the suite in whose folder it is, of several in one repository", async () => {
    await withSuite(async (suite) => {
      const other = ["[feed testing]", "format = apt", "path = debian", "suite = testing", "components = main"];
      await fs.appendFile(join(suite.folder, "example.ini"), `${[...other, "architectures = amd64"].join("\n")}\n`);
      await suite.release();
      await suite.sign(day(10), "--feed", "stable");
      const verified = await suite.accept(day(11), "verify", suite.path("InRelease"));
      expect(verified.feed).to.equal("stable");
      await fs.cp(suite.path("."), join(suite.folder, "elsewhere"), { recursive: true });
      await suite.refuse("usage", day(11), "verify", join(suite.folder, "elsewhere/InRelease"));
    });
  });

  it("verify reads the lists beside the root, also those that the client has already accepted", async () => {
    await withSuite(async (suite) => {
      await suite.release();
      await suite.sign();
      await suite.accept(day(11), "update");
      const verify = ["verify", suite.path("InRelease"), "--feed", "stable"];
      await suite.accept(day(11), ...verify);
      const lists = ["main/binary-amd64/Packages", "main/binary-amd64/Packages.gz"].map((one) => suite.path(one));
      for (const list of lists) await fs.appendFile(list, "x");
      await suite.refuse("bad_index", day(11), ...verify);
      for (const list of lists) await fs.rm(list);
      await suite.refuse("unavailable", day(11), ...verify);
      // The lists that the client has are as good as before.
      expect(await suite.fetch(day(11), "alpha")).to.have.length(1);
    });
  });

  it("status says when the index that was accepted last is over by its own words", async () => {
    await withSuite(async (suite) => {
      await suite.release({ fields: [`Valid-Until: ${releaseDate(day(20))}`] });
      await suite.sign(day(10), "--valid-for", "60d");
      await suite.accept(day(11), "update");
      for (const [at, warned] of [
        [19, false],
        [21, true],
      ] as const) {
        const { warnings } = await suite.run(day(at), "status");
        expect(String(warnings).includes("valid until 2026-01-21"), `day ${at}`).to.equal(warned);
      }
    });
  });

  it("sign with a profile looks at each key, and refuses --clearsign where no client reads such a file", async () => {
    await withSuite(async (suite) => {
      await suite.release({ lists: { "main/binary-amd64": stanza("alpha") } });
      const stranger = await addKey(join(suite.folder, "home"), { userId: "Other <other@example.org>" });
      const sign = ["sign", suite.path("Release"), "--key", suite.key];
      const withProfile = [...sign, "--profile", join(suite.folder, "example.ini")];
      await suite.refuse("untrusted_signer", day(10), ...withProfile, "--also-key", stranger);
      await suite.accept(day(10), ...withProfile);
      await suite.accept(day(10), ...sign, "--also-key", stranger, "--clearsign");
      const repomd = join(suite.folder, "repomd.xml");
      await fs.writeFile(repomd, "");
      await suite.refuse("usage", day(10), "sign", repomd, "--key", suite.key, "--clearsign");
    });
  });

  it("the hint for a root that is too large names no setting where none makes it larger", () => {
    expect(largerRootHint({ format: "apt" }, 10_000_000)).to.contain("no client accepts a larger file");
    expect(largerRootHint({ format: "apt" }, 1000)).to.equal(largerIndexHint);
    expect(largerRootHint({ format: "opkg" }, 10_000_000)).to.equal(largerIndexHint);
  });
});
