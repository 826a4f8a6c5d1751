/** `setup apt`: a source whose Signed-By names the keyring. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { actionOf, changed, feedBase, seed, Target } from "./target.ts";

const source = "etc/apt/sources.list.d/example.sources";
const keyring = "etc/apt/keyrings/example.gpg";
const main = ["--suite", "stable", "--component", "main"];

describe("setup apt", () => {
  let target: Target;

  beforeEach(async () => {
    target = await Target.make();
  });

  afterEach(() => target.removeAll());

  const fields = async () => {
    const lines = (await target.read(source)).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
    );
  };

  it("writes a source, the keyring that it names, and the profile", async () => {
    const document = await target.accept("apt", "--suite", "stable", "testing", "--component", "main", "contrib");
    expect(await fields()).to.deep.equal({
      Types: "deb",
      URIs: "https://archive.example.org/pub/",
      Suites: "stable testing",
      Components: "main contrib",
      "Signed-By": `/${keyring}`,
    });
    const { certificates } = readKeys(await fs.readFile(target.file(keyring)));
    expect(certificates.map(({ fingerprint }) => fingerprint)).to.deep.equal([seed.fingerprint]);
    expect(document.keyring).to.deep.equal({
      ...{ path: `/${keyring}`, keys: [seed.fingerprint], added: [seed.fingerprint], removed: [], left: [] },
    });
    expect(actionOf(document, "/etc/feedkey/profiles/example.ini")).to.equal("create");
    expect(actionOf(document, `/${source}`)).to.equal("create");
  });

  it("does nothing the second time", async () => {
    await target.accept("apt", ...main);
    const before = await target.files();
    const { ino } = await fs.stat(target.file(source));
    expect(changed(await target.accept("apt", ...main))).to.deep.equal([]);
    expect(await target.files()).to.deep.equal(before);
    expect((await fs.stat(target.file(source))).ino).to.equal(ino);
  });

  it("replaces what it wrote itself when it is told otherwise", async () => {
    await target.accept("apt", ...main);
    const document = await target.accept("apt", "--suite", "testing", "--component", "main");
    expect(changed(document)).to.deep.equal([`replace /${source}`]);
    expect((await fields()).Suites).to.equal("testing");
  });

  it("takes suites and components from the profile's variables", async () => {
    const variables = ["[variables]", "suite = stable, testing", "component = main contrib"];
    await target.writeProfile({ rest: [...variables, ...feedBase] });
    await target.accept("apt");
    expect(await fields()).to.include({ Suites: "stable testing", Components: "main contrib" });
    await target.accept("apt", "--suite", "unstable");
    expect(await fields()).to.include({ Suites: "unstable", Components: "main contrib" });
  });

  it("takes a folder for a suite, without components", async () => {
    await target.accept("apt", "--suite", "./");
    expect(await fields())
      .to.include({ Suites: "./" })
      .and.not.have.property("Components");
    const usage = { code: "usage", status: 2 };
    await target.refuse(usage, "apt", "--suite", "./", "--component", "main");
    await target.refuse(usage, "apt", "--suite", "./", "stable", "--component", "main");
  });

  it("writes no source where nothing names a suite and component, but the line for one", async () => {
    for (const more of [[], ["--suite", "stable"]]) {
      const document = await target.accept("apt", ...more);
      expect(document.configuration).to.deep.equal([`Signed-By: /${keyring}`]);
      expect(document.warnings?.join("\n")).to.include("no source is written");
      expect(Object.keys(await target.files()))
        .to.include(keyring)
        .and.not.include(source);
    }
  });

  it("refuses words that a source can't hold", async () => {
    for (const word of ["$(ARCH)", "[trusted=yes]", "-x", "é", "#"]) {
      await target.refuse({ code: "usage", status: 2 }, "apt", `--suite=${word}`, "--component", "main");
      await target.refuse({ code: "usage", status: 2 }, "apt", "--suite", "stable", `--component=${word}`);
    }
    await target.refuse({ code: "usage", status: 2 }, "opkg", "--suite", "stable");
  });

  it("refuses a second entry for the same suite: apt would read nothing at all", async () => {
    const line = "deb [arch=amd64] https://archive.example.org/pub stable main\n";
    const deb822 = "Types: deb\nURIs: http://a.example\n https://archive.example.org/pub/\nSuites: stable\n";
    for (const [name, text] of [
      ["etc/apt/sources.list", line],
      ["etc/apt/sources.list.d/old.list", line],
      ["etc/apt/sources.list.d/old.sources", deb822],
    ] as const) {
      await target.write(name, text);
      const { error } = await target.refuse({ code: "bad_config", status: 78 }, "apt", ...main);
      expect(error?.message).to.include(`/${name} names https://archive.example.org/pub/ already`);
      await fs.rm(target.file(name));
    }
  });

  it("stands entries for other suites, in comments, and in files that apt does not read", async () => {
    await target.write("etc/apt/sources.list", "# deb https://archive.example.org/pub stable main\n");
    await target.write("etc/apt/sources.list.d/a.list", "deb https://archive.example.org/pub testing main\n");
    await target.write("etc/apt/sources.list.d/b.list.save", "deb https://archive.example.org/pub stable main\n");
    await target.write("etc/apt/sources.list.d/c.list", "deb https://archive.example.org/public stable main\n");
    await target.accept("apt", ...main);
  });

  it("lets everybody read what it writes, whatever the caller's umask", async () => {
    const program = [process.execPath, "bin/feedkey.js", ...target.args("apt", ...main)];
    const ended = await runProgram("sh", ["-c", 'umask 077; exec "$@"', "sh", ...program]);
    expect(ended.status, ended.stdout).to.equal(0);
    for (const [path, what] of Object.entries(await target.files())) {
      if (path.startsWith("etc")) expect(what, path).to.match(/^(folder 755|file 644 )/);
    }
    expect((await fs.stat(join(target.root, "var/lib/feedkey/state"))).mode & 0o777).to.equal(0o755);
  });

  it("prints the plan and changes nothing with --dry-run", async () => {
    const plan = await target.accept("apt", ...main, "--dry-run");
    expect(plan).to.include({ dryRun: true });
    expect(await fs.readdir(target.root)).to.deep.equal([]);
    const done = await target.accept("apt", ...main);
    expect(plan.changes).to.deep.equal(done.changes);
    expect(plan.keyring).to.deep.equal(done.keyring);
  });
});
