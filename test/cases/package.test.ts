// Transport and package: from a verified index to each package.
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { temporaryName } from "../../src/files/temporary-name.ts";
import { hour, inUse, packageOf, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere, runProcess, runProgram } from "../testkit/programs/command-line.ts";
import { plain, raw } from "../testkit/servers/misbehaving-server.ts";
import { leftovers } from "../testkit/snapshot.ts";

const at = published + 2 * hour;
const name = "alpha_1.0-1_all.ipk";
const place = `feeds/base/${name}`;
const refused = (code: string) => ({ code, status: 1 });
const fetch = (archive: TestArchive) => ["fetch", "alpha", "-o", archive.out];

/** The same length, one bit changed. */
function flipped(bytes: Uint8Array, position: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[position] = (changed[position] ?? 0) ^ 1;
  return changed;
}

describe("cases: package", () => {
  const original = packageOf("alpha");
  const changes: readonly (readonly [string, Uint8Array, string])[] = [
    ["its first byte changed", flipped(original, 0), "digest_mismatch"],
    ["its last byte changed", flipped(original, original.length - 1), "digest_mismatch"],
    ["a byte longer", Buffer.concat([original, Buffer.from("x")]), "size_mismatch"],
    ["much longer", Buffer.concat([original, Buffer.alloc(1_000_000)]), "size_mismatch"],
    ["a byte shorter", original.subarray(0, -1), "size_mismatch"],
    ["empty", new Uint8Array(), "size_mismatch"],
  ];
  for (const [what, bytes, code] of changes) {
    it(`${what}: ${code}, nothing under the final name`, async () => {
      await inUse(async (archive) => {
        archive.mirror.put(place, bytes);
        await archive.refuse(refused(code), at, ...fetch(archive));
        const ended = await runProcess(archive.clientArgs(at, ...fetch(archive)));
        expect(ended.status).to.equal(1);
        await archive.expectOut();
        await fs.writeFile(archive.file(name), bytes);
        await archive.refuse(refused(code), at, "verify", archive.file("Packages"), archive.file(name));
      });
    });
  }

  it("longer than announced, without an end: size_mismatch after Size + 1 bytes", async () => {
    await inUse(async (archive) => {
      archive.mirror.behave(place, (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        socket.write(Buffer.alloc(1_000_000));
      });
      await archive.refuse(refused("size_mismatch"), at, ...fetch(archive));
    });
  });

  it("cut off, missing, or a server error: unavailable, nothing under the final name", async () => {
    await inUse(async (archive) => {
      const half = `HTTP/1.1 200 OK\r\nContent-Length: ${original.length}\r\n\r\n!<arch>\n`;
      for (const answer of [raw(half), plain(404, "gone"), plain(500, "broken"), raw("")]) {
        archive.mirror.behave(place, answer);
        await archive.refuse({ code: "unavailable", status: 69 }, at, ...fetch(archive));
      }
    });
  });

  it("one package of three bad: the others are fetched, exit 1, and the refusal outweighs a missing one", async () => {
    await inUse(async (archive) => {
      await archive.addPackage("gamma");
      await archive.publish(published + hour);
      await archive.accept(at, "update");
      archive.mirror.put(place, flipped(original, 9));
      archive.mirror.drop("feeds/base/gamma_1.0-1_all.ipk");
      const ended = await runProcess(archive.clientArgs(at, "fetch", "--all", "-o", archive.out));
      const document = documentOf(ended);
      expect([ended.status, document.ok, document.error?.code]).to.deep.equal([1, false, "digest_mismatch"]);
      expect((document.errors as { code: string }[]).map(({ code }) => code)).to.have.members([
        "digest_mismatch",
        "unavailable",
      ]);
      expect(document.packages).to.have.length(1);
      await archive.expectOut("beta_2.0-1_all.ipk");
    });
  });

  it("a package that no index lists: not_found, with a guess at what was meant; a file of one: not_listed", async () => {
    await inUse(async (archive) => {
      const missing = { code: "not_found", status: 66 };
      for (const [request, hint] of [
        ["omega", /^feeds searched: base; if the package is new/],
        ["alpah", /^did you mean "alpha"\? feeds searched/],
        ["alpha=9", /^the indexes list these versions: 1\.0-1$/],
      ] as const) {
        const { error } = await archive.refuse(missing, at, "fetch", request, "-o", archive.out);
        expect(error?.hint).to.match(hint);
      }
      const stranger = join(archive.folder, "omega_1_all.ipk");
      await fs.writeFile(stranger, packageOf("omega"));
      await archive.refuse(refused("not_listed"), at, "verify", archive.file("Packages"), stranger);
      await fs.copyFile(stranger, archive.file("omega_1_all.ipk"));
      const folder = ["--packages", join(archive.site, "feeds", "base")];
      await archive.refuse(refused("not_listed"), at, "verify", archive.file("Packages"), ...folder);
    });
  });

  it("a listed package missing from a folder: refused with --complete only", async () => {
    await inUse(async (archive) => {
      await fs.rm(archive.file(name));
      const folder = ["--packages", join(archive.site, "feeds", "base")];
      await archive.accept(at, "verify", archive.file("Packages"), ...folder);
      await archive.refuse(refused("size_mismatch"), at, "verify", archive.file("Packages"), ...folder, "--complete");
    });
  });
});

