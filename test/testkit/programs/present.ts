/** What tests need of the machine and of its user. Where it is missing they are skipped, and the report says why. */

/**
 * Skips a test, or from a `before` hook the group.
 * @param reason stands behind the title: that is all of a test that the report shows
 */
export function skip(context: Mocha.Context, reason: string): never {
  const { test, currentTest } = context;
  // A hook is the "test" of its context; mocha calls it '"before all" hook' or '"before each" hook'.
  const hook = /^"before (all|each)" hook/.exec(test?.title ?? "")?.[1];
  const skipped = hook === "all" ? test?.parent : hook === "each" ? currentTest : test;
  if (skipped !== undefined) skipped.title += ` (${reason})`;
  return context.skip();
}

/**
 * Skips where something is missing that can be installed; with FEEDKEY_REQUIRE_PEERS=1 that fails instead.
 * @returns false, after marking the test or suite as skipped, where `found` is undefined or false
 */
export function presentOrSkip<T>(context: Mocha.Context, found: T | undefined | false, what: string): found is T {
  if (found !== undefined && found !== false) return true;
  if (process.env.FEEDKEY_REQUIRE_PEERS === "1") throw new Error(`${what}, and FEEDKEY_REQUIRE_PEERS asks for it`);
  return skip(context, what);
}

/** Skips what only root can do. FEEDKEY_REQUIRE_PEERS does not ask for it: part of `.ci/run` runs as an ordinary user. */
export function skipUnlessRoot(context: Mocha.Context): void {
  if (process.geteuid?.() !== 0) skip(context, "needs root");
}
