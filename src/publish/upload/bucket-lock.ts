/**
 * Locks a bucket. The lock is an object that a publisher creates at the start and removes at the end. If the server does not support
 * conditional writes, two publishers may both believe that they have the lock.
 */
import { hash, randomBytes } from "node:crypto";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { Bucket, NewObject } from "../../object-store/bucket.ts";
import { type Instant, iso } from "../../time.ts";

/** The name of the lock object, below the prefix. It begins with a dot, so feedkey never uploads a local file with this name. */
const lockName = ".feedkey-lock";

const maxBytes = 4096;

export interface BucketLock {
  /** Whether the server supports conditional writes. */
  readonly conditions: boolean;
  /**
   * Throws if this run has lost the lock.
   * @throws FeedkeyError `locked` if another publisher has taken the lock; `unavailable` if the server does not answer
   */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

/** Returns an object with these bytes as its contents. */
export function objectOf(bytes: Uint8Array, headers: Readonly<Record<string, string>>): NewObject {
  const sha256 = hash("sha256", bytes);
  return { size: bytes.length, sha256, headers, body: async () => bytes };
}

interface Holder {
  readonly owner?: unknown;
  readonly since?: unknown;
}

function holderOf(bytes: Uint8Array): Holder {
  try {
    const found: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof found === "object" && found !== null ? found : {};
  } catch {
    return {};
  }
}

/**
 * Takes the lock. Takes over a lock from a killed run of the same owner. Takes over another owner's lock only with `force`.
 * @throws FeedkeyError `locked` if another publisher has the lock; `unavailable` if the server does not answer
 */
export async function lockBucket(bucket: Bucket, owner: string, at: Instant, force: boolean): Promise<BucketLock> {
  const text = JSON.stringify({ owner, since: iso(at), run: randomBytes(12).toString("hex") });
  const ours = Buffer.from(text);
  const object = objectOf(ours, { "content-type": "application/json", "cache-control": "no-store" });
  const isOurs = async () => {
    const there = await bucket.read(lockName, maxBytes);
    return there !== undefined && Buffer.compare(there, ours) === 0;
  };
  const there = await bucket.read(lockName, maxBytes);
  const holder = there === undefined ? undefined : holderOf(there);
  if (holder !== undefined && holder.owner !== owner && !force) throw lockedByAnother(holder);
  const etag = there === undefined ? undefined : (await bucket.list(lockName)).get(lockName)?.etag;
  let written = await bucket.write(lockName, object, { etag });
  // Perhaps an earlier attempt created the lock, but the server's answer was lost.
  if (written === "changed" && !(await isOurs())) throw lockedByAnother({});
  // To test the server, feedkey tries to create the lock again. A server that ignores conditions accepts the second lock.
  const again = written === "unsupported" ? written : await bucket.write(lockName, object, { etag: undefined });
  const conditions = again === "changed";
  if (written === "unsupported") written = await bucket.write(lockName, object);
  const lock = {
    conditions,
    async assertHeld() {
      if (!(await isOurs())) throw lost();
    },
    async release() {
      if (await isOurs()) await bucket.remove(lockName);
    },
  };
  await lock.assertHeld();
  return lock;
}

function lockedByAnother({ since }: Holder): FeedkeyError {
  const when = typeof since === "string" ? `, since ${escapeText(since.slice(0, 40))}` : "";
  return new FeedkeyError("locked", `another publisher is using the bucket${when}`, {
    details: { object: lockName, since: typeof since === "string" ? since : null },
    hint: "wait until that publisher has ended; if no publisher is running, take over the lock with feedkey publish --force",
  });
}

function lost(): FeedkeyError {
  return new FeedkeyError("locked", "lost the lock of the bucket: another publisher has taken it over", {
    details: { object: lockName },
    hint: "this run then stopped uploading; look at the published files, and run the command again",
  });
}
