import { expect } from "chai";
import type { FeedkeyError } from "../../../src/error.ts";
import { refusalOf } from "../refusal.ts";

/** Runs the work and asserts that it ends in `bad_package` with such a message. */
export async function expectDamage(work: () => unknown, message: RegExp): Promise<FeedkeyError> {
  const error = await refusalOf(work);
  expect(error.message).to.match(message);
  expect(error.code).to.equal("bad_package");
  return error;
}
