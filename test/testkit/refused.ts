import { FeedkeyError } from "../../src/error.ts";

/** The FeedkeyError that an asynchronous action must end with; anything else is rethrown or fails. */
export async function refused(action: () => Promise<unknown>): Promise<FeedkeyError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof FeedkeyError) return error;
    throw error;
  }
  throw new Error("expected a refusal, but nothing was thrown");
}
