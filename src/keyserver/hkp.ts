/** A client for key servers that support HKP version 1 (draft-ietf-openpgp-hkp), including servers that deviate from the draft. */
import { FeedkeyError } from "../error.ts";
import { httpFailure, plainUrl } from "../net/failure.ts";
import { keyserverLimits } from "../net/limits.ts";
import { patiently } from "../net/retry-after.ts";
import type { Transport } from "../net/types.ts";
import type { Duration } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { webAddress } from "./address.ts";
import { type Answer, type Recognise, readAnswer } from "./answer.ts";

export interface KeyserverOptions {
  /** The transport for the requests. If the profile names CA certificates for the key servers, the transport uses these certificates. */
  readonly transport: Transport;
  /** The time for one request, including retries; by default the transport's limit of 15 seconds. */
  readonly within?: Duration;
}

type Submission = { readonly ok: true } | { readonly ok: false; readonly error: FeedkeyError };

/**
 * Returns a `FeedkeyError`, so that the caller can report the error as a result. Throws any other error again: any other error is a bug.
 */
function foreseen(error: unknown): FeedkeyError {
  if (error instanceof FeedkeyError) return error;
  throw error;
}

/**
 * Makes the error (`internal`) for an answer that feedkey can't read because of a bug. The error makes only the request to this server
 * fail, and not the whole run.
 */
export function unreadable(source: string, cause: unknown): FeedkeyError {
  const found = cause instanceof Error ? cause.message : String(cause);
  return new FeedkeyError("internal", `${source} could not be read because of an unexpected error: ${found}`, {
    cause,
  });
}

/** Requests keys from a URL. Never throws, whatever the server sends, because every failure becomes the outcome `unknown`. */
export async function askForKeys(url: URL, recognise: Recognise, options: KeyserverOptions): Promise<Answer> {
  try {
    const answer = await patiently(options.within ?? options.transport.limits.keyserverTotal, (left) =>
      options.transport.get(url, {
        maxBytes: keyserverLimits.answer,
        beginning: true,
        policy: "keyserver",
        within: left,
      }),
    );
    return readAnswer(url, answer, recognise);
  } catch (error) {
    return { outcome: "unknown", error: error instanceof FeedkeyError ? error : unreadable(plainUrl(url), error) };
  }
}

async function askServer(server: URL, search: string, recognise: Recognise, options: KeyserverOptions) {
  let url: URL;
  try {
    url = new URL(`pks/lookup?op=get&options=mr&search=${encodeURIComponent(search)}`, webAddress(server));
  } catch (error) {
    return { outcome: "unknown", error: foreseen(error) } as const;
  }
  return askForKeys(url, recognise, options);
}

/**
 * Asks a key server for one key.
 * @param server `hkps://host[:port]`; `hkp://` only for a server on this computer
 * @param fingerprint the full fingerprint, because key IDs can be forged
 * @param recognise tells which blocks in the answer belong to the key; `lookup` drops all other blocks
 */
export function lookup(
  server: URL,
  fingerprint: Fingerprint,
  recognise: Recognise,
  options: KeyserverOptions,
): Promise<Answer> {
  return askServer(server, `0x${fingerprint}`, recognise, options);
}

/**
 * Asks a key server for all keys with an email address, to discover new keys. Some servers also return keys that match only a word or a
 * part of the address, so the caller must check the user IDs.
 */
export function search(server: URL, email: string, options: KeyserverOptions): Promise<Answer> {
  return askServer(server, email, () => true, options);
}

/**
 * Uploads armored certificates or revocations to a key server. `ok` means only that the server reported no error. Some servers
 * silently drop uploads, so the caller must look up the key afterwards.
 */
export async function submit(server: URL, armored: string, options: KeyserverOptions): Promise<Submission> {
  try {
    const url = new URL("pks/add", webAddress(server));
    const body = Buffer.from(`keytext=${encodeURIComponent(armored)}`);
    const answer = await patiently(options.within ?? options.transport.limits.keyserverTotal, (left) =>
      // The content type must have exactly this form: onak refuses the type with a charset.
      options.transport.post(url, body, "application/x-www-form-urlencoded", {
        maxBytes: keyserverLimits.answer,
        within: left,
      }),
    );
    if (answer.status === 200 || answer.status === 202) return { ok: true };
    return { ok: false, error: httpFailure(url, answer.status, answer.body) };
  } catch (error) {
    return { ok: false, error: foreseen(error) };
  }
}
