// Repositories of pacman's: signed by feedkey, and followed by its own client.
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { armor } from "../../src/openpgp/packet/armor.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { databaseOf, describePackage, type Fields, fileName, packageOf, Repository } from "./repository.ts";

describe("repositories of pacman", function () {
  this.timeout(60_000);
  let repository: Repository;
  const fetch = (name: string) => ["fetch", "-o", join(repository.folder, "out"), name];

  beforeEach(async () => {
    repository = await Repository.make();
  });
  afterEach(async () => await repository.remove());

  it("are followed: update, fetch, list, show, verify; a replay is refused", async () => {
    await repository.sign();
    const old = [await fs.readFile(repository.database), await fs.readFile(`${repository.database}.sig`)] as const;
    expect((await fs.readdir(repository.site)).filter((name) => name.includes(".db"))).to.deep.equal([
      "example.db",
      "example.db.sig",
    ]);
    await repository.accept(day(11), "update");
    await repository.accept(day(11), ...fetch("alpha=1.0-1"));
    expect(await fs.readFile(join(repository.folder, "out", fileName("alpha")))).to.deep.equal(packageOf("alpha"));
    await repository.accept(day(11), "show", "alpha");
    await repository.accept(day(11), "list");
    const verify = ["verify", repository.database, join(repository.site, fileName("beta"))];
    await repository.accept(day(11), ...verify);
    await fs.writeFile(join(repository.site, fileName("beta")), packageOf("bета"));
    await repository.refuse("size_mismatch", day(11), ...verify);
    await repository.refuse("size_mismatch", day(11), ...fetch("beta"));
    await repository.write(databaseOf({ alpha: describePackage("alpha") }));
    await repository.refuse("bad_signature", day(12), "update");
    await repository.sign(day(12));
    await repository.accept(day(12), "update");
    await repository.write(old[0]);
    await fs.writeFile(`${repository.database}.sig`, old[1]);
    await repository.refuse("rollback", day(12), "update");
    await fs.rm(`${repository.database}.sig`);
    await repository.refuse("no_signature", day(12), "update");
    await repository.accept(day(12), ...fetch("alpha"));
  });

  it("are read compressed in any way, with a signature in either form, but with one alone", async () => {
    const plain = await fs.readFile(repository.database);
    const forms: [string, Uint8Array][] = [["gzip", gzipSync(plain)]];
    for (const program of ["xz", "zstd", "bzip2"]) {
      const made = spawnSync(program, ["-c"], { input: plain });
      if (made.status === 0) forms.push([program, made.stdout]);
    }
    for (const [place, [, bytes]] of forms.entries()) {
      await repository.write(bytes);
      await repository.sign(day(10) + place * 60_000);
      await repository.accept(day(11), "update");
      await repository.accept(day(11), ...fetch("alpha"));
    }
    const binary = await fs.readFile(`${repository.database}.sig`);
    await fs.writeFile(`${repository.database}.sig`, armor(binary, "SIGNATURE"));
    await repository.accept(day(11), "update");
    await fs.writeFile(`${repository.database}.sig`, Buffer.concat([binary, binary]));
    await repository.refuse("bad_signature_data", day(11), "update");
  });

  it("refuse what pacman lets pass, and what it could read otherwise", async () => {
    const cases: readonly [code: string, at: "update" | "fetch" | "sign", Fields][] = [
      ["no_digest", "fetch", { SHA256SUM: undefined }],
      ["no_digest", "fetch", { CSIZE: undefined }],
      ["no_digest", "fetch", { SHA256SUM: undefined, MD5SUM: undefined }],
      ["size_mismatch", "fetch", { CSIZE: "7" }],
      ["digest_mismatch", "fetch", { SHA256SUM: "00".repeat(32) }],
      ["bad_index", "update", { SHA256SUM: "AB".repeat(32) }],
      ["bad_index", "update", { FILENAME: "../x86_64/alpha-1.0-1-any.pkg.tar.gz" }],
      ["bad_index", "update", { VERSION: "1.1-1" }],
    ];
    let at = day(10);
    for (const [code, where, fields] of cases) {
      const named = JSON.stringify(fields);
      await repository.write(databaseOf({ alpha: describePackage("alpha", fields) }));
      at += 60_000;
      if (where === "update") {
        const said = await repository.run(at, "sign", repository.database, "--key", repository.key);
        expect(said.error?.code, named).to.equal(code);
        await repository.sign(at, "--force");
        await repository.refuse(code, at, "update");
      } else {
        await repository.sign(at);
        await repository.accept(at, "update");
        await repository.refuse(code, at, ...fetch("alpha"));
      }
    }
    // The control: it was refused for what was changed.
    at += 60_000;
    await repository.write(databaseOf({ alpha: describePackage("alpha") }));
    await repository.sign(at);
    await repository.accept(at, "update");
    await repository.accept(at, ...fetch("alpha"));
    // A few bytes that unpack to more than a database may have.
    await repository.write(gzipSync(Buffer.alloc(2 << 20)));
    await repository.sign(at + 60_000, "--force");
    await repository.refuse("bad_index", at + 60_000, "update");
  });

  it("are signed by one key alone", async () => {
    const other = await addKey(join(repository.folder, "home"));
    const sign = ["sign", repository.database, "--key", repository.key, "--also-key", other];
    await repository.refuse("usage", day(10), ...sign);
    expect(await fs.readdir(repository.site)).to.not.include("example.db.sig");
  });

  describe("made by repo-add", () => {
    before(needing("repo-add", "bsdtar"));

    it("are signed through the links that it makes, with the names that it looks for", async () => {
      await fs.rm(repository.database);
      const add = async (name: string) => {
        const made = await runProgram("repo-add", ["example.db.tar.gz", fileName(name)], { cwd: repository.site });
        expect(made.status, made.stderr + made.stdout).to.equal(0);
      };
      await add("alpha");
      await repository.sign();
      expect((await fs.lstat(repository.database)).isSymbolicLink()).to.equal(true);
      await repository.accept(day(11), "update");
      await repository.accept(day(11), ...fetch("alpha"));
      // repo-add takes the signature away: it keeps none but its own.
      await add("beta");
      await repository.refuse("no_signature", day(11), "update");
      const both = ["example.db.tar.gz", "example.files.tar.gz"].map((name) => join(repository.site, name));
      await repository.accept(day(12), "sign", ...both, "--key", repository.key, "--feed", "example");
      for (const name of ["db", "files", "db.tar.gz", "files.tar.gz"]) {
        expect(await fs.readdir(repository.site)).to.include(`example.${name}.sig`);
      }
      await repository.accept(day(12), "update");
      await repository.accept(day(12), ...fetch("beta"));
      // Now it makes a link of its own to the old one, which is replaced.
      await fs.rm(join(repository.site, fileName("alpha")));
      await runProgram("repo-remove", ["example.db.tar.gz", "alpha"], { cwd: repository.site });
      expect((await fs.lstat(`${repository.database}.sig`)).isSymbolicLink()).to.equal(true);
      await repository.refuse("bad_signature", day(12), "update");
      await repository.sign(day(13));
      await repository.accept(day(13), "update");
      await repository.refuse("not_found", day(13), ...fetch("alpha"));
      // A link out of the folder is no file of it.
      await fs.rm(repository.database);
      await fs.symlink("../../example.ini", repository.database);
      await repository.refuse("bad_path", day(14), "sign", repository.database, "--key", repository.key);
    });
  });
});
