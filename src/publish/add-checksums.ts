/**
 * `sign --add-checksums`: adds the size and the SHA-256 digest of each package file to a summary, because `pkg_info -X` writes no
 * checksums. Refuses a summary that differs from the packages.
 */
import { createHash } from "node:crypto";
import { type FileHandle, lstat, realpath } from "node:fs/promises";
import { join, relative } from "node:path";
import { type ErrorCode, FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { openInside } from "../files/inside.ts";
import { parseFileCksum } from "../formats/pkgsrc/file-cksum.ts";
import { withFileFacts } from "../formats/pkgsrc/package-summary.ts";
import { readSummary, type SummaryStanza } from "../formats/pkgsrc/summary-stanza.ts";
import { readSummaryPackages } from "../formats/pkgsrc/summary-text.ts";
import { packagePath } from "../trust/package-path.ts";

/** Node's names for the hash algorithms in FILE_CKSUM. */
const hashNames: Readonly<Record<string, string>> = {
  md5: "md5",
  sha1: "sha1",
  rmd160: "ripemd160",
  sha224: "sha224",
  sha256: "sha256",
  sha384: "sha384",
  sha512: "sha512",
};

interface Hashed {
  readonly size: number;
  readonly digests: ReadonlyMap<string, string>;
}

/**
 * Opens a package file. Does not follow symbolic links below the folder, because a link may lead to another package.
 * @throws FeedkeyError `not_found` if the file is missing or unreadable; `bad_path` if the path leads through a link, or does not lead to
 * a regular file
 */
async function openPackageIn(folder: string, path: string): Promise<FileHandle> {
  const opened = await openInside(folder, path);
  const isThere = await lstat(path).then(
    () => true,
    () => false,
  );
  const isPlain = "handle" in opened && (await realpath(path)) === join(await realpath(folder), relative(folder, path));
  if ("handle" in opened && isPlain) return opened.handle;
  if ("handle" in opened) await opened.handle.close();
  if (isThere && !("refused" in opened && opened.refused === "denied")) {
    throw new FeedkeyError(
      "bad_path",
      `the package ${escapeText(path)} is not a plain file, or its path leads through a symbolic link`,
      {
        details: { path },
        hint: "replace the link with the package file itself",
      },
    );
  }
  throw new FeedkeyError("not_found", `the package ${escapeText(path)} can't be read`, {
    details: { path, reason: "refused" in opened ? opened.refused : "missing" },
    hint:
      "refused" in opened && opened.refused === "denied"
        ? "make the file readable by the user that runs feedkey"
        : "put the summary in the folder of its packages, or write the path of each package in FILE_NAME",
  });
}

async function hashFile(folder: string, path: string, algorithms: ReadonlySet<string>): Promise<Hashed> {
  const hashes = [...algorithms].map((name) => [name, createHash(hashNames[name] ?? name)] as const);
  const handle = await openPackageIn(folder, path);
  let size = 0;
  try {
    for await (const chunk of handle.createReadStream({ highWaterMark: 1024 * 1024, autoClose: false })) {
      size += (chunk as Buffer).length;
      for (const [, hash] of hashes) hash.update(chunk as Buffer);
    }
  } catch (cause) {
    throw new FeedkeyError("not_found", `the package ${escapeText(path)} can't be read to the end`, {
      cause,
      details: { path, reason: systemCode(cause) },
      hint: "check the disk",
    });
  } finally {
    await handle.close();
  }
  return { size, digests: new Map(hashes.map(([name, hash]) => [name, hash.digest("hex")])) };
}

function textOf({ variables }: SummaryStanza, name: string): string | undefined {
  const found = variables.find((variable) => variable.name === name);
  return found && Buffer.from(found.value).toString("utf8");
}

function differs(code: ErrorCode, stanza: SummaryStanza, path: string, what: string): FeedkeyError {
  return new FeedkeyError(
    code,
    `the package ${escapeText(path)} has a different ${what} from the package in line ${stanza.line} of the summary`,
    {
      details: { path, line: stanza.line },
      hint: "make the summary again: somebody has changed or replaced the package since then",
    },
  );
}

async function complete(stanza: SummaryStanza, folder: string): Promise<Uint8Array> {
  const filename = textOf(stanza, "FILE_NAME") ?? `${textOf(stanza, "PKGNAME")}.tgz`;
  const place = packagePath(filename);
  if ("code" in place) {
    throw new FeedkeyError(place.code, `line ${stanza.line} of the summary: ${escapeText(place.reason)}`);
  }
  const path = join(folder, place.segments.join("/"));
  const said = textOf(stanza, "FILE_CKSUM");
  const checksum = said === undefined ? undefined : parseFileCksum(said);
  if (typeof checksum === "object" && hashNames[checksum.algorithm] === undefined) {
    const problem = `line ${stanza.line} of the summary gives a digest by ${escapeText(checksum.algorithm)}, which feedkey can't compute`;
    throw new FeedkeyError("no_digest", problem, {
      details: { path, line: stanza.line },
      hint: "make the summary again, with SHA-256 digests or with none",
    });
  }
  const wanted = typeof checksum === "object" ? [checksum.algorithm] : [];
  const { size, digests } = await hashFile(folder, path, new Set(["sha256", ...wanted]));
  const saidSize = textOf(stanza, "FILE_SIZE");
  if (saidSize !== undefined && saidSize !== String(size)) throw differs("size_mismatch", stanza, path, "size");
  if (typeof checksum === "object" && digests.get(checksum.algorithm) !== checksum.hex) {
    throw differs("digest_mismatch", stanza, path, "digest");
  }
  return withFileFacts(stanza.bytes, { filename, size, sha256: digests.get("sha256") ?? "" });
}

/**
 * Returns the summary with the size and the SHA-256 digest of every package. All other bytes stay unchanged.
 * @param text the uncompressed summary
 * @param folder the folder to which the summary's file names are relative
 * @throws FeedkeyError `bad_index` if the text is not a summary; `not_found` if a package is missing; `size_mismatch` or `digest_mismatch`
 * if a package differs from the summary; `bad_path` if a package's path is not allowed
 */
export async function addChecksums(text: Uint8Array, folder: string): Promise<Uint8Array> {
  readSummaryPackages(text);
  const parts: Uint8Array[] = [];
  for (const piece of readSummary(text)) {
    parts.push(piece.kind === "blank" ? piece.bytes : await complete(piece, folder));
  }
  return Buffer.concat(parts);
}
