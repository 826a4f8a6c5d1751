/** The compressed forms of a published summary, from archive.ini to the clients that ask for one of them. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { decompress, detectCompression } from "../../src/packages/compression/compression.ts";
import { iso } from "../../src/time.ts";
import { done, hour, PkgsrcArchive, published, refused, userId } from "../testkit/archives/pkgsrc-archive.ts";
import { runProcess } from "../testkit/programs/command-line.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";
import { needing } from "../testkit/programs/programs.ts";

const summary = (form: string) => `pkg_summary.${form}`;
const both = (name: string) => [`${name}.asc`, `${name}.sig`];

describe("the forms of a summary", () => {
  let archive: PkgsrcArchive;
  beforeEach(async () => {
    archive = await PkgsrcArchive.make();
    for (const name of ["a-1.0", "b-2.0nb1"]) await archive.addPackage({ name });
  });
  afterEach(() => archive.remove());

  /** Asks for these forms in archive.ini; undefined says nothing about them. */
  const ask = async (forms: string | undefined) => {
    const lines = (await fs.readFile(archive.config, "utf8"))
      .split("\n")
      .filter((line) => !line.startsWith("compress"));
    const all =
      forms === undefined ? lines : lines.map((line) => line.replace(/^(format = .*)$/, `$1\ncompress = ${forms}`));
    await fs.writeFile(archive.config, all.join("\n"));
  };
  const read = (name: string) => fs.readFile(archive.file(name));
  const text = async (name: string) => {
    const bytes = await read(name);
    return Buffer.from(await decompress(bytes, detectCompression(bytes), 1 << 20)).toString();
  };
  const there = async () =>
    (await fs.readdir(archive.file("."))).filter((name) => name.startsWith("pkg_summary")).sort();
  const filesOf = (...names: readonly string[]) => names.flatMap((name) => [name, ...both(name)]).sort();
  /** What a new client makes of one form: how many packages it lists, or the code of its refusal. */
  const client = async (name: string, at = published + 3 * hour) => {
    await archive.writeProfile(`index = ${name}`);
    const ended = await archive.client(at, "update", "--json");
    await fs.rm(`${archive.folder}/state`, { recursive: true, force: true });
    const document = JSON.parse(ended.stdout);
    return ended.status === 0 ? document.feeds[0].entries : document.error.code;
  };

  it("are written as they are asked for, each with its signatures, and serve every client", async () => {
    await ask("gz, zst, xz");
    const said = await archive.publish(published);
    expect(said.feeds).to.have.deep.nested.property("[0].writes", [summary("gz"), summary("xz"), summary("zst")]);
    expect(await there()).to.deep.equal(filesOf(summary("gz"), summary("xz"), summary("zst")));
    for (const form of ["gz", "xz", "zst"]) {
      expect(await text(summary(form))).to.equal(await text(summary("gz")));
      expect(await client(summary(form))).to.equal(2);
    }
    expect((await archive.publish(published + hour)).feeds).to.have.nested.property("[0].changed", false);
  });

  it("are what the programs of each format read, and what gpgv finds signed", async function () {
    await ask("xz, zst");
    await archive.publish(published);
    const keyring = `${archive.site}/keys/archive-keyring.pgp`;
    for (const [program, form] of [
      ["gzip", "gz"],
      ["xz", "xz"],
      ["zstd", "zst"],
    ] as const) {
      const file = archive.file(summary(form));
      const tested = spawnSync(program, ["-t", "-q", file]);
      if (!presentOrSkip(this, tested.error === undefined, `${program} is not installed`)) return;
      expect(tested.status, String(tested.stderr)).to.equal(0);
      expect(spawnSync(program, ["-dc", file], { encoding: "utf8" }).stdout).to.equal(await text(summary("gz")));
      for (const signature of both(file)) {
        // Its signature has an expiry, and the test has a date of its own.
        const shown = spawnSync("gpgv", ["--keyring", keyring, "--status-fd", "1", signature, file], {
          encoding: "utf8",
        });
        if (!presentOrSkip(this, shown.error === undefined, "gpgv is not installed")) return;
        expect(shown.stdout)
          .to.match(/(GOODSIG|EXPSIG)/)
          .and.not.match(/BADSIG|ERRSIG/);
      }
    }
  });

  it("are the same bytes each time", async () => {
    await ask("xz, zst");
    await archive.publish(published);
    const before = await Promise.all(["gz", "xz", "zst"].map((form) => read(summary(form))));
    for (const name of await there()) await fs.rm(archive.file(name));
    await archive.publish(published);
    const after = await Promise.all(["gz", "xz", "zst"].map((form) => read(summary(form))));
    expect(after).to.deep.equal(before);
  });

  it("change together and are signed at one moment", async () => {
    await ask("xz");
    await archive.publish(published);
    await ask("xz, zst");
    const more = await archive.publish(published + hour);
    expect(more.feeds).to.have.deep.nested.property("[0].writes", [summary("zst")]);
    await archive.addPackage({ name: "c-1.0" });
    await archive.publish(published + 2 * hour);
    // A client that goes from one form to another meets no rollback, in either direction.
    for (const form of ["xz", "gz", "zst", "xz"]) {
      await archive.writeProfile(`index = ${summary(form)}`);
      const { feeds } = done(await archive.client(published + 3 * hour, "update"));
      expect(feeds).to.have.nested.property("[0].entries", 3);
      done(await archive.client(published + 3 * hour, "verify", archive.file(summary(form))));
    }
  });

  it("of another index with the same date are a rollback still", async () => {
    await ask("zst");
    await archive.publish(published);
    done(await archive.client(published + hour, "update"));
    await fs.writeFile(archive.file("pkg_summary"), (await text(summary("gz"))).replace("COMMENT=", "COMMENT=Other "));
    await archive.sign(published, "pkg_summary");
    await archive.writeProfile("index = pkg_summary");
    expect(refused(await archive.client(published + hour, "update"), "rollback")).to.contain("different contents");
  });

  it("go with their signatures when they are asked for no longer", async () => {
    await ask("xz, zst");
    await archive.publish(published);
    await ask("zst");
    const plan = done(await archive.keeper(published + hour, "publish", "--config", archive.config, "--dry-run"));
    const gone = [summary("xz"), `${summary("xz")}.sig`, `${summary("xz")}.asc`];
    expect(plan.feeds).to.have.deep.nested.property("[0].removes", gone);
    expect(await there()).to.include.members(gone);
    await archive.publish(published + hour);
    expect(await there()).to.deep.equal(filesOf(summary("gz"), summary("zst")));
    await ask(undefined);
    await archive.addPackage({ name: "c-1.0" });
    await archive.publish(published + 2 * hour);
    expect(await there()).to.deep.equal(filesOf(summary("gz")));
  });

  it("go with what a run that was cut off left of them", async () => {
    await ask("xz");
    await archive.publish(published);
    await ask(undefined);
    await fs.rm(archive.file(summary("xz")));
    await fs.rm(archive.file(`${summary("xz")}.sig`));
    await archive.publish(published + hour);
    expect(await there()).to.deep.equal(filesOf(summary("gz")));
  });

  it("are made anew where they hold something else, never signed as they lie there", async () => {
    await ask("xz, zst");
    await archive.publish(published);
    const good = await read(summary("zst"));
    const other = gzipSync("PKGNAME=evil-1.0\n");
    for (const bytes of [other, Buffer.from("PKGNAME=evil-1.0\n"), await read(summary("xz")), good.subarray(0, 50)]) {
      await fs.writeFile(archive.file(summary("zst")), bytes);
      await archive.publish(published + hour);
      expect((await read(summary("zst"))).equals(good)).to.equal(true);
    }
  });

  describe("that somebody put there who has no key, with the right text packed otherwise,", () => {
    // Two members, and nothing that any reader should make anything of: the text is what it is to be.
    const repacked = async () => {
      const whole = Buffer.from(await text(summary("gz")));
      return Buffer.concat([gzipSync(whole.subarray(0, 40), { level: 1 }), gzipSync(whole.subarray(40))]);
    };
    const all = () => Promise.all(["gz", "xz", "zst"].map((form) => read(summary(form))));

    it("are made again, whatever signatures are beside them", async function () {
      needing("xz", "zstd").call(this);
      await ask("xz, zst");
      await archive.publish(published);
      const good = await all();
      const signature = await read(`${summary("gz")}.sig`);
      const stranger = await PkgsrcArchive.make();
      await fs.writeFile(stranger.file(summary("gz")), await repacked());
      await stranger.sign(published, summary("gz"));
      const foreign = await fs.readFile(stranger.file(`${summary("gz")}.sig`));
      await stranger.remove();
      for (const beside of [signature, foreign, signature.subarray(0, 60), undefined]) {
        await fs.writeFile(archive.file(summary("gz")), await repacked());
        for (const form of ["xz", "zst"]) {
          const program = form === "xz" ? "xz" : "zstd";
          const packed = spawnSync(program, ["-c", "-1"], { input: await text(summary("gz")) }).stdout;
          expect(packed.equals(await read(summary(form))), form).to.equal(false);
          await fs.writeFile(archive.file(summary(form)), packed);
        }
        for (const name of ["gz", "xz", "zst"].flatMap((form) => both(summary(form)))) {
          await fs.rm(archive.file(name), { force: true });
          if (beside !== undefined) await fs.writeFile(archive.file(name), beside);
        }
        await archive.publish(published + hour);
        expect(await all()).to.deep.equal(good);
        expect(await client(summary("zst"))).to.equal(2);
      }
    });

    for (const reason of ["compromised", "retired"]) {
      it(`are made anew where a key signed them that was ${reason} since`, async () => {
        await archive.publish(published);
        const good = await read(summary("gz"));
        await fs.writeFile(archive.file(summary("gz")), await repacked());
        await archive.sign(published + hour, summary("gz"));
        const { fingerprint } = done(await archive.keeper(published, "keygen", "--user-id", userId));
        const config = await fs.readFile(archive.config, "utf8");
        await fs.writeFile(archive.config, config.replace(/^key = .*$/m, `key = ${fingerprint}`));
        const revoke = ["revoke", archive.key, "--reason", reason, "--force", "--config", archive.config];
        done(await archive.keeper(published + hour, ...revoke));
        await archive.publish(published + hour);
        expect((await read(summary("gz"))).equals(good)).to.equal(true);
      });
    }

    it("are made anew where the archive's key signed them for another feed, or for none", async () => {
      await archive.publish(published);
      const good = await read(summary("gz"));
      for (const feed of [["--feed", "Other"], []]) {
        await fs.writeFile(archive.file(summary("gz")), await repacked());
        const sign = ["sign", archive.file(summary("gz")), "--key", archive.key, ...feed];
        done(await archive.keeper(published + hour, ...sign));
        await archive.publish(published + hour);
        expect((await read(summary("gz"))).equals(good), String(feed)).to.equal(true);
      }
    });

    it("are signed no more where other programs make that form", async function () {
      await archive.publish(published);
      const made = spawnSync("bzip2", ["-c", "-1"], { input: await text(summary("gz")) });
      if (!presentOrSkip(this, made.error === undefined, "bzip2 is not installed")) return;
      await fs.writeFile(archive.file(summary("bz2")), made.stdout);
      await fs.copyFile(archive.file(`${summary("gz")}.sig`), archive.file(`${summary("bz2")}.sig`));
      await archive.publish(published + hour);
      expect(await there()).to.deep.equal([...filesOf(summary("gz")), summary("bz2")].sort());
    });
  });

  it("that are the archive's own stay as they are, by its record or by a signature that has ended", async function () {
    needing("gzip", "zstd").call(this);
    await ask("zst");
    await archive.publish(published);
    for (const [form, program] of [
      ["gz", "gzip"],
      ["zst", "zstd"],
    ] as const) {
      const packed = spawnSync(program, ["-c", "-1"], { input: await text(summary("gz")) }).stdout;
      await fs.writeFile(archive.file(summary(form)), packed);
    }
    await archive.sign(published + hour, summary("gz"), "--valid-for", "1d");
    await archive.sign(published + hour, summary("zst"), "--valid-for", "1d");
    const before = [await read(summary("gz")), await read(summary("zst"))];
    const said = await archive.publish(published + 48 * hour);
    expect(said.feeds).to.have.deep.nested.property("[0].writes", []);
    // From then on the record knows them.
    for (const name of [...both(summary("gz")), ...both(summary("zst"))]) await fs.rm(archive.file(name));
    await archive.publish(published + 49 * hour);
    expect([await read(summary("gz")), await read(summary("zst"))]).to.deep.equal(before);
    expect(await client(summary("zst"), published + 50 * hour)).to.equal(2);
  });

  it("that other programs make are left alone unsigned, signed along as long as they fit, and then signed no more", async function () {
    await archive.publish(published);
    const made = spawnSync("bzip2", ["-c"], { input: await text(summary("gz")) });
    if (!presentOrSkip(this, made.error === undefined, "bzip2 is not installed")) return;
    await fs.writeFile(archive.file(summary("bz2")), made.stdout);
    await fs.writeFile(archive.file(summary("xz")), "somebody else's");
    await archive.publish(published + hour);
    expect(await there()).to.deep.equal([...filesOf(summary("gz")), summary("bz2"), summary("xz")].sort());

    await archive.sign(published + hour, summary("bz2"));
    await archive.publish(published + 8 * 24 * hour);
    expect(await client(summary("bz2"), published + 15 * 24 * hour)).to.equal(2);

    await archive.addPackage({ name: "c-1.0" });
    await archive.publish(published + 9 * 24 * hour);
    expect(await there()).to.deep.equal([...filesOf(summary("gz")), summary("bz2"), summary("xz")].sort());
    expect(await client(summary("bz2"), published + 10 * 24 * hour)).to.equal("no_signature");
    expect((await read(summary("bz2"))).equals(made.stdout)).to.equal(true);
  });

  it("are signed anew, all of them, by the key that a rotation ends in", async () => {
    await ask("xz, zst");
    await archive.publish(published);
    await ask("zst");
    const steps = ["rotate", "--config", archive.config, "--at-once", "--force"];
    done(await archive.keeper(published + hour, ...steps));
    await archive.mirror.sync(archive.site);
    expect(await there()).to.deep.equal(filesOf(summary("gz"), summary("zst")));
    const successor = /^key = (.*)$/m.exec(await fs.readFile(archive.config, "utf8"))?.[1];
    expect(successor).to.not.equal(archive.key);
    for (const form of ["gz", "zst"]) {
      await archive.writeProfile(`index = ${summary(form)}`);
      const { feeds } = done(await archive.client(published + 3 * hour, "update"));
      expect(feeds).to.have.nested.property("[0].signatures[0].certificate", successor);
    }
  });

  describe("that other programs wrote and sign signs", () => {
    const sign = (at: number, ...names: readonly string[]) => {
      const files = names.map((name) => archive.file(name));
      return archive.keeper(at, "sign", ...files, "--key", archive.key, "--feed", "All");
    };

    it("leave no older one signed beside them", async () => {
      await ask("xz, zst");
      await archive.publish(published);
      const newer = `${await text(summary("gz"))}\n`;
      await fs.writeFile(archive.file(summary("gz")), gzipSync(newer));
      const said = done(await sign(published + hour, summary("gz")));
      const gone = [summary("xz"), summary("zst")].flatMap((name) => [`${name}.sig`, `${name}.asc`]);
      expect(said.signed)
        .to.have.nested.property("[0].removed")
        .that.has.members(gone.map((name) => archive.file(name)));
      expect(await there()).to.deep.equal([...filesOf(summary("gz")), summary("xz"), summary("zst")].sort());
    });

    it("keep the signatures of those that hold the same, or are signed in the same run", async () => {
      await ask("xz, zst");
      await archive.publish(published);
      const all = await there();
      done(await sign(published + hour, summary("gz")));
      expect(await there()).to.deep.equal(all);
      await fs.writeFile(archive.file(summary("gz")), gzipSync(`${await text(summary("gz"))}\n`));
      done(await sign(published + hour, summary("gz"), summary("xz"), summary("zst")));
      expect(await there()).to.deep.equal(all);
    });

    for (const form of ["xz", "zst"]) {
      it(`get checksums where that is asked for: .${form}`, async function () {
        needing(form === "xz" ? "xz" : "zstd").call(this);
        await ask(form);
        await archive.publish(published);
        const whole = await text(summary("gz"));
        const bare = whole.replace(/^FILE_.*\n/gm, "");
        const program = form === "xz" ? "xz" : "zstd";
        await fs.writeFile(archive.file(summary(form)), spawnSync(program, ["-c"], { input: bare }).stdout);
        await archive.sign(published + hour, summary(form), "--add-checksums");
        expect(await text(summary(form))).to.equal(whole);
        expect(detectCompression(await read(summary(form)))).to.equal(program);
        expect(await client(summary(form))).to.equal(2);
      });
    }
  });

  it("are verified before anything is decompressed", async () => {
    await ask("zst");
    await archive.publish(published);
    await archive.writeProfile(`index = ${summary("zst")}`);
    for (const bytes of [Buffer.from("no zstd at all"), (await read(summary("zst"))).subarray(0, -1)]) {
      await archive.mirror.put(`packages/x86_64/10.0/All/${summary("zst")}`, bytes);
      refused(await archive.client(published + hour, "update"), "bad_signature");
    }
    // The same bytes, rightly signed: only then does what they hold come to light.
    await fs.writeFile(archive.file(summary("zst")), "no zstd at all");
    await archive.sign(published + hour, summary("zst"), "--force");
    refused(await archive.client(published + 2 * hour, "update"), "bad_index");
  });

  it("can be asked for where one folder is published, by the program as it is installed", async () => {
    const folder = archive.file(".");
    const keeper = ["--home", archive.home, "--json", "--at", iso(published)];
    const terms = [folder, "--format", "pkgsrc", "--feed", "All", "--key", archive.key];
    const publish = await runProcess([...keeper, "publish", ...terms, "--compress", "zst,xz"]);
    expect({ status: publish.status, stderr: publish.stderr }).to.deep.equal({ status: 0, stderr: "" });
    expect(await there()).to.deep.equal(filesOf(summary("gz"), summary("xz"), summary("zst")));
    expect(gunzipSync(await read(summary("gz"))).toString()).to.equal(await text(summary("xz")));
    for (const [form, wrong] of [
      ["bz2", "feedkey reads bzip2 but does not write it"],
      ["gz,gz", "twice"],
      ["", "is not a form"],
    ] as const) {
      const ended = await archive.keeper(published, "publish", ...terms, "--compress", form);
      expect(ended.status).to.equal(2);
      expect(ended.stdout).to.contain(wrong);
    }
    const opkg = await archive.keeper(published, "publish", folder, "--key", archive.key, "--compress", "xz");
    refused(opkg, "usage");
    refused(await archive.keeper(published, "publish", "--config", archive.config, "--compress", "xz"), "usage");
  });

  it("of bzip2 are read by the program as it is installed, without a word on standard error", async function () {
    await archive.publish(published);
    const made = spawnSync("bzip2", ["-c"], { input: await text(summary("gz")) });
    if (!presentOrSkip(this, made.error === undefined, "bzip2 is not installed")) return;
    await fs.writeFile(archive.file(summary("bz2")), made.stdout);
    await archive.sign(published + hour, summary("bz2"));
    const terms = [
      "--profile",
      `${archive.folder}/example.ini`,
      "--no-state",
      "--quiet",
      "--at",
      iso(published + hour),
    ];
    const ended = await runProcess(["verify", archive.file(summary("bz2")), ...terms]);
    expect({ status: ended.status, stderr: ended.stderr }).to.deep.equal({ status: 0, stderr: "" });
  });
});
