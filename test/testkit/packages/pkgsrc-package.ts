/** Builds pkgsrc binary packages as pkg_create lays them out, and signed ones by hand. */
import { gzipSync } from "node:zlib";
import { type TarFile, tar } from "./build-package.ts";

export interface PackageSaid {
  readonly name?: string;
  readonly depends?: readonly string[];
  readonly conflicts?: readonly string[];
  /** Further lines of `+BUILD_INFO`. */
  readonly buildInfo?: readonly string[];
  /** Files that it installs. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Files of metadata in the order of pkg_create. */
export function metadataFiles(said: PackageSaid = {}): TarFile[] {
  const {
    name = "tiny-1.0",
    depends = [],
    conflicts = [],
    buildInfo = [],
    files = { "bin/tiny": "#!/bin/sh\n" },
  } = said;
  const stem = name.slice(0, name.lastIndexOf("-"));
  const contents = [
    "@comment PKG_FORMAT_REVISION:1.1",
    `@name ${name}`,
    "@comment Packaged at 2026-01-01 00:00 UTC by builder@machine.example.org",
    ...depends.flatMap((one) => [`@blddep ${one.replace(/[>=<[].*$/, "")}-1.0`, `@pkgdep ${one}`]),
    ...conflicts.map((one) => `@pkgcfl ${one}`),
    "@cwd /usr/pkg",
    "@src .",
    ...Object.keys(files).flatMap((path) => [path, "@comment MD5:d41d8cd98f00b204e9800998ecf8427e"]),
    "",
  ];
  const information = [
    "ABI=",
    "BUILD_DATE=2026-01-01 00:00:00 +0000",
    "BUILD_HOST=NetBSD machine.example.org 10.0 NetBSD 10.0 (GENERIC) amd64",
    "CATEGORIES=misc",
    `HOMEPAGE=https://www.example.org/${stem}/`,
    "LICENSE=modified-bsd",
    "LOCALBASE=/usr/pkg",
    "MACHINE_ARCH=x86_64",
    "OPSYS=NetBSD",
    "OS_VERSION=10.0",
    `PKGPATH=misc/${stem}`,
    "PKGTOOLS_VERSION=20091115",
    "REQUIRES=/usr/lib/libc.so.12",
    ...buildInfo,
    "",
  ];
  return [
    { name: "+CONTENTS", data: contents.join("\n") },
    { name: "+COMMENT", data: `Package ${stem} that does little\n` },
    { name: "+DESC", data: `The package ${stem} does little.\n\nHomepage:\nhttps://www.example.org/${stem}/\n` },
    { name: "+DEINSTALL", data: "#!/bin/sh\nexit 0\n" },
    { name: "+BUILD_INFO", data: information.join("\n") },
    { name: "+SIZE_PKG", data: "4096\n" },
    { name: "+SIZE_ALL", data: "8192\n" },
  ];
}

/** The tar archive inside of a package. */
export function packageTar(said: PackageSaid = {}): Buffer {
  const files = Object.entries(said.files ?? { "bin/tiny": "#!/bin/sh\n" });
  return tar([...metadataFiles(said), ...files.map(([name, data]) => ({ name, data }))]);
}

/** An unsigned package, `.tgz`. */
export function pkgsrcPackage(said: PackageSaid = {}): Buffer {
  return gzipSync(packageTar(said));
}
