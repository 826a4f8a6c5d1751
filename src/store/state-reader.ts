import type { FeedkeyError } from "../error.ts";
import { type Instant, iso } from "../time.ts";
import { isFingerprint } from "./fingerprint.ts";
import { badState, startAgain } from "./state-file.ts";

/**
 * Reads values from one JSON file of the state. A value that is not exactly in the form that feedkey writes counts as damage. All methods
 * throw FeedkeyError `bad_state` with the path of the file and the place in the file.
 */
export class StateReader {
  readonly #path: string;
  readonly #fail: (path: string, problem: string, hint?: string) => FeedkeyError;

  /**
   * @param path the file's path, for messages
   * @param fail makes the errors if the file is not part of the client state
   */
  constructor(path: string, fail = badState) {
    this.#path = path;
    this.#fail = fail;
  }

  /** Reads the whole file as an object whose version this program knows. */
  document(bytes: Uint8Array, version: number, keys: readonly string[]): ReadonlyMap<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw this.#fail(this.#path, "is damaged: not JSON");
    }
    const found = this.entries(value, "the file");
    const given = found.get("version");
    if (typeof given === "number" && Number.isInteger(given) && given > version) {
      const newer = "use a feedkey at least as new as the one that wrote it";
      throw this.#fail(
        this.#path,
        `has version ${given}, which is newer than version ${version}, the newest that this program knows`,
        this.#fail === badState ? `${newer}; or ${startAgain}` : newer,
      );
    }
    if (given !== version) throw this.damage("the version", "expected a version number");
    return this.object(value, "the file", ["version", ...keys]);
  }

  /** Reads an object with exactly these keys; a key that ends in `?` may be missing. */
  object(value: unknown, where: string, keys: readonly string[]): ReadonlyMap<string, unknown> {
    const found = this.entries(value, where);
    const allowed = new Set(keys.map((key) => key.replace("?", "")));
    for (const key of found.keys()) if (!allowed.has(key)) throw this.damage(where, `unknown field "${key}"`);
    for (const key of keys) if (!key.endsWith("?") && !found.has(key)) throw this.damage(where, `no field "${key}"`);
    return found;
  }

  /** Reads an object with any keys. Returns a Map, because the key `__proto__` is special in a plain object. */
  entries(value: unknown, where: string): ReadonlyMap<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.damage(where, "not an object");
    return new Map(Object.entries(value));
  }

  /** Reads an object with any keys, and reads each of its values with `read`. */
  mapOf<T>(value: unknown, where: string, read: (key: string, value: unknown) => T): ReadonlyMap<string, T> {
    return new Map([...this.entries(value, where)].map(([key, one]) => [key, read(key, one)]));
  }

  list<T>(value: unknown, where: string, read: (value: unknown) => T): readonly T[] {
    if (!Array.isArray(value)) throw this.damage(where, "not a list");
    return value.map((one) => read(one));
  }

  text(value: unknown, where: string): string {
    if (typeof value !== "string") throw this.damage(where, "not text");
    return value;
  }

  fingerprint(value: unknown, where: string): string {
    const text = this.text(value, where);
    if (!isFingerprint(text)) throw this.damage(where, "not a fingerprint");
    return text;
  }

  digest(value: unknown, where: string): string {
    const text = this.text(value, where);
    if (!/^[0-9a-f]{64}$/.test(text)) throw this.damage(where, "not a SHA-256 digest");
    return text;
  }

  /** Reads a time exactly as `iso` writes it. */
  instant(value: unknown, where: string): Instant {
    const text = this.text(value, where);
    const at = Date.parse(text);
    if (Number.isNaN(at) || iso(at) !== text) throw this.damage(where, "not a time");
    return at;
  }

  count(value: unknown, where: string): number {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw this.damage(where, "not a count");
    return value;
  }

  flag(value: unknown, where: string): boolean {
    if (typeof value !== "boolean") throw this.damage(where, "neither true nor false");
    return value;
  }

  oneOf<T extends string>(value: unknown, where: string, words: readonly T[]): T {
    const word = words.find((one) => one === value);
    if (word === undefined) throw this.damage(where, `expected ${words.join(" or ")}`);
    return word;
  }

  damage(where: string, what: string): FeedkeyError {
    return this.#fail(this.#path, `is damaged: ${where}: ${what}`);
  }
}
