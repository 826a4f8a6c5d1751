// rpm-md's repositories: signed, updated, fetched and verified by feedkey; each hop changed in turn.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { readSignatureFile } from "../../src/openpgp/check/detached.ts";
import { compressXz } from "../../src/packages/compression/xz-writer.ts";
import { loadZstd } from "../../src/packages/compression/zstd-library.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { type Repository, withRepository } from "./repository.ts";
import { hash, packageXml, rpmOf } from "./xml.ts";

/** By whom the signatures of a file say they are, in their order. */
function signersIn(armored: Uint8Array): (string | undefined)[] {
  return readSignatureFile(armored, "repomd.xml.asc").map((one) =>
    "raw" in one ? one.raw.issuer.fingerprint : undefined,
  );
}

const newest = (repository: Repository) => repository.path("repodata/repomd.xml");

describe("rpm-md's repositories", function () {
  this.timeout(60_000);

  it("are updated, listed, fetched and verified, by one signature that is armored", async () => {
    await withRepository(async (repository) => {
      await repository.list();
      const signed = await repository.sign();
      expect(JSON.stringify(signed)).to.include("repomd.xml.asc").and.to.include("repomd.xml.key");
      const armor = await fs.readFile(`${newest(repository)}.asc`, "utf8");
      expect(armor).to.match(/^-----BEGIN PGP SIGNATURE-----\n/);
      await repository.accept(day(11), "update");
      const { packages } = await repository.accept(day(11), "list");
      expect(JSON.stringify(packages)).to.include('"alpha"').and.to.include('"1.0-1"');
      await repository.accept(day(11), "show", "alpha");
      expect(await repository.fetch(day(11), "alpha")).to.deep.equal(["alpha-1.0-1.noarch.rpm"]);
      const rpm = join(repository.folder, "out/alpha-1.0-1.noarch.rpm");
      expect(await fs.readFile(rpm, "utf8")).to.equal(rpmOf("alpha"));
      await repository.accept(day(11), "verify", newest(repository), rpm);
      await fs.writeFile(rpm, rpmOf("alphA"));
      await repository.refuse("digest_mismatch", day(11), "verify", newest(repository), rpm);
    });
  });

  it("may compress their list with gz, xz, zstd or not at all, and give SHA-512 of it", async () => {
    await withRepository(async (repository) => {
      const forms: readonly (readonly [string, (text: string) => Promise<Uint8Array>])[] = [
        ["primary.xml.gz", async (text) => gzipSync(text)],
        ["primary.xml.zst", async (text) => (await loadZstd()).compress(Buffer.from(text))],
        ["primary.xml.xz", async (text) => await compressXz(Buffer.from(text))],
        ["primary.xml", async (text) => Buffer.from(text)],
      ];
      let at = day(10);
      for (const [name, compress] of forms) {
        at += 60_000;
        const packages = [packageXml("alpha"), packageXml(`beta-${at}`)];
        const text = await repository.list({ at, packages });
        const data = await compress(text);
        const sha512 = (bytes: string | Uint8Array) => hash(bytes, "sha512");
        const parts = {
          checksum: `<checksum type="sha512">${sha512(data)}</checksum>`,
          "open-checksum": `<open-checksum type="sha512">${sha512(text)}</open-checksum>`,
        };
        await repository.list({ at, packages, name, compress: () => data, parts });
        await repository.sign(at);
        const updated = await repository.accept(at, "update");
        expect(JSON.stringify(updated)).to.include('"changed":true');
        expect(await repository.fetch(at, "alpha")).to.have.length(1);
      }
    });
  });

  it("are refused where the list is not what was signed: other bytes, size, or text within", async () => {
    await withRepository(async (repository) => {
      const refuse = async (code: string) => await repository.refuse(code, day(11), "update");
      const text = await repository.list();
      await repository.sign();
      const good = await fs.readFile(repository.path("repodata/primary.xml.gz"));
      for (const bad of [gzipSync(text.replace("alpha", "alphA")), good.subarray(0, -1), Buffer.concat([good, good])]) {
        await repository.write("repodata/primary.xml.gz", bad);
        await refuse("bad_index");
      }
      await fs.rm(repository.path("repodata/primary.xml.gz"));
      await refuse("unavailable");
      // What dnf and zypper do not look at: the sizes, and what it decompresses to.
      for (const [name, value] of [
        ["size", "<size>1</size>"],
        ["open-size", "<open-size>1</open-size>"],
        ["open-checksum", `<open-checksum type="sha256">${hash("other")}</open-checksum>`],
      ] as const) {
        await repository.list({ parts: { [name]: value } });
        await repository.refuse("bad_index", day(10), "sign", newest(repository), "--key", repository.key);
        await repository.sign(day(10), "--force");
        await refuse("bad_index");
      }
      await repository.publish();
      await repository.accept(day(11), "update");
      const xml = await fs.readFile(newest(repository), "utf8");
      await fs.writeFile(newest(repository), xml.replace("primary", "primarY"));
      await refuse("bad_signature");
      await fs.rm(`${newest(repository)}.asc`);
      await refuse("no_signature");
    });
  });

  it("never go back, by revision as by signature, and are not from the future (T9)", async () => {
    await withRepository(async (repository) => {
      await repository.publish({ at: day(10) });
      await repository.accept(day(11), "update");
      // Signed later, but an older list, with its own date or none.
      for (const tags of ["", "<revision>stable</revision>"]) {
        await repository.list({ at: tags === "" ? day(9) : 0, tags });
        await repository.sign(day(12));
        await repository.refuse("rollback", day(12), "update");
      }
      await repository.list({ at: day(13) });
      await repository.sign(day(12), "--force");
      await repository.refuse("not_yet_valid", day(12), "update");
      await repository.list({ at: day(12) });
      await fs.rm(`${newest(repository)}.asc`);
      await repository.sign(day(9), "--force");
      await repository.refuse("rollback", day(12), "update");
      await repository.publish({ at: day(13) });
      await repository.accept(day(13), "update");
    });
  });

  it("stay the repository that was accepted, by its tags, unless a change is allowed", async () => {
    await withRepository(async (repository) => {
      const tags = (distro: string) =>
        `<tags><distro cpeid="cpe:/o:example:${distro}">Example ${distro}</distro></tags>`;
      await repository.publish({ tags: tags("1") });
      await repository.accept(day(10), "update");
      for (const other of [tags("2"), ""]) {
        await repository.publish({ at: day(11), tags: other });
        await repository.refuse("wrong_feed", day(11), "update");
      }
      await repository.accept(day(11), "update", "--allow-releaseinfo-change");
    });
  });

  it("refuse the one package that can't be fetched safely, and give the others", async () => {
    await withRepository(async (repository) => {
      const bad = (name: string, parts: Record<string, string>) => packageXml(name, { parts });
      await repository.publish({
        packages: [
          packageXml("alpha"),
          bad("weak", { checksum: `<checksum type="md5">${hash("x", "md5")}</checksum>` }),
          bad("out", { location: '<location href="../../secret.rpm"/>' }),
          bad("away", { location: '<location href="http://example.net/away.rpm"/>' }),
          bad("short", { size: '<size package="3"/>', location: '<location href="alpha-1.0-1.noarch.rpm"/>' }),
        ],
      });
      await repository.accept(day(11), "update");
      const out = join(repository.folder, "none");
      for (const [name, code] of [
        ["weak", "no_digest"],
        ["out", "bad_path"],
        ["away", "bad_path"],
        ["short", "size_mismatch"],
      ] as const) {
        await repository.refuse(code, day(11), "fetch", "-o", out, name);
      }
      expect(await repository.fetch(day(11), "alpha")).to.have.length(1);
    });
  });

  it("give the newest version by rpm's order, of the architectures that the profile names", async () => {
    await withRepository(async (repository) => {
      const of = (ver: string, arch: string, file = "old") => {
        const location = `<location href="${file}-1.0-1.noarch.rpm"/>`;
        return packageXml("alpha", { version: `epoch="0" ver="${ver}" rel="1"`, arch, parts: { location } });
      };
      const packages = [of("1.0~rc1", "x86_64"), of("1.0", "x86_64", "alpha"), of("1.0", "src"), of("0.9^a", "x86_64")];
      await repository.publish({ packages });
      await repository.accept(day(11), "update");
      const out = join(repository.folder, "none");
      await repository.refuse("usage", day(11), "fetch", "-o", out, "alpha");
      await repository.profile("architectures = x86_64");
      expect(await repository.fetch(day(11), "alpha")).to.deep.equal(["alpha-1.0-1.noarch.rpm"]);
      await repository.profile("components = main");
      await repository.refuse("bad_profile", day(11), "fetch", "-o", out, "alpha");
    });
  });

  it("are signed by both keys of an overlap, the older one last for zypper, and alone in repomd.xml.key", async () => {
    await withRepository(async (repository) => {
      const newer = await addKey(join(repository.folder, "home"), { at: day(5) });
      await repository.list();
      await repository.accept(day(10), "sign", newest(repository), "--key", repository.key, "--also-key", newer);
      const armor = await fs.readFile(`${newest(repository)}.asc`);
      expect(signersIn(armor)).to.deep.equal([newer, repository.key]);
      const inKeyFile = async () => {
        return readKeys(await fs.readFile(`${newest(repository)}.key`)).certificates.map((one) => one.fingerprint);
      };
      expect(await inKeyFile()).to.deep.equal([repository.key]);
      await repository.accept(day(11), "update");
      await repository.sign(day(12));
      expect(signersIn(await fs.readFile(`${newest(repository)}.asc`))).to.deep.equal([repository.key]);
      expect(await inKeyFile()).to.deep.equal([repository.key]);
    });
  });

  it("are not signed where no client could read them", async () => {
    await withRepository(async (repository) => {
      const sign = async () => await repository.run(day(10), "sign", newest(repository), "--key", repository.key);
      await repository.list({ parts: { checksum: `<checksum type="sha">${hash("x", "sha1")}</checksum>` } });
      expect((await sign()).error?.code).to.equal("bad_index");
      expect(await fs.readdir(repository.path("repodata"))).to.have.members(["repomd.xml", "primary.xml.gz"]);
      await repository.list();
      expect((await sign()).status).to.equal(0);
    });
  });
});
