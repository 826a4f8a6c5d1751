/** The HTTP library, set up: who is trusted for TLS, how long a connection may take. */
import { X509Certificate } from "node:crypto";
import type { SecureContext } from "node:tls";
import type { Dispatcher } from "undici";
import { FeedkeyError } from "../error.ts";
import type { NetLimits } from "./limits.ts";
import { type ProxyEnvironment, proxyFor } from "./proxy.ts";

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

/** The way to each server: directly, or over the proxy that the environment names for it. */
export interface Dispatchers {
  /** @throws FeedkeyError `bad_config`: the proxy can't be used */
  of(url: URL): Dispatcher;
  /** Ends what is under way. */
  destroy(): Promise<void>;
}

/**
 * Loads undici, which takes long enough (some 80 ms) to do it only when the network is really asked.
 * @param authorities trusted besides the usual roots; PEM
 */
export async function makeDispatchers(
  authorities: readonly string[],
  limits: NetLimits,
  env: ProxyEnvironment,
): Promise<Dispatchers> {
  const { Agent, ProxyAgent } = await import("undici");
  const connect = {
    timeout: limits.connect,
    // Node gives each address of a name 250 ms: too little for a far server behind an address family without a route.
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.floor(limits.connect * 0.45),
    // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would else switch the check off.
    rejectUnauthorized: true,
    ...(authorities.length === 0 ? {} : { secureContext: await contextWith(authorities) }),
  };
  // Heads have a deadline of our own, which unlike the library's can't be put off by bytes that come drop by drop.
  const options = { connect, allowH2: false, headersTimeout: 0, bodyTimeout: limits.idle };
  const made = new Map<string, Dispatcher>();
  return {
    of: (url) => {
      const proxy = proxyFor(url, env);
      const name = proxy?.href ?? "";
      const dispatcher =
        made.get(name) ??
        (proxy === undefined
          ? new Agent(options)
          : new ProxyAgent({
              ...options,
              uri: proxy.href,
              requestTls: connect,
              proxyTls: connect,
              proxyTunnel: false,
            }));
      made.set(name, dispatcher);
      return dispatcher;
    },
    destroy: async () => {
      await Promise.all([...made.values()].map((dispatcher) => dispatcher.destroy()));
    },
  };
}
