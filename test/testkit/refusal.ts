import { expect } from "chai";
import { FeedkeyError } from "../../src/error.ts";

/** What a test asserts about a refusal. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly line: unknown;
  readonly hint: string | undefined;
}

/** Runs an action that must throw a FeedkeyError, and tells what it said; anything else is rethrown or fails. */
export function refusal(action: () => unknown): Refusal {
  try {
    action();
  } catch (error) {
    if (!(error instanceof FeedkeyError)) throw error;
    return { code: error.code, message: error.message, line: error.details.line, hint: error.hint };
  }
  throw new Error("expected a refusal, but nothing was thrown");
}

/** The FeedkeyError that the work ends in. The test fails if it ends otherwise. */
export async function refusalOf(work: () => unknown): Promise<FeedkeyError> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    if (error instanceof FeedkeyError) return error;
    throw error;
  }
  return expect.fail(`expected a refusal, got ${String(result)}`);
}
