/** What people install: the tarball of npm, the Debian package, the standalone executable. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import { published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { presentOrSkip, skipUnlessRoot } from "../testkit/programs/present.ts";
import { runInRoot } from "../testkit/programs/private-root.ts";
import { needing } from "../testkit/programs/programs.ts";
import { bareDebian, debianMirror, firstRun, lineCounts, systems } from "./first-run.ts";

const { version } = JSON.parse(fs.readFileSync("package.json", "utf8")) as { readonly version: string };

function ran(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env });
  expect(status, `${program} ${args.join(" ")}\n${stdout}${stderr}`).to.equal(0);
  return stdout;
}

describe("packaging", function () {
  this.timeout(300_000);
  let folder: string;

  /** Takes the documents' way from nothing on a bare system. @returns the system's root */
  async function fromNothing(context: Mocha.Context, suite: string): Promise<string> {
    skipUnlessRoot(context);
    needing("mmdebstrap", "unshare", "apt-get").call(context);
    const mirror = await debianMirror();
    const system = systems.find((one) => one.suite === suite);
    if (system === undefined || !presentOrSkip(context, mirror, "needs a mirror of Debian")) throw new Error(suite);
    expect(lineCounts(system)).to.deep.equal([1, 5, 3]);
    const root = join(folder, suite);
    await bareDebian(system, mirror, root);
    await firstRun(system, root);
    return root;
  }

  before(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "feedkey-test-"));
  });

  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it("packs for npm what the program and its manual need, and no sources", () => {
    const [packed] = JSON.parse(ran("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"])) as [
      { readonly files: readonly { readonly path: string }[] },
    ];
    const paths = packed.files.map(({ path }) => path);
    expect(paths).to.include.members([
      ...[
        "bin/feedkey.js",
        "dist/src/bundle/main.js",
        "dist/src/index.d.ts",
        "dist/man/feedkey.1",
        "profiles/demo.ini",
      ],
      ...["dist/man/feedkey-trust.7", "docs/json/status.json", "LICENSE", "CHANGELOG.md"],
    ]);
    expect(paths.filter((path) => /^(src|test|build|bench|dist\/test|node_modules)\//.test(path))).to.deep.equal([]);
    expect(JSON.parse(fs.readFileSync("package.json", "utf8"))).to.not.have.property("private");
  });

  describe("as a Debian package", () => {
    let dpkg: (...args: string[]) => string;
    const below = (path: string) => join(folder, "root", path);
    const deb = `dist/feedkey_${version}_all.deb`;

    before(function () {
      needing("dpkg", "dpkg-deb").call(this);
      ran(process.execPath, ["build/deb.mjs"]);
      fs.mkdirSync(below("var/lib/dpkg/info"), { recursive: true });
      fs.mkdirSync(below("var/lib/dpkg/updates"));
      fs.writeFileSync(below("var/lib/dpkg/status"), "");
      const forced = ["--force-not-root", "--force-script-chrootless", "--force-depends"];
      dpkg = (...args) => ran("dpkg", [...forced, `--root=${below("")}`, `--log=${join(folder, "log")}`, ...args]);
    });

    it("installs a program that runs, with a state folder that others can't enter", () => {
      dpkg("--install", deb);
      expect(ran(below("usr/bin/feedkey"), ["--version"])).to.match(
        new RegExp(`^${version}( \\(\\w+(-dirty)?\\))?\\n$`),
      );
      expect(fs.statSync(below("var/lib/feedkey/service")).mode & 0o777).to.equal(0o700);
    });

    it("has the manual, completions and units where Debian looks for them", () => {
      const listed = ran("dpkg-deb", ["--contents", deb]);
      for (const path of [
        ...["man/man1/feedkey.1.gz", "man/man1/feedkey-sign.1.gz", "man/man5/feedkey-profile.5.gz"],
        ...["bash-completion/completions/feedkey", "zsh/vendor-completions/_feedkey"],
        ...["fish/vendor_completions.d/feedkey.fish", "doc/feedkey/copyright"],
      ]) {
        expect(listed, path).to.contain(` ./usr/share/${path}\n`);
      }
      expect(listed).to.contain(" ./usr/lib/systemd/system/feedkey-publish@.timer\n");
      expect(listed).to.not.match(/^\S+ (?!root\/root)/m);
    });

    it("upgrades, removes and purges without a trace, but for what others wrote", () => {
      const unpacked = join(folder, "newer");
      ran("dpkg-deb", ["--raw-extract", deb, unpacked]);
      const control = join(unpacked, "DEBIAN/control");
      fs.writeFileSync(control, fs.readFileSync(control, "utf8").replace(/^Version: .*$/m, `Version: ${version}+1`));
      fs.rmSync(join(unpacked, "usr/share/nodejs/feedkey/README.md"));
      ran("dpkg-deb", ["--root-owner-group", "-Zgzip", "--build", unpacked, join(folder, "newer.deb")]);
      fs.writeFileSync(below("var/lib/feedkey/service/kept"), "");
      fs.writeFileSync(below("etc/feedkey/profiles/mine.ini"), "");
      dpkg("--install", join(folder, "newer.deb"));
      expect(fs.existsSync(below("usr/share/nodejs/feedkey/README.md"))).to.equal(false);
      dpkg("--remove", "feedkey");
      expect(fs.existsSync(below("usr/bin/feedkey"))).to.equal(false);
      expect(fs.existsSync(below("var/lib/feedkey/service/kept"))).to.equal(true);
      dpkg("--purge", "feedkey");
      expect(fs.existsSync(below("var/lib/feedkey"))).to.equal(false);
      const left = fs.readdirSync(below(""), { recursive: true, encoding: "utf8" });
      expect(left.filter((path) => path.includes("feedkey") && !path.startsWith("var/lib/dpkg/"))).to.deep.equal([
        "etc/feedkey",
        "etc/feedkey/profiles",
        "etc/feedkey/profiles/mine.ini",
      ]);
    });

    it("takes a person from nothing on a bare Debian 13, with the Debian package, and goes again with its user", async function () {
      const root = await fromNothing(this, "trixie");
      await runInRoot(root, "stat -c %U /var/lib/feedkey/service | grep -x feedkey; apt-get -qq purge -y feedkey");
      await runInRoot(
        root,
        'test ! -e /var/lib/feedkey; test ! -e /usr/bin/feedkey; test -z "$(getent passwd feedkey)"',
      );
    });
  });

  it("follows an archive with the client part alone, which has nothing to publish with", async () => {
    ran(process.execPath, ["build/client-part.mjs"]);
    const part = join(folder, "client-part");
    // Elsewhere, where no library can be found but its own.
    fs.cpSync("dist/client-part", part, { recursive: true });
    fs.rmSync("dist/client-part", { recursive: true });
    const feedkey = (...args: string[]) =>
      runProgram(process.execPath, [join(part, "bin/feedkey.js"), ...args], { env: { HOME: folder } });
    const archive = await TestArchive.make();
    try {
      const given = ["--profile", archive.profile, "--state", archive.state, "--at", iso(published)];
      const update = await feedkey(...given, "update");
      expect(update.status, update.stderr).to.equal(0);
      expect((await feedkey(...given, "fetch", "alpha", "-o", archive.out)).status).to.equal(0);
      const index = archive.file("Packages");
      expect((await feedkey(...given, "verify", index)).status).to.equal(0);
      fs.appendFileSync(index, "\n");
      const tampered = await feedkey(...given, "verify", index);
      expect(tampered.status, tampered.stderr).to.equal(65);
    } finally {
      await archive.remove();
    }
    expect((await feedkey("publish", folder)).stderr).to.contain("unknown command 'publish'");
    const { stderr } = await feedkey("status", "--config", "archive.ini");
    expect(stderr).to.contain("has feedkey's client part alone");
    expect(fs.readFileSync(join(part, "dist/src/bundle/main.js"), "latin1")).to.not.contain("publishFeeds");
  });

  it("has units that systemd accepts", function () {
    needing("systemd-analyze").call(this);
    const units = fs.readdirSync("packaging/systemd").map((name) => `packaging/systemd/${name}`);
    const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...units], { encoding: "utf8" });
    const lines = `${stdout}${stderr}`
      .split("\n")
      .filter((line) => /feedkey/.test(line) && !/is not executable/.test(line));
    expect(lines).to.deep.equal([]);
  });

  describe("as one executable, with no Node on the path", () => {
    before(function () {
      const holds = fs.readFileSync(process.execPath).includes("NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2");
      if (!presentOrSkip(this, holds, "this Node keeps its program in a library")) return;
      ran(process.execPath, ["build/standalone.mjs"]);
    });

    after(() => fs.rmSync("dist/feedkey", { force: true }));

    it("runs the demo", () => {
      const env = { HOME: join(folder, "home"), PATH: "/nonexistent" };
      expect(ran("dist/feedkey", ["demo"], env)).to.match(/the demo is over: \d+ commands, 4 attacks refused/);
    });

    it("leaves nothing behind where the home can't be written", () => {
      const elsewhere = join(folder, "tmp");
      fs.mkdirSync(elsewhere);
      const env = { HOME: "/dev/null", TMPDIR: elsewhere, PATH: "" };
      expect(ran("dist/feedkey", ["--version"], env)).to.contain(version);
      expect(fs.readdirSync(elsewhere)).to.deep.equal([]);
    });

    it("takes a person from nothing on a bare Debian 12", async function () {
      await fromNothing(this, "bookworm");
    });
  });
});
