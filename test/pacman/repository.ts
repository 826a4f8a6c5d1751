/** A repository of pacman's with its keeper's key store, and feedkey's client of it, which reads from the disk. */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Instant } from "../../src/time.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { SignedFolder } from "../testkit/archives/signed-folder.ts";
import { day } from "../testkit/dates.ts";
import { tar } from "../testkit/packages/build-package.ts";

/** The fields of a package in a database; `undefined` leaves one out. */
export type Fields = Readonly<Record<string, string | undefined>>;

export const fileName = (name: string) => `${name}-1.0-1-any.pkg.tar.gz`;

/** A package that pacman can install: its description and a file. */
export function packageOf(name: string): Buffer {
  const lines = { pkgname: name, pkgbase: name, pkgver: "1.0-1", pkgdesc: name, url: "https://example.org" };
  const rest = { builddate: "1700000000", packager: "A. Keeper <keeper@example.org>", size: "5", arch: "any" };
  const info = Object.entries({ ...lines, ...rest }).map(([key, value]) => `${key} = ${value}\n`);
  return gzipSync(
    tar([
      { name: ".PKGINFO", data: info.join("") },
      { name: "opt/", type: "5" },
      { name: `opt/${name}`, data: `${name}\n` },
    ]),
  );
}

/** The description of a package as repo-add writes it. */
export function describePackage(name: string, fields: Fields = {}): string {
  const bytes = packageOf(name);
  const all: Fields = {
    FILENAME: fileName(name),
    NAME: name,
    VERSION: "1.0-1",
    CSIZE: String(bytes.length),
    MD5SUM: createHash("md5").update(bytes).digest("hex"),
    SHA256SUM: createHash("sha256").update(bytes).digest("hex"),
    ARCH: "any",
    ...fields,
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return given.map(([field, value]) => `%${field}%\n${value}\n\n`).join("");
}

export const databaseOf = (descriptions: Readonly<Record<string, string>>) =>
  tar(Object.entries(descriptions).map(([folder, data]) => ({ name: `${folder}-1.0-1/desc`, data })));

export class Repository extends SignedFolder {
  static async make(): Promise<Repository> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-pacman-"));
    const repository = new Repository(folder, await addKey(join(folder, "home")));
    await fs.mkdir(repository.site, { recursive: true });
    for (const name of ["alpha", "beta"]) await fs.writeFile(join(repository.site, fileName(name)), packageOf(name));
    const lines = ["[archive]", "name = Example", `url = file://${folder}/site/`, "user-email = archive@example.org"];
    lines.push("[trust]", "keyring = home/certs", `seeds = ${repository.key}`, "keyservers = none");
    lines.push("[feed example]", "format = pacman", "path = x86_64", "max-index-size = 1M");
    await fs.writeFile(join(folder, "example.ini"), `${lines.join("\n")}\n`);
    await repository.write(databaseOf({ alpha: describePackage("alpha"), beta: describePackage("beta") }));
    return repository;
  }

  get site(): string {
    return join(this.folder, "site", "x86_64");
  }

  get database(): string {
    return join(this.site, "example.db");
  }

  /** Writes a database, compressed as it is. */
  async write(bytes: Uint8Array): Promise<void> {
    await fs.writeFile(this.database, bytes);
  }

  async sign(at: Instant = day(10), ...args: readonly string[]): Promise<void> {
    await this.accept(at, "sign", this.database, "--key", this.key, "--feed", "example", ...args);
  }

  async remove(): Promise<void> {
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}
