/** An archive published in an object store: what is there, in which order, and what faults and other publishers do to it. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { openArchive } from "../../src/index.ts";
import { makeStage } from "../../src/rehearse/archive-copy.ts";
import { iso } from "../../src/time.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { ObjectStore } from "../testkit/servers/object-store.ts";

const keys = { AWS_ACCESS_KEY_ID: "TESTKEYID", AWS_SECRET_ACCESS_KEY: "test-secret-word" };
const feed = "bucket/site/feeds/base";
const lock = "bucket/site/.feedkey-lock";

describe("an archive in an object store", function () {
  this.timeout(60_000);
  let store: ObjectStore;
  let archive: TestArchive;
  const before = { ...process.env };

  beforeEach(async () => {
    Object.assign(process.env, keys);
    store = await ObjectStore.start();
    archive = await TestArchive.make();
    await useBucket(archive);
  });

  afterEach(async () => {
    for (const name of Object.keys(keys)) delete process.env[name];
    Object.assign(process.env, before);
    await store.close();
    await archive.remove();
  });

  async function useBucket(one: TestArchive): Promise<void> {
    const text = await fs.readFile(one.config, "utf8");
    const lines = `root = s3://bucket/site\nroot-local = ${one.site}\ns3-endpoint = ${store.url}\n`;
    await fs.writeFile(one.config, text.replace(/^root = .*\n/m, lines));
    await one.writeProfile({ url: `${store.url}/bucket/site/` });
  }

  async function keeper(at: number, ...args: readonly string[]): Promise<JsonDocument> {
    const ended = await runHere(archive.keeperArgs(at, ...args, "--config", archive.config));
    expect(ended.stdout + ended.stderr)
      .to.not.contain("secret-word")
      .and.not.contain("TESTKEYID");
    return documentOf(ended);
  }

  const publish = async (at: number, ...args: readonly string[]) => {
    const document = await keeper(at, "publish", ...args);
    expect(document.error).to.equal(undefined);
    return document;
  };

  const refused = async (at: number, code: string, ...args: readonly string[]) => {
    const { error } = await keeper(at, ...args);
    expect(error?.code, error?.message).to.equal(code);
    return error;
  };

  /** What the objects are that were written or removed, without the lock. */
  const taken = () =>
    store.log
      .splice(0)
      .filter((line) => !line.endsWith(lock))
      .map((line) => line.replace("bucket/site/", ""));

  it("is uploaded from the inside out, and served; nothing is uploaded twice, and what is gone goes last", async () => {
    const first = await publish(published + hour);
    expect(first.objectStore).to.deep.include({ place: "s3://bucket/site/", uploaded: 8, removed: 0 });
    const order = taken().map((line) => line.replace("PUT ", ""));
    const place = (name: string) => order.indexOf(name);
    const packages = [place("feeds/base/alpha_1.0-1_all.ipk"), place("feeds/base/beta_2.0-1_all.ipk")];
    const bundle = [place("keys/archive-keyring.pgp"), place("keys/archive-keyring.asc")];
    const signatures = [place("feeds/base/Packages.asc"), place("feeds/base/Packages.sig")];
    expect(Math.max(...packages)).to.be.lessThan(Math.min(...bundle));
    expect(Math.max(...bundle)).to.be.lessThan(place("feeds/base/Packages.gz"));
    expect(place("feeds/base/Packages.gz")).to.be.lessThan(place("feeds/base/Packages"));
    expect(place("feeds/base/Packages")).to.be.lessThan(Math.min(...signatures));
    expect(store.objects.get(`${feed}/Packages`)?.headers).to.deep.equal({
      "cache-control": "no-cache",
      "content-type": "text/plain; charset=utf-8",
    });
    expect(store.objects.get(`${feed}/alpha_1.0-1_all.ipk`)?.headers["cache-control"]).to.equal(
      "public, max-age=86400",
    );
    await archive.accept(published + 2 * hour, "update");
    await archive.accept(published + 2 * hour, "fetch", "alpha", "--output", archive.out);
    await archive.expectOut("alpha_1.0-1_all.ipk");

    const again = await publish(published + 2 * hour);
    expect(again.objectStore).to.deep.include({ uploaded: 0, removed: 0 });
    expect(taken()).to.deep.equal([]);

    await archive.addPackage("gamma+1", "1.0-1");
    await fs.rm(archive.file("beta_2.0-1_all.ipk"));
    store.put("bucket/site/strange.txt", Buffer.from("not ours"));
    await publish(published + 3 * hour);
    const steps = taken();
    expect(steps[0]).to.equal("PUT feeds/base/gamma+1_1.0-1_all.ipk");
    // First with both signatures, then the indexes, then with the new one alone.
    expect(steps.slice(1, 3).sort()).to.deep.equal(["PUT feeds/base/Packages.asc", "PUT feeds/base/Packages.sig"]);
    expect(steps.slice(3, 5)).to.deep.equal(["PUT feeds/base/Packages.gz", "PUT feeds/base/Packages"]);
    expect(steps.slice(5, 7).sort()).to.deep.equal(["PUT feeds/base/Packages.asc", "PUT feeds/base/Packages.sig"]);
    expect(steps.slice(7)).to.deep.equal(["DELETE feeds/base/beta_2.0-1_all.ipk"]);
    expect(store.text("bucket/site/strange.txt")).to.equal("not ours");
    expect(store.objects.has(lock)).to.equal(false);
    await archive.accept(published + 4 * hour, "update");
    await archive.accept(published + 4 * hour, "fetch", "gamma+1", "--output", archive.out);
  });

  it("sets up a new machine", async function () {
    needing("gpg").call(this);
    await publish(published + hour);
    // Where there is no file, the store answers 403.
    const fresh = ["--json", "--at", iso(published + 2 * hour)];
    const folder = join(archive.folder, "new");
    const init = [`${store.url}/bucket/site/`, "-o", folder, "--fingerprint", archive.key, "--name", "example"];
    await runHere([...fresh, "profile", "init", ...init, "--feed", "base=feeds/base"]);
    const root = join(archive.folder, "root");
    await fs.mkdir(join(root, "etc/opkg"), { recursive: true });
    const profile = join(folder, "example.ini");
    const set = await runHere([...fresh, "--profile", profile, "setup", "opkg", "--root", root]);
    expect(documentOf(set).error).to.equal(undefined);
  });

  it("has a state that clients accept wherever an upload is cut off, and the next run goes on", async () => {
    await publish(published + hour);
    await archive.accept(published + 2 * hour, "update");
    const clean = new Map(store.objects);
    let at = published + 3 * hour;
    let isWhole = false;
    for (let writes = 0; !isWhole; writes++) {
      await archive.addPackage("gamma", `1.${writes}-1`);
      let count = 0;
      // From this write on, the machine is gone: it can't give the lock back either.
      store.fault = (method, key) =>
        method === "GET" || key === lock ? (count > writes ? 403 : undefined) : count++ >= writes ? 403 : undefined;
      at += hour;
      const { error } = await keeper(at, "publish");
      isWhole = error === undefined;
      if (!isWhole) expect(error?.code).to.equal("unavailable");
      store.fault = () => undefined;
      await fs.rm(archive.state, { recursive: true, force: true });
      await archive.accept(at + hour / 2, "update");
    }
    // gamma in one package, signatures twice, two forms of the index; the last round removed nothing.
    expect(clean.size).to.be.lessThan(store.objects.size);
    await archive.accept(at + hour, "fetch", "gamma", "--output", archive.out);
  });

  it("refuses what another machine published, its lock, and an older state put back", async () => {
    await publish(published + hour);
    const old = new Map(store.objects);
    store.put(lock, Buffer.from('{"owner":"other","since":"2026-01-01T00:00:00Z"}'));
    const error = await refused(published + 2 * hour, "locked", "publish");
    expect(error?.message).to.contain("2026-01-01T00:00:00Z");
    await publish(published + 2 * hour, "--force");
    expect(store.objects.has(lock)).to.equal(false);

    await archive.addPackage("gamma");
    await publish(published + 3 * hour);
    for (const name of ["Packages", "Packages.gz", "Packages.asc", "Packages.sig"]) {
      store.put(`${feed}/${name}`, old.get(`${feed}/${name}`)?.bytes ?? Buffer.from(""));
    }
    await archive.addPackage("delta");
    const local = await fs.readFile(archive.file("Packages"), "utf8");
    taken();
    expect((await refused(published + 4 * hour, "would_break", "publish"))?.message).to.contain(
      "differs from the last upload with this key store",
    );
    expect(taken(), "nothing written").to.deep.equal([]);
    expect(await fs.readFile(archive.file("Packages"), "utf8"), "nor in the local tree").to.equal(local);
    const { warnings } = await publish(published + 4 * hour, "--force");
    expect(warnings?.join()).to.contain("uploaded it again");
    await archive.accept(published + 5 * hour, "update");

    // A package that was changed there is put right without a question: clients refuse it anyway.
    store.put(`${feed}/alpha_1.0-1_all.ipk`, Buffer.from("changed"));
    expect((await publish(published + 5 * hour)).objectStore).to.deep.include({ uploaded: 1 });
  });

  it("gives up when an object, or the lock, becomes another's meanwhile", async () => {
    await publish(published + hour);
    await archive.addPackage("gamma");
    store.fault = (method, key) => {
      if (method === "PUT" && key.endsWith("gamma_1.0-1_all.ipk"))
        store.put(`${feed}/Packages`, Buffer.from("another's"));
      return undefined;
    };
    expect((await refused(published + 2 * hour, "locked", "publish"))?.message).to.contain(
      "Packages changed in the bucket",
    );
    expect(store.text(`${feed}/Packages`)).to.equal("another's");
    store.fault = (method, key) => {
      if (method === "PUT" && key.endsWith(".asc")) store.put(lock, Buffer.from('{"owner":"other"}'));
      return undefined;
    };
    await refused(published + 3 * hour, "locked", "publish", "--force");
    expect(store.text(lock), "the other's lock stays").to.equal('{"owner":"other"}');
  });

  it("has a weaker lock where the server knows no conditions, and says so", async () => {
    store.conditions = false;
    expect((await publish(published + hour)).warnings?.join()).to.contain("does not support conditional writes");
    store.put(lock, Buffer.from('{"owner":"other"}'));
    await refused(published + 2 * hour, "locked", "publish");
    store.objects.delete(lock);
    await archive.addPackage("gamma");
    store.fault = (method, key) => {
      if (method === "PUT" && key.endsWith(".ipk")) store.put(lock, Buffer.from('{"owner":"other"}'));
      return undefined;
    };
    await refused(published + 3 * hour, "locked", "publish");
    await archive.accept(published + 4 * hour, "update");
  });

  it("goes on after passing faults, and after answers that were lost", async () => {
    const seen = new Map<string, number>();
    const faults = [503, "cut", "lost"] as const;
    store.page = 3;
    store.fault = (method, key) => {
      const name = `${method} ${key}`;
      const count = seen.get(name) ?? 0;
      seen.set(name, count + 1);
      return count === 0 ? faults[name.length % 3] : undefined;
    };
    await publish(published + hour);
    await archive.accept(published + 2 * hour, "update");
    expect(new Set(seen.values()), "each at least twice").to.not.contain(1);
  });

  it("takes rotations, revocations and signatures of another program's index along", async () => {
    await publish(published + hour);
    await archive.accept(published + 2 * hour, "update");
    taken();
    const begun = await keeper(day(12), "rotate", "--at-once", "--force", "--backup", join(archive.folder, "safe"));
    expect(begun.error).to.equal(undefined);
    expect(taken().join()).to.contain("archive-keyring.pgp").and.contain("Packages.sig");
    await archive.accept(day(13), "update");
    const revoked = await keeper(day(13), "revoke", archive.key, "--reason", "superseded", "--force");
    expect(revoked.error).to.equal(undefined);
    expect(taken().join()).to.contain("archive-keyring.pgp");
    const signed = await runHere(
      archive.keeperArgs(day(14), "sign", archive.file("Packages"), "--config", archive.config),
    );
    expect(documentOf(signed).error).to.equal(undefined);
    expect(taken().join()).to.contain("Packages.sig");
    await archive.accept(day(14), "update");
    // A rehearsal works on a copy that is uploaded nowhere.
    const { home, config } = archive;
    const there = await (await openArchive({ home, config, at: day(14) })).archive();
    const folder = join(archive.folder, "stage");
    await fs.mkdir(folder);
    expect(there.config.bucket?.bucket).to.equal("bucket");
    expect((await makeStage(there, folder)).archive.config).to.not.have.property("bucket");
  });

  it("has the trust page in the same run, where caches ask each time, and after each change of keys", async () => {
    await publish(published + hour, "--page");
    const page = () => store.text("bucket/site/keys/index.html");
    const local = () => fs.readFile(join(archive.site, "keys/index.html"), "latin1");
    const first = page();
    expect(first).to.equal(await local());
    expect(store.objects.get("bucket/site/keys/index.html")?.headers).to.deep.equal({
      "cache-control": "no-cache",
      "content-type": "text/html; charset=utf-8",
    });
    taken();
    expect((await publish(published + hour, "--page")).objectStore).to.deep.include({ uploaded: 0 });
    expect(taken()).to.deep.equal([]);
    const text = await fs.readFile(archive.config, "utf8");
    await fs.writeFile(archive.config, text.replace(/^root = /m, "page = yes\nroot = "));
    await keeper(day(12), "rotate", "--at-once", "--force", "--backup", join(archive.folder, "safe"));
    expect(page())
      .to.equal(await local())
      .and.not.equal(first);
  });

  it("refuses a file that is too large for one request before it uploads anything", async () => {
    const large = archive.file("large.txt");
    await fs.writeFile(large, "");
    await fs.truncate(large, 5 * 1024 ** 3 + 1);
    const error = await refused(published + hour, "bad_path", "publish");
    expect(error?.message).to.contain("large.txt has 5368709121 bytes").and.contain("5 GiB");
    expect(taken(), "nothing uploaded").to.deep.equal([]);
    await fs.rm(large);
    expect((await publish(published + hour)).objectStore).to.deep.include({ uploaded: 8 });
  });

  it("uploads no file from outside of the tree, and needs keys that nobody else can read", async () => {
    await fs.symlink("/etc/passwd", archive.file("secret.txt"));
    await refused(published + hour, "bad_path", "publish");
    expect([...store.objects.keys()].join()).to.not.contain("secret");
    await fs.rm(archive.file("secret.txt"));
    for (const name of Object.keys(keys)) delete process.env[name];
    const file = join(archive.folder, "credentials");
    Object.assign(process.env, { AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: "feeds" });
    try {
      await refused(published + hour, "bad_config", "publish");
      await fs.writeFile(file, "[feeds]\naws_access_key_id = TESTKEYID\naws_secret_access_key = test-secret-word\n");
      await fs.chmod(file, 0o644);
      expect((await refused(published + hour, "bad_config", "publish"))?.message).to.contain("open to other users");
      await fs.chmod(file, 0o600);
      await publish(published + hour);
      store.fault = () => 403;
      expect((await refused(published + 2 * hour, "unavailable", "publish"))?.message).to.contain("403 SlowDown");
    } finally {
      for (const name of ["AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE"]) delete process.env[name];
    }
  });
});
