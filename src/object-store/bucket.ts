/**
 * A bucket in an object store with Amazon's S3 API, which can list, read, write and remove whole objects. Writing one object is
 * atomic, and can be conditional. The API can't change several objects together.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { unavailable } from "../net/failure.ts";
import { timeFor } from "../net/limits.ts";
import { retryAfter } from "../net/retry-after.ts";
import type { HttpAnswer, Question, Transport } from "../net/types.ts";
import type { Duration } from "../time.ts";
import type { StoreAccess } from "./access.ts";
import { type Listing, readListing, type Stored } from "./listing.ts";
import { encodedPath, signed } from "./signed.ts";

/** An object to write. */
export interface NewObject {
  readonly size: number;
  /** The object's SHA-256, lower-case hex. The server compares this digest with the bytes that it receives. */
  readonly sha256: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Returns the object's bytes. `Bucket` calls this function for each attempt. */
  body(): Promise<Question["body"]>;
}

/** The condition for a write: the present object must have this ETag; with undefined, there must be no object with this name. */
type Condition = { readonly etag: string | undefined };

/**
 * The result of a write: the written object's ETag; `changed` if the condition was not met; `unsupported` if the server does
 * not support conditions.
 */
type Written = { readonly etag: string } | "changed" | "unsupported";

const emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const attempts = 5;
const maxDelay: Duration = 20_000;
const listingBytes = 8 * 1024 * 1024;
/** The size in bytes of the largest object that S3 accepts in one request. */
export const maxObject = 5 * 1024 ** 3;

const hints: Readonly<Record<string, string>> = {
  AccessDenied: "the key may not do this: it needs s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject",
  InvalidAccessKeyId: "the server does not know this key: check AWS_ACCESS_KEY_ID, or AWS_PROFILE",
  SignatureDoesNotMatch: "check the secret of the key, and the region",
  AuthorizationHeaderMalformed: "check s3-region: the bucket is in another region",
  PermanentRedirect: "check s3-region and s3-endpoint: the bucket is somewhere else",
  RequestTimeTooSkewed: "the clock of this computer is wrong: set it",
  NoSuchBucket: "create the bucket first, or correct root = s3://BUCKET",
  BadDigest: "the file changed while it was being uploaded; run the command again",
  XAmzContentSHA256Mismatch: "the file changed while it was being uploaded; run the command again",
};

/** Whether another attempt may succeed, because the network failed or the server is overloaded. */
function isPassing(outcome: HttpAnswer | FeedkeyError): boolean {
  if (!(outcome instanceof FeedkeyError)) {
    const { status } = outcome;
    return status === 409 || status === 429 || (status >= 500 && status !== 501);
  }
  return ["connect", "cut_off", "timeout", "dns"].includes(String(outcome.details.reason));
}

/** The objects in a bucket whose names begin with a prefix. Callers give and get names without this prefix. */
export class Bucket {
  readonly #access: StoreAccess;
  readonly #prefix: string;
  readonly #transport: Transport;
  readonly #delay: Duration;

  /** @param delay the time before the second attempt, in milliseconds; it doubles with each attempt */
  constructor(access: StoreAccess, prefix: string, transport: Transport, delay: Duration = 500) {
    this.#access = access;
    this.#prefix = prefix;
    this.#transport = transport;
    this.#delay = delay;
  }

