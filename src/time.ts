import { FeedkeyError } from "./error.ts";

/** A point in time, in milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** A length of time in milliseconds. */
export type Duration = number;

const unitLength: Readonly<Record<string, Duration>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

/** Returns a time as an RFC 3339 text in UTC, without fractions of a second: `2026-01-31T12:00:00Z`. */
export function iso(at: Instant): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** Rounds a time down to a whole second, because OpenPGP's dates have whole seconds. */
export function wholeSecond(at: Instant): Instant {
  return Math.floor(at / 1000) * 1000;
}

/**
 * Reads a length of time such as `90s`, `15m`, `12h`, `14d`, `2w`, `2y` (a year is 365 days) or `0`. Returns undefined for any
 * other text, so that the caller can choose the error's code.
 */
export function parseDuration(text: string): Duration | undefined {
  if (text === "0") return 0;
  const match = /^([1-9]\d{0,5})([smhdwy])$/.exec(text);
  const unit = unitLength[match?.[2] ?? ""];
  return match?.[1] === undefined || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** Returns a duration in words, rounded down to one unit: `3 days`, `5 hours`, `12 minutes`. */
export function roughly(length: Duration): string {
  const scale: readonly [Duration, string][] = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
  ];
  for (const [unit, word] of scale) {
    const count = Math.floor(Math.abs(length) / unit);
    if (count >= 2 || (count === 1 && unit === 60_000)) return `${count} ${word}${count === 1 ? "" : "s"}`;
  }
  const seconds = Math.round(Math.abs(length) / 1000);
  return `${seconds} second${seconds === 1 ? "" : "s"}`;
}

/**
 * Reads a date and time with a time zone (RFC 3339 section 5.6).
 * @throws FeedkeyError `usage` if the text does not have this form
 */
export function parseTime(text: string): Instant {
  const shape = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
  const at = shape.test(text) ? Date.parse(text.replace(" ", "T").toUpperCase()) : Number.NaN;
  if (Number.isNaN(at)) {
    throw new FeedkeyError("usage", `"${text}" is not a time`, {
      hint: "write the time as RFC 3339 with a time zone, for example 2026-01-31T12:00:00Z",
    });
  }
  return at;
}
