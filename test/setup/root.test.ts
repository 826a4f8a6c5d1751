/** The root of the system to set up: nothing is written outside of it, whatever links its makers put there. */
import * as fs from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { expect } from "chai";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { asNobody } from "../testkit/scratch.ts";
import { snapshot } from "../testkit/snapshot.ts";
import { changed, Target } from "./target.ts";

const main = ["--suite", "stable", "--component", "main", "--timer", "systemd"];
const badPath = { code: "bad_path", status: 1 };

describe("setup: the root", () => {
  let target: Target;
  let outside: string;

  beforeEach(async () => {
    target = await Target.make();
    outside = join(target.folder, "outside");
    await fs.mkdir(join(outside, "apt/keyrings"), { recursive: true });
    await fs.writeFile(join(outside, "apt/keyrings/example.gpg"), "somebody's own");
  });

  afterEach(() => target.removeAll());

  async function link(name: string, aim: string): Promise<void> {
    await fs.mkdir(dirname(target.file(name)), { recursive: true });
    await fs.symlink(aim, target.file(name));
  }

  for (const name of [
    "etc",
    "etc/apt",
    "etc/apt/sources.list.d",
    "etc/apt/keyrings",
    "etc/feedkey",
    "etc/feedkey/profiles/keyrings/example",
    "etc/systemd/system/timers.target.wants",
    "var",
    "var/lib/feedkey",
    "var/lib/feedkey/setup",
    "var/lib/feedkey/state",
    "var/lib/feedkey/state/example",
    "var/lib/feedkey/state/example/certs",
    "var/lib/feedkey/state/example/ledger.json",
  ]) {
    it(`does not follow a link out of it: ${name}`, async () => {
      for (const aim of [outside, relative(dirname(target.file(name)), outside), "/nowhere/at/all"]) {
        await link(name, aim);
        const before = await snapshot(outside);
        const ended = await runHere(target.args("apt", ...main));
        const { error } = documentOf(ended);
        expect({ code: error?.code, status: ended.status }, ended.stdout).to.deep.equal(badPath);
        expect(error?.hint).to.include("make the link relative");
        expect(await snapshot(outside)).to.deep.equal(before);
        await fs.rm(target.file(name));
        await fs.rm(join(target.root, "var"), { recursive: true, force: true });
      }
    });
  }

  it("follows a link that stays inside", async () => {
    await fs.mkdir(target.file("usr/etc/apt"), { recursive: true });
    await link("etc", "usr/etc");
    await target.accept("apt", ...main);
    expect(await target.read("usr/etc/apt/sources.list.d/example.sources")).to.include(
      "Signed-By: /etc/apt/keyrings/example.gpg",
    );
    expect(changed(await target.accept("apt", ...main))).to.deep.equal([]);
    await target.accept("apt", "--remove");
    expect(await target.files()).to.have.all.keys("etc", "etc/apt", "usr", "usr/etc", "usr/etc/apt");
  });

  it("does not remove through a link that somebody put there later", async () => {
    await target.accept("apt", ...main);
    await fs.rename(target.file("etc"), join(outside, "etc"));
    await link("etc", join(outside, "etc"));
    const before = await snapshot(outside);
    await target.refuse(badPath, "apt", "--remove");
    expect(await snapshot(outside)).to.deep.equal(before);
  });

  it("may be relative, and may be reached over a link", async () => {
    const here = relative(".", target.root);
    await target.accept("apt", ...main, "--root", here);
    await fs.symlink(basename(target.root), join(target.folder, "linked"));
    expect(changed(await target.accept("apt", ...main, "--root", join(target.folder, "linked")))).to.deep.equal([]);
  });

  it("must be there, and a folder", async () => {
    await fs.writeFile(join(target.folder, "file"), "");
    for (const root of ["missing", "file", "file/x"]) {
      await target.refuse({ code: "not_found", status: 66 }, "apt", ...main, "--root", join(target.folder, root));
      await target.refuse({ code: "not_found", status: 66 }, "apt", "--remove", "--root", join(target.folder, root));
    }
    expect((await fs.readdir(target.folder)).sort()).to.not.include("missing");
  });

  it("is left as it is by who may not write there", async () => {
    await fs.chmod(target.folder, 0o755);
    await target.write("etc/hostname", "machine\n");
    const output = { code: "output", status: 73 };
    const folders = [target.root, target.file("etc")];
    for (const folder of folders) await fs.chmod(folder, 0o555);
    try {
      await asNobody(async () => {
        const { error } = await target.refuse(output, "apt", ...main);
        expect(error?.message).to.include("permission denied");
        await target.accept("apt", ...main, "--dry-run");
      });
    } finally {
      // So that it can be removed.
      for (const folder of folders) await fs.chmod(folder, 0o755);
    }
  });

  it("tells how to go on where only some of it can be written", async () => {
    await target.write("etc/apt/sources.list.d/x", "");
    await target.write("etc/hostname", "machine\n");
    for (const folder of ["", "etc", "etc/apt", "etc/feedkey", "etc/systemd", "var"]) {
      await fs.mkdir(target.file(folder), { recursive: true });
      if (process.geteuid?.() === 0) await fs.chown(target.file(folder), 65534, 65534);
    }
    await fs.chmod(target.folder, 0o755);
    // Only the sources can't be written.
    await fs.chmod(target.file("etc/apt/sources.list.d"), 0o555);
    const before = await target.files();
    await asNobody(async () => {
      const ended = await runHere(target.args("apt", ...main));
      const { error } = documentOf(ended);
      expect([ended.status, error?.message]).to.deep.equal([
        73,
        `cannot write "${target.file("etc/apt/sources.list.d/example.sources")}": permission denied`,
      ]);
      expect(error?.hint).to.include("undo it with --remove");
      await target.accept("apt", "--remove");
    });
    expect(await target.files()).to.deep.equal(before);
    await fs.chmod(target.file("etc/apt/sources.list.d"), 0o755);
  });
});
