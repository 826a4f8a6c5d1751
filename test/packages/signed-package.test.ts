import { createHash } from "node:crypto";
import { expect } from "chai";
import { HashedSource } from "../../src/packages/hashed-source.ts";
import {
  chooseBlockSize,
  formatPackageHash,
  hashPackage,
  type PackageHash,
  parsePackageHash,
} from "../../src/packages/package-hash.ts";
import { readPkgsrcPackage } from "../../src/packages/pkgsrc-package.ts";
import { signedPackage, signedParts } from "../../src/packages/signed-package.ts";
import { bytesSource } from "../../src/packages/source.ts";
import { ar } from "../testkit/packages/build-package.ts";
import { expectDamage } from "../testkit/packages/package-refusal.ts";
import { pkgsrcPackage } from "../testkit/packages/pkgsrc-package.ts";
import { refusalOf } from "../testkit/refusal.ts";

const sha512 = (bytes: Uint8Array) => createHash("sha512").update(bytes).digest("hex");
const signature = Buffer.from("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n");
const inner = pkgsrcPackage();
const make = (bytes: Uint8Array, hash = hashPackage(bytesSource(bytes), "tiny-1.0")) => {
  return Buffer.concat([...signedPackage(hash, signature, "tiny-1.0.tgz", bytesSource(bytes))]);
};
const parts = (bytes: Uint8Array) => signedParts(bytesSource(bytes));

describe("the hash file of a signed package", () => {
  it("has the form that pkg_admin writes", () => {
    const bytes = Buffer.alloc(65_536 + 4464, "feedkey");
    expect(formatPackageHash(hashPackage(bytesSource(bytes), "tiny-1.0")).toString()).to.equal(
      `pkgsrc signature

version: 1
pkgname: tiny-1.0
algorithm: SHA512
block size: 65536
file size: 70000

${sha512(bytes.subarray(0, 65_536))}
${sha512(bytes.subarray(65_536))}
end pkgsrc signature
`,
    );
  });

  it("has a block size that does not divide the file's", () => {
    expect([1, 65_535, 65_537, 131_073].map(chooseBlockSize)).to.deep.equal([65_536, 65_536, 65_536, 65_536]);
    expect([65_536, 131_072, 65_536 * 65_535].map(chooseBlockSize)).to.deep.equal([65_537, 65_537, 65_537]);
    expect(chooseBlockSize(65_536 * 65_537)).to.equal(65_538);
    const bytes = Buffer.alloc(131_072, 1);
    expect(formatPackageHash(hashPackage(bytesSource(bytes), "a-1")).toString()).to.match(/^block size: 65537$/m);
  });

  it("is read back as it was written", () => {
    for (const size of [1, 1000, 65_536, 65_537, 200_000]) {
      const hash = hashPackage(bytesSource(Buffer.alloc(size, "x")), "py311-tiny-1.0nb2");
      expect(parsePackageHash(formatPackageHash(hash))).to.deep.equal({ ...hash, digests: Buffer.from(hash.digests) });
    }
  });

  describe("is refused", () => {
    const good = formatPackageHash(hashPackage(bytesSource(inner), "tiny-1.0")).toString();
    const digest = sha512(inner);
    const cases: readonly [string, string][] = [
      ["with carriage returns", good.replaceAll("\n", "\r\n")],
      ["without its last line feed", good.slice(0, -1)],
      ["with text behind it", `${good}\n`],
      ["with text before it", `\n${good}`],
      ["of another version", good.replace("version: 1", "version: 2")],
      ["with another algorithm", good.replace("SHA512", "SHA256")],
      ["with a name that holds a space", good.replace("tiny-1.0", "tiny 1.0")],
      ["without a name", good.replace("tiny-1.0", "")],
      ["with a small block size", good.replace("65536", "1023")],
      ["with a huge block size", good.replace("65536", "16777217")],
      ["with a leading zero", good.replace("65536", "065536")],
      ["with a sign", good.replace("file size: ", "file size: +")],
      ["of no bytes", good.replace(/file size: \d+/, "file size: 0")],
      ["of more bytes than its digests cover", good.replace(/file size: \d+/, "file size: 65537")],
      ["with a digest too many", good.replace(digest, `${digest}\n${digest}`)],
      ["without digests", good.replace(`${digest}\n`, "")],
      ["with a digest in upper case", good.replace(digest, digest.toUpperCase())],
      ["with a short digest", good.replace(digest, digest.slice(1))],
    ];
    for (const [what, text] of cases) {
      it(what, async () => {
        expect(text).to.not.equal(good);
        await expectDamage(() => parsePackageHash(Buffer.from(text)), /"\+PKG_HASH"/);
      });
    }
  });
});

