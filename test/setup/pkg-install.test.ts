/** `setup pkg_install`: a keyring, and lines in a file that may be the administrator's. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { FeedkeyError } from "../../src/error.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { refuseIgnored } from "../../src/stock/pkgsrc-places.ts";
import { changed, curve, other, seed, Target } from "./target.ts";

const conf = "etc/pkg_install.conf";
const keyring = "etc/feedkey/keyrings/example.gpg";
const values = { VERIFIED_INSTALLATION: "always", GPG_KEYRING_VERIFY: `/${keyring}` };

describe("setup pkg_install", () => {
  let target: Target;

  beforeEach(async () => {
    target = await Target.make();
  });

  afterEach(() => target.removeAll());

  /** As pkg_install reads it: a variable that appears twice has two lines. */
  const variables = async () => {
    const found: Record<string, string> = {};
    for (const line of (await target.read(conf)).split("\n")) {
      const [, name = "", value = ""] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
      if (name !== "") found[name] = found[name] === undefined ? value : `${found[name]}\n${value}`;
    }
    return found;
  };
  const bad = { code: "bad_config", status: 78 };

  it("writes the keyring and a file of its own where there is none", async () => {
    await target.accept("pkg_install");
    expect(await variables()).to.deep.equal(values);
    const keys = readKeys(await fs.readFile(target.file(keyring))).certificates;
    expect(keys.map(({ fingerprint }) => fingerprint)).to.deep.equal([seed.fingerprint]);
    expect(changed(await target.accept("pkg_install"))).to.deep.equal([]);
    await target.accept("pkg_install", "--remove");
    expect(await target.files()).to.deep.equal({});
  });

  it("puts its lines before the administrator's, and takes them out again to the last byte", async () => {
    for (const text of [
      "PKG_PATH=https://cdn.example.org/All\n# no line feed at the end",
      "",
      "\n",
      "A=1\r\nB=2\r\n",
    ]) {
      await target.write(conf, text);
      await fs.chmod(target.file(conf), 0o640);
      const before = await target.files();
      await target.accept("pkg_install");
      expect(await variables()).to.deep.include(values);
      expect(await target.read(conf))
        .to.match(/^# feedkey: begin/)
        .and.satisfy((all: string) => all.endsWith(text));
      expect((await fs.stat(target.file(conf))).mode & 0o777).to.equal(0o640);
      await target.accept("pkg_install", "--remove");
      expect(await target.files()).to.deep.equal(before);
    }
  });

  it("keeps what the administrator changed around its lines meanwhile", async () => {
    await target.write(conf, "A=1\n");
    await target.accept("pkg_install");
    const block = await target.read(conf);
    await target.write(conf, `B=2\n${block}C=3\n`);
    expect(changed(await target.accept("pkg_install"))).to.deep.equal([]);
    await target.accept("pkg_install", "--remove");
    expect(await target.read(conf)).to.equal("B=2\nA=1\nC=3\n");
  });

  it("leaves out what stands there already", async () => {
    await target.write(conf, "VERIFIED_INSTALLATION=always\n");
    await target.accept("pkg_install");
    expect(await variables()).to.deep.equal(values);
    await target.accept("pkg_install", "--remove");
    await target.write(conf, `VERIFIED_INSTALLATION=always\nGPG_KEYRING_VERIFY=/${keyring}\n`);
    const before = await target.read(conf);
    await target.accept("pkg_install");
    expect(await target.read(conf)).to.equal(before);
  });

  it("refuses lines that say otherwise, since a second value spoils both", async () => {
    for (const text of [
      "VERIFIED_INSTALLATION=never\n",
      "VERIFIED_INSTALLATION=trusted",
      "VERIFIED_INSTALLATION=always\nVERIFIED_INSTALLATION=always\n",
      "GPG_KEYRING_VERIFY=/usr/pkg/etc/gnupg/pkgsrc.gpg\n",
    ]) {
      await target.write(conf, text);
      const { error } = await target.refuse(bad, "pkg_install");
      expect(error?.message).to.include(`/${conf} says ${text.split(/\n/)[0]?.replace("always", "always")}`);
    }
    await target.write(conf, "#VERIFIED_INSTALLATION=never\n VERIFIED_INSTALLATION=never\n");
    await target.accept("pkg_install");
  });

  it("refuses lines of its own that somebody edited, and broken marks", async () => {
    await target.accept("pkg_install");
    const block = await target.read(conf);
    await target.write(conf, block.replace("always", "never"));
    const edited = await target.refuse({ code: "output", status: 73 }, "pkg_install");
    expect(edited.error?.message).to.include(`/${conf} was changed since feedkey wrote it`);
    for (const text of [block.replace("# feedkey: end\n", ""), `${block}${block}`, "# feedkey: end\n"]) {
      await target.write(conf, text);
      await target.refuse(bad, "pkg_install");
    }
    await target.write(conf, block.replace("always", "never"));
    const { changes } = await target.accept("pkg_install", "--remove");
    const left = changes.filter(({ action }) => action === "leave");
    expect(left.map(({ path, reason }) => [path, reason])).to.deep.equal([
      [`/${conf}`, "was changed since feedkey wrote it"],
    ]);
    expect(await target.read(conf)).to.include("VERIFIED_INSTALLATION=never");
  });

  it("is refused for an archive without a key that pkg_install reads", async () => {
    await target.writeProfile({ keys: [curve] });
    const { error } = await target.refuse({ code: "bad_profile", status: 78 }, "pkg_install");
    expect(error?.message).to.include(`${curve.fingerprint} can't be used: it is not RSA`);
    await target.writeProfile({ keys: [curve, other] });
    const { warnings } = await target.accept("pkg_install");
    expect(warnings?.join("\n")).to.include(`${curve.fingerprint} is left out of the export for pkg_install`);
  });

  const pkgsrc = ["[feed All]", "format = pkgsrc", "path = packages/All"];
  const url = "https://archive.example.org/pub/packages/All";
  const pkgConf = "usr/pkg/etc/pkg_install.conf";
  const repositories = "usr/pkg/etc/pkgin/repositories.conf";

  it("writes the file that each pkg_install of the system reads, or the one that is named", async () => {
    const none = await target.accept("pkg_install");
    expect(none.warnings?.join("\n")).to.include("no pkg_install is found there");
    await target.accept("pkg_install", "--remove");

    await target.write("usr/pkg/sbin/pkg_admin", "");
    const one = await target.accept("pkg_install");
    expect(one.warnings?.join("\n")).to.not.include("no pkg_install is found there");
    expect(await target.read(pkgConf)).to.include("VERIFIED_INSTALLATION=always");
    expect(Object.keys(await target.files())).to.not.include(conf);
    await target.write("usr/sbin/pkg_admin", "");
    await target.accept("pkg_install");
    expect([await target.read(conf), await target.read(pkgConf)].every((text) => text.includes("=always"))).to.equal(
      true,
    );

    await target.accept("pkg_install", "--prefix", "/opt/mine/");
    expect(await target.read("opt/mine/etc/pkg_install.conf")).to.include("VERIFIED_INSTALLATION=always");
    const rest = Object.keys(await target.files()).filter((path) => path.endsWith("pkg_install.conf"));
    expect(rest).to.deep.equal(["opt/mine/etc/pkg_install.conf"]);
    await target.accept("pkg_install", "--prefix", "/");
    expect(await variables()).to.deep.equal(values);
    for (const prefix of ["opt/mine", "/opt/../etc", "/opt/a b", ""]) {
      await target.refuse({ code: "usage", status: 2 }, "pkg_install", "--prefix", prefix);
    }
    await target.refuse({ code: "usage", status: 2 }, "opkg", "--prefix", "/usr/pkg");
  });

  it("lets pkg_add and pkgin find the packages by name", async () => {
    await target.writeProfile({ rest: pkgsrc });
    await target.write("usr/pkg/sbin/pkg_admin", "");
    await target.write("usr/pkg/bin/pkgin", "");
    await target.write("usr/bin/gpg", "");
    const before = await target.files();
    await target.accept("pkg_install");
    const text = await target.read(pkgConf);
    expect(text.split("\n")).to.include.members([`PKG_PATH=${url}`, "GPG=/usr/bin/gpg"]);
    expect((await target.read(repositories)).split("\n")).to.include(url);
    await target.accept("pkg_install", "--remove");
    expect(await target.files()).to.deep.equal(before);
    // Builds that run gpg: the prefix's own comes before the system's.
    await target.write("opt/mine/bin/gpg", "");
    await target.accept("pkg_install", "--prefix", "/opt/mine");
    expect(await target.read("opt/mine/etc/pkg_install.conf")).to.include("\nGPG=/opt/mine/bin/gpg\n");
  });

  it("leaves the administrator's own places alone, and says what comes of it", async () => {
    await target.writeProfile({ rest: pkgsrc });
    await target.write("usr/pkg/sbin/pkg_admin", "");
    await target.write("usr/pkg/bin/pkgin", "");
    await target.write(pkgConf, "PKG_PATH=https://cdn.example.org/All\nGPG=/opt/gpg\n");
    await target.write("usr/bin/gpg", "");
    await target.write(repositories, "# http://old.example.org/All\nhttps://cdn.example.org/All\n");
    const { warnings } = await target.accept("pkg_install");
    expect((await target.read(pkgConf)).match(/^(PKG_PATH|GPG)=/gm)).to.have.length(2);
    expect(warnings?.join("\n"))
      .to.include(`/${pkgConf} says PKG_PATH=https://cdn.example.org/All: pkg_add looks there, not in ${url}`)
      .and.include(`/${repositories} has https://cdn.example.org/All too`)
      .and.not.include("old.example.org");
  });
});

