/** The HTTP library, set up: who is trusted for TLS, which proxy is asked, how long a connection may take. */
import { X509Certificate } from "node:crypto";
import type { SecureContext } from "node:tls";
import type { Dispatcher } from "undici";
import { FeedkeyError } from "../error.ts";
import type { NetLimits } from "./limits.ts";

/** Environment variables, as far as they name proxies: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, in either case. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The certificates of a PEM text.
 * @throws FeedkeyError `bad_config` if there is none or one is broken: a lost authority must not pass unseen
 */
export function certificateAuthorities(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (cause) {
    throw badAuthorities("one of the certificate authorities for key servers cannot be read", cause);
  }
  if (blocks.length === 0) throw badAuthorities("the file of certificate authorities holds no PEM certificate");
  return blocks;
}

function badAuthorities(message: string, cause?: unknown): FeedkeyError {
  return new FeedkeyError("bad_config", message, {
    cause,
    hint: 'give a file of certificates that begin with "-----BEGIN CERTIFICATE-----"',
  });
}

/**
 * Node's own roots, with those of `NODE_EXTRA_CA_CERTS` and `--use-system-ca`, and these authorities; one context for all
 * connections. Given as "ca", the roots would have to be listed, and be read anew for each connection: 150 ms a time.
 */
async function contextWith(authorities: readonly string[]): Promise<SecureContext> {
  const { createSecureContext } = await import("node:tls");
  const made = createSecureContext();
  for (const authority of authorities) (made.context as RootStore).addCACert(authority);
  return made;
}

/** What Node's types leave out: a certificate, or several, added to the roots of a context. */
interface RootStore {
  addCACert(pem: string): void;
}

function fromEnvironment(env: ProxyEnvironment, name: string): string {
  return env[name.toLowerCase()] ?? env[name] ?? "";
}

/**
 * Loads undici, which takes long enough (some 80 ms) to do it only when the network is really asked.
 * @param authorities trusted besides the usual roots; PEM
 */
export async function makeDispatcher(
  authorities: readonly string[],
  limits: NetLimits,
  env: ProxyEnvironment,
): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import("undici");
  const connect = {
    timeout: limits.connect,
    // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would else switch the check off.
    rejectUnauthorized: true,
    ...(authorities.length === 0 ? {} : { secureContext: await contextWith(authorities) }),
  };
  // Heads have a deadline of our own, which unlike the library's can't be put off by bytes that come drop by drop.
  const options = { connect, allowH2: false, headersTimeout: 0, bodyTimeout: limits.idle };
  const proxies = {
    httpProxy: fromEnvironment(env, "HTTP_PROXY"),
    httpsProxy: fromEnvironment(env, "HTTPS_PROXY"),
    noProxy: fromEnvironment(env, "NO_PROXY"),
  };
  if (proxies.httpProxy === "" && proxies.httpsProxy === "") return new Agent(options);
  try {
    return new EnvHttpProxyAgent({
      ...options,
      ...proxies,
      requestTls: connect,
      proxyTls: connect,
      proxyTunnel: false,
    });
  } catch (cause) {
    throw new FeedkeyError("bad_config", "the proxy named by the environment is no address", {
      cause,
      hint: "look at HTTPS_PROXY and HTTP_PROXY; a proxy is written http://host:port",
    });
  }
}
