// State and archive side: the keepers' commands.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { addKey, hour, inArchive, inUse, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, runHere, runProcess, runProgram } from "../testkit/programs/command-line.ts";
import { skip, skipUnlessRoot } from "../testkit/programs/present.ts";
import { leftovers, snapshot } from "../testkit/snapshot.ts";
import { cramped } from "./cramped.ts";

const at = published + 2 * hour;
const badConfig = { code: "bad_config", status: 78 };
const publish = (archive: TestArchive, ...args: string[]) => ["publish", "--config", archive.config, ...args];
const sign = (archive: TestArchive, key = archive.key) => ["sign", archive.file("Packages"), "--key", key];

/** Both ways of signing must be refused. */
async function refuseSigning(archive: TestArchive, code: string, when = at): Promise<void> {
  await archive.addPackage("gamma");
  await archive.refuseKeeper({ code, status: code === "bad_config" ? 78 : 1 }, when, ...publish(archive));
  await archive.refuseKeeper({ code, status: code === "bad_config" ? 78 : 1 }, when, ...sign(archive));
  await archive.accept(at, "update");
}

describe("cases: archive side, keys that must not sign", () => {
  for (const mode of [0o644, 0o640, 0o604, 0o620]) {
    it(`a secret key file of mode ${mode.toString(8)}: bad_config`, async () => {
      await inArchive(async (archive) => {
        const file = join(archive.home, "private", `${archive.key}.asc`);
        await fs.chmod(file, mode);
        await refuseSigning(archive, "bad_config");
        await fs.chmod(file, 0o600);
        await archive.publish(published + hour);
      });
    });
  }

  it("a key store or folder of secret keys that others can write to: bad_config", async () => {
    await inArchive(async (archive) => {
      for (const folder of [archive.home, join(archive.home, "private")]) {
        await fs.chmod(folder, 0o777);
        await archive.refuseKeeper(badConfig, at, ...sign(archive));
        await fs.chmod(folder, 0o700);
      }
    });
  });

  it("a symbolic link in the place of the secret key: bad_config", async () => {
    await inArchive(async (archive) => {
      const file = join(archive.home, "private", `${archive.key}.asc`);
      await fs.rename(file, join(archive.folder, "elsewhere"));
      await fs.symlink(join(archive.folder, "elsewhere"), file);
      await archive.refuseKeeper(badConfig, at, ...sign(archive));
    });
  });

  it("an expired key: expired", async () => {
    await inArchive((archive) => refuseSigning(archive, "expired", day(31)), { lifetime: day(30) - day(0) });
  });

  for (const reason of ["compromised", "superseded", "retired"]) {
    it(`a key revoked as ${reason}: revoked`, async () => {
      await inArchive(async (archive) => {
        const args = ["revoke", archive.key, "--reason", reason, "--force"];
        expect((await runHere(archive.keeperArgs(published + hour, ...args))).status).to.equal(0);
        await archive.refuseKeeper({ code: "revoked", status: 1 }, at, ...publish(archive));
        await archive.refuseKeeper({ code: "revoked", status: 1 }, at, ...sign(archive));
        const { code, status } = { code: "revoked", status: 1 };
        await archive.mirror.sync(archive.site);
        await archive.refuse({ code, status }, at, "verify", "--no-state", archive.file("Packages"));
      });
    });
  }

  it("a key that is not the archive's: bad_config", async () => {
    await inArchive(async (archive) => {
      const other = await addKey(archive.home, { userId: "Somebody Else <else@example.org>" });
      await archive.writeConfig(other);
      await archive.refuseKeeper(badConfig, at, ...publish(archive));
    });
  });

  it("a key that clients of the profile do not accept: refused when signing with --profile", async () => {
    await inArchive(async (archive) => {
      const other = await addKey(archive.home);
      const args = ["--profile", archive.profile, ...sign(archive, other)];
      await archive.refuseKeeper({ code: "untrusted_signer", status: 1 }, at, ...args);
      expect((await runHere(archive.keeperArgs(at, "--profile", archive.profile, ...sign(archive)))).status).to.equal(
        0,
      );
    });
  });

  it("a key not yet made: refused", async () => {
    await inArchive(async (archive) => {
      await archive.refuseKeeper({ code: "not_yet_valid", status: 1 }, day(-1), ...sign(archive));
    });
  });

  it("a key ID, an unknown fingerprint, a missing index: told apart", async () => {
    await inArchive(async (archive) => {
      const refuse = (code: string, status: number, ...args: string[]) =>
        archive.refuseKeeper({ code, status }, at, ...args);
      await refuse("usage", 2, ...sign(archive, archive.key.slice(-16)));
      await refuse("not_found", 66, ...sign(archive, "A".repeat(40)));
      await refuse("not_found", 66, "sign", archive.file("nothing"), "--key", archive.key);
      await refuse("usage", 2, "sign", archive.file("Packages.gz"), "--key", archive.key);
    });
  });
});

