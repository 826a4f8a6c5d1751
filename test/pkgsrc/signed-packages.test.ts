/** Signed packages from the maker to the client, and everything that must not pass on the way. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { armor } from "../../src/openpgp/packet/armor.ts";
import { generate } from "../../src/openpgp/secret/generate.ts";
import { formatPackageHash, hashPackage } from "../../src/packages/package-hash.ts";
import { signedPackage } from "../../src/packages/signed-package.ts";
import { bytesSource } from "../../src/packages/source.ts";
import { openSigningKey } from "../../src/signing/signing-key.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { done, hour, PkgsrcArchive, published, refused, userId } from "../testkit/archives/pkgsrc-archive.ts";
import { day } from "../testkit/dates.ts";
import { ar } from "../testkit/packages/build-package.ts";
import { metadataFiles, packageTar, pkgsrcPackage } from "../testkit/packages/pkgsrc-package.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";

const signedAt = published + hour;

describe("signed packages", () => {
  let archive: PkgsrcArchive;
  let scratch: string;
  before(async () => {
    archive = await PkgsrcArchive.make("rsa3072");
  });
  after(() => archive.remove());
  beforeEach(async () => {
    scratch = await fs.mkdtemp(join(tmpdir(), "feedkey-signed-"));
  });
  afterEach(() => fs.rm(scratch, { recursive: true, force: true }));

  const put = async (name: string, bytes: Uint8Array): Promise<string> => {
    await fs.writeFile(join(scratch, name), bytes);
    return join(scratch, name);
  };
  const sign = (path: string, ...args: readonly string[]) => {
    return archive.keeper(signedAt, "sign-package", path, "--key", archive.key, ...args);
  };
  const verify = (path: string, ...args: readonly string[]) => {
    return archive.client(signedAt + hour, "verify-package", path, ...args);
  };
  /** Signs anything by the archive's key, as only a rightful signer could. */
  const signedOf = async (inner: Uint8Array, pkgname: string, innerName = `${pkgname}.tgz`) => {
    const key = await openSigningKey(await KeyStore.open(archive.home), archive.key, async () => "");
    const hash = hashPackage(bytesSource(inner), pkgname);
    const signature = armor(await key.secret.signDocument(formatPackageHash(hash), key, { at: signedAt }), "SIGNATURE");
    return Buffer.concat([...signedPackage(hash, Buffer.from(signature), innerName, bytesSource(inner))]);
  };

  for (const [program, ending] of [
    ["bzip2", ".tbz"],
    ["xz", ".txz"],
    ["zstd", ".tzst"],
  ] as const) {
    it(`are made and read in every compression: ${ending}`, async function () {
      const packed = spawnSync(program, ["-c"], { input: packageTar({ name: "tiny-1.0" }) });
      if (!presentOrSkip(this, packed.error === undefined, `${program} is not installed`)) return;
      const path = await put(`tiny-1.0${ending}`, packed.stdout);
      done(await sign(path));
      done(await verify(path, "-o", join(scratch, "out")));
      expect((await fs.readFile(join(scratch, "out"))).equals(packed.stdout)).to.equal(true);
    });
  }

  it("go from the maker to the client, which takes out exactly what went in", async () => {
    const plain = pkgsrcPackage({ name: "tiny-1.0nb2" });
    const path = await put("tiny-1.0nb2.tgz", plain);
    expect(done(await sign(path)).packages).to.deep.equal([{ package: "tiny-1.0nb2", path, size: plain.length }]);
    const output = join(scratch, "out.tgz");
    const { packages } = done(await verify(path, "-o", output));
    expect(packages).to.have.nested.property("[0].package", "tiny-1.0nb2");
    expect(packages).to.have.nested.property("[0].signatures[0].certificate", archive.key);
    expect((await fs.readFile(output)).equals(plain)).to.equal(true);
    expect((await fs.readdir(scratch)).sort()).to.deep.equal(["out.tgz", "tiny-1.0nb2.tgz"]);
  });

  it("are the same bytes each time, in another folder when that is wanted", async () => {
    const path = await put("tiny-1.0.tgz", pkgsrcPackage());
    await fs.mkdir(join(scratch, "signed"));
    done(await sign(path, "-o", join(scratch, "signed")));
    expect((await fs.readFile(path)).equals(pkgsrcPackage())).to.equal(true);
    done(await sign(path));
    const [one, two] = [await fs.readFile(path), await fs.readFile(join(scratch, "signed", "tiny-1.0.tgz"))];
    expect(one.equals(two)).to.equal(true);
  });

  it("are read block by block, whatever their size", async () => {
    for (const size of [1, 65_536, 131_072, 200_001]) {
      const base = pkgsrcPackage();
      // gzip's end is followed by nothing that counts: the size can be chosen.
      const inner = Buffer.concat([base, Buffer.alloc(Math.max(0, size - base.length))]);
      const path = await put("tiny-1.0.tgz", inner);
      done(await sign(path));
      const output = join(scratch, "out.tgz");
      done(await verify(path, "-o", output));
      expect((await fs.readFile(output)).equals(inner), String(size)).to.equal(true);
    }
  });

  it("are taken apart by ar and verified by gpg", async function () {
    const tools = ["ar", "gpg"].every((tool) => spawnSync(tool, ["--version"]).status === 0);
    if (!presentOrSkip(this, tools, "binutils and gpg are needed")) return;
    const plain = pkgsrcPackage();
    const path = await put("tiny-1.0.tgz", plain);
    done(await sign(path));
    const run = (command: string, ...args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync(command, args, { cwd: join(scratch, "x"), encoding: "utf8" });
      expect(status, stderr).to.equal(0);
      return stdout + stderr;
    };
    await fs.mkdir(join(scratch, "x"));
    await fs.mkdir(join(scratch, "gnupg"), { mode: 0o700 });
    expect(run("ar", "t", path)).to.equal("+PKG_HASH\n+PKG_GPG_SIGNATURE\ntiny-1.0.tgz\n");
    run("ar", "x", path);
    expect((await fs.readFile(join(scratch, "x", "tiny-1.0.tgz"))).equals(plain)).to.equal(true);
    const gpg = ["--homedir", join(scratch, "gnupg"), "--batch", "--faked-system-time", "20260112T000000"];
    run("gpg", ...gpg, "--import", join(archive.home, "certs", `${archive.key}.asc`));
    const said = run("gpg", ...gpg, "--status-fd", "1", "--verify", "+PKG_GPG_SIGNATURE", "+PKG_HASH");
    expect(said).to.contain(`[GNUPG:] VALIDSIG ${archive.key}`);
    // Binary (class 00), SHA-256, the issuer's key ID in the hashed area: what netpgpverify reads.
    const packets = run("gpg", ...gpg, "--list-packets", "+PKG_GPG_SIGNATURE");
    expect(packets)
      .to.match(/sigclass 0x00/)
      .and.to.match(/digest algo 8/);
    expect(packets).to.match(/^\thashed subpkt 16 len 8/m);
    run("sh", "-c", "rm ../gnupg/S.* 2>/dev/null; true");
  });

  it("are accepted as GNU ar puts them together", async function () {
    if (!presentOrSkip(this, spawnSync("ar", ["--version"]).status === 0, "binutils is needed")) return;
    const path = await put("tiny-1.0.tgz", pkgsrcPackage());
    done(await sign(path));
    const x = join(scratch, "x");
    await fs.mkdir(x);
    spawnSync("ar", ["x", path], { cwd: x });
    await fs.rm(path);
    const made = spawnSync("ar", ["rcD", path, "+PKG_HASH", "+PKG_GPG_SIGNATURE", "tiny-1.0.tgz"], { cwd: x });
    expect(made.status).to.equal(0);
    done(await verify(path));
  });

  it("are listed in a summary with the checksum of the outer file", async () => {
    const path = await archive.addPackage({ name: "signed-1.0" });
    done(await sign(path));
    await archive.addPackage({ name: "plain-1.0" });
    await archive.publish(published + 2 * hour);
    done(await archive.client(published + 3 * hour, "update"));
    done(await archive.client(published + 3 * hour, "fetch", "--all", "-o", archive.out));
    done(await archive.client(published + 3 * hour, "verify-package", join(archive.out, "signed-1.0.tgz")));
    refused(
      await archive.client(published + 3 * hour, "verify-package", join(archive.out, "plain-1.0.tgz")),
      "no_signature",
    );
  });

  describe("are not made", () => {
    it("of a package under another name, of a signed one, or of what is no package", async () => {
      refused(await sign(await put("other-1.0.tgz", pkgsrcPackage())), "bad_path");
      refused(await sign(await put("tiny-1.0.txz", pkgsrcPackage())), "bad_path");
      refused(await sign(await put("tiny-1.0.tgz", Buffer.from("no package"))), "bad_package");
      refused(await sign(join(scratch, "missing-1.0.tgz")), "not_found");
      const path = await put("tiny-1.0.tgz", pkgsrcPackage());
      done(await sign(path));
      const once = await fs.readFile(path);
      refused(await sign(path), "usage");
      expect((await fs.readFile(path)).equals(once)).to.equal(true);
    });

    it("with a key that pkg_add can't read", async () => {
      const key = await generate({ userId, algorithm: "ed25519", at: day(0) });
      await (await KeyStore.open(archive.home)).add(key);
      const path = await put("tiny-1.0.tgz", pkgsrcPackage());
      const message = refused(
        await archive.keeper(signedAt, "sign-package", path, "--key", key.fingerprint),
        "bad_config",
      );
      expect(message).to.contain("not RSA");
      refused(await archive.keeper(signedAt, "sign-package", path, "--key", `gpg:${archive.key}`), "usage");
      expect((await fs.readFile(path)).equals(pkgsrcPackage())).to.equal(true);
      await fs.rm(join(archive.home, "certs", `${key.fingerprint}.asc`));
      await fs.rm(join(archive.home, "private", `${key.fingerprint}.asc`));
    });
  });

  describe("are refused, though a rightful signer signed them,", () => {
    const inner = pkgsrcPackage();
    const other = pkgsrcPackage({ name: "other-2.0" });
    it("when another package is inside", async () => {
      const path = await put("tiny-1.0.tgz", await signedOf(other, "tiny-1.0"));
      expect(refused(await verify(path), "bad_package")).to.contain(
        "the package inside is other-2.0, but tiny-1.0 was signed",
      );
    });
    it("under another package's name", async () => {
      for (const name of ["other-2.0.tgz", "tiny-1.0", "tiny-1.0.x.tgz", "tiny-1.0.zip", "tiny-1.00.tgz"]) {
        refused(await verify(await put(name, await signedOf(inner, "tiny-1.0"))), "bad_path");
      }
      refused(
        await verify(await put("tiny-1.0.tgz", await signedOf(inner, "tiny-1.0", "other-2.0.tgz"))),
        "bad_package",
      );
    });
    it("when what is inside does not begin as a package", async () => {
      const [contents, ...rest] = metadataFiles();
      expect(contents?.name).to.equal("+CONTENTS");
      for (const bytes of [gzipSync("no tar"), Buffer.from("no gzip"), gunzipSync(inner), packageTar().subarray(512)]) {
        refused(await verify(await put("tiny-1.0.tgz", await signedOf(bytes, "tiny-1.0"))), "bad_package");
      }
      expect(rest.length).to.be.greaterThan(1);
    });
    it("after the signer was revoked, and before its signature's date", async () => {
      const path = await put("tiny-1.0.tgz", await signedOf(inner, "tiny-1.0"));
      refused(await archive.client(day(1), "verify-package", path, "--no-state"), "not_yet_valid");
      done(await verify(path, "--no-state"));
    });
  });

  describe("are refused with the reason when", () => {
    it("someone else signed them", async () => {
      const stranger = await PkgsrcArchive.make("rsa3072");
      try {
        const path = await put("tiny-1.0.tgz", pkgsrcPackage());
        done(await stranger.keeper(signedAt, "sign-package", path, "--key", stranger.key));
        const output = join(scratch, "out.tgz");
        refused(await verify(path, "-o", output), "untrusted_signer");
        expect(await fs.readdir(scratch)).to.deep.equal(["tiny-1.0.tgz"]);
      } finally {
        await stranger.remove();
      }
    });

    it("their key is revoked, whatever the date of the signature", async () => {
      const victim = await PkgsrcArchive.make("rsa3072");
      try {
        const path = await put("tiny-1.0.tgz", pkgsrcPackage());
        done(await victim.keeper(signedAt, "sign-package", path, "--key", victim.key));
        const check = () => victim.client(signedAt + hour, "verify-package", path, "--no-state");
        done(await check());
        done(await victim.keeper(signedAt, "revoke", victim.key, "--reason", "compromised", "--force"));
        refused(await check(), "revoked");
      } finally {
        await victim.remove();
      }
    });

    it("the signature is made again in other words", async () => {
      const path = await put("tiny-1.0.tgz", pkgsrcPackage());
      done(await sign(path));
      const signed = await fs.readFile(path);
      const [hash, signature] = [
        /pkgsrc signature\n[\s\S]*end pkgsrc signature\n/,
        /-----BEGIN[\s\S]*END PGP SIGNATURE-----\n/,
      ].map((shape) => Buffer.from(shape.exec(signed.toString("latin1"))?.[0] ?? "", "latin1"));
      const assemble = (text: string, again = hash) => {
        const named = Buffer.concat([Buffer.from("+PKG_GPG_SIGNATURE"), Buffer.from(text, "latin1")]);
        return ar([
          { name: "+PKG_HASH", data: again ?? "" },
          { name: "#1/18", data: named },
          { name: "tiny-1.0.tgz", data: pkgsrcPackage() },
        ]);
      };
      const text = String(signature);
      // Nothing changed: accepted, also with a header as gpg's --emit-version writes it.
      done(await verify(await put("tiny-1.0.tgz", assemble(text))));
      done(await verify(await put("tiny-1.0.tgz", assemble(text.replace("\n\n", "\nVersion: GnuPG v2\n\n")))));
      done(await verify(await put("tiny-1.0.tgz", assemble(text.replace(/\n=.{4}\n/, "\n")))));
      for (const other of [
        `${text}\n`,
        `\n${text}`,
        `${text}${text}`,
        text.replaceAll("\n", "\r\n"),
        text.replace("\n\n", "\nHash: SHA256\n\n"),
        text.replace("\n\n", "\n \n"),
        text.slice(0, -1),
        `words\n${text}`,
        "",
      ]) {
        const ended = await verify(await put("tiny-1.0.tgz", assemble(other)));
        expect(JSON.parse(ended.stdout).error.code, other).to.be.oneOf(["bad_signature_data", "no_signature"]);
      }
      const changed = Buffer.from(String(hash).replace("tiny-1.0", "tiny-1.1"), "latin1");
      refused(await verify(await put("tiny-1.1.tgz", assemble(text, changed))), "bad_signature");
    });
  });
});
