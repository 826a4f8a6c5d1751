/** What tests expect of a failed fetch. */
import { expect } from "chai";
import { FeedkeyError } from "../../../src/error.ts";

/** The error that a promise is rejected with; fails the test if it is kept, or is no FeedkeyError. */
export async function refusal(promise: Promise<unknown>): Promise<FeedkeyError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).to.be.instanceOf(FeedkeyError);
  if (!(outcome instanceof FeedkeyError)) throw new Error("no FeedkeyError");
  return outcome;
}

/** The `details.reason` of a fetch that must fail as `unavailable`. */
export async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await refusal(promise);
  expect(error.code).to.equal("unavailable");
  expect(error.hint).to.be.a("string");
  expect(error.message).to.match(/^[^A-Z].*[^.]$/s);
  return error.details.reason;
}
