/** `mirror`: a verified copy of a feed that clients use in the archive's place, old or new and never something between. */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type FeedkeyError, openClient } from "../../src/index.ts";
import { RealApt } from "../apt/real-apt.ts";
import { stanza, withSuite } from "../apt/suite.ts";
import { withRepository } from "../rpm-md/repository.ts";
import { hour, inArchive, packageOf, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { at, killEverywhere } from "../testkit/programs/kill.ts";
import { needing } from "../testkit/programs/programs.ts";
import { leftovers, snapshot } from "../testkit/snapshot.ts";

const alpha = "feeds/base/alpha_1.0-1_all.ipk";

/** Where an archive's mirror is. */
const mirrorOf = ({ folder }: { readonly folder: string }) => join(folder, "mirror");

/** What clients can see in a tree, by path. */
async function tree(folder: string): Promise<Record<string, unknown>> {
  const all = Object.entries(await snapshot(folder)).map(([path, what]) => [path.slice(folder.length), what] as const);
  return Object.fromEntries(all.filter(([path]) => !path.startsWith("/.feedkey-mirror")));
}

async function names(folder: string): Promise<string[]> {
  const all = await fs.readdir(folder, { recursive: true, withFileTypes: true });
  return all.flatMap((one) => (one.isFile() && !one.parentPath.includes(".feedkey-mirror") ? one.name : [])).sort();
}

/** A client that was never here before, with the mirror in the archive's place. @returns what it sees, and fetched */
async function fresh(archive: TestArchive, request: string): Promise<string> {
  const profile = join(archive.folder, "fresh.ini");
  const text = await fs.readFile(archive.profile, "utf8");
  await fs.writeFile(profile, text.replace(/^url = .*$/m, `url = file://${mirrorOf(archive)}/`));
  const [stateFolder, folder] = ["fresh", "fresh-out"].map((name) => join(archive.folder, name)) as [string, string];
  for (const one of [stateFolder, folder]) await fs.rm(one, { recursive: true, force: true });
  await using client = await openClient({ profile, stateFolder, at });
  await client.update({ feeds: ["base"] });
  return (await client.fetch(request, { folder })).sha256;
}

async function refusal(action: Promise<unknown>): Promise<string> {
  return await action.then(
    () => "none",
    (error: FeedkeyError) => error.code,
  );
}

describe("a mirror of a feed", function () {
  this.timeout(120_000);

  it("is the archive's tree, file by file; runs again asking for nothing, and follows what changes", async () => {
    await inArchive(async (archive) => {
      const { profile, state: stateFolder } = archive;
      await using client = await openClient({ profile, stateFolder, at });
      const folder = mirrorOf(archive);
      const first = await client.mirror("base", folder);
      expect(first).to.include({ changed: true, packages: 2, fetched: 2, removed: 0 });
      expect(await tree(folder)).to.deep.equal(await tree(archive.site));
      const before = await snapshot(folder);
      const asked = archive.mirror.asked.length;
      expect(await client.mirror("base", folder)).to.include({ changed: false, fetched: 0, removed: 0 });
      expect(archive.mirror.asked.slice(asked).filter((path) => path.endsWith(".ipk"))).to.deep.equal([]);
      expect(await snapshot(folder)).to.deep.equal(before);
      // One package goes, one comes, one is another under its name.
      await fs.rm(archive.file("beta_2.0-1_all.ipk"));
      await archive.addPackage("gamma");
      await fs.writeFile(archive.file("alpha_1.0-1_all.ipk"), packageOf("alpha", "1.0-1", "Section: new"));
      await archive.publish(published + hour);
      expect(await client.mirror("base", folder)).to.include({ changed: true, packages: 2, fetched: 2, removed: 1 });
      expect(await tree(folder)).to.deep.equal(await tree(archive.site));
      // What somebody damaged or removed comes again.
      await fs.writeFile(join(folder, alpha), "junk");
      await fs.rm(join(folder, "feeds/base/Packages.gz"));
      expect(await client.mirror("base", folder)).to.include({ changed: true, fetched: 1 });
      expect(await tree(folder)).to.deep.equal(await tree(archive.site));
    });
  });

  it("of some packages has these, with what they need; of two feeds neither takes the other's away", async () => {
    await inArchive(
      async (archive) => {
        await archive.addPackage("alpha", "0.9-1");
        await archive.addPackage("app", "1", "base", "Depends: beta");
        await archive.publish(published + hour);
        const { profile, state: stateFolder } = archive;
        await using client = await openClient({ profile, stateFolder, at });
        const folder = mirrorOf(archive);
        const lists = ["Packages", "Packages.asc", "Packages.gz", "Packages.sig"];
        const bundle = ["archive-keyring.asc", "archive-keyring.pgp"];
        const made = async (...packages: readonly string[]) => {
          const all = packages.map((one) => `${one}_all.ipk`);
          expect(await names(folder)).to.deep.equal([...bundle, ...lists, ...all].sort());
        };
        await client.mirror("base", folder, { packages: ["app"], withDependencies: true });
        await made("app_1", "beta_2.0-1");
        expect(await refusal(client.mirror("base", folder, { packages: ["x*"] }))).to.equal("not_found");
        await client.mirror("base", folder, { latest: true });
        await made("alpha_1.0-1", "app_1", "beta_2.0-1");
        expect(await client.mirror("base", folder, { packages: ["alph*"] })).to.include({ removed: 2 });
        await made("alpha_1.0-1");
        await client.mirror("extra", folder);
        expect(await client.mirror("base", folder, { packages: ["app"] })).to.include({ removed: 1 });
        expect((await fs.readdir(join(folder, "feeds/extra"))).length).to.equal(6);
      },
      { feeds: ["base", "extra"] },
    );
  });

  it("stays as it was where a package, a list or a signature is wrong or missing", async () => {
    await inArchive(async (archive) => {
      const { profile, state: stateFolder } = archive;
      await using client = await openClient({ profile, stateFolder, at });
      const folder = mirrorOf(archive);
      await client.mirror("base", folder);
      const before = await tree(folder);
      await archive.addPackage("gamma");
      await fs.writeFile(archive.file("alpha_1.0-1_all.ipk"), packageOf("alpha", "1.0-1", "Section: new"));
      await archive.publish(published + hour);
      const troubles: readonly (readonly [string, string | undefined, string])[] = [
        [alpha, "another", "size_mismatch"],
        [alpha, undefined, "unavailable"],
        ["feeds/base/Packages", "Package: another\nVersion: 1\n\n", "bad_signature"],
        ["feeds/base/Packages.asc", "junk", "bad_signature_data"],
      ];
      for (const [path, text, code] of troubles) {
        await archive.mirror.sync(archive.site);
        if (text === undefined) archive.mirror.drop(path);
        else archive.mirror.put(path, text);
        expect(await refusal(client.mirror("base", folder)), path).to.equal(code);
        const { "/feeds/base/gamma_1.0-1_all.ipk": _, ...now } = await tree(folder);
        expect(now, path).to.deep.equal(before);
        expect(await fresh(archive, "alpha")).to.equal(createHash("sha256").update(packageOf("alpha")).digest("hex"));
      }
      await archive.mirror.sync(archive.site);
      await client.mirror("base", folder);
      expect(await tree(folder)).to.deep.equal(await tree(archive.site));
      expect(await leftovers(folder)).to.deep.equal([]);
    });
  });

  it("mends a signature file that somebody damaged, whatever is in it", async () => {
    await inArchive(async (archive) => {
      const { profile, state: stateFolder } = archive;
      await using client = await openClient({ profile, stateFolder, at });
      const folder = mirrorOf(archive);
      await client.mirror("base", folder);
      const armored = await fs.readFile(archive.file("Packages.asc"), "utf8");
      const middle = Math.floor(armored.length / 2);
      const damaged = {
        empty: "",
        junk: "junk",
        "cut off": armored.slice(0, middle),
        "a changed byte": `${armored.slice(0, middle)}${armored[middle] === "A" ? "B" : "A"}${armored.slice(middle + 1)}`,
        "the head alone": "-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n",
        "a key": await fs.readFile(join(archive.home, "certs", `${archive.key}.asc`), "utf8"),
        "very long": `${armored}${"\n".repeat(300_000)}`,
      };
      for (const [what, text] of Object.entries(damaged)) {
        for (const name of ["Packages.asc", "Packages.sig"]) {
          await fs.writeFile(join(folder, "feeds/base", name), text);
          expect(await refusal(client.mirror("base", folder)), `${name}: ${what}`).to.equal("none");
          expect(await tree(folder), `${name}: ${what}`).to.deep.equal(await tree(archive.site));
        }
      }
    });
  });

  it("has no package in the place of its index: bad_path, and stays as it was", async () => {
    await inArchive(async (archive) => {
      const { profile, state: stateFolder } = archive;
      await using client = await openClient({ profile, stateFolder, at });
      const folder = mirrorOf(archive);
      await client.mirror("base", folder);
      const before = await tree(folder);
      const [bytes, digest] = [Buffer.from("evil"), createHash("sha256").update("evil").digest("hex")];
      for (const [place, name] of ["packages.SIG", "PACKAGES"].entries()) {
        const stanza = `Package: evil\nVersion: 1\nFilename: ${name}\nSize: ${bytes.length}\nSHA256sum: ${digest}\n\n`;
        await archive.signText(stanza, published + hour + place * 1000);
        archive.mirror.put(`feeds/base/${name}`, bytes);
        expect(await refusal(client.mirror("base", folder)), name).to.equal("bad_path");
        const now = Object.entries(await tree(folder)).filter(([path]) => !/\/(packages\.SIG|PACKAGES)$/.test(path));
        expect(Object.fromEntries(now)).to.deep.equal(before);
      }
    });
  });

  it("of rpm-md has all lists that the root names", async () => {
    await withRepository(async (repository) => {
      await repository.list();
      const more = Buffer.from("lists of files");
      await repository.write("repodata/filelists.xml.gz", more);
      const root = await fs.readFile(repository.path("repodata/repomd.xml"), "utf8");
      const digest = createHash("sha256").update(more).digest("hex");
      const data = `<data type="filelists"><checksum type="sha256">${digest}</checksum><location href="repodata/filelists.xml.gz"/><size>${more.length}</size></data>`;
      await repository.write("repodata/repomd.xml", root.replace("</repomd>", `${data}</repomd>`));
      await repository.sign();
      const mirrored = mirrorOf(repository);
      await repository.accept(day(11), "mirror", "stable", mirrored);
      const { "/repo/repodata/repomd.xml.key": _, ...site } = await tree(join(repository.folder, "site"));
      expect(await tree(mirrored)).to.deep.equal(site);
      await repository.write("repodata/filelists.xml.gz", "other");
      await repository.list({ at: day(12) });
      await repository.write(
        "repodata/repomd.xml",
        (await fs.readFile(repository.path("repodata/repomd.xml"), "utf8")).replace("</repomd>", `${data}</repomd>`),
      );
      await repository.sign(day(12));
      await repository.refuse("unavailable", day(13), "mirror", "stable", mirrored);
      expect(await tree(mirrored)).to.deep.equal(site);
    });
  });

  it("killed between any two files that get their names: a new client gets the old state or the new one", async () => {
    await inArchive(async (start) => {
      const mirror = (copy: TestArchive) => copy.clientArgs(at, "mirror", "base", mirrorOf(copy));
      await start.writeProfile({ url: `file://${start.site}/` });
      expect((await runHere(mirror(start))).status).to.equal(0);
      await start.addPackage("gamma");
      await fs.rm(start.file("beta_2.0-1_all.ipk"));
      await start.publish(published + hour);
      await start.accept(at, "update");
      const seen = new Set<string>();
      const steps = await killEverywhere({
        start,
        args: mirror,
        steps: ["rename"],
        check: async (copy) => {
          const [old, next] = [await refusal(fresh(copy, "beta")), await refusal(fresh(copy, "gamma"))];
          expect([old, next]).to.be.deep.oneOf([
            ["none", "not_found"],
            ["not_found", "none"],
          ]);
          seen.add(next);
          const again = await runHere(mirror(copy));
          expect(again.status, again.stdout).to.equal(0);
          expect(await leftovers(mirrorOf(copy))).to.deep.equal([]);
          expect(await tree(mirrorOf(copy))).to.deep.equal(await tree(copy.site));
        },
      });
      expect(steps).to.be.greaterThan(10);
      expect([...seen]).to.have.members(["none", "not_found"]);
    });
  });

  it("of a suite serves apt-get", async function () {
    needing("apt-get").call(this);
    await withSuite(async (suite) => {
      const now = Math.floor(Date.now() / 1000) * 1000 - hour;
      await suite.release({ at: now, lists: { "main/binary-amd64": stanza("alpha") + stanza("beta") } });
      await suite.sign(now);
      const key = join(suite.folder, "home/certs", `${suite.key}.asc`);
      const source = `deb [signed-by=${key}] file:${mirrorOf(suite)}/debian stable main`;
      const apt = await RealApt.make(suite.folder, source);
      const said = await suite.accept(now, "mirror", "stable", mirrorOf(suite), "alpha");
      expect(said).to.include({ changed: true, packages: 1 });
      const updated = await apt.update();
      expect(updated.status, updated.stderr).to.equal(0);
      expect(await apt.packages()).to.deep.equal(["alpha", "beta"]);
      const { ended } = await apt.install("alpha");
      expect(ended.status, ended.stderr).to.equal(0);
      expect((await apt.install("beta")).ended.status).to.not.equal(0);
      expect((await fs.readdir(join(mirrorOf(suite), "debian/dists/stable"))).sort()).to.include.members([
        "InRelease",
        "Release",
        "Release.gpg",
      ]);
    });
  });
});
