/** Reads `file:` URLs through the same interface as HTTP, for an archive on a disk or a USB stick. */
import type { FileHandle } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { FeedkeyError } from "../error.ts";
import { openInside } from "../files/inside.ts";
import { BodyTaker } from "./body.ts";
import { plainUrl, shown, unavailable } from "./failure.ts";
import type { AnswerHead, GetOptions, HttpAnswer } from "./types.ts";

const pieceBytes = 1024 * 1024;

function localPath(url: URL): string {
  try {
    const path = fileURLToPath(url);
    if (!path.includes("\0")) return path;
  } catch {
    // The path has an encoded slash, or the URL has a host name. The code below throws the error.
  }
  throw new FeedkeyError("bad_path", `"${shown(plainUrl(url))}" is not the address of a local file`, {
    details: { url: plainUrl(url) },
    hint: "write the address as file:///folder/file, without encoded slashes",
  });
}

/**
 * Reads a regular file below `options.root`. The answer has the status 200 and `content-length`, 404 if the file does not
 * exist, or 403 if feedkey may not read the file.
 * @throws FeedkeyError `bad_path` if `options.root` is missing, the URL names no path, or a symbolic link leads out of the
 *   root; `unavailable` (`too_large`, `cut_off`)
 */
export async function getFile(url: URL, options: GetOptions): Promise<HttpAnswer> {
  const path = localPath(url);
  const details = { url: plainUrl(url) };
  if (options.root === undefined) {
    throw new FeedkeyError("bad_path", `"${shown(details.url)}" is a local file, which is not allowed here`, {
      details,
      hint: "feedkey reads local files only for an archive whose own address begins with 'file:'",
    });
  }
  const opened = await openInside(options.root, path);
  if ("refused" in opened) {
    if (opened.refused === "outside") {
      throw new FeedkeyError("bad_path", `"${shown(details.url)}" leads out of the archive through a symbolic link`, {
        details,
        hint: "replace the link with the file itself, or change the archive's address to a folder that contains both",
      });
    }
    const status = opened.refused === "denied" ? 403 : 404;
    return { status, headers: {}, url: details.url, body: new Uint8Array(0) };
  }
  try {
    return await readWhole(url, opened.handle, options);
  } finally {
    await opened.handle.close();
  }
}

async function readWhole(url: URL, handle: FileHandle, options: GetOptions): Promise<HttpAnswer> {
  const { size } = await handle.stat();
  const head: AnswerHead = { status: 200, headers: { "content-length": String(size) }, url: plainUrl(url) };
  const taker = new BodyTaker(url, head, options);
  const length = Math.min(pieceBytes, size + 1);
  for (;;) {
    // Each piece needs a new buffer, because `taker` keeps the buffer.
    const { bytesRead, buffer } = await handle.read(new Uint8Array(length), 0, length, null).catch((cause) => {
      throw unavailable(url, "cut_off", "the file could not be read to its end", { hint: "check the disk", cause });
    });
    if (bytesRead === 0) return { ...head, body: taker.body() };
    await taker.take(buffer.subarray(0, bytesRead));
  }
}
