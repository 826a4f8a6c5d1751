import { expect } from "chai";
import { FeedkeyError } from "../../../src/error.ts";

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

/** Runs the work and asserts that it ends in `bad_package` with such a message. */
export async function expectDamage(work: () => unknown, message: RegExp): Promise<FeedkeyError> {
  const error = await refusalOf(work);
  expect(error.message).to.match(message);
  expect(error.code).to.equal("bad_package");
  return error;
}
