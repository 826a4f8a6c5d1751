/** The judge's input: facts, profile, reference time, and what the client remembers. */
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import type { CertificateFacts, Fingerprint } from "./facts.ts";

export interface JudgeInput {
  /** Every available certificate, whether or not it is connected with the archive. Each fingerprint occurs once. */
  readonly certificates: readonly CertificateFacts[];
  readonly identity: Identity;
  /** T2: the fingerprints of the seeds that the profile lists. */
  readonly seeds: readonly Fingerprint[];
  readonly retiredIssuers: "refuse" | "accept";
  readonly at: Instant;
  /** T5: the keys that this client accepted before, from its ledger. */
  readonly accepted: ReadonlySet<Fingerprint>;
  /**
   * T6: the accepted keys that were never live when this client judged them. In a fork, the client does not keep these against a rival.
   * Empty by default.
   */
  readonly neverLive?: ReadonlySet<Fingerprint>;
  /** T7: for each key in the ledger, all expiry dates that the ledger recorded before they passed. Empty by default. */
  readonly ends?: ReadonlyMap<Fingerprint, readonly Instant[]>;
  /** T11: keys that may not be used, because no good check for revocations is recent enough. */
  readonly unchecked: ReadonlySet<Fingerprint>;
  /**
   * T6: keys that certified more successors than feedkey examines, each with some of the successors that feedkey left out. Empty by
   * default.
   */
  readonly crowded?: ReadonlyMap<Fingerprint, readonly Fingerprint[]>;
  /**
   * Keys whose certificates feedkey did not read completely. They serve only for messages: feedkey never trusts them, and they lead to no
   * other key.
   */
  readonly aside?: ReadonlySet<Fingerprint>;
}
