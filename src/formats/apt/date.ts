/** Reads and writes the dates in Release files. Like apt, feedkey reads RFC 5322's form, in UTC. */

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const form =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{1,2}):(\d\d):(\d\d) (?:UTC|GMT|Z|[+-]0000)$/;

/** Reads a date, in milliseconds; returns undefined if the text is not such a date. */
export function readDate(text: string): number | undefined {
  const [, day, name = "", year, hour, minute, second] = form.exec(text) ?? [];
  const month = months.indexOf(name);
  const numbers = [day, hour, minute, second].map(Number);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = numbers;
  if (month === -1 || hours > 23 || minutes > 59 || seconds > 60) return undefined;
  const date = Date.UTC(Number(year), month, days, hours, minutes, seconds);
  // Date.UTC turns April 31 into May 1, so a different day means that the date does not exist.
  return new Date(Date.UTC(Number(year), month, days)).getUTCDate() === days ? date : undefined;
}

/** Returns a date in the form of a Release file, in whole seconds. @param at the date in milliseconds */
export function writeDate(at: number): string {
  return new Date(at).toUTCString().replace(/GMT$/, "UTC");
}
