/** The tests' calendar: fixed, so that everything made with it is the same on each run. */
import type { Instant } from "../../src/time.ts";

/** Noon of day `n`; day 0 is 2026-01-01, when keys are made unless a test says otherwise. */
export function day(n: number): Instant {
  return Date.UTC(2026, 0, 1, 12) + n * 86_400_000;
}
