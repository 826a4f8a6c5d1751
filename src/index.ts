/**
 * The public API of the package `feedkey`, with which programs can do everything that the command line does. The module
 * `feedkey/trust` has only the trust rules.
 */

export type {
  CallOptions,
  ClientOptions,
  ExportOptions,
  FetchOptions,
  ListOptions,
  Report,
  UpdateOptions,
  VerifyOptions,
  VerifyPackagesOptions,
} from "./client/client-options.ts";
export type { FeedStatus } from "./client/feed-status.ts";
export type { Mirrored, MirrorOptions } from "./client/mirror/mirror-feed.ts";
export { type Client, openClient } from "./client/open-client.ts";
export type { Fetched } from "./client/packages/fetch.ts";
export type { FetchAllOptions } from "./client/packages/fetch-packages.ts";
export type { Listed, ListedFeed, ListedPackage } from "./client/packages/listed-packages.ts";
export type { CacheOptions } from "./client/packages/package-cache.ts";
export type { VerifiedPackage } from "./client/packages/verify-package.ts";
export type { SignedFile, VerifiedPackages } from "./client/packages/verify-packages.ts";
export { type AddSeedOptions, addSeeds, type SeedsAdded } from "./client/profiles/add-seed.ts";
export { type InitProfileOptions, initProfile, type NewProfile } from "./client/profiles/init-profile.ts";
export {
  type CheckProfileOptions,
  checkProfile,
  type FoundProfile,
  listProfiles,
  type SeedState,
  showProfile,
} from "./client/profiles/profiles.ts";
export { type ClientStatus, type KeyStatus, type KeyToday, keyToday } from "./client/status.ts";
export { removeSetUp, type SetUp, type SetUpOptions, type SetupChange, setUpProgram } from "./client/stock/set-up.ts";
export type { FeedOutcome } from "./client/update.ts";
export type { VerifiedIndex } from "./client/verified-index.ts";
export type { VerifiedCopy } from "./client/verify-copy.ts";
export { type Details, type ErrorCode, exitStatus, FeedkeyError } from "./error.ts";
export { initArchive, type NewArchive } from "./keeper/init-archive.ts";
export type {
  AddSubkeyOptions,
  ArchiveOptions,
  DelegateOptions,
  DeleteKeyOptions,
  ExportKeysOptions,
  ExportSecretOptions,
  ExtendKeyOptions,
  KeeperCallOptions,
  MakeKeyOptions,
  PublishOptions,
  RevokeOptions,
  RotateOptions,
  SignOptions,
  SignPackagesOptions,
  WarnOptions,
  WithdrawOptions,
} from "./keeper/keeper-options.ts";
export type { KeyKeeper, MadeKey } from "./keeper/key-keeper.ts";
export type { ImportedKey } from "./keeper/key-transport.ts";
export { type Keeper, openArchive } from "./keeper/open-archive.ts";
export { type RehearsalCopy, type RehearsalStep, rehearse } from "./keeper/rehearse.ts";
export { type ArchiveServer, type ServeArchiveOptions, serveArchive } from "./keeper/serve-archive.ts";
export type { DelegationPlan, Request, Withdrawal } from "./keys/delegate.ts";
export type { DelegationRecord } from "./keys/delegations.ts";
export type { EndAhead } from "./keys/ends-ahead.ts";
export type { Change } from "./keys/import-changes.ts";
export type { DeletionPlan } from "./keys/key-store/delete-key.ts";
export type { KeyDetails, KeyRecord, SubkeyRecord } from "./keys/key-store/describe-key.ts";
export type { SecretExport } from "./keys/key-store/export-secret.ts";
export type { RevocationPlan, RevokeReason } from "./keys/revoke.ts";
export type { RotationChoice, RotationPlan } from "./keys/rotation/rotation-plan.ts";
export type { RotationStatus, StepsTaken } from "./keys/rotation/take-rotation.ts";
export type { Spread } from "./keys/send-and-receive.ts";
export type { Algorithm } from "./openpgp/secret/generate.ts";
export type { ArchiveFeed, Feed, Profile } from "./profile/types.ts";
export type { Archive } from "./publish/archive.ts";
export type { PublishResult } from "./publish/publish.ts";
export type { SignedIndex } from "./publish/sign-index.ts";
export type { KeyNews } from "./refresh/key-news.ts";
export type { Reporter } from "./refresh/session.ts";
export type { Follower } from "./rehearse/followers.ts";
export type { Rehearsal, Row } from "./rehearse/rehearsal.ts";
export type { SignedPackageFile } from "./signing/sign-package.ts";
export type { PassphraseSource } from "./signing/signing-key.ts";
export type { Exported, ExportFormat, ExportPlan } from "./stock/export.ts";
export type { Duration, Instant } from "./time.ts";
export type { Fingerprint } from "./trust/facts.ts";
export type { Rejected, Role, Trusted, TrustSet } from "./trust/judge.ts";