describe("cases: package, its path", () => {
  const victim = Buffer.from("the victim's own file\n");
  const paths = [
    "../alpha.ipk",
    "../../../../../../tmp/alpha.ipk",
    "a/../../alpha.ipk",
    "/etc/alpha.ipk",
    "//evil.example.org/alpha.ipk",
    "file:///etc/passwd",
    "http://evil.example.org/alpha.ipk",
    "%2e%2e/alpha.ipk",
    "a/%2E%2e/alpha.ipk",
    "..%2falpha.ipk",
    "a\\..\\..\\alpha.ipk",
    "..",
    ".",
    "a/",
    ".hidden.ipk",
    "a//alpha.ipk",
    "a/./alpha.ipk",
    "%00alpha.ipk",
    `${"a".repeat(300)}.ipk`,
  ];
  for (const path of paths) {
    it(`Filename ${path.slice(0, 40)}: bad_path, and nothing is asked or written`, async () => {
      await inUse(async (archive) => {
        const digest = createHash("sha256").update(victim).digest("hex");
        const stanza = `Package: alpha\nVersion: 9\nFilename: ${path}\nSize: ${victim.length}\nSHA256sum: ${digest}\n\n`;
        await archive.signText(stanza, published + hour);
        await archive.accept(at, "update");
        archive.mirror.behaveEverywhere(plain(200, victim));
        const asked = archive.mirror.asked.length;
        const { error } = await archive.refuse(refused("bad_path"), at, ...fetch(archive));
        expect(error?.details).to.include({ package: "alpha", line: 1 });
        expect(archive.mirror.asked.slice(asked)).to.deep.equal(["keys/archive-keyring.pgp"]);
      });
    });
  }

  it("Filename with a NUL: bad_index already", async () => {
    await inUse(async (archive) => {
      await archive.signText("Package: alpha\nVersion: 9\nFilename: a\0b.ipk\n\n", published + hour);
      await archive.refuse({ code: "bad_index", status: 65 }, at, "update");
    });
  });

  it("a query, a fragment or spaces in Filename: part of the name, asked for as such", async () => {
    await inUse(async (archive) => {
      const digest = createHash("sha256").update(victim).digest("hex");
      const odd = "a b?c#d%41.ipk";
      const stanza = `Package: alpha\nVersion: 9\nFilename: ${odd}\nSize: ${victim.length}\nSHA256sum: ${digest}\n\n`;
      await archive.signText(stanza, published + hour);
      archive.mirror.put(`feeds/base/${odd}`, victim);
      await archive.accept(at, "update");
      await archive.accept(at, ...fetch(archive));
      expect(await fs.readFile(join(archive.out, odd), "utf8")).to.equal(victim.toString());
    });
  });
});

describe("cases: package, what lies at the target", () => {
  it("a partial download of other bytes: hashed from byte 0 and replaced; no range is ever asked for", async () => {
    await inUse(async (archive) => {
      const half = packageOf("alpha").subarray(0, 100);
      await fs.writeFile(join(archive.out, name), half);
      await fs.writeFile(join(archive.out, ".feedkey-0123456789abcdef01234567.tmp"), half);
      await archive.accept(at, ...fetch(archive));
      expect((await fs.readFile(join(archive.out, name))).equals(packageOf("alpha"))).to.equal(true);
      expect(archive.mirror.requests.filter((request) => /^range:/im.test(request))).to.deep.equal([]);
    });
  });

  it("what a killed run left in the output folder: removed", async () => {
    await inUse(async (archive) => {
      await fs.mkdir(archive.out, { recursive: true });
      const [ended] = (await runProgram("sh", ["-c", "echo $$"])).stdout.split("\n");
      const left = temporaryName().replace(`-${process.pid}-`, `-${ended}-`);
      await fs.writeFile(join(archive.out, left), "half");
      await archive.accept(at, ...fetch(archive));
      await archive.expectOut(name);
      expect(await leftovers(archive.out)).to.deep.equal([]);
    });
  });

  it("the right file: nothing is downloaded, and it says so", async () => {
    await inUse(async (archive) => {
      await fs.copyFile(archive.file(name), join(archive.out, name));
      const { packages } = await archive.accept(at, ...fetch(archive));
      expect(packages).to.have.nested.property("[0].present", true);
      expect(archive.mirror.asked).to.not.include(place);
    });
  });

  it("other bytes of the same size under the final name while the mirror is bad: refused", async () => {
    await inUse(async (archive) => {
      await fs.writeFile(join(archive.out, name), flipped(packageOf("alpha"), 50));
      archive.mirror.drop(place);
      await archive.refuse({ code: "unavailable", status: 69 }, at, ...fetch(archive));
    });
  });

  for (const kind of ["file", "folder", "nothing"] as const) {
    it(`a symbolic link out of the output folder, to a ${kind}: not followed`, async () => {
      await inUse(async (archive) => {
        const target = join(archive.folder, "victim");
        if (kind === "file") await fs.writeFile(target, "mine");
        if (kind === "folder") await fs.mkdir(target);
        await fs.symlink(target, join(archive.out, name));
        await archive.accept(at, ...fetch(archive));
        await archive.expectOut(name);
        expect((await fs.lstat(join(archive.out, name))).isFile()).to.equal(true);
        if (kind === "file") expect(await fs.readFile(target, "utf8")).to.equal("mine");
        else if (kind === "folder") expect(await fs.readdir(target)).to.deep.equal([]);
        else expect(await fs.lstat(target).catch(() => "nothing")).to.equal("nothing");
      });
    });
  }

  it("a symbolic link to the right bytes: replaced by a file of its own", async () => {
    await inUse(async (archive) => {
      await fs.symlink(archive.file(name), join(archive.out, name));
      await archive.accept(at, ...fetch(archive));
      await archive.expectOut(name);
      expect((await fs.lstat(join(archive.out, name))).isFile()).to.equal(true);
    });
  });

  it("a folder under the final name: output", async () => {
    await inUse(async (archive) => {
      await fs.mkdir(join(archive.out, name));
      const ended = await runHere(archive.clientArgs(at, ...fetch(archive)));
      expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([73, "output"]);
      expect(await leftovers(archive.out)).to.deep.equal([]);
    });
  });
});
