/** Dates of Release files: RFC 5322's form, in UTC, as apt reads them. */

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
  // The 31st of April is not the 1st of May.
  return new Date(Date.UTC(Number(year), month, days)).getUTCDate() === days ? date : undefined;
}

/** Writes a date as in a Release file, in whole seconds. @param at in milliseconds */
export function writeDate(at: number): string {
  return new Date(at).toUTCString().replace(/GMT$/, "UTC");
}
