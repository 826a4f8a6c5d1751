/** Reads the package lists in a suite: one list for each component and architecture, each in several compressed forms. */
import { posix } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { Release } from "../../formats/apt/release.ts";
import type { FileDigests } from "../../formats/digests.ts";
import type { HashedDocument } from "../../openpgp/packet/hashed-document.ts";
import type { SuiteSettings } from "../../profile/types.ts";
import type { FolderView } from "../../signing/published-tree.ts";

/** Returns the folder in which clients find a file by its digest. */
export function byHashFolder(path: string): string {
  return `${posix.dirname(path)}/by-hash/SHA256`;
}

/**
 * Returns the names of a suite's package lists.
 * @param component if given, only the lists for this component
 * @param architecture if given, only the lists with packages for this architecture
 */
export function listsOf(
  { components, architectures }: SuiteSettings,
  component?: string,
  architecture = "all",
): string[] {
  const within = component === undefined ? components : [component];
  const those = architecture === "all" ? architectures : [architecture];
  return within.flatMap((one) => those.map((other) => `${one}/binary-${other}/Packages`));
}

/**
 * Reads a file that a Release file lists, by the file's digest or by its name. Returns undefined if neither path leads to a file with
 * the right contents.
 */
export async function readListed(
  folder: FolderView,
  path: string,
  digests: FileDigests | undefined,
): Promise<HashedDocument | undefined> {
  if (digests?.sha256 === undefined) return undefined;
  for (const name of [`${byHashFolder(path)}/${digests.sha256}`, path]) {
    const there = await folder.document(name);
    if (there?.length === digests.size && there.sha256 === digests.sha256) return there;
  }
  return undefined;
}

/**
 * Reads the texts of all package lists that a Release file names.
 * @throws FeedkeyError `bad_index` if a list does not match the Release file
 */
export async function publishedLists({ files }: Release, folder: FolderView): Promise<Map<string, HashedDocument>> {
  const texts = new Map<string, HashedDocument>();
  for (const [path, digests] of files) {
    if (posix.basename(path) !== "Packages") continue;
    const list = await readListed(folder, path, digests);
    if (list === undefined) {
      throw new FeedkeyError(
        "bad_index",
        `${escapeText(path)} is missing, or differs from its entry in the Release file`,
        {
          details: { path },
          hint: "run feedkey publish, which writes the lists again",
        },
      );
    }
    texts.set(path, list);
  }
  return texts;
}
