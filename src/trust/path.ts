import type { Fingerprint } from "./facts.ts";
import { withoutCircles } from "./graph.ts";

/**
 * How a key is reached: from an accepted key before it, perhaps through keys that are not accepted (rivals on a path beyond a
 * fork).
 */
export class Path {
  readonly #before: Path | undefined;
  readonly #hop: readonly Fingerprint[];
  #via: readonly Fingerprint[] | undefined;

  constructor(before?: Path, hop: readonly Fingerprint[] = []) {
    this.#before = before;
    this.#hop = hop;
  }

  /** Returns the keys from the seed to the key's own predecessor, computed on demand. */
  to(key: Fingerprint): readonly Fingerprint[] {
    if (this.#via !== undefined) return this.#via;
    const hops: (readonly Fingerprint[])[] = [];
    for (let path: Path | undefined = this; path !== undefined; path = path.#before) hops.push(path.#hop);
    // A key beyond a fork may lead back to a key on the path to the fork; that key is then accepted too.
    this.#via = withoutCircles([...hops.reverse().flat(), key]).slice(0, -1);
    return this.#via;
  }
}
