/** The profiles and keyrings that are shipped. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { readProfile } from "../../src/profile/read-profile.ts";

const names = fs.readdirSync("profiles").map((file) => file.replace(/\.ini$/, ""));

function profileOf(name: string) {
  const file = resolve("profiles", `${name}.ini`);
  return readProfile(fs.readFileSync(file, "utf8"), file);
}

describe("the shipped profiles", () => {
  let folder: string;

  before(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "feedkey-test-"));
  });

  after(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** The program, in a folder without profiles, so that the shipped ones are found. */
  function feedkey(...args: string[]) {
    const env = { ...process.env, HOME: folder, FEEDKEY_STATE: join(folder, "state"), XDG_CONFIG_HOME: folder };
    const command = [resolve("bin/feedkey.js"), ...args];
    return spawnSync(process.execPath, command, { cwd: folder, env, encoding: "utf8" });
  }

  it("are these", () => {
    expect(names.sort()).to.deep.equal(["debian-keys", "demo", "pkgsrc", "proteanos"]);
  });

  for (const name of names) {
    it(`can be read: ${name}`, () => {
      expect(profileOf(name).name).to.equal(name);
    });
  }

  it("refuse what came before a retirement, check always, and let keys go unchecked for two weeks at most", () => {
    for (const name of names) {
      const { archive, trust } = profileOf(name);
      expect(archive.verify, name).to.equal("required");
      expect(trust.retiredIssuers, name).to.equal("refuse");
      expect(trust.revocationCheck, name).to.equal("always");
      expect(trust.grace, name).to.equal(14 * 86_400_000);
    }
  });

  it("are in order offline where they have a seed", () => {
    const { status, stdout, stderr } = feedkey("--offline", "profile", "check", "debian-keys");
    expect(stderr).to.equal("");
    expect(stdout).to.contain("A1BD8E9D78F7FE5C3E65D8AF8B48AD6246925553");
    expect(status).to.equal(0);
  });

  for (const name of names.filter((one) => profileOf(one).trust.seeds.length === 0)) {
    it(`say what to do where they have none: ${name}`, () => {
      const { status, stdout } = feedkey("--profile", name, "--json", "update");
      const { error } = JSON.parse(stdout) as { error: { code: string; hint: string } };
      expect(error.code).to.equal("no_seed");
      expect(error.hint).to.contain(join("keyrings", name));
      expect(status).to.equal(78);
      expect(fs.existsSync(join(folder, "state", name))).to.equal(false);
    });
  }

  it("fill in their variables", () => {
    expect(profileOf("proteanos").feeds[0]?.path).to.equal("feeds/dev/trunk/amd64/pc-amd64/base");
    expect(profileOf("pkgsrc").archive.url).to.match(/packages\/NetBSD\/x86_64\/10\.0\/$/);
    expect(profileOf("pkgsrc").feeds[0]).to.include({ name: "All", format: "pkgsrc", path: "All" });
  });
});

describe("the shipped keyrings", () => {
  const folders = fs.readdirSync("keyrings", { withFileTypes: true }).filter((entry) => entry.isDirectory());

  for (const { name } of folders) {
    it(`hold the seeds of their profile and nothing else: ${name}`, () => {
      const files = fs.readdirSync(join("keyrings", name));
      expect(files.sort()).to.deep.equal(
        profileOf(name)
          .trust.seeds.map((seed) => `${seed}.asc`)
          .sort(),
      );
      for (const file of files) {
        const { certificates, secretKeys } = readKeys(fs.readFileSync(join("keyrings", name, file)));
        expect(secretKeys).to.equal(0);
        expect(certificates.map(({ fingerprint }) => `${fingerprint}.asc`)).to.deep.equal([file]);
      }
    });
  }
});
