/** Keys that follow a rotation, for a client that knows nothing of chains: the apt of the system, run for real. */
import * as fs from "node:fs/promises";
import { basename, join } from "node:path";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { GnupgHome } from "../testkit/programs/gnupg.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";
import { needing } from "../testkit/programs/programs.ts";
import { AptMachine, releaseBy } from "./apt-repository.ts";

const day = 86_400_000;
const forms = ["InRelease", "Release.gpg"] as const;

/** A real package that needs no other. */
async function realPackage(): Promise<string | undefined> {
  const folder = process.env.FEEDKEY_REAL_DEBS;
  for (const name of folder === undefined ? [] : (await fs.readdir(folder)).sort()) {
    if (folder === undefined || !/^[\w.+-]+_(all|amd64)\.deb$/.test(name)) continue;
    const { stdout } = await runProgram("dpkg-deb", ["-f", join(folder, name), "Depends", "Pre-Depends"]);
    if (stdout.trim() === "") return join(folder, name);
  }
  return undefined;
}

describe("apt with an exported keyring", function () {
  this.timeout(120_000);
  let archive: LiveArchive;
  let gpg: GnupgHome;
  let machine: AptMachine;
  let a: string;

  before(needing("apt-get", "apt-cache", "apt-ftparchive", "dpkg-deb", "gpg", "gpgv"));

  // A is a key of gpg's that the keepers brought into the key store.
  beforeEach(async () => {
    archive = await LiveArchive.make();
    gpg = await GnupgHome.make();
    a = await gpg.generate(archiveUserId);
    await archive.importKey(await gpg.run("--armor", "--export-secret-keys", a));
    await archive.publish(a);
    await archive.ship(a);
    await releaseBy(archive, gpg, a);
    machine = await AptMachine.make(archive);
  });

  afterEach(async () => {
    await gpg.remove();
    await archive.remove();
  });

  /** Rotates, and lets B sign the Release file from a gpg of its own. */
  async function rotate(): Promise<string> {
    const b = await archive.rotate();
    await gpg.run("--import", join(archive.home, "private", `${b}.asc`));
    await archive.addPackage("gamma");
    await releaseBy(archive, gpg, b);
    return b;
  }

  it("follows a rotation by itself, by nothing but the timer that setup wrote", async () => {
    await machine.finds("alpha", "beta");
    const b = await rotate();
    expect(await machine.refuses()).to.include(`NO_PUBKEY ${b.slice(-16)}`);
    await machine.ticks();
    await machine.finds("alpha", "beta", "gamma");
    // The other form of the signature, by either key: apt's gpgv is given both.
    for (const [key, name] of [
      [b, "delta"],
      [a, "epsilon"],
    ] as const) {
      await archive.addPackage(name);
      await releaseBy(archive, gpg, key, "Release.gpg");
      const before = await machine.packages();
      await machine.finds(...before, name);
    }
  });

  it("installs a real package through it", async function () {
    const real = await realPackage();
    if (!presentOrSkip(this, real, "FEEDKEY_REAL_DEBS names no folder with a package that needs no other")) return;
    await fs.copyFile(real, archive.file(basename(real)));
    const b = await archive.rotate();
    await gpg.run("--import", join(archive.home, "private", `${b}.asc`));
    await releaseBy(archive, gpg, b);
    const [name = ""] = basename(real).split("_");
    await machine.refuses();
    await machine.ticks();
    await machine.finds("alpha", "beta", name);
    const fetched = await machine.fetches(name);
    expect((await fs.readFile(fetched)).equals(await fs.readFile(real))).to.equal(true);
  });

  it("refuses a key that was revoked as compromised from the next run on", async () => {
    const b = await rotate();
    // The release of the day has both as seeds: the fall of one takes nothing from the other.
    await archive.ship(a, b);
    expect(await machine.setUp(archive)).to.deep.include({
      "/etc/feedkey/profiles/example.ini": "replace",
      "/etc/apt/keyrings/example.gpg": "replace",
      "/etc/apt/sources.list.d/example.sources": "keep",
    });
    await machine.finds("alpha", "beta", "gamma");
    await archive.keep("rotate", "--finish", "--force", "--config", archive.config);
    await archive.revokeAsCompromised(a);

    // The thief adds a package.
    await archive.addPackage("backdoor");
    await machine.ticks();
    for (const form of forms) {
      await releaseBy(archive, gpg, a, form);
      expect(await machine.refuses()).to.include(`NO_PUBKEY ${a.slice(-16)}`);
    }
    const thief = await fs.readFile(join(archive.site, "dists/stable/Release.gpg"));

    await fs.rm(archive.file("backdoor_1.0-1_all.deb"));
    await releaseBy(archive, gpg, b);
    await machine.finds("alpha", "beta", "gamma");
    await fs.rm(join(archive.site, "dists/stable/InRelease"));
    await fs.writeFile(join(archive.site, "dists/stable/Release.gpg"), thief);
    await machine.refuses();
  });

  it("would take the thief's Release file while the key is in its keyring", async () => {
    await archive.revokeAsCompromised(a);
    await archive.addPackage("backdoor");
    await releaseBy(archive, gpg, a);
    await machine.finds("alpha", "backdoor", "beta");
  });

  it("keeps its keyring through an outage of the key servers", async () => {
    const { ino, mtimeMs } = await fs.stat(machine.keyring);
    const before = await fs.readFile(machine.keyring);
    await archive.stopKeyserver();
    const { status, stderr } = await machine.timer();
    expect(status, stderr).to.equal(0);
    const state = ["--state", join(machine.root, "var/lib/feedkey/state")];
    const later = (days: number) => [
      "--at",
      iso(Date.now() + days * day),
      ...state,
      "export",
      "--for",
      "apt",
      machine.keyring,
    ];
    const within = await archive.accept(...later(13));
    expect(within.warnings?.join("\n")).to.include("within the profile's grace");
    const beyond = await archive.refuse({ code: "unchecked_revocation", status: 1 }, ...later(15));
    expect(beyond.error?.details.fingerprint).to.equal(a);
    const after = await fs.stat(machine.keyring);
    expect({ ino: after.ino, mtimeMs: after.mtimeMs }).to.deep.equal({ ino, mtimeMs });
    expect((await fs.readFile(machine.keyring)).equals(before)).to.equal(true);
    await machine.finds("alpha", "beta");
  });

  it("reads an armored keyring where the name asks for one", async () => {
    const armored = machine.keyring.replace(/gpg$/, "asc");
    await archive.accept("export", "--for", "apt", armored);
    expect(await fs.readFile(armored, "utf8")).to.match(/^-----BEGIN PGP PUBLIC KEY BLOCK-----\n/);
    const source = join(machine.root, "read/example.sources");
    await fs.writeFile(source, (await fs.readFile(source, "utf8")).replace(machine.keyring, armored));
    await fs.rm(machine.keyring);
    await machine.finds("alpha", "beta");
  });
});
