/** Downloads small files from the archive; tries one mirror after another. */

import type { Hash } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Data } from "../content.ts";
import { FeedkeyError } from "../error.ts";
import { unavailable } from "../net/failure.ts";
import { countdown, patiently } from "../net/retry-after.ts";
import type { GetOptions, HttpAnswer } from "../net/types.ts";
import { isDatedBy, unlessStill, validatorOf } from "../net/validator.ts";
import type { Feed, Profile } from "../profile/types.ts";
import { type FileVersion, isFresh } from "../store/file-version.ts";
import type { Duration } from "../time.ts";
import { skew } from "../trust/policy.ts";
import type { Session } from "./session.ts";

/**
 * The size in bytes that feedkey assumes if it does not know a file's size. The size determines how long feedkey waits for a slow mirror.
 */
export const expectedBytes = {
  bundle: 2 * 1024 * 1024,
  /** The size of an index as downloaded, mostly compressed. It makes a new client wait for a mirror for up to a quarter of an hour. */
  index: 32 * 1024 * 1024,
} as const;

/** Returns the URLs of the archive and its mirrors, in the order in which feedkey tries them. */
export function locations(profile: Profile): string[] {
  return [profile.archive.url, ...profile.archive.mirrors];
}

/** Returns the folder of a `file:` location, outside which a transport must not read files; undefined for other locations. */
export function rootOf(location: string): string | undefined {
  return location.startsWith("file:") ? fileURLToPath(location) : undefined;
}

/** Returns the path, below the archive, of a file in a feed. */
export function inFeed(feed: Feed, name: string): string {
  return feed.path === "" ? name : `${feed.path}/${name}`;
}

/**
 * Returns a file's URL at one location (the archive or a mirror).
 * @param path the file's path below this location
 */
export function fileUrl(location: string, path: string): URL {
  return new URL(path.split("/").map(encodeURIComponent).join("/"), location);
}

/** The longest time that feedkey waits in total, for one file, if a server answers 429 or 503 with Retry-After. */
const patience: Duration = 60_000;

/** Request headers that make caches look for a newer copy. */
export const pastCaches: Pick<GetOptions, "headers"> = { headers: { "cache-control": "no-cache" } };

/** A file that this client has from an earlier run. */
export interface Remembered {
  /** The server's validator for the stored file; undefined if feedkey must download the file again. */
  readonly version: FileVersion | undefined;
  readonly stored: Stored;
}

interface Stored {
  readonly bytes: Data;
  /** The SHA-256 of the bytes, if it is known. */
  readonly sha256?: Hash;
}

interface Downloaded extends Stored {
  readonly version: FileVersion | undefined;
  /** Whether the server answered that the file has not changed, so that `bytes` are the stored bytes. */
  readonly isRemembered: boolean;
}

/**
 * Downloads a file, unless the server answers that the stored copy is still current.
 * @param options.remembered the stored copy. feedkey asks whether it is current only at the URL that it came from, and at most a day after
 * its download
 * @param options.onAbsent gets the reason if a file counts as missing although the server did not clearly say so: object stores answer 403,
 * and hosting for single-page applications sends a web page
 * @returns undefined if the file is missing
 * @throws FeedkeyError `unavailable` if the server can't be reached or answers with another error
 */
export async function downloadFile(
  session: Session,
  location: string,
  path: string,
  maxBytes: number,
  options: Pick<GetOptions, "onProgress" | "within" | "headers"> & {
    readonly onAbsent?: (reason: FeedkeyError) => void;
    readonly remembered?: Remembered | undefined;
  } = {},
): Promise<Downloaded | undefined> {
  const { onAbsent = () => undefined, remembered, ...terms } = options;
  const url = fileUrl(location, path);
  const { at } = session.options;
  const known = remembered?.version;
  const isUsable = known?.url === url.href && isFresh(known, at) && isDatedBy(known, at + skew);
  const version = isUsable ? known : undefined;
  const headers = { ...options.headers, ...(version === undefined ? {} : unlessStill(version)) };
  if (options.within === 0) {
    throw unavailable(url, "timeout", "not requested, because the time allowed for this mirror is over", {
      hint: "the mirror is slow or stuck; try again later or use another mirror",
    });
  }
  const left = options.within === undefined ? undefined : countdown(options.within);
  const answer = await patiently(Math.min(options.within ?? patience, patience), () => {
    const within = left && Math.max(1, left());
    const whole = { maxBytes, policy: "archive", root: rootOf(location), ...terms, headers, within } as const;
    return session.options.transport.get(url, whole);
  });
  if (answer.status === 304 && remembered !== undefined && version !== undefined)
    return { ...remembered.stored, version, isRemembered: true };
  if (answer.status === 404 || answer.status === 410) return undefined;
  if (answer.status !== 200 && answer.status !== 403) throw httpError(url, answer);
  if (answer.status === 200 && !isWebPage(answer.body)) {
    const validator = validatorOf(answer, at + skew);
    const now = validator && { url: url.href, ...validator, wholeAt: at };
    return { bytes: answer.body, version: now, isRemembered: false };
  }
  onAbsent(answer.status === 200 ? webPageError(url) : httpError(url, answer));
  return undefined;
}

/** Whether a body is a web page, such as the log-in page of a network. No index, signature or keyring begins like a web page. */
function isWebPage(body: Uint8Array): boolean {
  return /^(\xef\xbb\xbf)?\s*<(!doctype|html)\b/i.test(Buffer.from(body.subarray(0, 1024)).toString("latin1"));
}

function webPageError(url: URL): FeedkeyError {
  return new FeedkeyError("unavailable", `${url.href}: expected a file, but the answer is a web page`, {
    details: { url: url.href, reason: "protocol", status: 200 },
    hint: "something between you and the server answers in its place, such as a network that wants you to log in",
  });
}

/** Makes the error (`unavailable`) for an answer with an unexpected status. */
export function httpError(url: URL, { status }: Pick<HttpAnswer, "status">): FeedkeyError {
  const details = { url: url.href, reason: "http", status };
  if (url.protocol !== "file:") {
    const hint =
      status === 401
        ? 'the archive is private, or requires other credentials: see "credentials" in the profile, or write them into ~/.netrc'
        : "try again later, or use another mirror";
    return new FeedkeyError("unavailable", `${url.href}: the server answered with status ${status}`, { details, hint });
  }
  const problem = status === 404 ? "there is no such file" : "the file can't be read";
  return new FeedkeyError("unavailable", `${url.href}: ${problem}`, {
    details,
    hint: "check that the folder is mounted, complete, and readable for you",
  });
}
