/** Reads files of the archive that this page belongs to. */
import { FeedkeyError } from "../../error.ts";
import { bundlePath } from "../../profile/layout.ts";
import { withoutTrailing } from "../../trailing.ts";
import type { Source } from "../check-archive.ts";

/** The name of the folder with the page and the key bundle, below the archive's root. */
const [folder = ""] = bundlePath.split("/");

/**
 * Returns the archive's root: the parent of the page's folder. A server may write the page's address in several forms: with or without
 * `index.html`, with or without a slash at the end.
 */
export function rootOf(address: string): URL {
  const url = new URL(address);
  const path = withoutTrailing(url.pathname.replace(/\/index\.html$/, "/"), "/");
  const above = path.endsWith(`/${folder}`) ? path.slice(0, -folder.length) : `${path}/`;
  return new URL(above, url.origin);
}

function unavailable(path: string, why: string, cause?: unknown): FeedkeyError {
  return new FeedkeyError("unavailable", `${path}: ${why}`, { cause });
}

/** Matches names of compressed files. Some servers decompress files in transit, and so do not send the bytes that were signed. */
const compressed = /\.(gz|xz|zst|bz2)$/;

/** Returns a source that reads files below the archive's root, and only from the page's own origin. */
export function filesBelow(root: URL): Source {
  return async (path, limit) => {
    const url = new URL(path.split("/").map(encodeURIComponent).join("/"), root);
    const response = await fetch(url, { cache: "no-store", redirect: "error" }).catch((cause: unknown) => {
      throw unavailable(path, "the server can't be reached", cause);
    });
    const isUnpacked = compressed.test(path) && response.headers.has("content-encoding");
    if (response.status === 404 || response.status === 410 || isUnpacked) {
      await response.body?.cancel();
      return undefined;
    }
    if (response.status !== 200 || response.body === null) {
      throw unavailable(path, `the server answers with status ${response.status}`);
    }
    return await readAll(response.body, path, limit);
  };
}

async function readAll(body: ReadableStream<Uint8Array>, path: string, limit: number): Promise<Uint8Array> {
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw unavailable(path, "the connection broke", cause);
    });
    if (done) return Buffer.concat(pieces, length);
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      throw new FeedkeyError("bad_index", `${path} is larger than the limit of ${limit} bytes`, {
        details: { reason: "too_large" },
      });
    }
    pieces.push(value);
  }
}
