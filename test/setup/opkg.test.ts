/** `setup opkg`: a file beside opkg.conf, and a GnuPG home that gpg trusts. */
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { certificate } from "../testkit/certificate.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { changed, feedBase, other, seed, Target } from "./target.ts";

const conf = "etc/opkg/feedkey.conf";
const options = [
  "option check_signature 1",
  "option signature_type gpg-asc",
  "option gpg_dir /etc/opkg/gpg",
  "option gpg_trust_level TrustOnly",
];

describe("setup opkg", function () {
  this.timeout(60_000);
  let target: Target;

  before(needing("gpg"));

  beforeEach(async () => {
    target = await Target.make();
  });

  afterEach(() => target.removeAll());

  const lines = async () =>
    (await target.read(conf)).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const bad = { code: "bad_config", status: 78 };
  /** A home as opkg 0.9.0 makes it at its first update: gpg puts its files there, and dirmngr its own. */
  const runHome = async (home: string) => {
    await fs.mkdir(home, { recursive: true, mode: 0o700 });
    await runProgram("gpg", ["--homedir", home, "--batch", "--no-autostart", "--list-keys"]);
    await fs.mkdir(`${home}/crls.d`);
    await fs.writeFile(`${home}/crls.d/DIR.txt`, "v:1:\n");
  };

  it("writes the options, the feeds, and a home whose keys gpg trusts", async () => {
    await target.accept("opkg");
    expect(await lines()).to.deep.equal([...options, "src/gz base https://archive.example.org/pub/feeds/base"]);
    expect((await fs.stat(target.file("etc/opkg/gpg"))).mode & 0o777).to.equal(0o700);
    const home = ["--homedir", target.file("etc/opkg/gpg"), "--batch", "--no-autostart"];
    // What opkg asks of GnuPG: is there a key, and is its owner trusted? `u` is ultimate.
    const listed = await runProgram("gpg", [...home, "--with-colons", "--list-keys"]);
    expect(listed.stdout).to.match(new RegExp(`^pub:u:(?:[^:]*:){6}u:.*\\nfpr:+${seed.fingerprint}:`, "m"));
    expect(changed(await target.accept("opkg"))).to.deep.equal([]);
  });

  it("escapes what a path may hold and a line of opkg's may not", async () => {
    const odd = ["[feed odd]", "format = opkg", `path = "a b/'c';\\"d\\"/x"`];
    await target.writeProfile({ rest: [...feedBase, ...odd, "[feed all]", "format = opkg", "path = ."] });
    await target.accept("opkg", "--no-keyring");
    const feeds = (await lines()).slice(options.length);
    expect(feeds).to.deep.equal([
      "src/gz base https://archive.example.org/pub/feeds/base",
      "src/gz odd https://archive.example.org/pub/a%20b/'c'%3B%22d%22/x",
      "src/gz all https://archive.example.org/pub",
    ]);
  });

  it("leaves out what another file says already, in whatever form", async () => {
    const said =
      '  option "check_signature" 0\noption\tgpg_dir  /etc/opkg/gpg/\nsrc base "https://archive.example.org/pub/feeds/base"\n';
    await target.write("etc/opkg/opkg.conf", said);
    await target.accept("opkg", "--no-keyring");
    // opkg takes a check that is named for one that is on.
    expect(await lines()).to.deep.equal([options[1], options[3]]);
    expect(await target.read("etc/opkg/opkg.conf")).to.equal(said);
  });

  it("refuses another file that says otherwise: opkg would keep the one that it reads first", async () => {
    for (const line of [
      "option gpg_dir /etc/opkg/keys",
      "option signature_type openssl",
      "option gpg_trust_level TrustAny",
      "src/gz base https://elsewhere.example.org/base",
    ]) {
      await target.write("etc/opkg/arch.conf", `# ${line}\n`);
      await target.accept("opkg", "--dry-run");
      await target.write("etc/opkg/arch.conf", `${line}\n`);
      const { error } = await target.refuse(bad, "opkg");
      expect(error?.message).to.include("/etc/opkg/arch.conf has");
      await fs.rm(target.file("etc/opkg/arch.conf"));
    }
  });

  it("warns of feeds that opkg will hold against the same keys, and of those that it can't follow", async () => {
    await target.write("etc/opkg/opkg.conf", "src/gz local file:///srv/local\n");
    const others = [
      "[feed far]",
      "format = opkg",
      "path = far",
      "packages = /",
      "[feed All]",
      "format = pkgsrc",
      "path = All",
    ];
    await target.writeProfile({ rest: [...feedBase, ...others] });
    const { warnings } = await target.accept("opkg", "--no-keyring");
    const all = warnings?.join("\n");
    expect(all).to.include("local in /etc/opkg/opkg.conf must also be signed by one of the archive's keys");
    expect(all).to.include("the paths of packages in feed far are relative to the archive");
    expect(all).to.include("feed All is left out: its format is pkgsrc");
    await target.writeProfile({ rest: ["[feed All]", "format = pkgsrc", "path = All"] });
    await target.refuse({ code: "bad_profile", status: 78 }, "opkg");
  });

  it("takes somebody's own GnuPG home for what it is", async () => {
    await target.write("etc/opkg/gpg/pubring.kbx", "somebody's own");
    const { error } = await target.refuse({ code: "output", status: 73 }, "opkg");
    expect(error?.message).to.include("/etc/opkg/gpg is there already");
  });

  it("takes a home without keys for what opkg makes by itself, and no other", async () => {
    const home = target.file("etc/opkg/gpg");
    await runHome(home);
    await target.accept("opkg");
    expect(Object.keys(await target.files())).to.include("etc/opkg/gpg/feedkey-keyring.pgp");
    await target.accept("opkg", "--remove");
    await runHome(home);
    await target.accept("opkg", "--no-keyring");
    await target.accept("opkg", "--remove");

    for (const [name, text] of [
      ["gpg.conf", "no-greeting\n"],
      ["private-keys-v1.d/0123.key", "precious"],
      ["openpgp-revocs.d/0123.rev", "precious"],
      ["pubring.gpg", "somebody's own"],
    ] as const) {
      await runHome(home);
      await target.write(`etc/opkg/gpg/${name}`, text);
      const { error } = await target.refuse({ code: "output", status: 73 }, "opkg");
      expect(error?.message, name).to.include("/etc/opkg/gpg is there already");
      await fs.rm(home, { recursive: true });
    }
    await runHome(home);
    const key = target.file("key.pgp");
    await fs.writeFile(key, certificate({ key: other }).bytes);
    const imported = await runProgram("gpg", ["--homedir", home, "--batch", "--no-autostart", "--import", key]);
    expect(imported.status, imported.stderr).to.equal(0);
    await target.refuse({ code: "output", status: 73 }, "opkg");
  });

  it("takes away what opkg's gpg left in the home", async () => {
    await target.write("etc/opkg/opkg.conf", "dest root /\n");
    const before = await target.files();
    await target.accept("opkg");
    for (const name of [
      "crls.d/DIR.txt",
      "reader_0.status",
      "S.dirmngr",
      ".#lk0x1",
      "pubring.kbx.lock",
      "random_seed",
    ]) {
      await target.write(`etc/opkg/gpg/${name}`, "");
    }
    await target.accept("opkg", "--remove");
    expect(await target.files()).to.deep.equal(before);
    await target.accept("opkg");
    await target.write("etc/opkg/gpg/notes.txt", "somebody's own");
    const { changes } = await target.accept("opkg", "--remove");
    const left = changes.find(({ path }) => path === "/etc/opkg/gpg");
    expect(left).to.deep.include({ action: "leave", reason: "has notes.txt in it, which feedkey did not put there" });
  });

  it("goes along with the binary form of the signature, and says what that needs", async () => {
    await target.write("etc/opkg/arch.conf", "option signature_type gpg\n");
    const { warnings } = await target.accept("opkg", "--no-keyring");
    expect(await lines()).to.not.include(options[1]);
    expect(warnings?.join("\n")).to.include("opkg will ask for Packages.sig").and.not.include("check_pkg_signature");
    await target.write("etc/opkg/packages.conf", "option check_pkg_signature 1\n");
    expect((await target.accept("opkg", "--no-keyring")).warnings?.join("\n")).to.include(
      "/etc/opkg/packages.conf has check_pkg_signature: opkg will ask for a signature beside each package",
    );
    await target.write("etc/opkg/arch.conf", "option signature_type usign\n");
    await target.refuse(bad, "opkg");
  });

  it("is undone without a trace, unless somebody put something into the home", async () => {
    await target.write("etc/opkg/opkg.conf", "dest root /\n");
    const before = await target.files();
    await target.accept("opkg");
    await target.accept("opkg", "--remove");
    expect(await target.files()).to.deep.equal(before);

    await target.accept("opkg");
    await fs.mkdir(target.file("etc/opkg/gpg/private-keys-v1.d"), { recursive: true });
    await target.write("etc/opkg/gpg/private-keys-v1.d/0123.key", "precious");
    const { changes, warnings } = await target.accept("opkg", "--remove");
    expect(changes.at(-3)).to.deep.include({ action: "leave", path: "/etc/opkg/gpg", reason: "has secret keys in it" });
    expect(warnings?.join("\n")).to.include("/etc/opkg/gpg is left alone");
    expect(await target.read("etc/opkg/gpg/private-keys-v1.d/0123.key")).to.equal("precious");
    expect(Object.keys(await target.files())).to.not.include(conf);
  });
});
