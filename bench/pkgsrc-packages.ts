/** Packages of pkgsrc for measurements: with realistic amounts of text, always the same bytes, all different. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { tar } from "../test/testkit/packages/build-package.ts";

const words = [
  ..."the of and to a in is for it that with as on by this can be or from are an at not you which has more all".split(
    " ",
  ),
  ..."library program tool module interface server client file files network data text format language support".split(
    " ",
  ),
  ..."used written simple fast small system version provides allows using based other many various set command".split(
    " ",
  ),
  ..."programs functions user users standard common available high performance implementation protocol driver".split(
    " ",
  ),
  ..."package collection framework graphics images audio video fonts database parser compiler editor terminal".split(
    " ",
  ),
];

/** Chooses by bytes that a name gives, always the same for it. */
class Choice {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(name: string) {
    this.#bytes = createHash("shake256", { outputLength: 2048 }).update(name).digest();
  }

  below(limit: number): number {
    this.#at = (this.#at + 2) % (this.#bytes.length - 2);
    return this.#bytes.readUInt16BE(this.#at) % limit;
  }

  word(): string {
    // Most words are common ones, as in real texts.
    return words[Math.min(this.below(words.length), this.below(words.length))] ?? "";
  }

  line(count: number): string {
    return Array.from({ length: count }, () => this.word()).join(" ");
  }
}

/** The packages are called `NAME-VERSION`, NAME by number. */
export function nameOf(number: number): string {
  const choice = new Choice(`name ${number}`);
  const stem = ["", "py311-", "p5-", "lib", "ruby33-", "R-"][choice.below(6)] ?? "";
  return `${stem}${choice.word()}${number}-${choice.below(9)}.${choice.below(30)}.${choice.below(12)}nb${choice.below(5)}`;
}

/** The bytes of one `.tgz`: metadata as pkg_create lays it out, and one file. */
export function makePackage(name: string, count: number): Buffer {
  const choice = new Choice(name);
  const stem = name.slice(0, name.lastIndexOf("-"));
  const depends = Array.from({ length: 2 + choice.below(10) }, () => {
    const needed = nameOf(choice.below(count));
    const at = needed.lastIndexOf("-");
    return `${needed.slice(0, at)}>=${needed.slice(at + 1)}`;
  });
  const needs = Array.from(
    { length: choice.below(9) },
    () => `/usr/pkg/lib/lib${choice.word()}.so.${choice.below(20)}`,
  );
  const files = Array.from(
    { length: 5 + choice.below(60) },
    () => `share/${stem}/${choice.word()}${choice.below(999)}`,
  );
  const contents = ["@comment PKG_FORMAT_REVISION:1.1", `@name ${name}`, ...depends.map((one) => `@pkgdep ${one}`)];
  contents.push("@cwd /usr/pkg", "@src .");
  for (const file of files) {
    contents.push(file, `@comment MD5:${createHash("md5").update(name).update(file).digest("hex")}`);
  }
  const information = [
    "BUILD_DATE=2026-10-01 12:00:00 +0000",
    "BUILD_HOST=NetBSD machine.example.org 10.0 NetBSD 10.0 (GENERIC) amd64",
    `CATEGORIES=${choice.word()} ${choice.word()}`,
    `HOMEPAGE=https://www.example.org/${stem}/`,
    "LICENSE=modified-bsd",
    "LOCALBASE=/usr/pkg",
    "MACHINE_ARCH=x86_64",
    "OPSYS=NetBSD",
    "OS_VERSION=10.0",
    `PKGPATH=${choice.word()}/${stem}`,
    "PKGTOOLS_VERSION=20091115",
    "REQUIRES=/usr/lib/libc.so.12",
    ...needs.flatMap((one) => [`REQUIRES=${one}`, `PROVIDES=${one}.${choice.below(9)}`]),
  ];
  const description = Array.from({ length: 6 + choice.below(14) }, () => choice.line(10));
  const text = (lines: readonly string[]) => `${lines.join("\n")}\n`;
  const metadata = [
    { name: "+CONTENTS", data: text(contents) },
    { name: "+COMMENT", data: text([choice.line(6)]) },
    { name: "+DESC", data: text(description) },
    { name: "+BUILD_INFO", data: text(information) },
    { name: "+SIZE_PKG", data: text([String(10_000 + choice.below(60_000))]) },
    { name: "+SIZE_ALL", data: text([String(90_000 + choice.below(60_000))]) },
  ];
  return gzipSync(tar([...metadata, { name: files[0] ?? "", data: text(description) }]), { level: 1 });
}

/** Fills a folder with that many packages. */
export function makePkgsrcPackages(folder: string, count: number): void {
  for (let number = 0; number < count; number++) {
    const name = nameOf(number);
    fs.writeFileSync(join(folder, `${name}.tgz`), makePackage(name, count));
  }
}
