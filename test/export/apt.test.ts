/** Keys that follow a rotation, for a client that knows nothing of chains: the apt of the system, run for real. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import { archiveUserId } from "../cases/archive-kit.ts";
import { AptMachine, releaseBy } from "./apt-repository.ts";
import { GnupgHome } from "./gnupg.ts";
import { LiveArchive } from "./live-archive.ts";
import { needing } from "./programs.ts";

const day = 86_400_000;

describe("apt with an exported keyring", function () {
  this.timeout(120_000);
  let archive: LiveArchive;
  let gpg: GnupgHome;
  let machine: AptMachine;
  let a: string;

  before(needing("apt-get", "apt-cache", "apt-ftparchive", "gpg", "gpgv"));

  // A is a key of gpg's that the keepers brought into the key store.
  beforeEach(async () => {
    archive = await LiveArchive.make();
    gpg = await GnupgHome.make();
    machine = await AptMachine.make(archive);
    a = await gpg.generate(archiveUserId);
    await archive.importKey(await gpg.run("--armor", "--export-secret-keys", a));
    await archive.publish(a);
    await archive.ship(a);
    await releaseBy(archive, gpg, a);
    await archive.timer("apt", machine.keyring);
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

  it("follows a rotation by itself", async () => {
    await machine.finds("alpha", "beta");
    const b = await rotate();
    expect(await machine.refuses()).to.include(`NO_PUBKEY ${b.slice(-16)}`);
    await archive.timer("apt", machine.keyring);
    await machine.finds("alpha", "beta", "gamma");
  });

  it("refuses a key that was revoked as compromised from the next run on", async () => {
    const b = await rotate();
    // The release of the day has both as seeds: the fall of one takes nothing from the other.
    await archive.ship(a, b);
    await archive.timer("apt", machine.keyring);
    await machine.finds("alpha", "beta", "gamma");
    await archive.keep("rotate", "--finish", "--force", "--config", archive.config);
    await archive.revokeAsCompromised(a);

    // The thief adds a package.
    await archive.addPackage("backdoor");
    await releaseBy(archive, gpg, a);
    const thief = await fs.readFile(join(archive.site, "dists/stable/InRelease"));
    await archive.timer("apt", machine.keyring);
    expect(await machine.refuses()).to.include(`NO_PUBKEY ${a.slice(-16)}`);

    await fs.rm(archive.file("backdoor_1.0-1_all.deb"));
    await releaseBy(archive, gpg, b);
    await machine.finds("alpha", "beta", "gamma");
    await fs.writeFile(join(archive.site, "dists/stable/InRelease"), thief);
    expect(await machine.refuses()).to.include(`NO_PUBKEY ${a.slice(-16)}`);
  });

  it("would take the thief's Release file while the key is in its keyring", async () => {
    await archive.revokeAsCompromised(a);
    await archive.addPackage("backdoor");
    await releaseBy(archive, gpg, a);
    await machine.finds("alpha", "backdoor", "beta");
  });

  it("keeps its keyring through an outage of the key servers, and is told", async () => {
    const { ino, mtimeMs } = await fs.stat(machine.keyring);
    const before = await fs.readFile(machine.keyring);
    await archive.stopKeyserver();
    const later = (days: number) => ["--at", iso(Date.now() + days * day), "export", "--for", "apt", machine.keyring];
    const within = await archive.accept(...later(13));
    expect(within.warnings?.join("\n")).to.include("within grace");
    const beyond = await archive.refuse({ code: "unchecked_revocation", status: 1 }, ...later(15));
    expect(beyond.error?.details.fingerprint).to.equal(a);
    const after = await fs.stat(machine.keyring);
    expect({ ino: after.ino, mtimeMs: after.mtimeMs }).to.deep.equal({ ino, mtimeMs });
    expect((await fs.readFile(machine.keyring)).equals(before)).to.equal(true);
    await machine.finds("alpha", "beta");
  });

  it("reads an armored keyring where the name asks for one", async () => {
    const armored = machine.keyring.replace(/pgp$/, "asc");
    await archive.accept("export", "--for", "apt", armored);
    expect(await fs.readFile(armored, "utf8")).to.match(/^-----BEGIN PGP PUBLIC KEY BLOCK-----\n/);
    const source = join(machine.root, "etc/apt/sources.list.d/example.sources");
    await fs.writeFile(source, (await fs.readFile(source, "utf8")).replace(machine.keyring, armored));
    await fs.rm(machine.keyring);
    await machine.finds("alpha", "beta");
  });
});
