/** The lists of packages of a suite: one for each component and architecture, in several forms. */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { Release } from "../../formats/apt/release.ts";
import type { FileDigests } from "../../formats/digests.ts";
import { asBuffer } from "../../formats/line-cursor.ts";
import type { SuiteSettings } from "../../profile/types.ts";
import type { FolderView } from "../../signing/published-tree.ts";
import type { Listed } from "../feed-layout.ts";
import { compressIndex } from "../index-compression.ts";

/** The folder in which a file of this path is also published under its digest. */
export function byHashFolder(path: string): string {
  return `${posix.dirname(path)}/by-hash/SHA256`;
}

const newline = Buffer.from("\n");

/** The text of each list, by its path. Each includes the packages for all architectures. */
export function listsOf(
  { components, architectures }: SuiteSettings,
  listed: readonly Listed[],
  componentOf: (one: Listed) => string | undefined,
): Map<string, Uint8Array> {
  const lists = new Map<string, Uint8Array>();
  for (const component of components) {
    const within = listed.filter((one) => componentOf(one) === component);
    for (const architecture of architectures) {
      const those = within.filter((one) => one.architecture === architecture || one.architecture === "all");
      const text = Buffer.concat(those.flatMap(({ stanza }) => [stanza, newline]));
      lists.set(`${component}/binary-${architecture}/Packages`, text);
    }
  }
  return lists;
}

interface Form {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/**
 * A list as it is and compressed.
 * @param known files of the archive's own Release file: what it compressed before is not compressed again
 */
export async function formsOf(
  path: string,
  text: Uint8Array,
  folder: FolderView,
  known: Release["files"] | undefined,
): Promise<Form[]> {
  const plain = { name: path, bytes: text, sha256: hashOf(text) };
  const forms: Form[] = [plain];
  const isSame = known?.get(path)?.sha256 === plain.sha256;
  for (const form of ["gz", "xz"] as const) {
    const name = `${path}.${form}`;
    const there = isSame ? await readListed(folder, name, known?.get(name)) : undefined;
    const bytes = there ?? (await compressIndex(text, form));
    forms.push({ name, bytes, sha256: hashOf(bytes) });
  }
  return forms;
}

/** A file that a Release file names, found by its digest or its name; undefined if neither matches. */
async function readListed(
  folder: FolderView,
  path: string,
  digests: FileDigests | undefined,
): Promise<Uint8Array | undefined> {
  if (digests?.sha256 === undefined) return undefined;
  for (const name of [`${byHashFolder(path)}/${digests.sha256}`, path]) {
    const there = await folder.read(name);
    if (there !== undefined && there.length === digests.size && hashOf(there) === digests.sha256) return there;
  }
  return undefined;
}

/**
 * The packages of all lists that a Release file names, each once.
 * @throws FeedkeyError `bad_index` if a list differs from the Release file
 */
export async function publishedLists({ files }: Release, folder: FolderView): Promise<Uint8Array> {
  const stanzas = new Set<string>();
  for (const [path, digests] of files) {
    if (posix.basename(path) !== "Packages") continue;
    const list = await readListed(folder, path, digests);
    if (list === undefined) {
      throw new FeedkeyError(
        "bad_index",
        `${escapeText(path)} is missing, or differs from what the Release file lists`,
        {
          details: { path },
          hint: "run feedkey publish: it writes the lists again",
        },
      );
    }
    for (const stanza of asBuffer(list).toString("latin1").split("\n\n")) {
      if (stanza !== "") stanzas.add(stanza.replace(/\n$/, ""));
    }
  }
  return Buffer.from([...stanzas].map((stanza) => `${stanza}\n\n`).join(""), "latin1");
}
