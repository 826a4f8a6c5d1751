/** The few dates that random graphs use, so that equal ones and those a second off a limit are frequent. */
import type { Instant } from "../../src/time.ts";

/** The reference time: RSA below 3072 bits is refused by then (T14), and was not yet when most of the past happened. */
export const at: Instant = Date.UTC(2030, 5, 30, 12);

/** Days before the reference time; negative: after. */
export function daysAgo(days: number): Instant {
  return at - days * 86_400_000;
}

const second = 1000;
const skew = 300 * second;

/** Long past, in the order in which things usually happen: keys made at 400, links from 300 on. */
export const past: readonly Instant[] = [daysAgo(400), daysAgo(300), daysAgo(200), daysAgo(100)];

/** Beside the dates that others use. */
export const besidePast: readonly Instant[] = past.flatMap((date) => [date - second, date + second]);

/** At each side of the reference time and of the skew allowed. */
export const limits: readonly Instant[] = [-skew, 0, skew].flatMap((shift) => {
  return [at + shift - second, at + shift, at + shift + second];
});

export const future: readonly Instant[] = [daysAgo(-100)];