describe("setup pkg_install: what pkg_admin reads", () => {
  /** pkg_admin 20130902 in this point: config-var prints what is in force, and nothing for what no file says. */
  const admin = async (folder: string, text: string) => {
    const file = join(folder, "pkg_admin");
    await fs.writeFile(join(folder, "conf"), text);
    const script = `#!/bin/sh\n[ "$1" = config-var ] || exit 1\nsed -n "s/^$2=//p" '${join(folder, "conf")}'\n`;
    await fs.writeFile(file, script, { mode: 0o755 });
    return file;
  };

  it("is an error if it is another file", async () => {
    const folder = await fs.mkdtemp(join(tmpdir(), "fk-admin-"));
    const said = async (program: string) => {
      return await refuseIgnored([program], values).then(
        () => undefined,
        (error: FeedkeyError) => `${error.code}: ${error.message}`,
      );
    };
    try {
      const good = `VERIFIED_INSTALLATION=always\nGPG_KEYRING_VERIFY=/${keyring}\n`;
      expect(await said(await admin(folder, good))).to.equal(undefined);
      for (const text of [
        "",
        "VERIFIED_INSTALLATION=never\n",
        good.replace(keyring, "other"),
        good.replace("always", "trusted"),
      ]) {
        expect(await said(await admin(folder, text)), text).to.match(/^bad_config: .*packages are NOT verified$/);
      }
      expect(await said(join(folder, "absent"))).to.match(/^bad_config: /);
    } finally {
      await fs.rm(folder, { recursive: true });
    }
  });
});
