/** Converts the addresses of key servers to URLs. `hkps://` in a profile means HTTPS (draft-ietf-openpgp-hkp). */
import type { FeedkeyError } from "../error.ts";
import { shown, unavailable } from "../net/failure.ts";

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const schemes: Readonly<Record<string, { scheme: string; port: string; secure: boolean }>> = {
  "hkps:": { scheme: "https", port: "443", secure: true },
  "https:": { scheme: "https", port: "443", secure: true },
  "hkp:": { scheme: "http", port: "11371", secure: false },
  "http:": { scheme: "http", port: "80", secure: false },
};

function badAddress(server: URL, found: string): FeedkeyError {
  return unavailable(server, "protocol", `expected a key server as hkps://host, found ${found}`, {
    hint: "correct the key server's address in the profile",
  });
}

/**
 * Returns the HTTP or HTTPS URL of a key server. Requests append `pks/` to this URL. Refuses a server without TLS unless the server is on
 * this computer, because an attacker on the network could hide a revocation.
 * @throws FeedkeyError `unavailable` (`protocol`) for any other address
 */
export function webAddress(server: URL): URL {
  const known = schemes[server.protocol];
  if (known === undefined) throw badAddress(server, `"${shown(server.protocol)}"`);
  const text = `${known.scheme}://${server.hostname}:${server.port === "" ? known.port : server.port}/`;
  if (server.hostname === "" || !URL.canParse(text)) throw badAddress(server, "no host");
  if (!["", "/"].includes(server.pathname) || server.search !== "") throw badAddress(server, "a path after the host");
  const address = new URL(text);
  if (!known.secure && !loopback.test(address.hostname)) throw badAddress(server, "a server without TLS");
  return address;
}
