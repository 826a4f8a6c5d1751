/** Use case: asks about every key, even if the key's last check was recent, and reports the changes. */
import { FeedkeyError } from "../error.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { TrustSet } from "../trust/judge.ts";
import { refresh } from "./refresh.ts";
import type { Session } from "./session.ts";

/** The result of a complete refresh. */
export interface KeyNews {
  readonly trust: TrustSet;
  /** The keys that are trusted now and were not trusted before. */
  readonly added: readonly Fingerprint[];
  /** The keys that were trusted before and are no longer trusted. */
  readonly dropped: readonly Fingerprint[];
  /** The keys about which a key server gave a usable answer. */
  readonly checked: ReadonlyMap<Fingerprint, "found" | "absent">;
  /** One `unavailable` error for each key without a usable answer. */
  readonly errors: readonly FeedkeyError[];
}

/**
 * Asks the key servers about every key. For each key without a usable answer, the result has an error.
 * @throws FeedkeyError as `refresh` does
 */
export async function keyNews(session: Session): Promise<KeyNews> {
  const before = new Set(session.known.keys());
  const { trust } = await refresh(session, true);
  // feedkey does not ask about keys that it knows to be bad, perhaps from the archive's bundle: no answer could change the judgement.
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
        hint: "check the network and the profile's key servers; until a key server answers, known keys stay usable for the profile's grace period",
      });
    }),
  };
}
