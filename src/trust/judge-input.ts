/** The judge's input: facts, profile, reference time, and the client's memory. */
import type { Identity } from "../profile/types.ts";
import type { Instant } from "../time.ts";
import type { CertificateFacts, Fingerprint } from "./facts.ts";

export interface JudgeInput {
  /** Every available certificate, related to the archive or not. One for each fingerprint. */
  readonly certificates: readonly CertificateFacts[];
  readonly identity: Identity;
  /** T2: fingerprints that the profile lists. */
  readonly seeds: readonly Fingerprint[];
  readonly retiredIssuers: "refuse" | "accept";
  readonly at: Instant;
  /** T5: keys that this client accepted before (its ledger). */
  readonly accepted: ReadonlySet<Fingerprint>;
  /** T6: those of them that were never live when this client judged them; these are not kept as rivals. None by default. */
  readonly neverLive?: ReadonlySet<Fingerprint>;
  /** T7: all expiry dates of keys that the ledger knew before they passed. None by default. */
  readonly ends?: ReadonlyMap<Fingerprint, readonly Instant[]>;
  /** T11: keys whose revocation state is not known well enough to use them. */
  readonly unchecked: ReadonlySet<Fingerprint>;
  /** T6: keys that certified more successors than are examined, with some of those left out. None by default. */
  readonly crowded?: ReadonlyMap<Fingerprint, readonly Fingerprint[]>;
  /** Keys that were not read completely and serve for messages only: they are never trusted, and lead to no other key. */
  readonly aside?: ReadonlySet<Fingerprint>;
}
