import type { KeyIndex } from "../openpgp/check/key-index.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { TrustSet } from "../trust/judge.ts";

/** A judgement, with the keys that can verify signatures. */
export interface Judged {
  readonly trust: TrustSet;
  readonly keys: KeyIndex;
  /** The delegates that were not read, so that the judgement does not include them. */
  readonly resting: ReadonlySet<Fingerprint>;
  /**
   * Judges again after reading the named signers too, if these are delegates that were not read.
   * @param names fingerprints or key IDs of the signers
   */
  readonly including?: (names: Iterable<string>) => Promise<Judged>;
}
