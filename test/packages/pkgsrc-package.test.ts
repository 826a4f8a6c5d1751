import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import {
  addFileFacts,
  lackingVariables,
  packageName,
  summaryOf,
  withFileFacts,
} from "../../src/formats/pkgsrc/package-summary.ts";
import { usual } from "../../src/formats/pkgsrc/summary-variables.ts";
import { contentChunks } from "../../src/packages/content-stream.ts";
import { readContents, readPkgsrcPackage } from "../../src/packages/pkgsrc-package.ts";
import { type ByteSource, bytesSource } from "../../src/packages/source.ts";
import { type TarFile, tar } from "../testkit/packages/build-package.ts";
import { expectDamage } from "../testkit/packages/package-refusal.ts";
import { metadataFiles, packageTar, pkgsrcPackage } from "../testkit/packages/pkgsrc-package.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";
import { refusal } from "../testkit/refusal.ts";

const sha256 = "0123456789abcdef".repeat(4);
const summary = async (bytes: Uint8Array) => {
  return Buffer.from(summaryOf(await readPkgsrcPackage(bytesSource(bytes)))).toString("latin1");
};
const packed = (files: readonly TarFile[]) => gzipSync(tar(files));

/** What a program makes of bytes; undefined where it is not installed. */
function through(command: string, args: readonly string[], input: Uint8Array): Buffer | undefined {
  const filled = args.map((argument) => argument.replace("SIZE", String(input.length)));
  const { status, stdout, error } = spawnSync(command, filled, { input, maxBuffer: 1 << 30 });
  return error === undefined && status === 0 ? stdout : undefined;
}

/** A source that counts how much was read of it. */
function counted(bytes: Uint8Array): ByteSource & { furthest: number } {
  const inner = bytesSource(bytes);
  const source = {
    size: inner.size,
    furthest: 0,
    read(position: number, length: number) {
      source.furthest = Math.max(source.furthest, position + length);
      return inner.read(position, length);
    },
  };
  return source;
}

