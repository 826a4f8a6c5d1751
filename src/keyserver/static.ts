/**
 * Serves the files in a folder to opkg, pkgin, feedkey and other clients. Serves no directory listings, and no files outside the folder.
 */
import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { basename, join } from "node:path";
import send from "send";
import { openInside } from "../files/inside.ts";
import { bundlePath } from "../profile/layout.ts";
import { reply } from "./reply.ts";

/**
 * Splits the target of a request into the segments of a file's path. Returns undefined for a path that no honest client sends.
 * Treats repeated slashes as one slash, because clients often produce repeated slashes when they join URLs.
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
 * Returns a strong validator for a file (an ETag). The validator changes even if another file of the same size replaces the file within a
 * millisecond. Otherwise opkg could combine a new signature with an old cached index.
 */
async function etagOf(handle: FileHandle): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
  return `"${[ino, size, mtimeNs, ctimeNs].map((number) => number.toString(36)).join("-")}"`;
}

/** The path of the trust page. Not every archive has a trust page. If the page exists, the server redirects `/` to the page. */
const page = `${bundlePath.split("/").slice(0, -1).join("/")}/index.html`;

/**
 * Returns the path of the requested file. For the root and for the trust page's folder, returns the path of the trust page. For any other
 * folder, returns undefined, because the server has no directory listings.
 */
function fileOf(target: string, segments: readonly string[]): string | undefined {
  if (segments.length > 0 && !/\/(\?|$)/.test(target)) return segments.join("/");
  const inFolder = [...segments, "index.html"].join("/");
  return segments.length === 0 || inFolder === page ? page : undefined;
}

/**
 * The security headers for the trust page that HTML can't set. No other site may show the page in a frame, and no page of another site
 * that opens the trust page in a window can access this window.
 */
const pageHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy": "frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
};

/**
 * Answers a GET or HEAD request with a file below `root`. Supports ranges and conditional requests. Answers with 404 if the file does not
 * exist.
 */
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
  // The library reads the file through this handle. So the handle stays open until the answer ends or the client disconnects.
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
  // The library passes `fd` to fs.createReadStream, and so reads exactly the file that was checked. The stream also closes `fd`. So `fd` is
  // a handle and not a number: if feedkey and the stream closed the same number, the second close could close another file.
  const options = {
    etag: false,
    // HTTP dates have whole seconds. So the server sends no date for a file that changed in the last two seconds, because the file
    // may change again in the same second.
    lastModified: Date.now() - stat.mtimeMs > 2000,
    fd: handle,
  };
  // For a request with no-cache, the library would always send the whole file. But no-cache only tells caches to ask the server again
  // (RFC 9111 section 5.2.1.4).
  delete request.headers["cache-control"];
  const sending = send(request, name, options);
  sending.on("error", (error: { status?: number; headers?: Record<string, string> }) => {
    reply(response, error.status ?? 500, error.status === 416 ? "no such range" : "cannot be sent", error.headers);
  });
  sending.on("stream", (file: { bytesRead: number; once(event: "end", then: () => void): void }) => {
    file.once("end", () => {
      // If the file has become shorter, the server closes the connection. Otherwise the client would wait for the missing bytes.
      if (file.bytesRead < Number(response.getHeader("content-length"))) response.destroy();
    });
  });
  // The library's `pipe` sets the response too, but `pipe` would also look up a path. So feedkey sets the response itself.
  Object.assign(sending, { res: response });
  sending.send(name, stat);
}
