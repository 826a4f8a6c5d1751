/** What the peer tests need of the machine: where it is missing they are skipped, unless all of it must be there. */

/** @returns false, after marking the test or suite as skipped, where `found` is undefined or false */
export function presentOrSkip<T>(context: Mocha.Context, found: T | undefined | false, what: string): found is T {
  if (found !== undefined && found !== false) return true;
  if (process.env.FEEDKEY_REQUIRE_PEERS === "1") throw new Error(`${what}, and FEEDKEY_REQUIRE_PEERS asks for it`);
  context.skip();
  return false;
}
