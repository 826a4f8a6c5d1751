/**
 * Downloads the keys for an email address from a web server in the address's domain (Web Key Directory,
 * draft-koch-openpgp-webkey-service).
 */
import { createHash } from "node:crypto";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { Answer } from "./answer.ts";
import { askForKeys, type KeyserverOptions } from "./hkp.ts";

const alphabet = "ybndrfg8ejkmcpqxot1uwisza345h769";

/** Encodes bytes in z-base-32 (RFC 6189 section 5.1.6). The number of bytes must be a multiple of five, as in a SHA-1 digest. */
export function zbase32(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = "";
  for (let shift = BigInt(bytes.length * 8 - 5); shift >= 0n; shift -= 5n) {
    text += alphabet[Number((bits >> shift) & 31n)];
  }
  return text;
}

interface WkdUrls {
  /** The URL on the subdomain `openpgpkey`. */
  readonly advanced: URL;
  /** The URL on the domain itself, which a client may request only if the subdomain does not exist. */
  readonly direct: URL;
}

/**
 * Returns the URLs for the keys of an email address. The URLs contain the hash of the address's local part, with ASCII letters in lower
 * case (section 3.1).
 * @throws FeedkeyError `usage` if the text is not an email address with a host name
 */
export function wkdUrls(address: string): WkdUrls {
  const [, local, host] = /^([^@\s]+)@([a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+)$/.exec(address) ?? [];
  if (local === undefined || host === undefined) {
    throw new FeedkeyError("usage", `"${escapeText(address)}" is not an email address`, {
      hint: "write the address as name@host",
    });
  }
  const domain = host.toLowerCase();
  const lowered = local.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const hash = zbase32(createHash("sha1").update(lowered, "utf8").digest());
  const end = `hu/${hash}?l=${encodeURIComponent(local)}`;
  return {
    advanced: new URL(`https://openpgpkey.${domain}/.well-known/openpgpkey/${domain}/${end}`),
    direct: new URL(`https://${domain}/.well-known/openpgpkey/${end}`),
  };
}

/**
 * Requests the keys for an email address from the address's domain. Limits and outcomes are the same as for key servers.
 * @throws FeedkeyError `usage` if the text is not an email address
 */
export async function lookupWkd(address: string, options: KeyserverOptions): Promise<Answer> {
  const urls = wkdUrls(address);
  const answer = await askForKeys(urls.advanced, () => true, options);
  // Section 3.1: the direct method must not be used if the subdomain exists.
  const noSubdomain = answer.outcome === "unknown" && answer.error.details.reason === "dns";
  return noSubdomain ? askForKeys(urls.direct, () => true, options) : answer;
}
