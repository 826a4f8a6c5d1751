/** The public API: re-exports only. What the command line does, programs can do with these. */

export { refresh } from "./client/refresh.ts";
export { Session, type SessionOptions } from "./client/session.ts";
export { type FeedOutcome, updateFeeds } from "./client/update.ts";
export { type ErrorCode, exitStatus, FeedkeyError } from "./error.ts";
export { createTransport } from "./net/transport.ts";
export { readProfile } from "./profile/read-profile.ts";
export type { Feed, Profile } from "./profile/types.ts";
export { type JudgeInput, judge, type TrustSet } from "./trust/judge.ts";
