// Found by an attack: a profile, keyring or authority that others can change is refused, as a secret key is.
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { selfSigned } from "../../src/net/self-signed.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { skipUnlessRoot } from "../testkit/programs/present.ts";
import { inScratch } from "../testkit/scratch.ts";

const at = published + 2 * hour;
const stranger = 12_345;

/** An archive in use whose profile, keyring and authorities lie in a folder each: `trust/KIND/FILE`. */
class Trusting {
  readonly archive: TestArchive;
  readonly folder: string;

  constructor(archive: TestArchive) {
    this.archive = archive;
    this.folder = join(archive.folder, "trust");
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  async arrange(): Promise<void> {
    const { archive } = this;
    for (const name of ["profile", "keyring", "ca", "keyserver-ca"]) {
      await fs.mkdir(this.path("deep", name), { recursive: true });
    }
    await fs.copyFile(join(archive.home, "certs", `${archive.key}.asc`), this.path("deep/keyring/seed.asc"));
    const { cert } = selfSigned(published);
    for (const name of ["ca", "keyserver-ca"]) await fs.writeFile(this.path("deep", name, "ca.pem"), cert);
    const lines = [
      ...["[archive]", "name = Example", `url = ${archive.mirror.url}`, "user-email = archive@example.org"],
      `ca = ${this.path("deep/ca/ca.pem")}`,
      ...["[trust]", `keyring = ${this.path("deep/keyring")}`, `seeds = ${archive.key}`, "keyservers = none"],
      `keyserver-ca = ${this.path("deep/keyserver-ca/ca.pem")}`,
      ...["[feed base]", "format = opkg", "path = feeds/base", ""],
    ];
    await fs.writeFile(this.profile, lines.join("\n"));
  }

  get profile(): string {
    return this.path("deep/profile/example.ini");
  }

  async run(profile: string, ...args: string[]): Promise<[number | null, string | undefined]> {
    const ended = await runHere(["--profile", profile, ...this.archive.clientArgs(at, ...args).slice(2)]);
    return [ended.status, documentOf(ended).error?.code];
  }

  async update(profile = this.profile): Promise<[number | null, string | undefined]> {
    return await this.run(profile, "update");
  }
}

interface Shown {
  readonly profile?: { readonly file: string };
  readonly error?: { readonly code: string };
}

const fine = [0, undefined];
const bad = [78, "bad_profile"];
/** What decides whom to trust, with the folder that it lies in. */
const files = [
  ["profile", "deep/profile/example.ini"],
  ["keyring", "deep/keyring/seed.asc"],
  ["ca", "deep/ca/ca.pem"],
  ["keyserver-ca", "deep/keyserver-ca/ca.pem"],
] as const;

describe("cases: files of others", () => {
  let trusting: Trusting;

  before(async () => {
    const archive = await TestArchive.make();
    await archive.accept(published + hour, "update");
    trusting = new Trusting(archive);
    await trusting.arrange();
  });

  after(() => trusting.archive.remove());

  /** Changes the mode, looks, and changes it back. */
  const withMode = async (path: string, mode: number, expected: unknown, look = () => trusting.update()) => {
    const before = (await fs.stat(path)).mode & 0o7777;
    await fs.chmod(path, mode);
    try {
      expect(await look(), `${path} with mode ${mode.toString(8)}`).to.deep.equal(expected);
    } finally {
      await fs.chmod(path, before);
    }
    expect(await look(), "control").to.deep.equal(fine);
  };

  for (const [kind, file] of files) {
    it(`${kind}: writable for group or world, itself or its folder, however far up`, async () => {
      const path = trusting.path(file);
      for (const mode of [0o666, 0o664, 0o602]) await withMode(path, mode, bad);
      for (const mode of [0o777, 0o775, 0o1777]) await withMode(join(path, ".."), mode, bad);
      for (const mode of [0o777, 0o770]) await withMode(join(path, "../.."), mode, bad);
      await withMode(trusting.folder, 0o777, bad);
      for (const mode of [0o600, 0o444, 0o644]) await withMode(path, mode, fine);
    });

    it(`${kind}: behind a link that others can exchange, or that leads to a file that others can change`, async () => {
      const path = trusting.path(file);
      const [open, closed] = [trusting.path(`open-${kind}`), trusting.path(`closed-${kind}`)];
      await fs.mkdir(open);
      await fs.mkdir(closed);
      await fs.rename(path, join(open, "real"));
      await fs.symlink(join(open, "real"), path);
      expect(await trusting.update(), "control").to.deep.equal(fine);
      await withMode(open, 0o777, bad);
      await withMode(join(open, "real"), 0o666, bad);
      await fs.rename(join(open, "real"), join(closed, "real"));
      await fs.symlink(`../closed-${kind}/real`, join(open, "real"));
      await withMode(open, 0o1777, bad);
      await fs.rm(path);
      await fs.rename(join(closed, "real"), path);
    });

    it(`${kind}: of another user, or in a folder of one`, async function () {
      skipUnlessRoot(this);
      const path = trusting.path(file);
      for (const owned of [path, join(path, ".."), join(path, "../..")]) {
        await fs.chown(owned, stranger, 0);
        expect(await trusting.update(), owned).to.deep.equal(bad);
        await fs.chown(owned, 0, 0);
      }
      expect(await trusting.update(), "control").to.deep.equal(fine);
    });
  }

  it("a folder with the sticky bit, such as /tmp, will do further up, where what lies in it is one's own", async () => {
    await withMode(trusting.path("deep"), 0o1777, fine);
    if (process.getuid?.() !== 0) return;
    await fs.chown(trusting.path("deep/ca"), stranger, 0);
    await withMode(trusting.path("deep"), 0o1777, bad, async () => {
      const result = await trusting.update();
      await fs.chown(trusting.path("deep/ca"), 0, 0);
      return result;
    });
  });

  it("a pipe as keyring or authority: refused, and nobody waits", async () => {
    for (const [, file] of files.slice(1)) {
      const path = trusting.path(file);
      await fs.rename(path, `${path}.away`);
      expect(spawnSync("mkfifo", [path]).status).to.equal(0);
      expect(await trusting.update()).to.deep.equal(bad);
      await fs.rename(`${path}.away`, path);
    }
  });

  it("every command that reads the profile refuses it", async () => {
    const index = trusting.archive.file("Packages");
    const commands = [
      ["verify", index],
      ["verify", "--no-state", index],
      ["fetch", "alpha", "-o", trusting.archive.out],
      ...[["refresh"], ["chain"], ["status"], ["profile", "check"], ["profile", "show"]],
      ["export", "--for", "gpgv", join(trusting.archive.folder, "keyring.gpg")],
    ];
    for (const command of commands) {
      await withMode(trusting.profile, 0o666, bad, () => trusting.run(trusting.profile, ...command));
      if (command[1] === "show") continue;
      await withMode(trusting.path(files[1][1]), 0o666, bad, () => trusting.run(trusting.profile, ...command));
    }
  });

  it("archive.ini and its authority: bad_config", async () => {
    const { archive } = trusting;
    await fs.appendFile(archive.config, "");
    const publish = ["publish", "--config", archive.config];
    const refused = { code: "bad_config", status: 78 };
    await fs.chmod(archive.config, 0o666);
    await archive.refuseKeeper(refused, at, ...publish);
    await fs.chmod(archive.config, 0o644);
    await archive.publish(at);
    await fs.chmod(trusting.path("deep/ca/ca.pem"), 0o666);
    const server = ["--keyserver", "hkps://127.0.0.1:1", "--keyserver-ca", trusting.path("deep/ca/ca.pem")];
    await archive.refuseKeeper(refused, at, "send", archive.key, ...server);
    await fs.chmod(trusting.path("deep/ca/ca.pem"), 0o644);
  });
});

describe("cases: a profile's name", () => {
  it("is never looked up in the working folder", () =>
    inScratch(async (folder) => {
      await fs.mkdir(join(folder, "profiles"));
      await fs.writeFile(join(folder, "profiles", "planted.ini"), "[archive]\n");
      await fs.copyFile("profiles/demo.ini", join(folder, "profiles", "demo.ini"));
      const show = (name: string) => {
        const args = [resolve("bin/feedkey.js"), "--json", "--profile", name, "profile", "show"];
        return JSON.parse(spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" }).stdout) as Shown;
      };
      expect(show("planted").error?.code).to.equal("not_found");
      expect(show("demo").profile?.file).to.equal(resolve("profiles/demo.ini"));
      expect(show("./profiles/demo.ini").profile?.file).to.equal(join(folder, "profiles/demo.ini"));
    }));

  it("profile init writes what feedkey then reads, whatever the umask", async () => {
    const archive = await TestArchive.make();
    try {
      const folder = join(archive.folder, "new");
      const args = [
        "profile",
        "init",
        archive.mirror.url,
        "--fingerprint",
        archive.key,
        "--name",
        "mine",
        "-o",
        folder,
      ];
      const before = process.umask(0);
      const ended = await runHere(["--json", ...args, "--feed", "base=feeds/base", "--keyservers", "none"]);
      process.umask(before);
      expect(ended.status, ended.stdout + ended.stderr).to.equal(0);
      const update = ["--profile", join(folder, "mine.ini"), ...archive.clientArgs(at, "update").slice(2)];
      expect((await runHere(update)).status).to.equal(0);
    } finally {
      await archive.remove();
    }
  });
});
