/** A client for key servers: HKP version 1 (draft-ietf-openpgp-hkp), robust against what real servers answer. */
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
  /** The transport; it knows the key servers' certificate authorities, if they have their own. */
  readonly transport: Transport;
  /** Milliseconds for one request, including retries; the transport's limit by default, 15 seconds. */
  readonly within?: Duration;
}

type Submission = { readonly ok: true } | { readonly ok: false; readonly error: FeedkeyError };

/** Returns an error of the transport, which is an outcome. Any other error is a bug and must be visible, so it is thrown. */
function foreseen(error: unknown): FeedkeyError {
  if (error instanceof FeedkeyError) return error;
  throw error;
}

/**
 * Makes the error for an answer that can't be read for an unforeseen reason (`internal`): only this server fails, not the
 * run.
 */
export function unreadable(source: string, cause: unknown): FeedkeyError {
  const found = cause instanceof Error ? cause.message : String(cause);
  return new FeedkeyError("internal", `${source} could not be read, for an unexpected reason: ${found}`, { cause });
}

/** Asks one URL for keys. Never throws for what a server sends: a failure has the outcome `unknown`. */
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
 * Asks a server for one key.
 * @param server `hkps://host[:port]`; `hkp://` only for a server on this computer
 * @param fingerprint the full fingerprint: key IDs can be forged
 * @param recognise decides which blocks in the answer are about the key; all other blocks are dropped
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
 * Asks a server for all keys that carry an address, to discover keys whose fingerprints are not known yet. Servers also
 * match words and parts of addresses, so the caller must look at the user IDs.
 */
export function search(server: URL, email: string, options: KeyserverOptions): Promise<Answer> {
  return askServer(server, email, () => true, options);
}

/**
 * Uploads armored certificates or revocations. `ok` only means that the server did not object: real servers drop uploads
 * silently, so the caller must look up the key afterwards.
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
