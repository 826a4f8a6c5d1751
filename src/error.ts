/** The exit status of each error code ("Exit status" in man/feedkey.md). */

const statusOf = {
  no_signature: 1,
  bad_signature: 1,
  untrusted_signer: 1,
  revoked: 1,
  expired: 1,
  not_yet_valid: 1,
  weak_algorithm: 1,
  rollback: 1,
  stale: 1,
  wrong_feed: 1,
  no_digest: 1,
  digest_mismatch: 1,
  size_mismatch: 1,
  not_listed: 1,
  fork: 1,
  unchecked_revocation: 1,
  bad_path: 1,
  would_break: 1,
  ends_soon: 1,
  usage: 2,
  bad_index: 65,
  bad_signature_data: 65,
  bad_certificate: 65,
  bad_package: 65,
  not_found: 66,
  unavailable: 69,
  internal: 70,
  output: 73,
  bad_state: 74,
  locked: 75,
  bad_profile: 78,
  bad_config: 78,
  no_seed: 78,
} as const;

export type ErrorCode = keyof typeof statusOf;

/** The facts about a failure for programs (`--json`), as plain JSON values. */
export type Details = Readonly<Record<string, unknown>>;

interface ErrorContext {
  readonly details?: Details;
  /** What the person who reads the message should do next, in lower case and without a full stop. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** A failure that feedkey foresees. `code` and `details` are part of the API; `message` and `hint` are for people. */
export class FeedkeyError extends Error {
  readonly code: ErrorCode;
  readonly details: Details;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = "FeedkeyError";
    this.code = code;
    this.details = context.details ?? {};
    this.hint = context.hint;
  }
}

/** Returns the exit status for an error code. */
export function exitStatus(code: ErrorCode): number {
  return statusOf[code];
}

/**
 * Returns the most serious of several codes. A refusal is more serious than malformed input, and malformed input is more serious than an
 * unreachable server: "refused" must never look like "could not ask".
 */
function mostSerious(codes: readonly ErrorCode[]): ErrorCode | undefined {
  return [...codes].sort((a, b) => exitStatus(a) - exitStatus(b))[0];
}

/** Returns the first error with the most serious code; undefined for an empty list. */
export function mostSeriousOf(errors: readonly FeedkeyError[]): FeedkeyError | undefined {
  const code = mostSerious(errors.map((error) => error.code));
  return errors.find((error) => error.code === code);
}

/** Returns the result of an action, or the FeedkeyError that the action throws. */
export async function orRefusal<T>(action: () => T | Promise<T>): Promise<T | FeedkeyError> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof FeedkeyError) return error;
    throw error;
  }
}

/** Returns the result of a synchronous action; undefined if the action throws a `FeedkeyError`. */
export function unlessRefused<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof FeedkeyError) return undefined;
    throw error;
  }
}

/** Returns the result of an action. If the action throws a `FeedkeyError`, returns what `instead` returns for this error. */
export async function onRefusal<T, Other>(
  action: () => T | Promise<T>,
  instead: (error: FeedkeyError) => Other | Promise<Other>,
): Promise<T | Other> {
  const result = await orRefusal(action);
  return result instanceof FeedkeyError ? await instead(result) : result;
}

/**
 * Waits for an action on a file. @returns the action's result; undefined if the file or a folder in its path is missing
 * @param fail makes the error that `unlessMissing` throws for any other failure
 */
export async function unlessMissing<T>(
  result: Promise<T>,
  fail: (error: unknown) => unknown = (error) => error,
): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw fail(error);
  }
}

/** Runs an action on each item in turn, also after a `FeedkeyError`. @returns the results, and the errors */
export async function tryEach<Item, T>(items: Iterable<Item>, action: (item: Item) => T | Promise<T>) {
  const good: T[] = [];
  const errors: FeedkeyError[] = [];
  for (const item of items) {
    const result = await orRefusal(() => action(item));
    if (result instanceof FeedkeyError) errors.push(result);
    else good.push(result);
  }
  return { good, errors };
}

/**
 * Returns the system's error code (`ENOENT`, `EACCES`...) in a thrown value; undefined for a `FeedkeyError` and for values
 * without a code.
 */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof FeedkeyError) return undefined;
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