describe("pkgsrc packages", () => {
  it("say of themselves what pkg_info -X prints", async () => {
    const said = {
      name: "py311-tiny-1.0nb2",
      depends: ["python311>=3.11.1", "tiny-[0-9]*"],
      conflicts: ["py310-tiny-[0-9]*"],
      buildInfo: ["PKG_OPTIONS=ssl", "PROVIDES=/usr/pkg/lib/libtiny.so.1", "SUPERSEDES=tinny-[0-9]*"],
    };
    expect(await summary(pkgsrcPackage(said))).to.equal(
      [
        "PKGNAME=py311-tiny-1.0nb2",
        "DEPENDS=python311>=3.11.1",
        "DEPENDS=tiny-[0-9]*",
        "CONFLICTS=py310-tiny-[0-9]*",
        "COMMENT=Package py311-tiny that does little",
        "SIZE_PKG=4096",
        "BUILD_DATE=2026-01-01 00:00:00 +0000",
        "CATEGORIES=misc",
        "HOMEPAGE=https://www.example.org/py311-tiny/",
        "LICENSE=modified-bsd",
        "MACHINE_ARCH=x86_64",
        "OPSYS=NetBSD",
        "OS_VERSION=10.0",
        "PKGPATH=misc/py311-tiny",
        "PKGTOOLS_VERSION=20091115",
        "REQUIRES=/usr/lib/libc.so.12",
        "PKG_OPTIONS=ssl",
        "PROVIDES=/usr/pkg/lib/libtiny.so.1",
        "SUPERSEDES=tinny-[0-9]*",
        "DESCRIPTION=The package py311-tiny does little.",
        "DESCRIPTION=",
        "DESCRIPTION=Homepage:",
        "DESCRIPTION=https://www.example.org/py311-tiny/",
        "",
      ].join("\n"),
    );
  });

  it("may be old or made by hand: what they lack, their stanza lacks, as pkg_info -X prints it", async () => {
    // Spaces as old pkgsrc wrote them; pkg_add wants these three.
    const least = "MACHINE_ARCH= x86_64\nOPSYS= NetBSD\nOS_VERSION= 1.6\n";
    const files = metadataFiles().filter(({ name }) => name !== "+SIZE_PKG");
    const old = packed(files.map((file) => (file.name === "+BUILD_INFO" ? { ...file, data: least } : file)));
    const text = await summary(old);
    expect(text).to.include(
      "COMMENT=Package tiny that does little\nMACHINE_ARCH=x86_64\nOPSYS=NetBSD\nOS_VERSION=1.6\n",
    );
    expect(lackingVariables(Buffer.from(text))).to.deep.equal(usual);
    expect(lackingVariables(Buffer.from(await summary(pkgsrcPackage())))).to.deep.equal([]);
  });

  it("get the facts about their file before the description, in place of any that are there", () => {
    const own = summaryOf({
      contents: Buffer.from("@name a-1\n"),
      comment: Buffer.from("c\n"),
      description: Buffer.from("d\n"),
      buildInfo: Buffer.from(
        "BUILD_DATE=x\nCATEGORIES=x\nMACHINE_ARCH=x\nOPSYS=x\nOS_VERSION=x\nPKGPATH=x\nPKGTOOLS_VERSION=x\n",
      ),
      sizePkg: Buffer.from("1\n"),
    });
    const facts = { filename: "a-1.tgz", size: 12, sha256 };
    const whole = Buffer.from(withFileFacts(own, facts)).toString();
    expect(whole).to.match(
      new RegExp(`PKGTOOLS_VERSION=x\nFILE_NAME=a-1.tgz\nFILE_SIZE=12\nFILE_CKSUM=sha256 ${sha256}\nDESCRIPTION=d\n$`),
    );
    expect(Buffer.from(withFileFacts(Buffer.from(whole), { ...facts, size: 13 })).toString()).to.equal(
      whole.replace("FILE_SIZE=12", "FILE_SIZE=13"),
    );
    for (const write of [withFileFacts, addFileFacts]) {
      expect(refusal(() => write(own, { ...facts, filename: "a\nPKGNAME=b-1" }))).to.include({ code: "bad_package" });
      expect(Buffer.from(write(own, facts)).toString()).to.equal(whole);
    }
  });

  it("are read to the end of their metadata, however much there is of it", async () => {
    const long = (size: number) => {
      const contents = `@name tiny-1.0\n${randomBytes(size)
        .toString("hex")
        .replace(/.{100}/g, "$&\n")}\n`;
      return metadataFiles().map((file) => (file.name === "+CONTENTS" ? { ...file, data: contents } : file));
    };
    const expected = await summary(packed(metadataFiles()));
    // More than the first look holds, in the file and in what comes out of it; and nothing but metadata.
    for (const size of [10_000, 60_000, 3_000_000]) {
      expect(await summary(packed([...long(size), { name: "bin/x", data: "x" }])), String(size)).to.equal(expected);
      expect(await summary(packed(long(size))), String(size)).to.equal(expected);
    }
    const zeros = { name: "share/zeros", data: Buffer.alloc(20 << 20) };
    expect(await summary(packed([...metadataFiles(), zeros]))).to.equal(expected);
  });

  for (const [command, ...args] of [
    ["gzip", "-c1"],
    ["bzip2", "-c9"],
    ["xz", "-c0"],
    ["zstd", "-c1"],
    ["zstd", "-c1", "--no-check", "--stream-size=SIZE"],
  ] as const) {
    const line = [command, ...args].join(" ");

    it(`are read no further than needed: ${line}`, async function () {
      const large = tar([...metadataFiles(), { name: "share/data", data: randomBytes(6 << 20) }]);
      const bytes = through(command, args, large);
      if (!presentOrSkip(this, bytes, `${command} is not installed`)) return;
      const source = counted(bytes);
      const said = Buffer.from(summaryOf(await readPkgsrcPackage(source))).toString();
      expect(said).to.equal(await summary(pkgsrcPackage()));
      expect(source.furthest).to.be.lessThan(1 << 20);
    });

    it(`give their whole content, however far the first look reaches: ${line}`, async function () {
      // Its decoder takes a second for a megabyte of this.
      const [noise, rest] = command === "bzip2" ? [700_000, 300_000] : [1 << 20, 5 << 20];
      const content = Buffer.concat([randomBytes(noise), Buffer.alloc(rest, "feedkey"), randomBytes(rest >> 2)]);
      const bytes = through(command, args, content);
      if (!presentOrSkip(this, bytes, `${command} is not installed`)) return;
      const parts: Uint8Array[] = [];
      for await (const part of contentChunks(bytesSource(bytes))) parts.push(part);
      expect(Buffer.concat(parts).equals(content)).to.equal(true);
    });
  }

  it("keep their bytes, whatever the encoding", async () => {
    const files = metadataFiles().map((file) => {
      return file.name === "+COMMENT" ? { ...file, data: Buffer.from("\xe9\xff", "latin1") } : file;
    });
    expect(await summary(packed(files))).to.contain("COMMENT=\xe9\xff\n");
  });

  it("are known by their packing list, the first file", async () => {
    expect(packageName(await readContents(bytesSource(pkgsrcPackage({ name: "a-b-1.2nb3" }))))).to.equal("a-b-1.2nb3");
  });

  describe("are refused", () => {
    const files = metadataFiles();
    const without = (name: string) => files.filter((file) => file.name !== name);
    const changed = (name: string, data: string) =>
      files.map((file) => (file.name === name ? { ...file, data } : file));
    const [contents, ...rest] = files;
    const cases: readonly [string, Uint8Array, RegExp][] = [
      [
        "that begin with another file",
        packed([...rest, contents ?? { name: "" }]),
        /expected "\+CONTENTS" as its first/,
      ],
      ["with a folder before it", packed([{ name: "./", type: "5" }, ...files]), /expected "\+CONTENTS" as its first/],
      ["with a second packing list", packed([...files, ...files.slice(0, 1)]), /more than once/],
      [
        "whose packing list is a link",
        packed([{ name: "+CONTENTS", type: "2", link: "x" }, ...rest]),
        /not a regular file/,
      ],
      ["without a comment", packed(without("+COMMENT")), /has no file "\+COMMENT"/],
      ["without build information", packed(without("+BUILD_INFO")), /has no file "\+BUILD_INFO"/],
      ["without an architecture", packed(changed("+BUILD_INFO", "OPSYS=a\nOS_VERSION=1\n")), /without "MACHINE_ARCH"/],
      ["without a system", packed(changed("+BUILD_INFO", "MACHINE_ARCH=a\nOS_VERSION=1\n")), /without "OPSYS"/],
      ["without its version", packed(changed("+BUILD_INFO", "MACHINE_ARCH=a\nOPSYS=b\n")), /without "OS_VERSION"/],
      ["with a comment of two lines", packed(changed("+COMMENT", "a\nb\n")), /gives "COMMENT" a second time/],
      ["with a carriage return", packed(changed("+DESC", "a\r\n")), /can't be written into a summary/],
      ["without a name", packed(changed("+CONTENTS", "@cwd /\n")), /found 0/],
      ["with two names", packed(changed("+CONTENTS", "@name a-1\n@name b-1\n")), /found 2/],
      [
        "with a name that has no version",
        packed(changed("+CONTENTS", "@name a\n")),
        /expected one "@name NAME-VERSION"/,
      ],
      [
        "with a file beside its place",
        packed([...files.slice(0, 1), { name: "./+COMMENT", data: "x" }]),
        /not a plain name/,
      ],
      ["that lead out of themselves", packed([...files.slice(0, 1), { name: "../+COMMENT", data: "x" }]), /leads out/],
      ["of bzip2, cut off", Buffer.from("BZh91AY"), /bzip2 data is damaged or ends early/],
      ["without compression", packageTar(), /but found other data/],
      ["that are empty", Buffer.alloc(0), /but found other data/],
      ["that are cut off", pkgsrcPackage().subarray(0, 200), /damaged or ends early/],
    ];
    for (const [what, bytes, message] of cases) {
      it(what, () => expectDamage(() => summary(bytes), message));
    }
  });
});
