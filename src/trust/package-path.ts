/** T12: checks the path of a package in an index. */
import { type Refusal, refuse } from "./policy.ts";

// Percent escapes of dot, slash, backslash and NUL: a server would treat them as the characters themselves.
const sneakyEscape = /%(2e|2f|5c|00)/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const control = /[\u0000-\u001f\u007f]/;

/**
 * Splits a package's path, as the index gives it, into segments. The path must be relative and plain, and stay inside the base folder. A
 * leading `./` is allowed, because common programs write it.
 */
export function packagePath(filename: string): { readonly segments: readonly string[] } | Refusal {
  const bad = (why: string) => refuse("bad_path", `its path ${JSON.stringify(filename)} ${why}`);
  if (control.test(filename)) return bad("has a control character");
  // A URL can't contain an unpaired surrogate.
  if (/\p{Cs}/u.test(filename)) return bad("is not text");
  if (filename.includes("\\")) return bad("has a backslash");
  if (filename.startsWith("/")) return bad("is absolute");
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(filename.split("/")[0] ?? "") && filename.includes(":/")) return bad("is a URL");
  if (sneakyEscape.test(filename)) return bad("hides a dot, slash or NUL behind a percent escape");
  const segments = filename.replace(/^(\.\/)+/, "").split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    return bad("is not a plain path below the feed");
  }
  // feedkey's temporary files and the archive's own records have names that begin with a dot.
  if (segments.at(-1)?.startsWith(".") === true) return bad("names a hidden file");
  if (Buffer.byteLength(segments.at(-1) ?? "") > 255) return bad("has a name that is too long");
  return { segments };
}

/**
 * Returns the URL of a package.
 * @param archive the URL of the archive or a mirror, with a trailing slash
 * @param base the folder below `archive` to which the package's path is relative; empty for the archive itself
 */
export function packageUrl(archive: string, base: string, filename: string): { readonly url: URL } | Refusal {
  const path = packagePath(filename);
  if ("code" in path) return path;
  const folder = new URL(base === "" ? "." : `${base.split("/").map(encodeURIComponent).join("/")}/`, archive);
  const url = new URL(path.segments.map(encodeURIComponent).join("/"), folder);
  // The URL parser may change the path, so feedkey also checks that the final URL is inside the folder.
  const inside =
    url.origin === folder.origin && url.href.startsWith(folder.href) && url.search === "" && url.hash === "";
  return inside ? { url } : refuse("bad_path", `its path ${JSON.stringify(filename)} leads out of the feed`);
}
