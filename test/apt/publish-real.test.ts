// A suite that `publish` made, as the real apt takes it over HTTP: each form of its lists, what comes and goes, and the life of its keys.
import * as fs from "node:fs/promises";
import { basename, join } from "node:path";
import { expect } from "chai";
import { startServer } from "../../src/keyserver/server.ts";
import { hour } from "../testkit/archives/opkg-archive.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";
import { needing } from "../testkit/programs/programs.ts";
import { debNamed, type Pool, withPool } from "./pool.ts";
import { RealApt } from "./real-apt.ts";

const now = Math.floor(Date.now() / 1000) * 1000;
/** Minutes after the archive was begun: apt goes by the clock. */
const minute = (count: number) => now - hour + count * 60_000;
const binary = "dists/stable/main/binary-amd64";

/** The archive served over HTTP, and an apt whose keyring feedkey exports. */
async function withApt(action: (pool: Pool, apt: RealApt, exportKeys: () => Promise<void>) => Promise<void>) {
  await withPool(async (pool) => {
    const server = await startServer({ root: pool.path("."), port: 0 });
    try {
      const keyring = join(pool.folder, "archive.gpg");
      const apt = await RealApt.make(pool.folder, `deb [signed-by=${keyring}] ${server.url} stable main`);
      await action(pool, apt, async () => void (await pool.accept(now, "export", "--for", "apt", keyring)));
    } finally {
      await server.close();
    }
  });
}

async function expectPackages(apt: RealApt, ...names: readonly string[]): Promise<void> {
  const ended = await apt.run("apt-get", "update");
  expect(ended.status, ended.stdout + ended.stderr).to.equal(0);
  expect(await apt.packages()).to.deep.equal(names);
}

describe("a published suite and the real apt", function () {
  this.timeout(180_000);
  before(needing("apt-get", "apt-cache"));

  it("is accepted in each form, by digest alone or by name alone; what comes and goes is followed", async () => {
    await withApt(async (pool, apt, exportKeys) => {
      await pool.add("alpha");
      await pool.publish(minute(0));
      await exportKeys();
      await expectPackages(apt, "alpha");
      const { ended, files } = await apt.install("alpha");
      expect(
        files.map((file) => basename(file)),
        ended.stderr,
      ).to.deep.equal(["alpha_1.0_amd64.deb"]);
      expect((await fs.readFile(files[0] ?? "")).equals(debNamed("alpha"))).to.equal(true);

      const saved = join(pool.folder, "saved");
      await fs.cp(pool.path(binary), saved, { recursive: true });
      const only = async (...names: readonly string[]) => {
        await fs.rm(pool.path(binary), { recursive: true });
        for (const name of names) await fs.cp(join(saved, name), pool.path(`${binary}/${name}`), { recursive: true });
        await apt.forget();
        await expectPackages(apt, "alpha");
        await fs.rm(join(pool.folder, "state"), { recursive: true, force: true });
        await pool.accept(now, "update");
      };
      await only("by-hash");
      await only("Packages.xz");
      await only("Packages.gz");
      await only("Packages");
      // What is missing is written again.
      expect((await pool.publish(minute(1))).writes).to.have.length(5);

      await pool.add("beta", "2.0", "all");
      await pool.publish(minute(2));
      await expectPackages(apt, "alpha", "beta");
      await fs.rm(pool.path("pool/alpha_1.0_amd64.deb"));
      await pool.publish(minute(3));
      await expectPackages(apt, "beta");
      // The control: a list that was changed.
      await apt.forget();
      for (const name of await fs.readdir(pool.path(binary), { recursive: true })) {
        if (/^Packages|[0-9a-f]{64}$/.test(name)) await pool.write(`${binary}/${name}`, "changed");
      }
      expect((await apt.run("apt-get", "update")).status).to.equal(100);
    });
  });

  it("is followed through a rotation by the keyring of its overlap alone, and refused once a key is revoked", async () => {
    await withApt(async (pool, apt, exportKeys) => {
      await pool.add("alpha");
      await pool.publish(minute(0));
      await exportKeys();
      await expectPackages(apt, "alpha");
      const asleep = await fs.readFile(join(pool.folder, "archive.gpg"));
      const ofOld = await pool.read("InRelease");
      const { successor } = await pool.keep(minute(1), "rotate", "--backup", join(pool.folder, "safe"));
      await pool.add("beta");
      await pool.publish(minute(2));
      await exportKeys();
      await expectPackages(apt, "alpha", "beta");
      await pool.keep(minute(3), "rotate", "--finish", "--force");
      await pool.add("gamma");
      await pool.publish(minute(4));
      await expectPackages(apt, "alpha", "beta", "gamma");
      await pool.accept(now, "update");
      expect(await pool.fetch(now, "gamma")).to.have.length(1);
      const awake = await fs.readFile(join(pool.folder, "archive.gpg"));
      const asleepUpdates = async () => {
        await fs.writeFile(join(pool.folder, "archive.gpg"), asleep);
        const ended = await apt.update();
        await fs.writeFile(join(pool.folder, "archive.gpg"), awake);
        return ended;
      };
      // A machine that slept through the overlap: both keys sign while the older one is good.
      const { status, stderr } = await asleepUpdates();
      expect(status, stderr).to.equal(0);

      // Both are seeds, so that the fall of one takes nothing from the other.
      const profile = join(pool.folder, "example.ini");
      const text = await fs.readFile(profile, "utf8");
      await fs.writeFile(profile, text.replace(/^seeds = .*$/m, `$&, ${successor}`));
      await pool.keep(minute(5), "revoke", pool.key, "--reason", "compromised", "--force");
      await pool.publish(minute(6));
      const refused = await asleepUpdates();
      expect(refused.status).to.equal(100);
      expect(refused.stderr).to.contain("NO_PUBKEY");
      await exportKeys();
      await apt.forget();
      await expectPackages(apt, "alpha", "beta", "gamma");
      const current = await pool.read("InRelease");
      await pool.write("dists/stable/InRelease", ofOld);
      expect((await apt.update()).status).to.equal(100);
      await fs.rm(join(pool.folder, "state"), { recursive: true });
      await pool.refuse("revoked", now, "update");
      await pool.write("dists/stable/InRelease", current);
      await pool.accept(now, "update");
    });
  });
});

