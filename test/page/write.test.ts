import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { VerifiedIndex } from "../../src/client/verified-index.ts";
import {
  type ClaimedArchive,
  findListing,
  judgeArchive,
  type Source,
  verifyFeed,
} from "../../src/page/check-archive.ts";
import { grouped } from "../../src/page/words.ts";
import { readProfile } from "../../src/profile/read-profile.ts";
import { archiveOfAll } from "../rehearse/every-format.ts";
import { hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { PkgsrcArchive } from "../testkit/archives/pkgsrc-archive.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";

/** The published tree as the page gets it. */
function treeOf(site: string): Source {
  return async (path, limit) => {
    const bytes = await fs.readFile(join(site, path)).catch(() => undefined);
    expect(bytes?.length ?? 0).to.be.at.most(limit);
    return bytes;
  };
}

const pageOf = (site: string) => join(site, "keys/index.html");

async function claimOf(site: string): Promise<ClaimedArchive> {
  const html = await fs.readFile(pageOf(site), "utf8");
  return JSON.parse(/<script type="application\/json" id="archive">(.*?)<\/script>/s.exec(html)?.[1] ?? "");
}

async function keep(archive: TestArchive, ...args: readonly string[]) {
  const ended = await runHere(archive.keeperArgs(published + hour, ...args, "--config", archive.config));
  return { status: ended.status, document: documentOf(ended) };
}

function unescaped(html: string): string {
  return html.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
}

describe("writing the trust page", () => {
  it("writes it where it is asked for, and again only when it changes", async () => {
    await inArchive(async (archive) => {
      const page = pageOf(archive.site);
      expect(await fs.stat(page).catch(() => undefined)).to.equal(undefined);
      expect((await archive.publish(published, "--dry-run", "--page")).page).to.equal(false);
      expect((await archive.publish(published, "--page")).page).to.equal(true);
      const { mtimeMs } = await fs.stat(page);
      expect((await archive.publish(published, "--page")).page).to.equal(false);
      expect((await fs.stat(page)).mtimeMs).to.equal(mtimeMs);
      const first = await fs.readFile(page, "utf8");
      await archive.addPackage("gamma");
      await archive.publish(published + 60_000);
      expect(await fs.readFile(page, "utf8"), "nobody asked").to.equal(first);
      const config = await fs.readFile(archive.config, "utf8");
      await fs.writeFile(archive.config, config.replace("[archive]", "[archive]\npage = yes"));
      expect((await archive.publish(published + 120_000)).page).to.equal(true);
      await keep(archive, "revoke", archive.key, "--reason", "compromised", "--force");
      expect(await fs.readFile(page, "utf8")).to.include("None of its keys may be used now.");
    });
  });

  it("is of an archive, not of a folder", async () => {
    await inArchive(async (archive) => {
      const folder = join(archive.site, "feeds/base");
      const ended = await runHere(archive.keeperArgs(published, "publish", folder, "--key", archive.key, "--page"));
      expect(documentOf(ended).error?.code).to.equal("usage");
      expect(ended.status).to.equal(2);
    });
  });

  it("never writes through a link, and publishes all the same", async () => {
    await inArchive(async (archive) => {
      const outside = join(archive.folder, "outside");
      await fs.writeFile(outside, "mine");
      await fs.symlink(outside, pageOf(archive.site));
      await archive.addPackage("gamma");
      const { status, document } = await keep(archive, "publish", "--page");
      expect(document.error?.code).to.equal("bad_path");
      expect(status).to.equal(1);
      expect(await fs.readFile(outside, "utf8")).to.equal("mine");
      expect(await fs.readFile(archive.file("Packages"), "utf8")).to.include("gamma");
    });
  });

  it("lets its policy allow its own script and style sheet, and nothing from elsewhere", async () => {
    await inArchive(async (archive) => {
      await archive.publish(published, "--page");
      const html = await fs.readFile(pageOf(archive.site), "utf8");
      const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? "";
      const hash = (text = "") => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
      const [, style] = /<style>(.*?)<\/style>/s.exec(html) ?? [];
      const [, script] = /<script>(.*?)<\/script>/s.exec(html) ?? [];
      expect(policy.split("; ").slice(0, 5)).to.deep.equal([
        "default-src 'none'",
        `script-src ${hash(script)}`,
        `style-src ${hash(style)}`,
        "img-src data:",
        "connect-src 'self'",
      ]);
      // What the browser would load, but for what is in the page itself.
      const loads = [...html.matchAll(/\b(?:src|href|action|data)="([^"]*)"/g)].map(([, target]) => target);
      expect(loads.filter((target) => !/^(#|data:)/.test(target ?? ""))).to.deep.equal([]);
      expect(Buffer.byteLength(html)).to.be.lessThan(500_000);
      expect(html)
        .to.include(grouped(archive.key))
        .and.include("2026-01-11 12:00 UTC")
        .and.include("2026-01-25 12:00 UTC");
    });
  });

  it("shows no commands for a program that can read none of the keys", async () => {
    for (const [algorithm, isShown] of [
      ["ed25519", false],
      ["rsa3072", true],
    ] as const) {
      const archive = await PkgsrcArchive.make(algorithm);
      try {
        await archive.addPackage({ name: "hello-1.0" });
        await archive.publish(published, "--page");
        const html = await fs.readFile(pageOf(archive.site), "utf8");
        expect(html.includes("setup pkg_install"), algorithm).to.equal(isShown);
      } finally {
        await archive.remove();
      }
    }
  });

  it("writes names as text, whatever is in them", async () => {
    await inArchive(async (archive) => {
      const userId = `A "B" & 'C' \u202e <archive@example.org>`;
      const home = join(archive.folder, "home");
      const made = documentOf(await runHere(["--home", home, "--json", "keygen", "--user-id", userId]));
      await archive.writeConfig(String(made.fingerprint), userId);
      await fs.rm(join(archive.site, "keys"), { recursive: true });
      const ended = await runHere(["--home", home, "--json", "publish", "--config", archive.config, "--page"]);
      expect(ended.status, ended.stdout).to.equal(0);
      const html = await fs.readFile(pageOf(archive.site), "utf8");
      expect(html).to.include("<title>A &#34;B&#34; &#38; &#39;C&#39; \\u{202e}: keys and packages</title>");
    });
  });
});

describe("the trust page of an archive of every format", function () {
  this.timeout(60_000);
  before(needing("createrepo_c", "tar"));

  it("judges all of its feeds, and sets up feedkey and each stock client", async () => {
    const { archive, first } = await archiveOfAll();
    try {
      await archive.keep("publish", "--config", archive.config, "--page");
      const claim = await claimOf(archive.site);
      const source = treeOf(archive.site);
      const judged = await judgeArchive(claim, first, source, Date.now());
      const indexes: VerifiedIndex[] = [];
      for (const feed of claim.feeds) indexes.push(await verifyFeed(judged, feed, source));
      const counts = Object.fromEntries(indexes.map(({ feed, packages }) => [feed.format, packages.count]));
      expect(counts).to.deep.equal({ opkg: 2, apt: 1, sums: 1, "rpm-md": 0, pacman: 1 });
      const tool = { size: 4, sha256: createHash("sha256").update("tool").digest("hex") };
      expect(findListing(indexes, "tool", tool).feed.name).to.equal("release");
      expect(findListing(indexes, "tool-1.0-1-any.pkg.tar.zst", tool).feed.name).to.equal("extra");
      expect(() => findListing(indexes, "tool", { ...tool, size: 5, sha256: "0".repeat(64) })).to.throw("SHA256");

      const html = await fs.readFile(pageOf(archive.site), "utf8");
      const commands = [...html.matchAll(/<pre [^>]*>(.*?)<\/pre>/gs)].map(([, text = ""]) => unescaped(text));
      expect(commands.slice(1).map((text) => /setup (\S+)/.exec(text)?.[1])).to.deep.equal([
        "opkg",
        "apt",
        "dnf",
        "zypper",
        "pacman",
      ]);
      expect(commands[2]).to.include(" --suite stable --component main");
      // The sections are those of a profile.
      const sections = /<<'END'\n(.*)END\n/s.exec(commands[0] ?? "")?.[1] ?? "";
      const head =
        "[archive]\nname = X\nurl = https://example.org/\nuser-email = a@example.org\n[trust]\nkeyring = k\n";
      const { feeds } = readProfile(`${head}seeds = ${first}\nkeyservers = none\n${sections}`, "/tmp/x.ini");
      expect(feeds.map(({ name }) => name)).to.deep.equal(claim.feeds.map(({ name }) => name));
    } finally {
      await archive.remove();
    }
  });
});
