import type { Fingerprint } from "./facts.ts";
import { withoutCircles } from "./graph.ts";

/** How a key is reached: from an accepted one before it over keys that are not (the rivals on the way past a fork). */
export class Path {
  readonly #before: Path | undefined;
  readonly #hop: readonly Fingerprint[];
  #via: readonly Fingerprint[] | undefined;

  constructor(before?: Path, hop: readonly Fingerprint[] = []) {
    this.#before = before;
    this.#hop = hop;
  }

  /** From the seed to the key's own predecessor. Put together when asked for: of a long chain few ask. */
  to(key: Fingerprint): readonly Fingerprint[] {
    if (this.#via !== undefined) return this.#via;
    const hops: (readonly Fingerprint[])[] = [];
    for (let path: Path | undefined = this; path !== undefined; path = path.#before) hops.push(path.#hop);
    // A key beyond a fork may lead back to a key on the way there, which is then accepted too.
    this.#via = withoutCircles([...hops.reverse().flat(), key]).slice(0, -1);
    return this.#via;
  }
}
