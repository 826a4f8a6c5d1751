/** Where the warnings of one call gather. */
import type { Reporter } from "./session.ts";

const nothing = { update: () => undefined, stop: () => undefined };

/** Hands on what is reported, and keeps the warnings. */
export class Collected implements Reporter {
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
