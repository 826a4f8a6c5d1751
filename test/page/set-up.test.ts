/** The page's commands to set up a machine, as a visitor copies them: run word for word, where the clients then read the archive. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { startServer } from "../../src/keyserver/server.ts";
import { archiveOfAll } from "../rehearse/every-format.ts";
import { feedPath, hour, PkgsrcArchive } from "../testkit/archives/pkgsrc-archive.ts";
import { presentOrSkip, skipUnlessRoot } from "../testkit/programs/present.ts";
import { runInCopy } from "../testkit/programs/private-root.ts";
import { needing } from "../testkit/programs/programs.ts";
import { inScratch } from "../testkit/scratch.ts";
import { chromiumPath, Visitor } from "./visitor.ts";

/** A machine of a visitor who is an administrator, without anybody's archives. */
const machine = `
exec 2>&1
printf '#!/bin/sh\\nexec "%s" "%s" "$@"\\n' '${process.execPath}' '${resolve("bin/feedkey.js")}' > /usr/local/bin/feedkey
printf '#!/bin/sh\\nexec "$@"\\n' > /usr/local/bin/sudo
chmod 755 /usr/local/bin/feedkey /usr/local/bin/sudo
# Debian's rpm has its database below the home folder, where zypper does not look.
echo '%_dbpath /var/lib/rpm' > ~/.rpmmacros
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
`;

/** How each client then reads the archive. */
const reads: Readonly<Record<string, string>> = {
  opkg: "curl -sSO $url/feeds/base/Packages -O $url/feeds/base/Packages.asc; gpg -q --homedir /etc/opkg/gpg --verify Packages.asc Packages",
  apt: "apt-get -qq update -o APT::Update::Error-Mode=any; apt-cache show alpha | grep -x 'Package: alpha'",
  dnf: "dnf -q --releasever=1 --disableplugin='*' --setopt=module_platform_id=platform:x --setopt=skip_if_unavailable=0 makecache --refresh",
  zypper: "zypper -n refresh --force",
  pacman: "pacman -Syy --noconfirm",
};

describe("the trust page's commands", function () {
  this.timeout(120_000);
  let browser: Browser;

  before(async function () {
    skipUnlessRoot(this);
    needing(
      ...Object.keys(reads).filter((name) => name !== "opkg"),
      "createrepo_c",
      "curl",
      "gpg",
      "tar",
      "unshare",
    ).call(this);
    presentOrSkip(this, existsSync(chromiumPath), "needs chromium");
    browser = await Visitor.start();
  });

  after(() => browser?.close());

  /** The commands that the page shows to a visitor who typed the fingerprint, by client. */
  async function commands(url: string, fingerprint: string): Promise<Map<string, string>> {
    const visitor = await Visitor.visit(browser, `${url}keys/index.html`);
    await visitor.check(fingerprint);
    const blocks = await visitor.page.$$eval("pre", (all) => all.map((one) => [one.dataset.title, one.textContent]));
    await visitor.page.close();
    return new Map(blocks as [string, string][]);
  }

  it("set up feedkey, opkg, apt, dnf, zypper and pacman, which then accept the archive", async () => {
    const { archive, first } = await archiveOfAll();
    try {
      await archive.keep("publish", "--config", archive.config, "--page");
      await archive.keep("send", first, "--config", archive.config);
      const shown = await commands(archive.url, first);
      expect([...shown.keys()]).to.deep.equal(["feedkey", ...Object.keys(reads)]);
      const own = shown.get("feedkey")?.replace("PACKAGE", "beta") ?? "";
      const others = Object.entries(reads).map(([client, reading]) => `${shown.get(client)}(${reading})\n`);
      await inScratch(async (folder) => {
        const printed = await runInCopy(
          folder,
          `url=${archive.url}\nexport SSL_CERT_FILE=${archive.folder}/ca.pem\n${machine}${own}${others.join("")}ls`,
        );
        expect(printed).to.include("beta_1.0-1_all.deb");
        const warnings = [...printed.matchAll(/^feedkey: warning: (.*)$/gm)].map(([, text]) => text);
        expect(warnings.filter((text) => !text?.includes("has one keyring for all repositories"))).to.deep.equal([]);
      });
    } finally {
      await archive.remove();
    }
  });

  it("set up feedkey and pkg_install for pkgsrc, whose packages the page checks", async () => {
    const archive = await PkgsrcArchive.make("rsa3072");
    const server = await startServer({ root: archive.site, port: 0 });
    try {
      const file = await archive.addPackage({ name: "hello-1.0" });
      await archive.publish(Date.now() - hour, "--page");
      const visitor = await Visitor.visit(browser, `${server.url}keys/index.html`);
      const { mark, lines } = await visitor.check(archive.key);
      expect(mark, JSON.stringify(lines)).to.equal("good");
      const [good] = await visitor.choose(file);
      expect(good?.text).to.include("the file that feed “All” lists");
      await visitor.page.close();
      const shown = await commands(server.url, archive.key);
      expect([...shown.keys()]).to.deep.equal(["feedkey", "pkg_install"]);
      // pkg_install is not in Debian; gpgv reads what it would.
      const pkgInstall = `mkdir -p /usr/pkg/sbin /usr/pkg/etc
printf '#!/bin/sh\\nsed -n "s/^$2=//p" /usr/pkg/etc/pkg_install.conf\\n' > /usr/pkg/sbin/pkg_admin
chmod 755 /usr/pkg/sbin/pkg_admin
`;
      const reading = `curl -sSO ${server.url}${feedPath}/pkg_summary.gz -O ${server.url}${feedPath}/pkg_summary.gz.asc
gpgv -q --keyring "$(/usr/pkg/sbin/pkg_admin config-var GPG_KEYRING_VERIFY)" pkg_summary.gz.asc pkg_summary.gz
ls`;
      const own = shown.get("feedkey")?.replace("PACKAGE", "hello");
      await inScratch(async (folder) => {
        const printed = await runInCopy(folder, `${machine}${own}${pkgInstall}${shown.get("pkg_install")}${reading}`);
        expect(printed).to.include("hello-1.0.tgz").and.not.include("feedkey: warning");
      });
    } finally {
      await server.close();
      await archive.remove();
    }
  });
});
