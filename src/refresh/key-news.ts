/** Use case: ask about every key, even if its last check was recent, and report the changes. */
import { FeedkeyError } from "../error.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { TrustSet } from "../trust/judge.ts";
import { refresh } from "./refresh.ts";
import type { Session } from "./session.ts";

/** The result of a complete refresh. */
export interface KeyNews {
  readonly trust: TrustSet;
  /** Keys that are trusted now and were unknown before. */
  readonly added: readonly Fingerprint[];
  /** Keys that were trusted before and are not any more. */
  readonly dropped: readonly Fingerprint[];
  /** Keys about which a key server gave a usable answer. */
  readonly checked: ReadonlyMap<Fingerprint, "found" | "absent">;
  /** One `unavailable` error for each other key. */
  readonly errors: readonly FeedkeyError[];
}

/** Asks about every key. Keys without a usable answer are in the errors. @throws FeedkeyError as `refresh` */
export async function keyNews(session: Session): Promise<KeyNews> {
  const before = new Set(session.known.keys());
  const { trust } = await refresh(session, true);
  // A key that is known to be bad, perhaps from the archive's bundle, was not asked about, because no answer could change that.
  const unchecked = [...trust.rejected].filter(([, { code }]) => code === "unchecked_revocation");
  const inQuestion = [...trust.trusted.keys(), ...unchecked.map(([key]) => key)];
  const unanswered = session.checkPolicy.required ? inQuestion.filter((key) => !session.answered.has(key)) : [];
  return {
    trust,
    added: [...trust.trusted.keys()].filter((key) => !before.has(key)),
    dropped: [...before].filter((key) => !trust.trusted.has(key)),
    checked: session.answered,
    errors: unanswered.map((key) => {
      return new FeedkeyError("unavailable", `no key server gave a usable answer about ${key}`, {
        details: { fingerprint: key },
        hint: "check the network and the profile's key servers; until then the profile's grace applies",
      });
    }),
  };
}
