/** The GnuPG home that opkg is given: what real gpg says of an index with nothing but that home. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { type Ended, runProcess, runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { snapshot } from "../testkit/snapshot.ts";

describe("export for opkg", function () {
  this.timeout(60_000);
  let archive: LiveArchive;
  let key: string;
  let home: string;

  before(needing("gpg"));

  beforeEach(async () => {
    archive = await LiveArchive.make();
    key = await archive.keygen();
    await archive.publish(key);
    await archive.ship(key);
    home = join(archive.folder, "opkg/gpg");
  });

  afterEach(() => archive.remove());

  const gpg = (...args: readonly string[]): Promise<Ended> => {
    return runProgram("gpg", ["--homedir", home, "--batch", "--no-autostart", "--status-fd", "1", ...args]);
  };
  const verify = () => gpg("--verify", archive.file("Packages.asc"), archive.file("Packages"));
  const trusted = async () => {
    const { stdout } = await gpg("--export-ownertrust");
    return stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  };
  const listed = async () =>
    [...(await gpg("--with-colons", "--list-keys")).stdout.matchAll(/^pub:.*\nfpr:+(\w+):/gm)].map(([, name]) => name);
  const output = { code: "output", status: 73 };

  it("makes a home whose keys gpg trusts ultimately", async () => {
    const { keys, added, removed, configuration } = await archive.accept("export", "--for", "opkg", home);
    expect({ keys, added, removed }).to.deep.equal({ keys: [key], added: [key], removed: [] });
    expect(configuration).to.include(`option gpg_dir ${home}`);
    const { status, stdout, stderr } = await verify();
    expect(status, stderr).to.equal(0);
    expect(stdout)
      .to.match(new RegExp(`^\\[GNUPG:\\] VALIDSIG ${key} `, "m"))
      .and.include("[GNUPG:] TRUST_ULTIMATE");
    expect(stderr).to.include("[ultimate]");
    expect(await trusted()).to.deep.equal([`${key}:6:`]);
    const checked = await gpg("--check-trustdb");
    expect(checked.status, checked.stderr).to.equal(0);
    expect(checked.stderr).to.not.include("no ultimately trusted keys");
    // What the list says of its validity and of its owner: both ultimate.
    const [, validity, owner] =
      /^pub:(.):(?:[^:]*:){6}(.):/m.exec((await gpg("--with-colons", "--list-keys")).stdout) ?? [];
    expect([validity, owner]).to.deep.equal(["u", "u"]);
    expect((await fs.stat(home)).mode & 0o777).to.equal(0o700);
    expect(await fs.readdir(join(archive.folder, "opkg")), "leftovers").to.deep.equal(["gpg"]);
  });

  it("follows a rotation, and takes a revoked successor out again", async () => {
    await archive.timer("opkg", home);
    const successor = await archive.rotate("--at-once");
    expect((await verify()).stdout).to.include(`NO_PUBKEY ${successor.slice(-16)}`);
    await archive.timer("opkg", home);
    expect((await verify()).stdout)
      .to.include(`VALIDSIG ${successor} `)
      .and.include("TRUST_ULTIMATE");
    expect(await listed()).to.have.members([key, successor]);
    expect(await fs.readdir(join(archive.folder, "opkg")), "leftovers").to.deep.equal(["gpg"]);

    await archive.revokeAsCompromised(successor);
    await archive.timer("opkg", home);
    const { status, stdout } = await verify();
    expect(status).to.equal(2);
    expect(stdout).to.include(`NO_PUBKEY ${successor.slice(-16)}`);
    expect(await listed()).to.deep.equal([key]);
    expect(await trusted()).to.deep.equal([`${key}:6:`]);
  });

  it("makes a home without keys when none may sign, and says so", async () => {
    await archive.accept("export", "--for", "opkg", home);
    await archive.revokeAsCompromised(key);
    const { keys, removed, warnings } = await archive.accept("export", "--for", "opkg", home);
    expect({ keys, removed }).to.deep.equal({ keys: [], removed: [key] });
    expect(warnings?.join("\n")).to.include("no key may sign now");
    expect(await listed()).to.deep.equal([]);
  });

  it("leaves a home alone in which nothing changes", async () => {
    await archive.accept("export", "--for", "opkg", home);
    const before = await fs.stat(home);
    await archive.accept("export", "--for", "opkg", home);
    expect((await fs.stat(home)).ino).to.equal(before.ino);
  });

  it("replaces nothing that it did not make", async () => {
    await fs.mkdir(home, { recursive: true });
    await fs.writeFile(join(home, "pubring.kbx"), "somebody's own");
    const before = await snapshot(home);
    const { error } = await archive.refuse(output, "export", "--for", "opkg", home);
    expect(error?.message).to.include("was not made by feedkey");
    expect(await snapshot(home)).to.deep.equal(before);
    await fs.writeFile(join(archive.folder, "file"), "somebody's own");
    await archive.refuse(output, "export", "--for", "opkg", join(archive.folder, "file"));
    expect(await fs.readFile(join(archive.folder, "file"), "utf8")).to.equal("somebody's own");
  });

  it("fills an empty folder", async () => {
    await fs.mkdir(home, { recursive: true });
    await archive.accept("export", "--for", "opkg", home);
    expect((await verify()).status).to.equal(0);
  });

  it("does not throw away secret keys that somebody put into its home", async () => {
    await archive.accept("export", "--for", "opkg", home);
    await fs.mkdir(join(home, "private-keys-v1.d"), { recursive: true });
    await archive.rotate();
    await archive.accept("export", "--for", "opkg", home);
    await fs.mkdir(join(home, "private-keys-v1.d"), { recursive: true });
    await fs.writeFile(join(home, "private-keys-v1.d/0123.key"), "precious");
    const { error } = await archive.refuse(output, "export", "--for", "opkg", home);
    expect(error?.message).to.include("secret keys");
    expect(await fs.readFile(join(home, "private-keys-v1.d/0123.key"), "utf8")).to.equal("precious");
  });

  it("finds the home again that a killed run had moved aside", async () => {
    await archive.accept("export", "--for", "opkg", home);
    const before = await snapshot(home);
    await fs.rename(home, `${home}.feedkey-old`);
    await fs.mkdir(`${home}.feedkey-new`);
    const { added } = await archive.accept("export", "--for", "opkg", home);
    expect(added).to.deep.equal([]);
    expect(await snapshot(home)).to.deep.equal(before);
  });

  it("finds it again where opkg has made an empty one in between", async () => {
    await archive.accept("export", "--for", "opkg", home);
    const before = await snapshot(home);
    await fs.rename(home, `${home}.feedkey-old`);
    await fs.mkdir(home, { mode: 0o700 });
    await gpg("--list-keys");
    // What was there before the run was killed is the last good state.
    const { added } = await archive.accept("export", "--for", "opkg", home);
    expect(added).to.deep.equal([]);
    expect(await snapshot(home)).to.deep.equal(before);
    expect(await fs.readdir(join(archive.folder, "opkg")), "leftovers").to.deep.equal(["gpg"]);
  });

  it("removes the home that a killed run had replaced already", async () => {
    await archive.accept("export", "--for", "opkg", home);
    await fs.cp(home, `${home}.feedkey-old`, { recursive: true });
    await archive.accept("export", "--for", "opkg", home);
    expect(await fs.readdir(join(archive.folder, "opkg")), "leftovers").to.deep.equal(["gpg"]);
  });

  it("leaves the old home in its place where there is no gpg", async () => {
    await archive.accept("export", "--for", "opkg", home);
    const before = await snapshot(join(archive.folder, "opkg"));
    await archive.rotate();
    const client = ["--profile", archive.profile, "--state", join(archive.folder, "state")];
    const ended = await runProcess([...client, "export", "--for", "opkg", home], { env: { PATH: archive.folder } });
    expect(ended.status).to.equal(73);
    expect(ended.stderr).to.include("check that GnuPG (gpg) is installed");
    expect(await snapshot(join(archive.folder, "opkg"))).to.deep.equal(before);
  });
});
