/** Finds the files in the local tree to upload: all files except files whose names begin with a dot. */
import { createHash } from "node:crypto";
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { FeedkeyError, systemCode } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { isWithin } from "../../files/folder.ts";
import { openInside } from "../../files/inside.ts";
import { outputError } from "../../files/system-error.ts";
import { maxObject, type NewObject } from "../../object-store/bucket.ts";
import type { Upload } from "./bucket-record.ts";

export interface LocalFile extends Pick<Upload, "size" | "modified"> {
  /** The path below the root, with `/` between names. */
  readonly path: string;
}

/** Files up to this size, in bytes, stay in memory while feedkey sends them. */
const smallBytes = 1024 * 1024;

function odd(
  path: string,
  problem: string,
  hint = "replace this entry with a plain file, or remove it, and then publish again",
): FeedkeyError {
  return new FeedkeyError("bad_path", `${escapeText(path)} ${problem}`, { details: { path }, hint });
}

/**
 * Returns the files to upload. A link to a file inside the root counts as a file. Skips links to folders, because an object store has no
 * links.
 * @throws FeedkeyError `bad_path` if a link leads outside, a file is too large, or an entry is not a file; `output` if the tree is
 * unreadable
 */
export async function localFiles(root: string): Promise<LocalFile[]> {
  const top = await realpath(root);
  const found: LocalFile[] = [];
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await readdir(join(top, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) {
        pending.push(path);
        continue;
      }
      const place = join(top, path);
      if (entry.isSymbolicLink() && !isWithin(top, await realpath(place).catch(() => "/"))) {
        throw odd(place, "is a link that leads out of the archive, or to no file");
      }
      const there = await stat(place).catch((error: unknown) => {
        throw outputError(error, place);
      });
      if (there.isDirectory()) continue;
      if (!there.isFile()) throw odd(place, "is not a plain file");
      if (there.size > maxObject) {
        const problem = `has ${there.size} bytes, but an object store accepts at most ${maxObject} (5 GiB) in one request`;
        throw odd(place, problem, "feedkey uploaded nothing: divide the file, or publish it on another kind of server");
      }
      found.push({ path, size: there.size, modified: there.mtimeMs });
    }
  }
  return found;
}

/** The digests of a file to upload, in lower-case hex. */
export interface Digests {
  readonly md5: string;
  readonly sha256: string;
}

async function open(root: string, path: string) {
  const opened = await openInside(root, join(root, path)).catch((error: unknown) => {
    throw systemCode(error) === undefined ? error : outputError(error, join(root, path));
  });
  if ("handle" in opened) return opened.handle;
  throw odd(
    join(root, path),
    "changed while feedkey was uploading it",
    "run the command again when the program that writes the file has ended",
  );
}

/**
 * Computes a file's digests. feedkey needs the MD5 digest because it is usually the object's ETag.
 * @throws FeedkeyError `bad_path` or `output` if the file is unreadable
 */
export async function digestsOf(root: string, path: string): Promise<Digests> {
  const [md5, sha256] = [createHash("md5"), createHash("sha256")];
  for await (const chunk of (await open(root, path)).createReadStream()) {
    md5.update(chunk);
    sha256.update(chunk);
  }
  return { md5: md5.digest("hex"), sha256: sha256.digest("hex") };
}

/**
 * Reads a small file.
 * @throws FeedkeyError `bad_path` or `output` if the file is unreadable
 */
export async function readLocal(root: string, { path }: LocalFile): Promise<Uint8Array> {
  const handle = await open(root, path);
  return await handle.readFile().finally(() => handle.close());
}

/** Returns an object for a file. If the file changes during the upload, the digest does not match and the server refuses the object. */
export function fileObject(
  root: string,
  file: LocalFile & Digests,
  headers: Readonly<Record<string, string>>,
): NewObject {
  const body = async () => {
    if (file.size <= smallBytes) return await readLocal(root, file);
    return (await open(root, file.path)).createReadStream({ start: 0, end: file.size - 1 });
  };
  return { size: file.size, sha256: file.sha256, headers, body };
}
