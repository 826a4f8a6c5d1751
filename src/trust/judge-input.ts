/** The judge's input: facts, profile, reference time, and what the client remembers. */
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import type { CertificateFacts, Fingerprint } from "./facts.ts";

export interface JudgeInput {
  /** Every available certificate, whether related to the archive or not. Each fingerprint occurs once. */
  readonly certificates: readonly CertificateFacts[];
  readonly identity: Identity;
  /** T2: the fingerprints of the seeds that the profile lists. */
  readonly seeds: readonly Fingerprint[];
  readonly retiredIssuers: "refuse" | "accept";
  readonly at: Instant;
  /** T5: the keys that this client accepted before, from its ledger. */
  readonly accepted: ReadonlySet<Fingerprint>;
  /** T6: the accepted keys that were never live when this client judged them; these are not kept as rivals. Empty by default. */
  readonly neverLive?: ReadonlySet<Fingerprint>;
  /** T7: all expiry dates of keys that the ledger knew before the dates passed. Empty by default. */
  readonly ends?: ReadonlyMap<Fingerprint, readonly Instant[]>;
  /** T11: keys that may not be used, because their revocation state is not known well enough. */
  readonly unchecked: ReadonlySet<Fingerprint>;
  /**
   * T6: keys that certified more successors than feedkey examines, each with some of the successors that were left out.
   * Empty by default.
   */
  readonly crowded?: ReadonlyMap<Fingerprint, readonly Fingerprint[]>;
  /** Keys that were not read completely and serve only for messages: they are never trusted, and lead to no other key. */
  readonly aside?: ReadonlySet<Fingerprint>;
}
