import type { KeyIndex } from "../openpgp/check/key-index.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { TrustSet } from "../trust/judge.ts";

/** The judgement, with the keys to check signatures with. */
export interface Judged {
  readonly trust: TrustSet;
  readonly keys: KeyIndex;
  /** Delegates that were not read: nothing is said of them. */
  readonly resting: ReadonlySet<Fingerprint>;
  /**
   * The judgement with these signers read too, if they are delegates that rest.
   * @param names fingerprints or key IDs
   */
  readonly including?: (names: Iterable<string>) => Promise<Judged>;
}
