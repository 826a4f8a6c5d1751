/** Makes the report of one call, with the call's warnings. */
import { type FeedkeyError, mostSeriousOf } from "../error.ts";
import type { Reporter } from "../refresh/session.ts";
import type { Report } from "./client-options.ts";

const nothing = { update: () => undefined, stop: () => undefined };

/** A reporter that passes on all messages, and also keeps the warnings for the report. */
class Collected implements Reporter {
  readonly warnings: string[] = [];
  readonly #to: Partial<Reporter>;

  constructor(to: Partial<Reporter>) {
    this.#to = to;
  }

  warn(text: string): void {
    this.warnings.push(text);
    this.#to.warn?.(text);
  }

  note(text: string): void {
    this.#to.note?.(text);
  }

  progress(label: string, total: number | undefined) {
    return this.#to.progress?.(label, total) ?? nothing;
  }
}

/**
 * Runs one call and makes its report.
 * @param to the reporter that receives warnings and progress as they occur
 * @param partial whether the report includes errors about single items; otherwise `report` throws the most serious of these errors
 */
export async function report<Found>(
  to: Partial<Reporter> | undefined,
  partial: boolean | undefined,
  action: (reporter: Reporter) => Promise<Found & { readonly errors?: readonly FeedkeyError[] }>,
): Promise<Report<Found>> {
  const reporter = new Collected(to ?? {});
  const found = await action(reporter);
  const { errors = [] } = found;
  const worst = partial === true ? undefined : mostSeriousOf(errors);
  if (worst !== undefined) throw worst;
  return { ...found, errors, warnings: reporter.warnings };
}