describe("a signed package", () => {
  it("is an ar archive of three members as libarchive's BSD form has it", () => {
    const made = make(inner);
    const hash = formatPackageHash(hashPackage(bytesSource(inner), "tiny-1.0"));
    const pad = (bytes: Uint8Array) => Buffer.from(bytes.length % 2 === 1 ? "\n" : "");
    const owner = "0           0     0     100644  ";
    expect(made.toString("latin1")).to.equal(
      Buffer.concat([
        Buffer.from(`!<arch>\n+PKG_HASH       ${owner}${String(hash.length).padEnd(10)}\`\n`),
        Buffer.concat([hash, pad(hash)]),
        Buffer.from(`#1/18           ${owner}${String(signature.length + 18).padEnd(10)}\`\n+PKG_GPG_SIGNATURE`),
        Buffer.concat([signature, pad(signature)]),
        Buffer.from(`tiny-1.0.tgz    ${owner}${String(inner.length).padEnd(10)}\`\n`),
        Buffer.concat([inner, pad(inner)]),
      ]).toString("latin1"),
    );
    expect(make(inner).equals(made), "the same each time").to.equal(true);
  });

  it("is taken apart into what it was made of, whether its sizes are odd or even", () => {
    for (const size of [1, 2, 999, 70_001]) {
      const content = Buffer.alloc(size, "content");
      const taken = parts(make(content));
      expect(Buffer.from(taken.inner.read(0, taken.inner.size)).equals(content)).to.equal(true);
      expect(Buffer.from(taken.signature).equals(signature)).to.equal(true);
      expect(taken.innerName).to.equal("tiny-1.0.tgz");
      expect(parsePackageHash(taken.hash).fileSize).to.equal(size);
    }
  });

  it("gives its metadata like an unsigned one", async () => {
    const [plain, signed] = [inner, make(inner)].map((bytes) => readPkgsrcPackage(bytesSource(bytes)));
    expect(await signed).to.deep.equal(await plain);
  });

  it("is not made of a package that changed since it was hashed", async () => {
    const hash = hashPackage(bytesSource(Buffer.alloc(70_000, 1)), "a-1");
    const other = Buffer.alloc(70_000, 1);
    other[69_999] = 2;
    expect((await refusalOf(() => make(other, hash))).code).to.equal("digest_mismatch");
    expect((await refusalOf(() => make(other.subarray(1), hash))).code).to.equal("size_mismatch");
  });

  describe("is refused", () => {
    const hash = formatPackageHash(hashPackage(bytesSource(inner), "tiny-1.0"));
    const [first, second, third] = [
      { name: "+PKG_HASH", data: hash },
      { name: "#1/18", data: Buffer.concat([Buffer.from("+PKG_GPG_SIGNATURE"), signature]) },
      { name: "tiny-1.0.tgz", data: inner },
    ];
    const flip = (text: string, by: string) =>
      Buffer.from(ar([first, second, third]).toString("latin1").replace(text, by), "latin1");
    const cases: readonly [string, Buffer, RegExp][] = [
      ["without a package", ar([first, second]), /no package inside/],
      ["without a signature", ar([first, third]), /as its second member/],
      ["without a hash file", ar([second, third]), /as its first member/],
      ["in another order", ar([second, first, third]), /as its first member/],
      ["with the package first", ar([third, first, second]), /as its first member/],
      [
        "with a further member",
        ar([first, second, third, { name: "x", data: "" }]),
        /has the member "x" after the three/,
      ],
      ["with a member before", ar([{ name: "x", data: "" }, first, second, third]), /as its first member/],
      ["with a second signature", ar([first, second, second, third]), /after the three/],
      ["with a member of another name", ar([{ ...first, name: "+pkg_hash" }, second, third]), /as its first member/],
      ["signed with X.509", ar([first, { name: "+PKG_SIGNATURE", data: "x" }, third]), /as its second member/],
      [
        "with a symbol table",
        ar([{ name: "/", data: "" }, first, second, third]),
        /does not have the form that pkg_admin/,
      ],
      [
        "with a symbol table inside",
        ar([first, { name: "/", data: "" }, second, third]),
        /does not have the form that pkg_admin/,
      ],
      [
        "with a table of names that nothing needs",
        ar([{ name: "//", data: "a/\n\n" }, first, second, third]),
        /does not have the form that pkg_admin/,
      ],
      [
        "with a GNU name among BSD ones",
        ar([{ ...first, name: "+PKG_HASH/" }, second, third]),
        /does not have the form that pkg_admin/,
      ],
      [
        "with a long name that is short",
        ar([{ name: "#1/9", data: `+PKG_HASH${hash}` }, second, third]),
        /does not have the form that pkg_admin/,
      ],
      [
        "with one member of another time",
        flip("tiny-1.0.tgz    0", "tiny-1.0.tgz    1"),
        /does not have the form that pkg_admin/,
      ],
      ["with one member of another mode", flip("100644", "100755"), /does not have the form that pkg_admin/],
      ["with bytes behind it", Buffer.concat([ar([first, second, third]), Buffer.from("\n\n")]), /./],
      ["cut off", ar([first, second, third]).subarray(0, -3), /./],
      ["empty but for the magic", ar([]), /as its first member/],
    ];
    it("in none of these cases if nothing is wrong", () => {
      expect(parts(ar([first, second, third])).innerName).to.equal("tiny-1.0.tgz");
    });
    for (const [what, bytes, message] of cases) it(what, () => expectDamage(() => parts(bytes), message));
  });
});

