/**
 * Reads user names, passwords and tokens for private archives, in the format of .netrc (curl) and apt_auth.conf(5). feedkey is
 * stricter than curl and apt: an entry applies to only one scheme, host and port, and to whole folders.
 */

/** The credentials in one entry, and the URLs for which feedkey may send these credentials. */
export interface Credentials {
  readonly protocol: "https:" | "http:";
  /** The host and port as in a URL, which leaves out the scheme's default port. */
  readonly host: string;
  /** The path of a folder, with a slash at the beginning and the end; the entry applies to everything below this folder. */
  readonly folder: string;
  /** The value of the header `Authorization`. */
  readonly authorization: string;
}

/** Returns the value of the header `Authorization` for a URL; undefined if feedkey must not send this header. */
export type FindCredentials = (url: URL) => Promise<string | undefined>;

/**
 * Receives the line number of a syntax error and a description. The description never contains the line's text, which may be a
 * password.
 */
type TellProblem = (line: number, problem: string) => void;

interface Token {
  readonly text: string;
  readonly line: number;
}

const fields = ["login", "password", "token", "account"] as const;
type Field = (typeof fields)[number];

/**
 * Returns the entries in a text, in the same order. Each entry has `machine [http://|https://]HOST[:PORT][/FOLDER]`, then
 * `login` and `password`, or `token` for a bearer token (RFC 6750). An entry without a scheme applies only to https. Ignores
 * `default` entries and macros, because they name no host.
 */
export function parseCredentials(text: string, tell: TellProblem): Credentials[] {
  const found: Credentials[] = [];
  const tokens = tokensOf(text, tell);
  let place: Token | undefined;
  let values = new Map<Field, string>();
  const finish = () => {
    const entry = place && entryOf(place, values, tell);
    if (entry !== undefined) found.push(entry);
    values = new Map();
  };
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    const field = fields.find((one) => one === token?.text);
    if (token.text === "machine" || token.text === "default") {
      finish();
      place = token.text === "machine" ? tokens.shift() : undefined;
      if (token.text === "machine" && place === undefined) tell(token.line, "machine without a name");
    } else if (field !== undefined) {
      const value = tokens.shift();
      if (value === undefined) tell(token.line, `${field} without a value`);
      else values.set(field, value.text);
    } else tell(token.line, "expected machine, login, password or token; write a value with spaces in double quotes");
  }
  finish();
  return found;
}

/** Returns the `Authorization` value of the first entry that applies to a URL; undefined if no entry applies. */
export function findCredentials(entries: readonly Credentials[], url: URL): string | undefined {
  return entries.find(({ protocol, host, folder }) => {
    return protocol === url.protocol && host === url.host && `${url.pathname}/`.startsWith(folder);
  })?.authorization;
}

/**
 * Splits a text into words. Blanks separate words; a word with blanks is in double quotes. Skips comments (lines that begin
 * with `#`) and macros (from `macdef` to the next empty line).
 */
function tokensOf(text: string, tell: TellProblem): Token[] {
  const tokens: Token[] = [];
  let isMacro = false;
  for (const [place, content] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    if (isMacro || /^\s*#/.test(content)) {
      isMacro &&= content.trim() !== "";
      continue;
    }
    for (const [word, quoted] of content.matchAll(/"((?:[^"\\]|\\.)*)"(?=\s|$)|\S+/g)) {
      if (word === "macdef" && quoted === undefined) isMacro = true;
      if (isMacro) break;
      if (quoted === undefined && word.startsWith('"')) tell(place + 1, "a double quote that is not closed");
      tokens.push({ text: quoted?.replace(/\\(.)/g, "$1") ?? word, line: place + 1 });
    }
  }
  return tokens;
}

function entryOf(place: Token, values: ReadonlyMap<Field, string>, tell: TellProblem): Credentials | undefined {
  const { text, line } = place;
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    tell(line, "expected a host after machine, with or without a scheme, port and folder");
    return undefined;
  }
  const { protocol, host } = url;
  // The file may also have apt's credentials for other protocols, which feedkey ignores.
  if (protocol !== "https:" && protocol !== "http:") return undefined;
  const [login, password, token] = [values.get("login"), values.get("password"), values.get("token")];
  const isToken = token !== undefined && login === undefined && password === undefined;
  const isLogin = token === undefined && (login !== undefined || password !== undefined);
  if (!isToken && !isLogin) {
    tell(line, "expected either login and password, or token");
    return undefined;
  }
  const secret = isToken ? token : `${login ?? ""}:${password ?? ""}`;
  if (/\p{Cc}/u.test(secret) || login?.includes(":") === true || (isToken && !/^[\x21-\x7e]+$/.test(token))) {
    tell(line, "a login can't contain a colon, and a token can contain only printable ASCII");
    return undefined;
  }
  const authorization = isToken ? `Bearer ${token}` : `Basic ${Buffer.from(secret).toString("base64")}`;
  return { protocol, host, folder: url.pathname.replace(/\/?$/, "/"), authorization };
}