  /** Lists all objects whose names begin with `beginning`. @throws FeedkeyError `unavailable` */
  async list(beginning = ""): Promise<Map<string, Stored>> {
    const found = new Map<string, Stored>();
    for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
      const query = { "list-type": "2", "encoding-type": "url", prefix: this.#prefix + beginning };
      const more = token === undefined ? query : { ...query, "continuation-token": token };
      const answer = await this.#ask("GET", this.#url(undefined, more), {}, listingBytes);
      if (answer.status !== 200) throw this.#failure("list the bucket", undefined, answer);
      const { objects, next }: Listing = readListing(Buffer.from(answer.body).toString("utf8"));
      for (const [name, stored] of objects) {
        if (name.startsWith(this.#prefix)) found.set(name.slice(this.#prefix.length), stored);
      }
      if (next !== undefined && next === token) throw this.#failure("list the bucket", undefined, answer);
      token = next;
    }
    return found;
  }

  /**
   * Reads an object; undefined if the bucket does not have the object.
   * @throws FeedkeyError `unavailable`, also if it is too large
   */
  async read(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const answer = await this.#ask("GET", this.#url(name), {}, maxBytes);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#failure("read", name, answer);
    return answer.body;
  }

  /** Writes an object. @param condition if undefined, the write replaces any present object @throws FeedkeyError `unavailable` */
  async write(name: string, object: NewObject, condition?: Condition): Promise<Written> {
    const { size, sha256, headers } = object;
    const when =
      condition === undefined
        ? {}
        : condition.etag === undefined
          ? { "if-none-match": "*" }
          : { "if-match": `"${condition.etag}"` };
    const all = { ...headers, ...when, "content-length": String(size), "x-amz-content-sha256": sha256 };
    const answer = await this.#ask("PUT", this.#url(name), all, listingBytes, object);
    if (answer.status === 200) return { etag: (answer.headers.etag ?? "").replaceAll('"', "") };
    if (condition !== undefined && answer.status === 501) return "unsupported";
    if (condition !== undefined && (answer.status === 412 || answer.status === 404)) return "changed";
    throw this.#failure("write", name, answer);
  }

  /** Removes an object, if it exists. @throws FeedkeyError `unavailable` */
  async remove(name: string): Promise<void> {
    const answer = await this.#ask("DELETE", this.#url(name), {}, listingBytes);
    if (answer.status !== 204 && answer.status !== 200 && answer.status !== 404) {
      throw this.#failure("remove", name, answer);
    }
  }

  #url(name: string | undefined, query: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(`${this.#access.url}/${name === undefined ? "" : encodedPath(this.#prefix + name)}`);
    // URLSearchParams would encode a space as "+", but the signature needs "%20".
    url.search = Object.entries(query)
      .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
      .join("&");
    return url;
  }

  async #ask(
    method: Question["method"],
    url: URL,
    headers: Readonly<Record<string, string>>,
    maxBytes: number,
    object?: NewObject,
  ): Promise<HttpAnswer> {
    const plain = { "x-amz-content-sha256": emptyDigest, ...headers };
    const within = timeFor(object?.size ?? maxBytes, this.#transport.limits);
    for (let attempt = 1; ; attempt++) {
      let outcome: HttpAnswer | FeedkeyError;
      try {
        const body = await object?.body();
        const all = await signed(method, url, plain, this.#access);
        outcome = await this.#transport.send(method, url, { headers: all, body, maxBytes, within });
      } catch (error) {
        if (!(error instanceof FeedkeyError)) throw error;
        outcome = error;
      }
      if (!isPassing(outcome) || attempt === attempts) {
        if (outcome instanceof FeedkeyError) throw outcome;
        return outcome;
      }
      const wish = outcome instanceof FeedkeyError ? undefined : retryAfter(outcome);
      await sleep(Math.min(wish ?? this.#delay * 2 ** (attempt - 1), maxDelay));
    }
  }

  /**
   * Makes an error from the server's answer. Shows only the code in the answer: the answer to a wrong secret contains the signed text.
   */
  #failure(what: string, name: string | undefined, { status, body }: HttpAnswer): FeedkeyError {
    const text = Buffer.from(body.subarray(0, 4096)).toString("utf8");
    const code = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(text)?.[1];
    const shown = name === undefined ? "" : ` ${escapeText(name)}`;
    const found = `can't ${what}${shown}: the object store answered ${status}${code === undefined ? "" : ` ${code}`}`;
    return unavailable(this.#url(name), "http", found, {
      status,
      hint: hints[code ?? ""] ?? "try again later, or ask the operator of the object store",
    });
  }
}
