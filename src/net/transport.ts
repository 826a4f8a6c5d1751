/** Sends requests over the network, with limits on time and size and with verified TLS. Each kind of failure has its own reason. */

import type { FindCredentials } from "./credentials.ts";
import { Deadline } from "./deadline.ts";
import { certificateAuthorities, type Dispatchers, makeDispatchers } from "./dispatcher.ts";
import { type Arriving, ask, dropBody, readBody } from "./exchange.ts";
import { isUnknownAuthority, shown, unavailable } from "./failure.ts";
import { type NetLimits, netLimits } from "./limits.ts";
import { getFile } from "./local-file.ts";
import type { ProxyEnvironment } from "./proxy.ts";
import { nextUrl, tooManyRedirects } from "./redirect.ts";
import { systemAuthorities } from "./system-authorities.ts";
import type {
  GetOptions,
  HttpAnswer,
  Policy,
  PostOptions,
  Question,
  Redirects,
  SendOptions,
  Transport,
} from "./types.ts";

export interface TransportOptions {
  /** The PEM text with the CA certificates that feedkey trusts in addition to the usual roots. */
  readonly ca?: string;
  /** Whether the transport refuses network requests; it still reads `file:` URLs. */
  readonly offline?: boolean;
  readonly limits?: Partial<NetLimits>;
  /** Where an archive's redirects may lead; `any` by default. */
  readonly redirects?: Redirects;
  /**
   * Finds the credentials for archives' servers; without this function, feedkey sends no credentials. Key servers never get
   * credentials.
   */
  readonly credentials?: FindCredentials;
  /** The environment variables that name proxies; by default the environment of the process. */
  readonly env?: ProxyEnvironment;
}

/**
 * Makes a transport. The transport loads the HTTP library and connects only when the caller sends the first request.
 * @throws FeedkeyError `bad_config` if `ca` has no readable certificate
 */
export function createTransport(options: TransportOptions = {}): Transport {
  const limits: NetLimits = { ...netLimits, ...options.limits };
  const authorities = options.ca === undefined ? [] : certificateAuthorities(options.ca);
  const offline = options.offline ?? false;
  const redirects = options.redirects ?? "any";
  const env = options.env ?? process.env;
  const credentials: FindCredentials = options.credentials ?? (async () => undefined);
  let usual: Promise<Dispatchers> | undefined;
  let system: Promise<Dispatchers> | undefined;
  // Reading the system's hundreds of CA certificates is slow, so feedkey reads them only if a server's CA is not in Node's own
  // list.
  const withSystem = async () => makeDispatchers([...authorities, ...(await systemAuthorities(env))], limits, env);

  async function followSafely(question: Question, terms: FollowTerms, deadline: Deadline) {
    usual ??= makeDispatchers(authorities, limits, env);
    const first = system ?? usual;
    try {
      return await follow(await first, question, terms, deadline, limits);
    } catch (error) {
      if (first === system || !isUnknownAuthority(error)) throw error;
      system ??= withSystem();
      return await follow(await system, question, terms, deadline, limits);
    }
  }

  async function fetchOver(question: Question, terms: GetOptions): Promise<HttpAnswer> {
    checkAskable(question.url, offline);
    const deadline = new Deadline(question.url, terms.within ?? totalOf(terms.policy, limits));
    try {
      const { url, arriving } = await followSafely(
        question,
        { policy: terms.policy, within: redirects, credentials },
        deadline,
      );
      if (arriving.head.status === 206 && terms.headers?.range === undefined) {
        dropBody(arriving);
        throw unavailable(
          url,
          "protocol",
          "the server sent only a part of the file, but the whole file was requested",
          {
            status: 206,
            hint: "the server or a proxy in front of it is broken; use another server",
          },
        );
      }
      return await readBody(url, arriving, terms, limits);
    } finally {
      deadline.stop();
    }
  }

  return {
    offline,
    limits,
    get: (url, terms) =>
      url.protocol === "file:"
        ? getFile(url, terms)
        : fetchOver({ method: "GET", url, headers: terms.headers ?? {} }, terms),
    post: (url, body, contentType, terms: PostOptions) =>
      fetchOver(
        { method: "POST", url, headers: { "content-type": contentType }, body },
        { ...terms, policy: "keyserver" },
      ),
    send: (method, url, { headers, body, maxBytes, within }: SendOptions) =>
      fetchOver({ method, url, headers, body, headWithin: within }, { maxBytes, within, policy: "keyserver" }),
    close: async () => {
      await (await usual)?.destroy();
      await (await system)?.destroy();
    },
  };
}

function totalOf(policy: Policy, limits: NetLimits): number | undefined {
  return policy === "keyserver" ? limits.keyserverTotal : undefined;
}

function checkAskable(url: URL, offline: boolean): void {
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw unavailable(url, "protocol", `expected https: or http:, found "${shown(url.protocol)}"`, {
      hint: "correct the address in the profile",
    });
  }
  if (offline) {
    throw unavailable(url, "offline", "no request was sent, because of --offline", {
      hint: "run again without --offline",
    });
  }
}

interface FollowTerms {
  readonly policy: Policy;
  readonly within: Redirects;
  readonly credentials: FindCredentials;
}

/** Sends a request and follows allowed redirects. */
async function follow(
  dispatchers: Dispatchers,
  first: Question,
  terms: FollowTerms,
  deadline: Deadline,
  limits: NetLimits,
): Promise<{ url: URL; arriving: Arriving }> {
  let url = first.url;
  for (let redirects = 0; ; redirects++) {
    const headers = { ...(await authorizationFor(url, first.url, terms)), ...first.headers };
    const arriving = await ask(dispatchers.of(url), { ...first, url, headers }, deadline, limits);
    let next: URL | undefined;
    try {
      next = nextUrl(url, arriving.head, terms.policy, terms.within);
      if (next !== undefined && redirects === limits.redirects) {
        throw tooManyRedirects(url, arriving.head.status, limits.redirects);
      }
    } catch (error) {
      dropBody(arriving);
      throw error;
    }
    if (next === undefined) return { url, arriving };
    dropBody(arriving);
    url = next;
  }
}

/**
 * Returns the header with the credentials for one server in a series of redirects. feedkey sends credentials only to the first
 * host: otherwise an archive's server could make the client use the user's credentials for another host.
 */
async function authorizationFor(
  url: URL,
  first: URL,
  { policy, credentials }: FollowTerms,
): Promise<Record<string, string>> {
  const isDue = policy === "archive" && url.host === first.host && url.username === "" && url.password === "";
  const authorization = isDue ? await credentials(url) : undefined;
  return authorization === undefined ? {} : { authorization };
}
