// Control data of .deb packages: what dpkg would not install is not listed, and what it installs is.
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { debWords } from "../../src/formats/apt/deb-control.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { refusal } from "../testkit/refusal.ts";

const controlOf = (name: string, version: string, more = "") =>
  `Package: ${name}\nVersion: ${version}\nArchitecture: all\n${more}Maintainer: x <x@example.org>\nDescription: x\n`;

const installed = [
  ...["lib-a.b+c0", "0ad"].map((name) => controlOf(name, "1")),
  ...["1", "1.0-1", "1:2:3", "1-1-1", "1~", "1:0~rc1+b2-3~", "0"].map((version) => controlOf("foo", version)),
];
const refused = [
  ...["a/b", "-x", "ä", "a_b"].map((name) => controlOf(name, "1")),
  ...["1_2", "a1", "1-", "1/2", "x:1", ":1", "1:", "-1", "1-1_2", "1ä", "1.0:2", "1:2-3:4", "9999999999:1"].map((v) => {
    return controlOf("foo", v);
  }),
  controlOf("foo", "1", "Status: install ok installed\n"),
  controlOf("foo", "1", "config-version: 1\n"),
];

/** dpkg-deb 1.21 builds it, as "foo": its list would call it by another name than its control data. */
const renamed = controlOf("Foo", "1");

describe("control data of .deb packages", function () {
  this.timeout(60_000);

  it("is taken as it stands, without fields about the file", () => {
    for (const control of installed) {
      const { own, ...words } = debWords(Buffer.from(`Filename: x.deb\nSHA256: 0\n${control}`));
      expect(Buffer.from(own).toString()).to.equal(control);
      expect(control).to.contain(`Package: ${words.name}\nVersion: ${words.version}\n`);
    }
  });

  it("is refused where dpkg-deb would not build the package", () => {
    for (const control of [...refused, renamed]) {
      expect(refusal(() => debWords(Buffer.from(control))).code, control).to.equal("bad_package");
    }
  });

  describe("by dpkg's own word", () => {
    before(needing("dpkg-deb"));

    it("both are so", async () => {
      const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-deb-"));
      try {
        await fs.mkdir(join(folder, "deb/DEBIAN"), { recursive: true });
        const build = async (control: string) => {
          await fs.writeFile(join(folder, "deb/DEBIAN/control"), control);
          return (await runProgram("dpkg-deb", ["--build", join(folder, "deb"), join(folder, "x.deb")])).status;
        };
        for (const control of installed) expect(await build(control), control).to.equal(0);
        for (const control of refused) expect(await build(control), control).to.not.equal(0);
      } finally {
        await fs.rm(folder, { recursive: true });
      }
    });
  });
});
