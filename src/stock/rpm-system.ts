/** Finds the system that contains a key file for dnf or zypper, and the repositories that name this file. */

import * as fs from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../error.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import type { Fingerprint } from "../trust/facts.ts";

/** A key file, with the root of its system: `/`, or the folder of a system under installation. */
interface SystemFile {
  readonly root: string;
  /** The file's path below the system's root. */
  readonly name: string;
}

/** What an export writes for dnf or zypper. */
export interface KeyFile {
  /** The path of the key file. */
  readonly path: string;
  readonly certificates: readonly RawCertificate[];
  /** The keys that the program must not have. */
  readonly barred: ReadonlySet<Fingerprint>;
}

/**
 * Finds the system of a key file, from the file's path.
 * @param folder the folder for key files below the root of a system, without slashes at its ends
 * @returns undefined if the file is not in such a folder
 */
export function systemFile(path: string, folder: string): SystemFile | undefined {
  const end = path.lastIndexOf("/");
  const name = `/${folder}${path.slice(end)}`;
  return path.endsWith(name) ? { root: path.slice(0, -name.length) || "/", name } : undefined;
}

/** A section of a .repo file: one repository. */
export interface RpmRepository {
  readonly id: string;
  readonly values: ReadonlyMap<string, string>;
}

/** Reads the sections of a .repo file: `[ID]`, lines `key = value`, and lines with a leading blank, which continue a value. */
export function readRepositories(text: string): RpmRepository[] {
  const found: { id: string; values: Map<string, string> }[] = [];
  let key = "";
  for (const line of text.split(/\r?\n/)) {
    const section = /^\[([^\]]+)\]/.exec(line)?.[1];
    const [, name, value = ""] = /^([A-Za-z_]+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    const values = found.at(-1)?.values;
    if (section !== undefined) found.push({ id: section, values: new Map() });
    else if (name !== undefined) {
      key = name;
      values?.set(key, value.trim());
    } else if (/^[ \t]+\S/.test(line)) values?.set(key, `${values.get(key) ?? ""} ${line.trim()}`.trim());
  }
  return found;
}

/** Returns the names in a folder; an empty list if the folder is missing. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await fs.readdir(folder)).sort();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

/** Finds the repositories in a system that name a key file. @param folder the folder of .repo files, below the root */
export async function repositoriesWith({ root, name }: SystemFile, folder: string): Promise<RpmRepository[]> {
  const found: RpmRepository[] = [];
  for (const file of (await namesIn(join(root, folder))).filter((one) => one.endsWith(".repo"))) {
    const text = await fs.readFile(join(root, folder, file), "utf8").catch(() => "");
    const hasKey = ({ values }: RpmRepository) => wordsOf(values.get("gpgkey")).includes(`file://${name}`);
    for (const repository of readRepositories(text).filter(hasKey)) found.push(repository);
  }
  return found;
}

/** Splits a value into words at blanks and commas. */
export function wordsOf(value: string | undefined): string[] {
  return (value ?? "").split(/[\s,]+/).filter((word) => word !== "");
}