describe("cases: archive side, the feed stays whole", function () {
  this.timeout(60_000);

  it("a damaged package: nothing is published; --skip-bad publishes the rest and exits 1", async () => {
    await inArchive(async (archive) => {
      await archive.addPackage("gamma");
      await fs.writeFile(archive.file("bad_1_all.ipk"), "no package at all");
      await archive.refuseKeeper({ code: "bad_package", status: 65 }, at, ...publish(archive));
      const ended = await runHere(archive.keeperArgs(published + hour, ...publish(archive, "--skip-bad")));
      expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([1, "not_listed"]);
      await archive.mirror.sync(archive.site);
      await archive.accept(at, "update");
      await archive.accept(at, "fetch", "gamma", "-o", archive.out);
    });
  });

  it("nothing but damaged packages, with --skip-bad: nothing is published, and it says why", async () => {
    await inArchive(async (archive) => {
      for (const name of ["alpha_1.0-1_all.ipk", "beta_2.0-1_all.ipk"])
        await fs.writeFile(archive.file(name), "damaged");
      const missing = { code: "not_found", status: 66 };
      const { error } = await archive.refuseKeeper(missing, at, ...publish(archive, "--skip-bad"));
      expect(error?.message).to.match(/2 can't be published, the first because package "alpha_1.0-1_all.ipk"/);
      expect(error?.hint).to.contain("--skip-bad").and.not.contain("mounted");
      for (const name of ["alpha_1.0-1_all.ipk", "beta_2.0-1_all.ipk"]) await fs.rm(archive.file(name));
      expect((await archive.refuseKeeper(missing, at, ...publish(archive, "--skip-bad"))).error?.hint).to.contain(
        "mounted",
      );
    });
  });

  it("two packages of one name, version and architecture: bad_package", async () => {
    await inArchive(async (archive) => {
      await fs.copyFile(archive.file("alpha_1.0-1_all.ipk"), archive.file("twin.ipk"));
      await archive.refuseKeeper({ code: "bad_package", status: 65 }, at, ...publish(archive));
    });
  });

  it("a crash between index and signature: clients get a matching pair from what is left", async () => {
    await inUse(async (archive) => {
      const old = await fs.readFile(archive.file("Packages.sig"));
      await archive.addPackage("gamma");
      const next = await archive.copy();
      expect((await runHere(next.keeperArgs(published + hour, ...publish(next)))).status).to.equal(0);
      const node = ["--import", new URL("../testkit/programs/kill-preload.js", import.meta.url).href];
      const seen = new Set<string>();
      // From where the staged files get their names to the end, one rename after the other.
      for (let step = 1; ; step++) {
        const copy = await archive.copy();
        const args = copy.keeperArgs(published + hour, ...publish(copy));
        const { signal } = await runProcess(args, {
          node,
          env: { FEEDKEY_KILL_AT: `${step}`, FEEDKEY_KILL: "rename" },
        });
        const index = await fs.readFile(copy.file("Packages"));
        const signature = await fs.readFile(copy.file("Packages.sig"));
        const isNew = index.equals(await fs.readFile(next.file("Packages")));
        seen.add(`${isNew ? "new" : "old"} index, ${signature.equals(old) ? "old" : "newer"} signature`);
        await copy.accept(at, "update");
        await copy.removeFolder();
        if (signal !== "SIGKILL") break;
      }
      await next.removeFolder();
      expect([...seen]).to.include.members(["old index, newer signature", "new index, newer signature"]);
      expect([...seen]).to.not.include("new index, old signature");
    });
  });

  it("a full disk: output, what was published stays byte for byte, and the next run recovers", async () => {
    await inUse(async (archive) => {
      for (let i = 0; i < 60; i++) await archive.addPackage(`more-${i}`);
      const before = await snapshot(archive.site);
      const ended = await cramped(8, archive.keeperArgs(published + hour, ...publish(archive)));
      expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([73, "output"]);
      expect(await snapshot(archive.site)).to.deep.equal(before);
      await archive.accept(at, "update");
      await archive.publish(published + hour);
      await archive.accept(at, "update");
    });
  });

  it("a file system that is really full: the same", async function () {
    await inUse(async (archive) => {
      const small = join(archive.folder, "small");
      await fs.mkdir(small);
      skipUnlessRoot(this);
      const mounted = await runProgram("mount", ["-t", "tmpfs", "-o", "size=96k", "none", small]).catch(
        () => undefined,
      );
      if (mounted?.status !== 0) skip(this, "nothing can be mounted here");
      try {
        await fs.cp(archive.site, join(small, "site"), { recursive: true });
        const config = (await fs.readFile(archive.config, "utf8")).replace(archive.site, join(small, "site"));
        await fs.writeFile(archive.config, config);
        await fs.copyFile(archive.file("alpha_1.0-1_all.ipk"), join(small, "site/feeds/base/more.ipk"));
        await fs.rm(join(small, "site/feeds/base/alpha_1.0-1_all.ipk"));
        await fs.writeFile(join(small, "ballast"), Buffer.alloc(96 * 1024)).catch(() => undefined);
        const before = await snapshot(join(small, "site"));
        const ended = await runProcess(archive.keeperArgs(published + hour, ...publish(archive)));
        expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([73, "output"]);
        expect(await snapshot(join(small, "site"))).to.deep.equal(before);
        await fs.rm(join(small, "ballast"));
        expect((await runProcess(archive.keeperArgs(published + hour, ...publish(archive)))).status).to.equal(0);
        expect(await leftovers(small)).to.deep.equal([]);
      } finally {
        await runProgram("umount", [small]);
      }
    });
  });

  it("a dry run changes nothing", async () => {
    await inArchive(async (archive) => {
      await archive.addPackage("gamma");
      const before = await snapshot(archive.folder);
      const ended = await runHere(archive.keeperArgs(at, ...publish(archive, "--dry-run")));
      expect(ended.status).to.equal(0);
      expect(await snapshot(archive.folder)).to.deep.equal(before);
    });
  });
});

describe("cases: archive side, rotation and revocation ask first", () => {
  it("rotation without a backup: refused, unless --force or --backup", async () => {
    await inArchive(async (archive) => {
      const rotate = ["rotate", "--config", archive.config];
      const before = await snapshot(archive.site);
      const ended = await runHere(archive.keeperArgs(at, ...rotate));
      expect(ended.status).to.not.be.oneOf([0, 70]);
      expect(documentOf(ended).error?.hint).to.contain("--backup");
      expect(await snapshot(archive.site)).to.deep.equal(before);
      const backup = ["--backup", join(archive.folder, "backup")];
      const done = await runHere(archive.keeperArgs(at, ...rotate, ...backup));
      expect(done.status, done.stdout).to.equal(0);
      expect(await fs.readdir(join(archive.folder, "backup"))).to.have.length(3);
      await archive.mirror.sync(archive.site);
      await archive.accept(at + hour, "update");
    });
  });

  it("a revocation that orphans clients: shown and refused, unless --force", async () => {
    await inArchive(async (archive) => {
      const revoke = ["revoke", archive.key, "--reason", "compromised", "--config", archive.config];
      const before = await archive.everything();
      const ended = await runHere(archive.keeperArgs(at, ...revoke));
      expect(ended.status).to.not.be.oneOf([0, 70]);
      expect(documentOf(ended).error?.hint).to.contain("--force");
      expect(await archive.everything()).to.deep.equal(before);
      await archive.accept(at, "update");
      expect((await runHere(archive.keeperArgs(at, ...revoke, "--force"))).status).to.equal(0);
      await archive.mirror.sync(archive.site);
      const { error } = documentOf(await runHere(archive.clientArgs(at + hour, "update")));
      expect(error?.code).to.equal("revoked");
    });
  });
});
