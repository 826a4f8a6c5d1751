/** Makes real opkg packages for the demo, from the project's own documents. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { tar } from "./tar.ts";

const compress = promisify(gzip);

async function tarOf(files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  return await compress(tar(files));
}

/**
 * Writes an `.ipk`: a gzip-compressed tar archive of `debian-binary`, `control.tar.gz` and `data.tar.gz`, as opkg-build does.
 * @returns the file's name
 */
export async function writePackage(
  folder: string,
  name: string,
  version: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<string> {
  const control = [
    `Package: ${name}`,
    `Version: ${version}`,
    "Architecture: all",
    "Maintainer: Demo <archive@demo.example>",
    `Description: ${name} of the demo archive`,
    "",
  ].join("\n");
  const bytes = await tarOf(
    new Map([
      ["./debian-binary", Buffer.from("2.0\n")],
      ["./control.tar.gz", await tarOf(new Map([["./control", Buffer.from(control)]]))],
      ["./data.tar.gz", await tarOf(files)],
    ]),
  );
  const file = `${name}_${version}_all.ipk`;
  await writeFile(join(folder, file), bytes);
  return file;
}

/** Makes packages from the project's licence, README and change log. */
export async function writeDemoPackages(folder: string): Promise<void> {
  for (const paper of ["LICENSE", "README.md", "CHANGELOG.md"]) {
    const bytes = await readFile(new URL(`../../../${paper}`, import.meta.url));
    const name = `feedkey-${paper.toLowerCase().replace(/\..*$/, "")}`;
    await writePackage(folder, name, "1.0", new Map([[`./usr/share/doc/feedkey/${paper}`, bytes]]));
  }
}
