// pacman itself, which follows the archive's keys by nothing but the timer that the set-up wrote.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import { needing } from "../testkit/programs/programs.ts";
import { PacmanArchive, PacmanMachine } from "./machine.ts";

describe("pacman, set up by feedkey", function () {
  this.timeout(180_000);
  before(needing("pacman", "pacman-key", "pacman-conf", "repo-add", "bsdtar", "gpg"));

  let archive: PacmanArchive;
  const machines: PacmanMachine[] = [];
  const machine = async (name: string) => {
    const made = await PacmanMachine.make(archive, name);
    machines.push(made);
    return made;
  };

  beforeEach(async () => {
    archive = await PacmanArchive.make();
  });
  afterEach(async () => {
    for (const one of machines.splice(0)) await one.stop();
    await archive.live.remove();
  });

  it("follows a rotation; one that slept through it fails; a revocation stops it at once", async () => {
    const { live } = archive;
    const a = await live.keygen();
    await archive.publish(a);
    const [awake, asleep] = [await machine("m"), await machine("s")];
    for (const one of [awake, asleep]) {
      expect((await one.setUp(archive)).warnings?.join()).to.contain("one keyring");
      await one.installs("alpha");
    }
    await live.accept("update");
    const b = await live.rotate();
    await awake.ticks();
    // Still signed by the first.
    for (const one of [awake, asleep]) await one.installs("alpha");
    await live.keep("rotate", "--finish", "--force", "--config", live.config);
    await archive.add("beta");
    await archive.sign();
    await awake.installs("beta");
    await live.accept("update");
    expect(await asleep.refuses("beta")).to.match(/key "?[0-9A-F]+"? |trust|signature/);
    await asleep.ticks();
    await asleep.installs("beta");
    await live.revokeAsCompromised(b);
    await awake.ticks();
    expect(await awake.refuses("beta")).to.match(/signature|trust/);
    await live.refuse({ code: "revoked", status: 1 }, "update");
    expect(await fs.readFile(awake.keyring.replace(".gpg", "-revoked"), "utf8")).to.equal(`${b}\n`);
    expect((await awake.held()).get(a)).to.equal("f");
    // What was set up goes, and what pacman took over with it.
    await awake.setUp(archive, "--remove");
    expect([...(await awake.held()).keys()]).to.not.include(a);
    expect(await fs.readdir(join(awake.root, "usr/share")).catch(() => [])).to.deep.equal([]);
    expect(await fs.readFile(join(awake.root, "etc/pacman.conf"), "utf8")).to.not.contain("example");
  });

  it("takes over an extended key, before it has expired and after", async () => {
    const { live } = archive;
    const made = Date.now() - 30 * 86_400_000;
    const key = await live.keygen("--expires", "20d", "--at", iso(made));
    const expired = await fs.readFile(join(live.home, "certs", `${key}.asc`), "utf8");
    await live.keep("key", "extend", key, "--expires", "30d");
    await archive.publish(key);
    const one = await machine("m");
    await one.setUp(archive, "--no-keyring", "--timer", "systemd");
    // As pacman took it over when it was young.
    const [conf, faked] = [join(one.ring, "gpg.conf"), `faked-system-time ${Math.floor(made / 1000) + 86_400}\n`];
    await fs.mkdir(one.ring, { recursive: true, mode: 0o755 });
    await fs.writeFile(conf, faked);
    await one.succeed("pacman-key", "--init");
    const file = join(live.folder, "expired.asc");
    await fs.writeFile(file, expired);
    await one.succeed("pacman-key", "--add", file);
    await one.succeed("pacman-key", "--lsign-key", key);
    await fs.writeFile(conf, (await fs.readFile(conf, "utf8")).replace(faked, ""));
    expect(await one.refuses("alpha")).to.match(/trust|expired/);
    await one.ticks();
    await one.installs("alpha");
    await live.keep("key", "extend", key, "--expires", "2y");
    await archive.sign();
    await one.ticks();
    await one.installs("alpha");
  });
});
