/** A graph of certificates as a short plan: keys that are all right, links between them, and what is then changed. Shrinks well. */
import type { Identity } from "../../src/profile/types.ts";
import type { Instant } from "../../src/time.ts";

/** Index of a key. */
export type Nth = number;

/** What one signature says where it differs from a good one. */
export interface SignatureTraits {
  /** Undefined: the hashed area has no date. */
  readonly createdAt: Instant | undefined;
  readonly expiresAt: Instant | undefined;
  readonly hash: string;
  readonly unknownCritical: boolean;
  readonly exportable: boolean;
}

export interface SelfTraits extends SignatureTraits {
  readonly keyExpiresAt: Instant | undefined;
  readonly flags: { readonly certify: boolean; readonly sign: boolean } | undefined;
}

/** Who made a signature in the name of a certificate. */
export type Maker = "primary" | "subkey";

/** `instead`: takes the place of what was there. */
export type Change =
  | { readonly kind: "created"; readonly key: Nth; readonly at: Instant }
  | { readonly kind: "algorithm"; readonly key: Nth; readonly algorithm: string; readonly bits: number }
  | { readonly kind: "user-id"; readonly key: Nth; readonly text: string; readonly instead: boolean }
  | {
      readonly kind: "self-signature";
      readonly key: Nth;
      readonly userId: Nth;
      readonly traits: SelfTraits;
      readonly instead: boolean;
    }
  | { readonly kind: "direct-signature"; readonly key: Nth; readonly traits: SelfTraits }
  | {
      readonly kind: "user-id-revocation";
      readonly key: Nth;
      readonly userId: Nth;
      readonly hard: boolean;
      readonly traits: SignatureTraits;
    }
  | { readonly kind: "revocation"; readonly key: Nth; readonly hard: boolean; readonly traits: SignatureTraits }
  | (Foreign & { readonly kind: "certification"; readonly instead: boolean })
  | (Foreign & { readonly kind: "withdrawal" });

/** A signature by one key over a user ID of another. */
export interface Foreign {
  readonly issuer: Nth;
  readonly key: Nth;
  readonly userId: Nth;
  readonly maker: Maker;
  readonly traits: SignatureTraits;
}

export interface Link {
  readonly issuer: Nth;
  readonly key: Nth;
  readonly at: Instant;
  /** The certification has run out since: it passes nothing on, but acknowledges. */
  readonly expired: boolean;
}

/** A certification that means to delegate. */
export interface Delegation extends Foreign {
  /** Values of its notations; more than one, or one that can't be read, delegates nothing. */
  readonly terms: readonly string[];
  readonly trust: { readonly level: number; readonly amount: number };
}

/**
 * How a key came to its end, if it did: `late` and what follows are extensions after it, `cut short` is a sooner end said later. Days
 * before the reference time: ends at 50 or, `early` and `cut short`, at 250.
 */
export type Fate =
  | "expired"
  | "expired early"
  | "retired"
  | "retired early"
  | "weak"
  | "extended on time"
  | "extended late"
  | "cut short"
  | "extended late once"
  | "extended late twice";

export interface GraphPlan {
  /** Number of keys. */
  readonly size: number;
  readonly identity: Identity;
  readonly links: readonly Link[];
  /** Keys that have a name of their own instead of the archive's. */
  readonly named?: readonly Nth[];
  readonly delegations?: readonly Delegation[];
  /** What became of keys, before the changes. */
  readonly fates?: readonly { readonly key: Nth; readonly fate: Fate }[];
  readonly changes: readonly Change[];
  readonly seeds: readonly Nth[];
  readonly retiredIssuers: "refuse" | "accept";
  readonly accepted: readonly Nth[];
  /** Those of the ledger that were never live. */
  readonly neverLive?: readonly Nth[];
  /** What the ledger knows of the ends of keys. */
  readonly ends?: readonly { readonly key: Nth; readonly at: Instant }[];
  readonly unchecked: readonly Nth[];
  /** Keys that certified more than what is at hand. */
  readonly crowded?: readonly Nth[];
  /** By how many places the list of certificates is turned. */
  readonly turn: number;
}
