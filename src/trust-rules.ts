/**
 * The module `feedkey/trust`: the trust rules, and functions that read certificates and signatures for these rules. No function
 * uses files, clock or network. The caller must do what a client does in addition: remember keys, check for revocations, and
 * compare the dates of indexes.
 */

export { type ErrorCode, FeedkeyError } from "./error.ts";
export { type Evidence, readCertificates, readSignatures } from "./openpgp/check/evidence.ts";
export type { Identity } from "./profile/types.ts";
export type { Duration, Instant } from "./time.ts";
export type { Grant } from "./trust/delegation.ts";
export type {
  CertificateFacts,
  DataSignature,
  Fingerprint,
  KeyFacts,
  Revocation,
  SelfSignature,
  SignatureFacts,
  SubkeyFacts,
  UserIdFacts,
} from "./trust/facts.ts";
export type { Fork } from "./trust/fork.ts";
export {
  type IndexPolicy,
  type IndexVerdict,
  judgeIndex,
  type SignatureRefusal,
  type Signer,
} from "./trust/index-signature.ts";
export { type JudgeInput, judge, type Rejected, type Role, type Trusted, type TrustSet } from "./trust/judge.ts";
export type { Refusal } from "./trust/policy.ts";
export type { Link } from "./trust/transition.ts";
