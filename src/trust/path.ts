import type { Fingerprint } from "./facts.ts";
import { withoutCircles } from "./graph.ts";

/**
 * How the seeds reach a key: the path to an accepted key before this key, and the keys from there. Beyond a fork, the keys between may be
 * rivals, which are not accepted themselves.
 */
export class Path {
  readonly #before: Path | undefined;
  readonly #hop: readonly Fingerprint[];
  #via: readonly Fingerprint[] | undefined;

  constructor(before?: Path, hop: readonly Fingerprint[] = []) {
    this.#before = before;
    this.#hop = hop;
  }

  /** Returns the keys from the seed to the key's own predecessor. They are computed only when this method is called. */
  to(key: Fingerprint): readonly Fingerprint[] {
    if (this.#via !== undefined) return this.#via;
    const hops: (readonly Fingerprint[])[] = [];
    for (let path: Path | undefined = this; path !== undefined; path = path.#before) hops.push(path.#hop);
    // A key beyond a fork may lead back to a key on the path to the fork. This key is then accepted too, and the loop is removed from its
    // path.
    this.#via = withoutCircles([...hops.reverse().flat(), key]).slice(0, -1);
    return this.#via;
  }
}
