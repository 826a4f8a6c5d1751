/** The bundle copied alone, without the libraries that it does not hold. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { documentOf, runProgram } from "../testkit/programs/command-line.ts";
import { inScratch } from "../testkit/scratch.ts";

describe("cli without its libraries", () => {
  it("says what is not installed, and works as far as it can", () =>
    inScratch(async (folder) => {
      for (const part of ["bin", "dist/src/bundle", "profiles", "keyrings", "package.json"])
        await fs.cp(part, join(folder, part), { recursive: true });
      const feedkey = (...args: readonly string[]) => {
        return runProgram(process.execPath, [join(folder, "bin/feedkey.js"), "--home", join(folder, "home"), ...args]);
      };
      expect((await feedkey("profile", "list", "--json")).status, "control").to.equal(0);
      const ended = await feedkey("--json", "keygen", "--user-id", "Example <archive@example.org>");
      const { error } = documentOf(ended);
      expect({ status: ended.status, ...error, message: "", hint: "" }).to.deep.equal({
        ...{ status: 70, code: "internal", details: { library: "openpgp" } },
        ...{ message: "", hint: "" },
      });
      expect(error?.message).to.include("openpgp");
      expect(error?.hint)
        .to.include("npm ci")
        .and.match(/report what it prints .*SECURITY\.md/);
    }));
});
