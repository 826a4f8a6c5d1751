// T12: a package under a path that clients would refuse to fetch is refused when it is published.
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { hour, inArchive, packageOf, published } from "../testkit/archives/opkg-archive.ts";

describe("publish: paths that clients would refuse", () => {
  for (const name of [
    "pct_1%2e0_all.ipk",
    "pct_1%2E0_all.ipk",
    "pct%2f_1.0_all.ipk",
    "pct%5c_1.0_all.ipk",
    "pct%00.ipk",
  ]) {
    it(`${name}: bad_path, and with --skip-bad all else is published`, async () => {
      await inArchive(async (archive) => {
        await fs.writeFile(archive.file(name), packageOf("pct"));
        const publish = ["publish", "--config", archive.config];
        const at = published + hour;
        const said = await archive.refuseKeeper({ code: "bad_path", status: 1 }, at, ...publish);
        expect(said.error?.message).to.include("clients would refuse the package");
      });
    });
  }

  it("an epoch as %3a, a plus and a tilde: published and fetched", async () => {
    await inArchive(async (archive) => {
      await fs.writeFile(archive.file("pct_1%3a2.0+b~1_all.ipk"), packageOf("pct"));
      await archive.publish(published + hour);
      await archive.accept(published + hour, "update");
      await archive.accept(published + hour, "fetch", "pct", "-o", archive.out);
    });
  });
});