/** A stanza's fields, by name in lower case. */
function fieldsOf(stanza: string): Map<string, string> {
  const fields = stanza.split(/\n(?! )/).filter((line) => line !== "");
  return new Map(
    fields.map((field) => [field.slice(0, field.indexOf(":")).toLowerCase(), field.replace(/^[^:]*: */, "")]),
  );
}

const stanzasOf = (list: string) => list.split("\n\n").filter((stanza) => stanza !== "");

describe("real packages in a published suite", function () {
  this.timeout(180_000);
  before(needing("apt-get", "apt-cache", "apt-ftparchive"));

  it("are listed as apt-ftparchive lists them, and downloaded by apt", async function () {
    const folder = process.env.FEEDKEY_REAL_DEBS;
    const debs = folder === undefined ? [] : (await fs.readdir(folder)).filter((name) => name.endsWith(".deb")).sort();
    const some = debs.length < 50 ? undefined : debs;
    if (!presentOrSkip(this, some, "FEEDKEY_REAL_DEBS names no folder with 50 or more packages")) return;
    await withApt(async (pool, apt, exportKeys) => {
      for (const name of some) await fs.copyFile(join(folder ?? "", name), pool.path(`pool/${name}`));
      expect(await pool.publish(minute(0))).to.deep.include({ packages: some.length });
      const theirs = await runProgram("sh", ["-c", `cd '${pool.path(".")}' && apt-ftparchive packages pool`]);
      const byFile = new Map(
        stanzasOf(theirs.stdout).map((stanza) => [fieldsOf(stanza).get("filename"), fieldsOf(stanza)]),
      );
      const ours = stanzasOf(await pool.read("main/binary-amd64/Packages")).map(fieldsOf);
      expect(ours).to.have.length(some.length);
      for (const fields of ours) {
        const other = byFile.get(fields.get("filename"));
        // Weaker digests prove nothing, and one that is good enough is enough.
        for (const name of ["md5sum", "sha1", "sha512"]) expect(other?.delete(name), name).to.equal(true);
        expect(Object.fromEntries(fields)).to.deep.equal(Object.fromEntries(other ?? []));
      }
      await exportKeys();
      await expectPackages(apt, ...ours.map((fields) => fields.get("package") ?? "").sort());
      // Names with a percent sign, as apt-get download gives them, among them.
      const chosen = some.filter((name, i) => name.includes("%") || i % 20 === 0);
      const got = join(pool.folder, "got");
      await fs.mkdir(got);
      for (const name of chosen) {
        const [wanted = ""] = name.split("_");
        const ended = await apt.run("sh", "-c", `cd '${got}' && apt-get download ${wanted}`);
        expect(ended.status, ended.stderr).to.equal(0);
        const bytes = await fs.readFile(pool.path(`pool/${name}`));
        expect((await fs.readFile(join(got, name))).equals(bytes), name).to.equal(true);
      }
      await pool.accept(now, "update");
      expect(await pool.fetch(now, "--all")).to.deep.equal(some);
    });
  });
});
