/** Reads values that occur in both profiles and `archive.ini`: addresses, fingerprints, paths. */
import type { ErrorAt } from "./config-error.ts";
import type { IniValue } from "./ini.ts";

/**
 * Returns an archive's URL, normalised, with a trailing slash.
 * @throws what `errorAt` makes, if the text is not an https, http or file URL, or has credentials, a query or a fragment
 */
export function readArchiveUrl({ text, line }: IniValue, errorAt: ErrorAt): string {
  const hint = 'write the user name and password into the file that the line "credentials" names, or into ~/.netrc';
  refuseCredentials(text, line, errorAt, hint);
  // The URL parser (WHATWG) silently corrects many errors, such as backslashes, spaces and missing slashes. feedkey refuses these errors.
  const url = /^(https?:\/\/[^/]|file:\/\/\/)[^\s\\]*$/i.test(text) ? parseUrl(text) : undefined;
  if (url === undefined) {
    throw errorAt(
      line,
      `"${text}" is not the URL of an archive`,
      "write https://host/path/, http://host/path/ or file:///path/",
    );
  }
  refuseQuery(text, line, errorAt);
  return url.href.endsWith("/") ? url.href : `${url.href}/`;
}

/**
 * Returns the key servers as `hkps://host` or `hkps://host:port`; an empty list if the value is `none`.
 * @throws what `errorAt` makes, if a value is not a key server's address, `none` stands beside a server, or a server is repeated
 */
export function readKeyservers(list: readonly IniValue[], errorAt: ErrorAt): string[] {
  if (list.length === 1 && list[0]?.text === "none") return [];
  const servers: string[] = [];
  for (const value of list) {
    if (value.text === "none") throw errorAt(value.line, '"none" can\'t be combined with key servers');
    const server = readKeyserver(value, errorAt);
    if (servers.includes(server)) throw errorAt(value.line, `key server ${server} appears twice`);
    servers.push(server);
  }
  return servers;
}

function readKeyserver({ text, line }: IniValue, errorAt: ErrorAt): string {
  refuseCredentials(text, line, errorAt);
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/([^\s\\]+)$/i.exec(text) ?? [];
  if (scheme.toLowerCase() !== "hkps") {
    const hint = /^(hkp|http|https)$/i.test(scheme)
      ? `key servers are asked over TLS only: write hkps://${rest}`
      : "write hkps://host";
    throw errorAt(line, `"${text}" is not an hkps:// URL of a key server`, hint);
  }
  // The URL is parsed as https. So host names are normalised, and the default port is 443, as for HKPS.
  const url = rest.startsWith("/") ? undefined : parseUrl(`https://${rest}`);
  if (url === undefined) throw errorAt(line, `"${text}" is not an hkps:// URL of a key server`, "write hkps://host");
  refuseQuery(text, line, errorAt);
  if (url.pathname !== "/") throw errorAt(line, `key server "${text}" has a path`, `write hkps://${url.host}`);
  return `hkps://${url.host}`;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Refuses credentials in a URL. This check comes first: messages of later checks repeat the URL, and a password must not get into logs. */
function refuseCredentials(text: string, line: number, errorAt: ErrorAt, hint?: string): void {
  if (/:\/\/[^/]*@/.test(text)) {
    throw errorAt(line, "a URL with a user name or password is refused", hint);
  }
}

function refuseQuery(text: string, line: number, errorAt: ErrorAt): void {
  if (/[?#]/.test(text)) throw errorAt(line, `URL "${text}" has a query or a fragment`);
}

/**
 * Returns a full fingerprint in upper case, without the spaces that gpg prints between groups.
 * @throws what `errorAt` makes, if the text is anything but 40 or 64 hex digits
 */
export function readFingerprint({ text, line }: IniValue, errorAt: ErrorAt): string {
  const digits = text.replace(/ /g, "").toUpperCase();
  if (/^([0-9A-F]{40}|[0-9A-F]{64})$/.test(digits)) return digits;
  const keyId = /^(0X)?([0-9A-F]{8}|[0-9A-F]{16})$/.test(digits);
  throw errorAt(
    line,
    keyId
      ? `"${text}" is a key ID: a full fingerprint is needed`
      : `"${text}" is not a fingerprint of 40 or 64 hex digits`,
    "gpg --show-keys FILE prints the full fingerprint",
  );
}

/**
 * Returns a path below the archive; empty for `.`, the archive itself.
 * @throws what `errorAt` makes, if the path is absolute, leads out of the archive, or would mean something else in a URL
 */
export function readFolder(key: string, { text, line }: IniValue, errorAt: ErrorAt): string {
  if (text === ".") return "";
  const refuse = (why: string) => errorAt(line, `"${key}" must be a path below the archive: "${text}" ${why}`);
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) throw refuse("is a URL");
  if (/[\\%?#\p{Cc}]/u.test(text)) throw refuse("has a backslash, %, ?, # or control character");
  if (text.startsWith("/")) throw refuse("is absolute");
  const segments = text.split("/");
  if (segments.includes("")) throw refuse("has an empty segment");
  if (segments.includes(".") || segments.includes("..")) throw refuse('has a segment "." or ".."');
  return text;
}

/**
 * Returns the name of a feed, which must be a word that can name a folder.
 * @throws what `errorAt` makes, if the name is not such a word
 */
export function readFeedName(name: string, line: number, errorAt: ErrorAt): string {
  if (/^[A-Za-z0-9._-]+$/.test(name) && name !== "." && name !== "..") return name;
  throw errorAt(line, `"${name}" can't be the name of a feed`, "use letters, digits, dots, dashes and underscores");
}

/**
 * Refuses a name that, as part of a URL, does not mean a file in the feed's own folder.
 * @throws what `errorAt` makes, if the name is refused
 */
export function refuseOddName({ text, line }: IniValue, errorAt: ErrorAt): void {
  if (!/[/\\%?#\p{Cc}]/u.test(text) && text !== "." && text !== "..") return;
  throw errorAt(line, `"index" must be the plain name of a file, not "${text}"`);
}
