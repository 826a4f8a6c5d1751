/** Reads the values in one section of a configuration file, and checks that they have the right type. */

import { nearest } from "../did-you-mean.ts";
import { type Duration, parseDuration } from "../time.ts";
import type { ErrorAt } from "./config-error.ts";
import type { IniSection, IniValue } from "./ini.ts";

/**
 * One section of a configuration file. All methods throw what `errorAt` makes, with the line of the value, or with the line of the section
 * if a key is missing.
 */
export class Section {
  readonly name: string;
  readonly line: number;
  readonly #values: ReadonlyMap<string, IniValue>;
  readonly #errorAt: ErrorAt;

  /** Checks that the section has only known keys: an unknown key may be the misspelt name of a check. */
  constructor(section: IniSection, known: readonly string[], errorAt: ErrorAt) {
    this.name = section.name;
    this.line = section.line;
    this.#values = section.values;
    this.#errorAt = errorAt;
    for (const [key, { line }] of section.values) {
      if (known.includes(key)) continue;
      throw errorAt(line, `unknown key "${key}" in section [${this.name}]`, nearestHint("key", key, known));
    }
  }

  /** Returns the value as written; undefined if the key is missing. */
  raw(key: string): IniValue | undefined {
    return this.#values.get(key);
  }

  /** Returns a value that is not empty; undefined if the key is missing. */
  optional(key: string): IniValue | undefined {
    const value = this.#values.get(key);
    if (value?.text === "") throw this.#errorAt(value.line, `"${key}" has no value`);
    return value;
  }

  required(key: string): IniValue {
    const value = this.optional(key);
    if (value === undefined) throw this.missing(key);
    return value;
  }

  missing(key: string, hint?: string): Error {
    return this.#errorAt(this.line, `section [${this.name}] lacks "${key}"`, hint);
  }

  /** Returns the values in a list separated by commas; an empty list if the key is missing or has no value. */
  list(key: string): IniValue[] {
    const value = this.#values.get(key);
    if (value === undefined || value.text === "") return [];
    return value.text.split(",").map((part) => {
      const text = part.trim();
      if (text === "") throw this.#errorAt(value.line, `"${key}" has an empty value in its list`);
      return { text, line: value.line };
    });
  }

  /**
   * Returns a value that must be one of the given words. If the key is missing, returns the first word, or throws if `required` is given.
   */
  choice<const Word extends string>(key: string, words: readonly [Word, ...Word[]], required?: "required"): Word {
    const value = required === undefined ? this.optional(key) : this.required(key);
    if (value === undefined) return words[0];
    const word = words.find((candidate) => candidate === value.text);
    if (word !== undefined) return word;
    throw this.#errorAt(value.line, `"${key}" must be ${words.join(" or ")}, not "${value.text}"`);
  }

  /** Reads `yes` or `no`; `no` by default. */
  yesNo(key: string): boolean {
    return this.choice(key, ["no", "yes"]) === "yes";
  }

  /** Returns a length of time above zero; zero only if the caller allows zero. */
  duration(key: string, zero: "above zero" | "or zero" = "above zero"): Duration | undefined {
    const value = this.optional(key);
    if (value === undefined) return undefined;
    const length = parseDuration(value.text);
    if (length === undefined) {
      throw this.#errorAt(
        value.line,
        `"${key}" must be a length of time, not "${value.text}"`,
        "write a number and a unit (s, m, h, d, w or y), for example 14d",
      );
    }
    if (length === 0 && zero === "above zero") throw this.#errorAt(value.line, `"${key}" must be more than 0`);
    return length;
  }

  /** Returns a whole number from 1 to 9999. */
  count(key: string): number | undefined {
    const value = this.optional(key);
    if (value === undefined) return undefined;
    if (!/^[1-9]\d{0,3}$/.test(value.text)) {
      throw this.#errorAt(value.line, `"${key}" must be a whole number of at least 1, not "${value.text}"`);
    }
    return Number(value.text);
  }

  /**
   * Returns a number of bytes above zero; `K`, `M` and `G` mean powers of 1024.
   * @param most the largest allowed number of bytes
   */
  size(key: string, most: number): number | undefined {
    const value = this.optional(key);
    if (value === undefined) return undefined;
    const [, digits = "", unit = ""] = /^([1-9]\d{0,11})([KMG]?)$/.exec(value.text) ?? [];
    const size = Number(digits) * (units[unit] ?? 1);
    if (size > 0 && size <= most) return size;
    const hint = `write a number of bytes, or a number with K, M or G, for example 200M; at most ${most} bytes`;
    throw this.#errorAt(value.line, `"${key}" must be a size, not "${value.text}"`, hint);
  }
}

const units: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** Returns a hint for an unknown word, with the most similar known word. */
export function nearestHint(what: string, word: string, known: readonly string[]): string {
  return `the nearest known ${what} is "${nearest(word, known) ?? ""}"`;
}
