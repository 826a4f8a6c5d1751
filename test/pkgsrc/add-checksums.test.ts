/** `sign --add-checksums`. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { done, hour, PkgsrcArchive, published, refused } from "../testkit/archives/pkgsrc-archive.ts";

describe("a summary that pkg_info -X made", () => {
  let archive: PkgsrcArchive;
  beforeEach(async () => {
    archive = await PkgsrcArchive.make();
  });
  afterEach(() => archive.remove());

  /** As pkg_info prints it: without FILE_CKSUM. */
  const summaryOf = async (...said: Record<string, string | undefined>[]) => {
    for (const name of ["a-1.0", "b-1.0"]) await archive.addPackage({ name });
    await archive.publish(published);
    const text = gunzipSync(await fs.readFile(archive.file("pkg_summary.gz"))).toString();
    for (const file of ["pkg_summary.gz", "pkg_summary.gz.asc", "pkg_summary.gz.sig"]) await fs.rm(archive.file(file));
    const full = text.split("\n\n");
    const bare = full.map((stanza, number) => {
      const facts = Object.entries(said[number] ?? {}).map(([name, value]) => `${name}=${value}\n`);
      return stanza.trim() === "" ? stanza : `${facts.join("")}${stanza.replace(/^FILE_.*\n/gm, "")}`;
    });
    return { text, bare: bare.join("\n\n") };
  };
  const sign = (name: string, ...args: readonly string[]) => {
    return archive.keeper(published + hour, "sign", archive.file(name), "--key", archive.key, "--feed", "All", ...args);
  };

  it("gets checksums only when that is asked for", async () => {
    const { text, bare } = await summaryOf();
    await fs.writeFile(archive.file("pkg_summary.gz"), gzipSync(bare));
    done(await sign("pkg_summary.gz"));
    expect(gunzipSync(await fs.readFile(archive.file("pkg_summary.gz"))).toString()).to.equal(bare);
    done(await sign("pkg_summary.gz", "--add-checksums"));
    expect(gunzipSync(await fs.readFile(archive.file("pkg_summary.gz"))).toString()).to.equal(text);
    await archive.mirror.sync(archive.site);
    done(await archive.client(published + hour, "update"));
    done(await archive.client(published + hour, "fetch", "--all", "-o", archive.out));
    const before = await fs.readFile(archive.file("pkg_summary.gz"));
    done(await sign("pkg_summary.gz", "--add-checksums"));
    expect((await fs.readFile(archive.file("pkg_summary.gz"))).equals(before)).to.equal(true);
    await fs.writeFile(archive.file("pkg_summary"), bare);
    done(await sign("pkg_summary", "--add-checksums"));
    expect(await fs.readFile(archive.file("pkg_summary"), "utf8")).to.equal(text);
  });

  const wrong: readonly [string, Record<string, string>, string][] = [
    ["another size", { FILE_SIZE: "1" }, "size_mismatch"],
    ["another SHA-256", { FILE_CKSUM: `sha256 ${"0".repeat(64)}` }, "digest_mismatch"],
    ["another SHA-1", { FILE_CKSUM: `SHA1 ${"0".repeat(40)}` }, "digest_mismatch"],
    ["a digest that can't be computed", { FILE_CKSUM: `tiger ${"0".repeat(48)}` }, "no_digest"],
    ["a file that is missing", { FILE_NAME: "c-1.0.tgz" }, "not_found"],
    ["a file somewhere else", { FILE_NAME: "../All/a-1.0.tgz" }, "bad_path"],
  ];
  for (const [what, facts, code] of wrong) {
    it(`is refused and left alone with ${what}`, async () => {
      const bytes = gzipSync((await summaryOf({}, facts)).bare);
      await fs.writeFile(archive.file("pkg_summary.gz"), bytes);
      refused(await sign("pkg_summary.gz", "--add-checksums"), code);
      expect((await fs.readFile(archive.file("pkg_summary.gz"))).equals(bytes)).to.equal(true);
      expect(await fs.readdir(archive.file("."))).to.deep.equal(["a-1.0.tgz", "b-1.0.tgz", "pkg_summary.gz"]);
    });
  }

  it("has other digests replaced once they fit", async () => {
    await archive.addPackage({ name: "a-1.0" });
    const sha1 = createHash("sha1")
      .update(await fs.readFile(archive.file("a-1.0.tgz")))
      .digest("hex");
    const { text, bare } = await summaryOf({ FILE_CKSUM: `SHA1 ${sha1}` });
    await fs.writeFile(archive.file("pkg_summary.gz"), gzipSync(bare));
    done(await sign("pkg_summary.gz", "--add-checksums"));
    expect(gunzipSync(await fs.readFile(archive.file("pkg_summary.gz"))).toString()).to.equal(text);
  });

  it("is not taken where its compression can't be written", async () => {
    await fs.writeFile(archive.file("pkg_summary.xz"), "x");
    refused(await sign("pkg_summary.xz", "--add-checksums"), "usage");
  });

  it("is refused and left alone where a package is a link or a pipe, and nobody waits", async () => {
    const bytes = gzipSync((await summaryOf()).bare);
    await fs.writeFile(archive.file("pkg_summary.gz"), bytes);
    const place = archive.file("b-1.0.tgz");
    const away = join(archive.folder, "away.tgz");
    await fs.rename(place, away);
    for (const make of [
      () => fs.symlink(away, place),
      () => fs.symlink("a-1.0.tgz", place),
      () => fs.symlink("/dev/zero", place),
      async () => void execFileSync("mkfifo", [place]),
      () => fs.mkdir(place),
    ]) {
      await make();
      refused(await sign("pkg_summary.gz", "--add-checksums"), "bad_path");
      expect((await fs.readFile(archive.file("pkg_summary.gz"))).equals(bytes)).to.equal(true);
      await fs.rm(place, { recursive: true });
    }
    await fs.rename(away, place);
    done(await sign("pkg_summary.gz", "--add-checksums"));
  });
});
