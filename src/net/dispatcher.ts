/** Sets up the HTTP library (undici): certificate authorities, proxies and time limits for connections. */
import { X509Certificate } from "node:crypto";
import type { SecureContext } from "node:tls";
import type { buildConnector, Dispatcher } from "undici";
import { FeedkeyError } from "../error.ts";
import { dial } from "./dial.ts";
import type { NetLimits } from "./limits.ts";
import { type ProxyEnvironment, proxyFor } from "./proxy.ts";
import { pemCertificates } from "./system-authorities.ts";

/**
 * Splits a PEM text into certificates.
 * @throws FeedkeyError `bad_config` if the text contains no certificate, or a broken certificate, which the user must not overlook
 */
export function certificateAuthorities(pem: string): string[] {
  const blocks = pemCertificates(pem);
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (cause) {
    throw badAuthorities("one of the CA certificates in the file can't be read", cause);
  }
  if (blocks.length === 0) throw badAuthorities("the file of CA certificates has no PEM certificate");
  return blocks;
}

function badAuthorities(message: string, cause?: unknown): FeedkeyError {
  return new FeedkeyError("bad_config", message, {
    cause,
    hint: 'give a file of certificates that begin with "-----BEGIN CERTIFICATE-----"',
  });
}

/**
 * Makes one TLS context for all connections. It trusts Node's own roots (including `NODE_EXTRA_CA_CERTS` and `--use-system-ca`) and
 * the given authorities. The simpler option "ca" would replace Node's roots, and parse all certificates again for each connection.
 */
async function contextWith(authorities: readonly string[]): Promise<SecureContext> {
  const { createSecureContext } = await import("node:tls");
  const made = createSecureContext();
  for (const authority of authorities) (made.context as RootStore).addCACert(authority);
  return made;
}

/** A method that is missing in Node's types. The method adds a certificate to the roots of a context. */
interface RootStore {
  addCACert(pem: string): void;
}

/** Returns a connector that connects as `dial` does, because Node allows too little time for each address. `secure` adds TLS. */
function dialling(secure: buildConnector.connector, limits: NetLimits): buildConnector.connector {
  return (options, callback) => {
    const isSecure = options.protocol === "https:";
    const port = Number(options.port) || (isSecure ? 443 : 80);
    dial(options.hostname, port, { within: limits.connect }).then(
      (socket) => {
        socket.setNoDelay(true);
        if (isSecure) secure({ ...options, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
}

/** The connections to servers, either direct or through the proxy that the environment names. */
export interface Dispatchers {
  /** Returns the dispatcher for a URL. @throws FeedkeyError `bad_config` if the proxy can't be used */
  of(url: URL): Dispatcher;
  /** Aborts the current requests and closes all connections. */
  destroy(): Promise<void>;
}

/**
 * Loads undici and sets it up. Loading undici is slow, so callers call this function only when they need the network.
 * @param authorities the PEM certificates that feedkey trusts in addition to the usual roots
 */
export async function makeDispatchers(
  authorities: readonly string[],
  limits: NetLimits,
  env: ProxyEnvironment,
): Promise<Dispatchers> {
  const { Agent, Pool, ProxyAgent, buildConnector } = await import("undici");
  const tls = {
    timeout: limits.connect,
    // This option is set explicitly: otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would switch the check off.
    rejectUnauthorized: true,
    ...(authorities.length === 0 ? {} : { secureContext: await contextWith(authorities) }),
  };
  // The library's time limit for the head is off, because a server that sends single bytes can extend it. `Deadline` limits the
  // head instead.
  const connect = dialling(buildConnector(tls), limits);
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
              requestTls: tls,
              proxyTunnel: false,
              clientFactory: (origin) => new Pool(origin, options),
              // Requests for plain HTTP go to the proxy itself; all other requests go through the tunnel that the library
              // makes.
              factory: (origin, terms) => new Pool(origin, String(origin) === proxy.href ? options : terms),
            }));
      made.set(name, dispatcher);
      return dispatcher;
    },
    destroy: async () => {
      await Promise.all([...made.values()].map((dispatcher) => dispatcher.destroy()));
    },
  };
}
