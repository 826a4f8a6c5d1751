/** Describes network failures in words. Escapes and shortens text that comes from a server. */
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";

export type FailureReason =
  | "dns"
  | "connect"
  | "tls"
  | "timeout"
  | "cut_off"
  | "too_large"
  | "redirect"
  | "protocol"
  | "http"
  | "offline";

/** Returns text from a server as one short line without terminal escape sequences. */
export function shown(text: string): string {
  const plain = escapeText(text);
  return plain.length > 200 ? `${plain.slice(0, 199)}…` : plain;
}

/** Returns a URL without its user name and password, for messages and details. */
export function plainUrl(url: URL): string {
  const copy = new URL(url);
  copy.username = "";
  copy.password = "";
  return copy.href;
}

/** Makes the error for any network failure: `unavailable` with `details` { url, reason, status? }. */
export function unavailable(
  url: URL,
  reason: FailureReason,
  found: string,
  context: { readonly hint: string; readonly status?: number; readonly cause?: unknown },
): FeedkeyError {
  const { hint, status, cause } = context;
  return new FeedkeyError("unavailable", `${shown(plainUrl(url))}: ${found}`, {
    details: { url: plainUrl(url), reason, ...(status === undefined ? {} : { status }) },
    hint,
    cause,
  });
}

/** Returns the text of a server's answer without HTML tags, as `: "TEXT"`; empty if the answer has no text. */
export function said(body: Uint8Array): string {
  const text = Buffer.from(body.subarray(0, 4096)).toString("utf8");
  const words = text
    .replace(/<(style|script)[\s>].*?<\/\1>|<[^>]*>/gis, " ")
    .replace(/\s+/g, " ")
    .trim();
  return words === "" ? "" : `: "${shown(words)}"`;
}

/** Makes the error for an answer whose status is not 200. */
export function httpFailure(url: URL, status: number, body: Uint8Array = new Uint8Array(0)): FeedkeyError {
  const hint =
    status === 401 || status === 403
      ? "the server requires other credentials, or does not allow access to this file; ask the operator of the server"
      : status === 404 || status === 410
        ? "check the address in the profile; the mirror may be incomplete"
        : status === 407
          ? "the proxy requires a user name and a password; put both into the address of the proxy: http://user:password@host:port"
          : status === 429
            ? "the server has had too many requests; try again later"
            : status >= 500
              ? "the server has an internal problem; try again later or use another server"
              : "the address may be wrong, or something between this machine and the server answers in its place";
  return unavailable(url, "http", `expected status 200, but the server answered ${status}${said(body)}`, {
    status,
    hint,
  });
}

const untrustedIssuer = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_UNTRUSTED",
  "INVALID_CA",
]);

/** Whether a connection failed because feedkey does not know the certificate authority. */
export function isUnknownAuthority(error: unknown): boolean {
  return error instanceof FeedkeyError && untrustedIssuer.has(systemCode(error.cause) ?? "");
}

function namesOf(error: unknown): string {
  const cert = typeof error === "object" && error !== null && "cert" in error ? error.cert : undefined;
  const names = typeof cert === "object" && cert !== null && "subjectaltname" in cert ? cert.subjectaltname : undefined;
  return typeof names === "string" ? names : "no name";
}

/** Describes a TLS error; undefined if the code is not that of a TLS error. */
function tlsFailure(code: string, url: URL, error: unknown): { found: string; hint: string } | undefined {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return {
      found: `the TLS certificate is issued for ${shown(namesOf(error))}, not for "${url.hostname}"`,
      hint: "check the server's name in the profile; a captive portal or an interceptor causes the same error",
    };
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return {
      found: `the TLS certificate ${code === "CERT_HAS_EXPIRED" ? "has expired" : "is dated in the future"}`,
      hint: "check this computer's clock; if it is right, the server's operator must renew the certificate",
    };
  }
  if (untrustedIssuer.has(code)) {
    return {
      found: "the TLS certificate comes from a certificate authority that this computer does not know",
      hint: 'if the server has its own CA, name a PEM file with the CA\'s certificate in the profile: "ca" for the archive, "keyserver-ca" for key servers',
    };
  }
  if (/^(ERR_SSL_|ERR_TLS_|CERT_|CRL_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$|UND_ERR_PRX_TLS)/.test(code)) {
    return {
      found: `no secure connection could be made (${code})`,
      hint: "the port may not speak TLS, or only versions before 1.2; check the address",
    };
  }
  return undefined;
}

/** Whether the look-up of a host name failed, with any code (ENOTFOUND, EAI_AGAIN...). */
function isUnresolved(error: unknown): boolean {
  return typeof error === "object" && error !== null && "syscall" in error && error.syscall === "getaddrinfo";
}

const down = "the server may be down, or a firewall may block it";

/** The meaning of error codes of the system and the HTTP library, each with a hint. `%` stands for the code. */
const failures: readonly (readonly [codes: readonly string[], FailureReason, found: string, hint: string])[] = [
  [
    [
      ...["ECONNREFUSED", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN"],
      ...["EADDRNOTAVAIL", "EACCES", "EPERM"],
    ],
    "connect",
    "no connection could be made (%)",
    down,
  ],
  [["UND_ERR_CONNECT_TIMEOUT"], "connect", "the connection was not made in time", down],
  [["ETIMEDOUT"], "timeout", "the connection stopped responding", down],
  [
    ["UND_ERR_BODY_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT"],
    "timeout",
    "the server stopped sending in the middle of its answer",
    "try again later or use another server",
  ],
  [
    [...["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"], ...["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "HPE_INVALID_EOF_STATE"]],
    "cut_off",
    "the connection broke before the answer was complete",
    "try again; no part of the answer was used",
  ],
];

/** Converts an error from the HTTP library into the error `unavailable`. Returns a `FeedkeyError` unchanged. */
export function networkFailure(url: URL, error: unknown): FeedkeyError {
  if (error instanceof FeedkeyError) return error;
  const code = systemCode(error) ?? "";
  const fail = (reason: FailureReason, found: string, hint: string) =>
    unavailable(url, reason, found, { hint, cause: error });
  if (isUnresolved(error)) {
    return fail("dns", `the name "${url.hostname}" could not be looked up (${code})`, "check the name and the network");
  }
  const [, reason, found = "", hint = ""] = failures.find(([codes]) => codes.includes(code)) ?? [];
  if (reason !== undefined) return fail(reason, found.replace("%", code), hint);
  if (code === "UND_ERR_ABORTED" || code === "UND_ERR_DESTROYED" || code === "UND_ERR_CLOSED") {
    const problem = `no connection could be made (${shown(messageOf(error))})`;
    return fail("connect", problem, "check the proxy, if there is one");
  }
  const tls = tlsFailure(code, url, error);
  if (tls !== undefined) return fail("tls", tls.found, tls.hint);
  return fail(
    "protocol",
    `the answer is not valid HTTP (${code === "" ? shown(messageOf(error)) : code})`,
    "something other than a web server may be listening at this address",
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
