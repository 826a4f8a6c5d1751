/** A pkgsrc archive from its packages to its clients. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { readSummaryPackages } from "../../src/formats/pkgsrc/summary-text.ts";
import { done, feedPath, hour, PkgsrcArchive, published, refused } from "../testkit/archives/pkgsrc-archive.ts";
import { tar } from "../testkit/packages/build-package.ts";
import { metadataFiles } from "../testkit/packages/pkgsrc-package.ts";
import { summaryStanza } from "../testkit/packages/summary-text.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";

const names = Array.from({ length: 50 }, (_, number) => {
  const kinds = [
    `py311-module${number}-1.${number}nb${number % 3}`,
    `lib-tool${number}-20${number}0101`,
    `perl-${number}-5.${number}`,
  ];
  return kinds[number % 3] ?? "";
});

async function fill(archive: PkgsrcArchive): Promise<void> {
  for (const [number, name] of names.entries()) {
    const needed = names[(number + 7) % names.length] ?? "";
    await archive.addPackage({
      name,
      depends: [`${needed.slice(0, needed.lastIndexOf("-"))}-[0-9]*`],
      conflicts: number % 5 === 0 ? ["ancient-[0-9]*"] : [],
      files: { [`share/${name}/readme`]: `This is ${name}.\n`.repeat(number * 10), "bin/x": "#!/bin/sh\n" },
    });
  }
}

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("a pkgsrc archive", () => {
  let archive: PkgsrcArchive;
  beforeEach(async () => {
    archive = await PkgsrcArchive.make();
  });
  afterEach(() => archive.remove());

  it("lists old and hand-made packages too, and warns of what they lack, also when it has read them before", async () => {
    const files = metadataFiles({ name: "old-1.0" }).filter(({ name }) => name !== "+SIZE_PKG");
    const least = "MACHINE_ARCH=x86_64\nOPSYS=NetBSD\nOS_VERSION=10.0\nPKGPATH=misc/old\n";
    const old = gzipSync(tar(files.map((file) => (file.name === "+BUILD_INFO" ? { ...file, data: least } : file))));
    await fs.writeFile(archive.file("old-1.0.tgz"), old);
    await archive.addPackage({ name: "new-1.0" });
    const warning =
      'feed "All": a package lacks BUILD_DATE, CATEGORIES, PKGTOOLS_VERSION, SIZE_PKG, so the summary lacks these variables too; packages that are built with pkgsrc have them: old-1.0.tgz';
    for (const at of [published, published + hour])
      expect((await archive.publish(at)).warnings).to.deep.equal([warning]);
    done(await archive.client(published + hour, "update"));
    done(await archive.client(published + hour, "fetch", "old", "-o", archive.out));
    expect((await fs.readFile(`${archive.out}/old-1.0.tgz`)).equals(old)).to.equal(true);
  });

  it("goes from fifty packages to a client that verifies each of them", async () => {
    await fill(archive);
    await archive.publish(published);
    const summary = await fs.readFile(archive.file("pkg_summary.gz"));
    const index = readSummaryPackages(gunzipSync(summary));
    expect([...index]).to.have.length(50);
    for (const entry of index) {
      const bytes = await fs.readFile(archive.file(entry.filename ?? ""));
      expect({ size: entry.size, sha256: entry.sha256 }).to.deep.equal({ size: bytes.length, sha256: digest(bytes) });
    }
    const sorted = [...index].map(({ name }) => name);
    expect(sorted).to.deep.equal([...sorted].sort());

    const updated = done(await archive.client(published + hour, "update"));
    expect(updated.feeds).to.have.nested.property("[0].entries", 50);
    // Only the file that was signed: its digest is what is remembered.
    expect(archive.mirror.asked.filter((path) => path.includes("pkg_summary"))).to.deep.equal([
      `${feedPath}/pkg_summary.gz`,
      `${feedPath}/pkg_summary.gz.sig`,
      `${feedPath}/pkg_summary.gz.asc`,
    ]);
    expect((await fs.readFile(archive.stateFile("index"))).equals(summary)).to.equal(true);

    done(await archive.client(published + 2 * hour, "fetch", "py311-module3", "perl-2=5.2", "-o", archive.out));
    expect((await fs.readdir(archive.out)).sort()).to.deep.equal(["perl-2-5.2.tgz", "py311-module3-1.3nb0.tgz"]);
    done(await archive.client(published + 2 * hour, "fetch", "--all", "-o", archive.out));
    for (const name of names) {
      const [got, original] = [`${archive.out}/${name}.tgz`, archive.file(`${name}.tgz`)];
      expect((await fs.readFile(got)).equals(await fs.readFile(original)), name).to.equal(true);
    }
    const whole = ["verify", archive.file("pkg_summary.gz"), "--packages", archive.out, "--complete"];
    expect(done(await archive.client(published + 3 * hour, ...whole)).packages).to.have.length(50);
    const stray = `${archive.out}/stray-1.0.tgz`;
    await fs.copyFile(archive.file("perl-2-5.2.tgz"), stray);
    refused(await archive.client(published + 3 * hour, ...whole), "not_listed");
    await fs.rm(stray);
    await fs.rm(`${archive.out}/perl-2-5.2.tgz`);
    refused(await archive.client(published + 3 * hour, ...whole), "size_mismatch");
  });

  it("publishes the same packages as the same bytes, and only what changed", async () => {
    await archive.addPackage({ name: "a-1.0" });
    await archive.addPackage({ name: "b-1.0" });
    await archive.publish(published);
    const before = await fs.readFile(archive.file("pkg_summary.gz"));
    const signature = await fs.readFile(archive.file("pkg_summary.gz.sig"));
    expect((await archive.publish(published + hour)).feeds).to.have.nested.property("[0].changed", false);
    expect((await fs.readFile(archive.file("pkg_summary.gz.sig"))).equals(signature)).to.equal(true);

    // Compressed by another program, the text being the same, and signed by its keepers: left as it is.
    const other = gzipSync(gunzipSync(before), { level: 1 });
    await fs.writeFile(archive.file("pkg_summary.gz"), other);
    await archive.sign(published + hour, "pkg_summary.gz");
    await archive.publish(published + hour);
    expect((await fs.readFile(archive.file("pkg_summary.gz"))).equals(other)).to.equal(true);
    done(await archive.client(published + hour, "update"));

    await archive.addPackage({ name: "c-1.0" });
    const changed = await archive.publish(published + 2 * hour);
    expect(changed.feeds).to.have.nested.property("[0].changes").that.deep.equals(["+ c 1.0 x86_64"]);
    done(await archive.client(published + 2 * hour, "update"));

    // In another place, from nothing: the very same bytes.
    for (const name of ["pkg_summary.gz", "pkg_summary.gz.asc", "pkg_summary.gz.sig"]) await fs.rm(archive.file(name));
    const now = await fs.readFile(archive.stateFile("index"));
    await archive.publish(published + 3 * hour);
    expect((await fs.readFile(archive.file("pkg_summary.gz"))).equals(now)).to.equal(true);
  });

  it("publishes one folder without a configuration", async () => {
    await archive.addPackage({ name: "a-1.0" });
    const args = ["publish", archive.file("."), "--key", archive.key, "--feed", "All"];
    refused(await archive.keeper(published, ...args, "--format", "rpm"), "usage");
    done(await archive.keeper(published, ...args, "--format", "pkgsrc"));
    await archive.mirror.sync(archive.site);
    expect(done(await archive.client(published, "update")).feeds).to.have.nested.property("[0].entries", 1);
  });

  it("leaves damaged packages out when told to, and refuses two of one name", async () => {
    await archive.addPackage({ name: "a-1.0" });
    await fs.writeFile(archive.file("bad-1.0.tgz"), "no package");
    refused(await archive.keeper(published, "publish", "--config", archive.config), "bad_package");
    const skipped = await archive.keeper(published, "publish", "--config", archive.config, "--skip-bad");
    expect(skipped.status).to.equal(1);
    await fs.rm(archive.file("bad-1.0.tgz"));
    await fs.mkdir(archive.file("old"));
    await fs.copyFile(archive.file("a-1.0.tgz"), archive.file("old/a-1.0.tgz"));
    refused(await archive.keeper(published, "publish", "--config", archive.config), "bad_package");
  });

  it("goes on when its key does", async () => {
    await archive.addPackage({ name: "a-1.0" });
    await archive.publish(published);
    done(await archive.client(published + hour, "update"));
    const steps = ["rotate", "--config", archive.config, "--at-once", "--force"];
    const rotated = done(await archive.keeper(published + 2 * hour, ...steps));
    expect(JSON.stringify(rotated)).to.contain("All");
    await archive.mirror.sync(archive.site);
    const { feeds } = done(await archive.client(published + 3 * hour, "update"));
    expect(feeds).to.not.have.nested.property("[0].signatures[0].certificate", archive.key);
    expect(feeds).to.have.nested.property("[0].ok", true);
  });

  describe("whose client", () => {
    const accepted = async () => {
      await archive.addPackage({ name: "a-1.0" });
      await archive.addPackage({ name: "b-1.0" });
      await archive.publish(published);
      done(await archive.client(published + hour, "update"));
    };

    it("decompresses nothing that is not signed", async () => {
      await accepted();
      const good = await fs.readFile(archive.stateFile("index"));
      // Were any of these given to a decompressor or the parser, the refusal would be bad_index.
      const others = [
        gzipSync(Buffer.alloc(1 << 26)),
        Buffer.from("no gzip"),
        good.subarray(0, -1),
        gzipSync(Buffer.from("bad")),
      ];
      for (const bytes of others) {
        archive.mirror.put(`${feedPath}/pkg_summary.gz`, bytes);
        refused(await archive.client(published + 2 * hour, "update"), "bad_signature");
        expect((await fs.readFile(archive.stateFile("index"))).equals(good)).to.equal(true);
      }
      archive.mirror.drop(`${feedPath}/pkg_summary.gz.sig`);
      archive.mirror.drop(`${feedPath}/pkg_summary.gz.asc`);
      refused(await archive.client(published + 2 * hour, "update"), "no_signature");
    });

    it("refuses an older summary, and one of another feed", async () => {
      await accepted();
      const names = ["pkg_summary.gz", "pkg_summary.gz.sig", "pkg_summary.gz.asc"];
      const old = await Promise.all(names.map((name) => fs.readFile(archive.file(name))));
      await archive.addPackage({ name: "c-1.0" });
      await archive.publish(published + 2 * hour);
      done(await archive.client(published + 3 * hour, "update"));
      for (const [place, name] of names.entries()) archive.mirror.put(`${feedPath}/${name}`, old[place] ?? "");
      refused(await archive.client(published + 4 * hour, "update"), "rollback");
      done(
        await archive.keeper(
          published + 5 * hour,
          "sign",
          archive.file("pkg_summary.gz"),
          "--key",
          archive.key,
          "--feed",
          "Other",
        ),
      );
      await archive.mirror.sync(archive.site);
      refused(await archive.client(published + 6 * hour, "update"), "wrong_feed");
    });

    it("finds a pair that fits in the middle of publishing, whichever summary it meets", async () => {
      await accepted();
      const read = async () => ({
        index: await fs.readFile(archive.file("pkg_summary.gz")),
        signature: await fs.readFile(archive.file("pkg_summary.gz.sig")),
      });
      const old = await read();
      await archive.addPackage({ name: "c-1.0" });
      await archive.publish(published + 2 * hour);
      const next = await read();
      // What lies there between the first new name and the last.
      archive.mirror.put(`${feedPath}/pkg_summary.gz.sig`, Buffer.concat([old.signature, next.signature]));
      archive.mirror.drop(`${feedPath}/pkg_summary.gz.asc`);
      for (const [index, entries] of [
        [old.index, 2],
        [next.index, 3],
      ] as const) {
        archive.mirror.put(`${feedPath}/pkg_summary.gz`, index);
        const { feeds } = done(await archive.client(published + 3 * hour, "update"));
        expect(feeds).to.have.nested.property("[0].entries", entries);
      }
      archive.mirror.put(`${feedPath}/pkg_summary.gz.sig`, old.signature);
      refused(await archive.client(published + 3 * hour, "update"), "bad_signature");
    });

    it("names the line where a rightful signer signed what is no summary", async () => {
      await accepted();
      const text = summaryStanza({ PKGNAME: "a-1" }) + summaryStanza({ PKGNAME: "b-1", OPSYS: undefined });
      await fs.writeFile(archive.file("pkg_summary.gz"), gzipSync(text));
      // Without --force a summary that clients refuse is not signed.
      await archive.sign(published + 2 * hour, "pkg_summary.gz", "--force");
      const message = refused(await archive.client(published + 3 * hour, "update"), "bad_index");
      expect(message).to.contain('line 15 of the index begins a stanza without "OPSYS"');
      await fs.writeFile(archive.file("pkg_summary.gz"), gzipSync(text).subarray(0, -9));
      await archive.sign(published + 3 * hour, "pkg_summary.gz", "--force");
      refused(await archive.client(published + 4 * hour, "update"), "bad_index");
    });

    it("fetches no package without SHA-256, and none that differs", async () => {
      await accepted();
      await archive.mirror.put(`${feedPath}/a-1.0.tgz`, await fs.readFile(archive.file("b-1.0.tgz")));
      const message = await archive.client(published + 2 * hour, "fetch", "a", "-o", archive.out);
      expect(JSON.parse(message.stdout).error.code).to.be.oneOf(["digest_mismatch", "size_mismatch"]);
      const size = { FILE_SIZE: "10", FILE_CKSUM: `SHA1 ${"0".repeat(40)}` };
      await fs.writeFile(archive.file("pkg_summary.gz"), gzipSync(summaryStanza({ PKGNAME: "a-1.0", ...size })));
      await archive.sign(published + 3 * hour, "pkg_summary.gz");
      done(await archive.client(published + 4 * hour, "update"));
      refused(await archive.client(published + 4 * hour, "fetch", "a", "-o", archive.out), "no_digest");
      expect(await fs.readdir(archive.out)).to.deep.equal([]);
    });

    it("takes the newest version in pkgsrc's order", async () => {
      for (const version of ["1.0rc2", "1.0", "1.0beta1"]) await archive.addPackage({ name: `tiny-${version}` });
      await archive.publish(published);
      done(await archive.client(published + hour, "update"));
      done(await archive.client(published + hour, "fetch", "tiny", "-o", archive.out));
      expect(await fs.readdir(archive.out)).to.deep.equal(["tiny-1.0.tgz"]);
    });

    for (const [ending, command, ...args] of [
      ["", "cat"],
      [".xz", "xz", "-c"],
      [".zst", "zstd", "-c"],
      [".bz2", "bzip2", "-c"],
    ] as const) {
      it(`reads pkg_summary${ending} where its profile says so`, async function () {
        await accepted();
        const { status, stdout } = spawnSync(command, args, {
          input: gunzipSync(await fs.readFile(archive.stateFile("index"))),
        });
        if (!presentOrSkip(this, status === 0, `${command} is needed`)) return;
        const name = `pkg_summary${ending}`;
        await fs.writeFile(archive.file(name), stdout);
        await archive.sign(published + 2 * hour, name);
        await archive.writeProfile(`index = ${name}`);
        expect(done(await archive.client(published + 3 * hour, "update")).feeds).to.have.nested.property(
          "[0].entries",
          2,
        );
        done(await archive.client(published + 3 * hour, "fetch", "b", "-o", archive.out));
        done(await archive.client(published + 4 * hour, "verify", archive.file(name)));
      });
    }
  });
});
