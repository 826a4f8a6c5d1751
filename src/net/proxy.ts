/** Finds the proxy for a URL in the environment variables, as curl does. */
import { BlockList, isIP } from "node:net";
import { FeedkeyError } from "../error.ts";

/**
 * The environment variables for proxies: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. A variable with a name in
 * lower case has precedence.
 */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

function setting(env: ProxyEnvironment, name: string): string {
  return (env[name.toLowerCase()] ?? env[name] ?? "").trim();
}

/**
 * Returns the proxy for a URL; undefined if feedkey must connect to the server directly.
 * @throws FeedkeyError `bad_config` if the proxy in the environment can't be used
 */
export function proxyFor(url: URL, env: ProxyEnvironment): URL | undefined {
  const own = setting(env, url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  const name = own === "" ? setting(env, "ALL_PROXY") : own;
  if (name === "" || isExcepted(url, setting(env, "NO_PROXY"))) return undefined;
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(name) ? name : `http://${name}`;
  const proxy = URL.canParse(address) ? new URL(address) : undefined;
  if (proxy !== undefined && /^https?:$/.test(proxy.protocol) && proxy.hostname !== "") return proxy;
  throw new FeedkeyError("bad_config", "the proxy given by the environment can't be used", {
    hint: "check https_proxy, http_proxy and all_proxy; a proxy is written http://host:port, and SOCKS is not supported",
  });
}

/**
 * Whether the list in `NO_PROXY`, such as `localhost,.example.org:8080,10.0.0.0/8,[::1]`, contains the host of a URL. `*`
 * stands for all hosts.
 */
function isExcepted(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((item) => item === "*" || (item !== "" && isMatch(item, host, port)));
}

function isMatch(item: string, host: string, port: string): boolean {
  const [, address = item, wanted] = /^\[(.+)\](?::(\d+))?$/.exec(item) ?? /^([^:]+):(\d+)$/.exec(item) ?? [];
  if (wanted !== undefined && wanted !== port) return false;
  const family = isIP(host);
  if (family !== 0) return isInNetwork(address, host, family === 6 ? "ipv6" : "ipv4");
  const name = address.replace(/^\*?\./, "");
  return name !== "" && (host === name || host.endsWith(`.${name}`));
}

function isInNetwork(network: string, host: string, family: "ipv4" | "ipv6"): boolean {
  const [address = "", bits] = network.split("/");
  if (isIP(address) !== (family === "ipv6" ? 6 : 4)) return false;
  const length = Number(bits ?? (family === "ipv6" ? 128 : 32));
  if (!Number.isInteger(length) || length < 0 || length > (family === "ipv6" ? 128 : 32)) return false;
  const networks = new BlockList();
  networks.addSubnet(address, length, family);
  return networks.check(host, family);
}