describe("reading through digests", () => {
  const content = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
  const hash: PackageHash = {
    pkgname: "a-1",
    blockSize: 1024,
    fileSize: content.length,
    digests: Buffer.concat(
      [0, 1, 2, 3, 4].map((i) =>
        createHash("sha512")
          .update(content.subarray(i * 1024, i * 1024 + 1024))
          .digest(),
      ),
    ),
  };

  it("gives what is there, wherever a read begins and ends", () => {
    const source = new HashedSource(bytesSource(content), hash);
    for (const [at, length] of [
      [0, 5000],
      [0, 0],
      [1023, 2],
      [1024, 1024],
      [4096, 904],
      [4999, 1],
      [100, 4000],
    ] as const) {
      expect(
        Buffer.from(source.read(at, length)).equals(content.subarray(at, at + length)),
        `${at} ${length}`,
      ).to.equal(true);
    }
    expect(Buffer.concat([...source.blocks()]).equals(content)).to.equal(true);
  });

  it("gives nothing of a block that was changed, and all of the others", async () => {
    const changed = Buffer.from(content);
    changed[2048] = 0xff;
    const source = new HashedSource(bytesSource(changed), hash);
    expect(Buffer.from(source.read(0, 2048)).equals(content.subarray(0, 2048))).to.equal(true);
    expect((await refusalOf(() => source.read(2047, 2))).code).to.equal("digest_mismatch");
    expect((await refusalOf(() => source.read(3071, 1))).code).to.equal("digest_mismatch");
    expect(Buffer.from(source.read(3072, 10)).equals(content.subarray(3072, 3082))).to.equal(true);
    expect((await refusalOf(() => [...source.blocks()])).code).to.equal("digest_mismatch");
  });

  it("finds what changes while it reads", async () => {
    const changing = Buffer.from(content);
    const source = new HashedSource(bytesSource(changing), hash);
    expect([...source.blocks()]).to.have.length(5);
    changing[0] = 1;
    expect((await refusalOf(() => source.read(0, 1))).code).to.equal("digest_mismatch");
  });

  it("refuses blocks that changed places, and reading beyond the end", async () => {
    const swapped = Buffer.concat([content.subarray(1024, 2048), content.subarray(0, 1024), content.subarray(2048)]);
    const source = new HashedSource(bytesSource(swapped), hash);
    expect((await refusalOf(() => source.read(0, 1))).code).to.equal("digest_mismatch");
    const good = new HashedSource(bytesSource(content), hash);
    expect((await refusalOf(() => good.read(4999, 2))).code).to.equal("bad_package");
    expect((await refusalOf(() => new HashedSource(bytesSource(content.subarray(1)), hash))).code).to.equal(
      "size_mismatch",
    );
  });
});
