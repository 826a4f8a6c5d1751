/** Keys that follow a rotation, for clients that know nothing of chains: the dnf and the zypper of the system, run for real. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { DnfMachine, RpmArchive, ZypperMachine } from "./live.ts";

describe("dnf and zypper with keys that feedkey keeps current", function () {
  this.timeout(600_000);
  before(needing("rpmbuild", "createrepo_c", "rpm", "dnf", "zypper", "gpg"));

  let archive: RpmArchive;
  let a: string;

  beforeEach(async () => {
    archive = await RpmArchive.make();
    a = await archive.live.keygen();
    await archive.live.publish(a);
    await archive.add("hello");
    await archive.sign("--key", a, "--feed", "base");
    await archive.ship(a);
  });

  afterEach(async () => await archive.live.remove());

  it("install, follow a rotation and stop at a revocation by the timer alone; without it they fail", async () => {
    const machines = [new DnfMachine(archive, "dnf"), new ZypperMachine(archive, "zypper")];
    const sleepers = [new DnfMachine(archive, "dnf-asleep"), new ZypperMachine(archive, "zypper-asleep")];
    for (const machine of [...machines, ...sleepers]) await machine.setUp(archive);
    for (const machine of machines) {
      await machine.accepts();
      await machine.install("hello");
    }
    await archive.live.accept("update");

    // The successor is announced; the repository is still signed by its predecessor.
    const b = await archive.live.rotate();
    for (const machine of machines) await machine.ticks();
    await archive.add("later");
    await archive.sign("--key", b, "--feed", "base");
    for (const machine of machines) {
      await machine.accepts();
    }
    for (const machine of sleepers) await machine.refuses();
    await archive.live.accept("update");
    await archive.live.accept("fetch", "later", "-o", join(archive.live.folder, "out"));

    // What slept through the overlap wakes up.
    for (const machine of sleepers) {
      await machine.ticks();
      await machine.accepts();
    }

    await archive.live.keep("rotate", "--finish", "--force", "--config", archive.live.config);
    // The release of the day has both as seeds: the fall of one takes nothing from the other.
    await archive.ship(a, b);
    for (const machine of machines) await machine.setUp(archive);
    // A thief of the old key signs.
    await archive.add("backdoor");
    await archive.sign("--key", a, "--feed", "base");
    await archive.live.revokeAsCompromised(a);
    for (const machine of machines) {
      // Before the timer both would take it.
      await machine.accepts();
      await machine.ticks();
      await machine.refuses();
    }
    await archive.live.refuse({ code: "revoked", status: 1 }, "update");
    await archive.sign("--key", b, "--feed", "base");
    for (const machine of machines) await machine.accepts();
    await archive.live.accept("update");
  });

  it("get an extended key in the place of the one that they know, and lose all of them with --remove", async () => {
    const dnf = new DnfMachine(archive, "dnf");
    const zypper = new ZypperMachine(archive, "zypper");
    for (const machine of [dnf, zypper]) {
      await machine.setUp(archive);
      await machine.accepts();
    }
    const endInRing = async () => {
      const { stdout } = await runProgram("gpg", ["--homedir", await dnf.ring(), "--with-colons", "--list-keys"]);
      return /^pub:(?:[^:]*:){5}(\d*):/m.exec(stdout)?.[1];
    };
    const [end, database] = [await endInRing(), await zypper.database()];
    await archive.live.keep("key", "extend", a, "--expires", "5y");
    await archive.live.keep("publish", "--config", archive.live.config);
    await archive.live.keep("send", a, "--config", archive.live.config);
    for (const machine of [dnf, zypper]) {
      await machine.ticks();
      await machine.accepts();
    }
    expect(Number(await endInRing())).to.be.greaterThan(Number(end));
    const extended = await zypper.database();
    expect(extended).to.not.equal(database);
    // Another key in the ring, put there by hand, goes with the next run; nothing else is written again.
    const ring = await dnf.ring();
    const { ino } = await fs.stat(ring);
    await dnf.ticks();
    expect((await fs.stat(ring)).ino).to.equal(ino);
    for (const machine of [dnf, zypper]) {
      const args = ["setup", machine.program, "--root", machine.root, "--remove"];
      const ended = await runProgram(process.execPath, ["bin/feedkey.js", "--profile", "example", ...args]);
      expect(ended.status, ended.stderr).to.equal(0);
    }
    expect(await zypper.database()).to.equal("");
    const { stdout } = await runProgram("gpg", ["--homedir", ring, "--with-colons", "--list-keys"]);
    expect(stdout).to.not.match(/^pub:/m);
  });

  it("hold what the archive's commands make: a key that its successor certified for a time, and one with a signing subkey", async () => {
    const { live } = archive;
    const b = await live.rotate();
    const c = await live.keygen("--offline-primary", join(live.folder, "offline"));
    const root = join(live.folder, "rpm-alone");
    await fs.mkdir(root);
    for (const key of [a, b, c]) {
      const file = join(live.folder, "key.asc");
      await fs.writeFile(file, String((await live.keep("key", "export", key)).armored));
      const { status, stderr } = await runProgram("rpm", ["--root", root, "--import", file]);
      expect(status, `${key}: ${stderr}`).to.equal(0);
    }
    const { stdout } = await runProgram("rpm", ["--root", root, "-qa", "gpg-pubkey", "--qf", "%{VERSION}\n"]);
    const expected = [a, b, c].map((key) => key.slice(-8).toLowerCase());
    expect(stdout.trim().split("\n")).to.have.members(expected);
  });

  it("are warned of what they can't hold, and what else would have to be signed", async () => {
    const dnf = new DnfMachine(archive, "dnf");
    expect((await dnf.setUp(archive, "--gpgcheck")).join()).to.include("every package that is not signed itself");
    const zypper = new ZypperMachine(archive, "zypper");
    expect((await zypper.setUp(archive)).join()).to.include("one keyring for all repositories");
    const other = join(zypper.root, "etc/zypp/repos.d/other.repo");
    await fs.writeFile(other, `[other]\nbaseurl = ${archive.live.url.replace(/\/$/, "")}/rpm/\n`);
    const args = ["--json", "--profile", archive.live.profile, "setup", "zypper", "--root", zypper.root];
    const ended = await runProgram(process.execPath, ["bin/feedkey.js", ...args]);
    expect(ended.stdout).to.include("bad_config");
  });
});
