/** Packages and indexes for measurements: always the same bytes, all different. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ar, controlTar, tar, VERSION } from "../test/testkit/packages/build-package.ts";

/** Incompressible bytes, always the same for a name. */
function noise(name: string, length: number): Buffer {
  return createHash("shake256", { outputLength: length }).update(name).digest();
}

function controlOf(name: string, version: string): string {
  const random = noise(`control of ${name}`, 64).toString("hex");
  return [
    `Package: ${name}`,
    `Version: ${version}`,
    "Architecture: amd64",
    "Maintainer: A. Keeper <keeper@example.org>",
    `Installed-Size: ${(Number.parseInt(random.slice(0, 4), 16) % 9000) + 40}`,
    `Depends: libc6 (>= 2.36), lib${random.slice(4, 12)} (>= 1.${random.charCodeAt(5)}), ${name}-data (= ${version})`,
    `Recommends: ${random.slice(12, 20)} | ${random.slice(20, 30)}`,
    "Section: utils",
    "Priority: optional",
    `Homepage: https://example.org/${name}`,
    `Description: a package that does ${random.slice(30, 40)}`,
    ` It holds ${random.slice(40, 70)} and whatever comes with it, so that its text is about as long`,
    " as that of packages which one meets in an archive.",
    " .",
    ` Its other name is ${random.slice(70, 128)}.`,
    "",
  ].join("\n");
}

/** The bytes of one .deb file of about `size` bytes. */
export function makeDeb(name: string, version: string, size: number): Buffer {
  const data = gzipSync(tar([{ name: `./usr/share/${name}`, data: noise(name, size) }]), { level: 1 });
  const control = gzipSync(controlTar(controlOf(name, version)));
  return ar([VERSION, { name: "control.tar.gz", data: control }, { name: "data.tar.gz", data }]);
}

/** Writes a .deb of about `size` bytes, of any size: its data is not really compressed, because nothing extracts it. */
export function writeLargeDeb(file: string, name: string, size: number): void {
  const control = gzipSync(controlTar(controlOf(name, "1.0")));
  const piece = noise(name, 1 << 20);
  const pieces = Math.ceil(size / piece.length);
  const member = "data.tar.gz".padEnd(16) + "0".padEnd(12) + "0".padEnd(6).repeat(2) + "100644".padEnd(8);
  const descriptor = fs.openSync(file, "w");
  try {
    fs.writeSync(descriptor, ar([VERSION, { name: "control.tar.gz", data: control }]));
    fs.writeSync(descriptor, `${member}${String(pieces * piece.length).padEnd(10)}\`\n`);
    for (let count = 0; count < pieces; count++) fs.writeSync(descriptor, piece);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Fills a folder with packages, in as many subfolders as archives have. */
export function makePackages(folder: string, count: number, size: number): void {
  for (let number = 0; number < count; number++) {
    const name = `pack${String(number).padStart(6, "0")}`;
    const place = join(folder, String(number % 20).padStart(2, "0"));
    fs.mkdirSync(place, { recursive: true });
    fs.writeFileSync(join(place, `${name}_1.0_amd64.deb`), makeDeb(name, "1.0", size));
  }
}

/** Adds stanzas of packages that are elsewhere until the index is as long as wanted. */
export function padIndex(file: string, bytes: number): void {
  const stanzas = [fs.readFileSync(file, "utf8")];
  let length = Buffer.byteLength(stanzas[0] ?? "");
  for (let number = 0; length < bytes; number++) {
    const name = `else${String(number).padStart(6, "0")}`;
    const hash = (algorithm: string) => createHash(algorithm).update(name).digest("hex");
    const place = `Filename: pool/${name}_2.0_amd64.deb\nSize: ${20_000 + number}\nMD5Sum: ${hash("md5")}\n`;
    const stanza = `${controlOf(name, "2.0")}${place}SHA256sum: ${hash("sha256")}\n\n`;
    length += Buffer.byteLength(stanza);
    stanzas.push(stanza);
  }
  fs.writeFileSync(file, stanzas.join(""));
}
