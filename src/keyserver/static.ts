/** Serves a folder to opkg, pkgin and feedkey: only files, no listings, nothing from outside the folder. */
import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { basename, join } from "node:path";
import send from "send";
import { openInside } from "../files/inside.ts";
import { bundlePath } from "../profile/layout.ts";
import { reply } from "./reply.ts";

/**
 * Splits the target of a request into the segments of a file's path; returns undefined if no honest client sends this
 * path. Repeated slashes count as one slash, because clients often join URLs that way.
 */
export function segmentsOf(target: string): string[] | undefined {
  const path = target.split("?", 1)[0] ?? "";
  // No path in an index has an encoded slash, backslash or NUL.
  if (!path.startsWith("/") || /\\|%2f|%5c|%00/i.test(path)) return undefined;
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  const segments = decoded.split("/").filter((segment) => segment !== "");
  return segments.includes("..") || segments.includes(".") ? undefined : segments;
}

/**
 * Returns a strong validator. It changes even if a file is replaced within one millisecond by a file of equal size:
 * otherwise opkg would get a new signature for an old cached index.
 */
async function etagOf(handle: FileHandle): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
  return `"${[ino, size, mtimeNs, ctimeNs].map((number) => number.toString(36)).join("-")}"`;
}

/** The path of the trust page, if the archive has one; `/` also serves this page. */
const page = `${bundlePath.split("/").slice(0, -1).join("/")}/index.html`;

/** Returns the file that a request means. A folder means the trust page in it, or no file: there are no listings. */
function fileOf(target: string, segments: readonly string[]): string | undefined {
  if (segments.length > 0 && !/\/(\?|$)/.test(target)) return segments.join("/");
  const inFolder = [...segments, "index.html"].join("/");
  return segments.length === 0 || inFolder === page ? page : undefined;
}

/**
 * Protection that a static page can't declare by itself: nobody may show the page in a frame, and a page that opened it
 * may not access it.
 */
const pageHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy": "frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
};

/** Answers a GET or HEAD request with a file below `root`, with ranges and conditions, or with 404 if the path is not a file. */
export async function serveFile(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const target = request.url ?? "/";
  const segments = segmentsOf(target);
  if (segments === undefined) return reply(response, 400, "bad path");
  const hidden = segments.some((segment) => segment.startsWith("."));
  const file = fileOf(target, segments);
  const opened = hidden || file === undefined ? undefined : await openInside(root, join(root, file));
  if (file === undefined || opened === undefined || "refused" in opened) return reply(response, 404, "not found");
  const { handle } = opened;
  if (segments.length === 0) {
    await handle.close();
    return reply(response, 302, "this archive has a trust page", { location: `/${page.replace("index.html", "")}` });
  }
  if (response.destroyed) return handle.close();
  // The handle is closed only after the answer was sent or the client has disconnected: the library reads the file
  // through this handle.
  response.once("close", () => void handle.close().catch(() => {}));
  const etag = await etagOf(handle);
  for (const [name, value] of file === page ? Object.entries(pageHeaders) : []) response.setHeader(name, value);
  stream(request, response, handle, await handle.stat(), basename(file), etag);
}

function stream(
  request: IncomingMessage,
  response: ServerResponse,
  handle: FileHandle,
  stat: Stats,
  name: string,
  etag: string,
): void {
  response.setHeader("ETag", etag);
  response.setHeader("Cache-Control", "no-cache");
  response.setHeader("X-Content-Type-Options", "nosniff");
  // The library passes unknown options to fs.createReadStream, so it reads exactly the file that was checked. The option is a
  // handle and not a number, because the stream closes it too: a number that is closed twice may belong to another file by then.
  const options = {
    etag: false,
    // The date has whole seconds: it can't distinguish two versions of a file from one second.
    lastModified: Date.now() - stat.mtimeMs > 2000,
    fd: handle,
  };
  // The library takes no-cache for a request for the whole file, but no-cache only tells caches to ask here (RFC 9111 section
  // 5.2.1.4).
  delete request.headers["cache-control"];
  const sending = send(request, name, options);
  sending.on("error", (error: { status?: number; headers?: Record<string, string> }) => {
    reply(response, error.status ?? 500, error.status === 416 ? "no such range" : "cannot be sent", error.headers);
  });
  sending.on("stream", (file: { bytesRead: number; once(event: "end", then: () => void): void }) => {
    file.once("end", () => {
      // The file became shorter in the meantime: the client must see a broken answer instead of waiting for the rest.
      if (file.bytesRead < Number(response.getHeader("content-length"))) response.destroy();
    });
  });
  // The response is set here because `pipe`, which usually sets it, would look up a path.
  Object.assign(sending, { res: response });
  sending.send(name, stat);
}
