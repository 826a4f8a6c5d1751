/**
 * Checks whether the steps of a rotation may be taken. A step calls its check before it changes anything, and so does the plan
 * of the step.
 */
import { FeedkeyError } from "../../error.ts";
import { needsOfFeeds } from "../../profile/one-signature.ts";
import { type Archive, ownCertificate, publicationOf, requireBundle } from "../../publish/archive.ts";
import { latestIndexes } from "../../publish/as-published.ts";
import { severalOf } from "../../publish/feed-signers.ts";
import { type Published, publishFeeds } from "../../publish/publish.ts";
import { type RotationState, rotationState } from "../../signing/rotation-state.ts";
import { type OwnCertificate, ownCertificates } from "../../signing/signing-key.ts";
import { refuseUnreadable } from "../../signing/successor-algorithm.ts";
import { type Instant, iso } from "../../time.ts";
import type { Fingerprint, KeyFacts } from "../../trust/facts.ts";
import { refusePrimary } from "../../trust/key-state.ts";
import { findRivals, type Rival } from "../rivals.ts";

/**
 * Returns the state of the rotation of the archive's present key.
 * @throws FeedkeyError `not_found`: when the key store does not have the present key's certificate
 */
export async function readRotation({ config, store, at }: Archive): Promise<RotationState> {
  const own = await ownCertificates(store);
  const present = own.get(config.key.fingerprint) ?? (await ownCertificate(store, config.key.fingerprint));
  return rotationState(own, present, config.userId, at);
}

/** Returns a key's strength in bits (NIST SP 800-57 part 1, table 2), but at most 128, because higher strengths do not matter here. */
function strength({ algorithm, bits }: KeyFacts): number {
  if (algorithm !== "rsa") return Math.min(128, Math.floor(bits / 2));
  return bits >= 3072 ? 128 : bits >= 2048 ? 112 : 80;
}

/**
 * Refuses a key whose secret is in GnuPG, because feedkey can't make certifications with the key.
 * @throws FeedkeyError `bad_config`: when the key is in GnuPG
 */
export function refuseInGnupg({ config }: Archive): void {
  if (config.key.where === "store") return;
  throw new FeedkeyError("bad_config", "the key is in GnuPG, and feedkey can rotate only a key in its own key store", {
    hint: "import the secret key with feedkey key import, or certify the successor with gpg --quick-sign-key and import both certificates",
  });
}

/**
 * Refuses a present key that has expired or is revoked, because clients do not accept its certification of a successor.
 * @throws FeedkeyError whose code is the reason
 */
function refuseIssuer({ present }: RotationState, at: Instant): void {
  const refused = refusePrimary(present.facts, at);
  if (refused === undefined) return;
  throw new FeedkeyError(refused.code, `can't rotate the present key ${present.raw.fingerprint}: ${refused.reason}`, {
    details: { fingerprint: present.raw.fingerprint },
    hint:
      refused.code === "expired"
        ? "extend the key first with feedkey key extend: clients can't follow a chain through an expired key"
        : "clients can't follow a chain through this key any more: give the clients a profile with another key as the seed",
  });
}

/** Refuses a successor that can't sign, or that is weaker than the present key. */
function refuseSuccessor(present: OwnCertificate, successor: OwnCertificate, at: Instant): void {
  const refused = refusePrimary(successor.facts, at);
  if (refused !== undefined) {
    throw new FeedkeyError(refused.code, `${successor.raw.fingerprint} can't be the successor: ${refused.reason}`, {
      details: { successor: successor.raw.fingerprint },
      hint: "choose another key with --to, or let feedkey rotate make a new key",
    });
  }
  if (strength(successor.facts.primary) >= strength(present.facts.primary)) return;
  throw new FeedkeyError(
    "weak_algorithm",
    `the successor ${successor.raw.fingerprint} is weaker than the present key`,
    {
      details: { present: present.facts.primary, successor: successor.facts.primary },
      hint: "choose a stronger key with --to, or a stronger algorithm with --algorithm",
    },
  );
}

/** Refuses a key that can't be the successor of the present key. @throws FeedkeyError whose code is the reason */
export function checkSuccessor(
  { config, at }: Archive,
  present: OwnCertificate,
  successor: OwnCertificate,
  force: boolean,
): void {
  refuseSuccessor(present, successor, at);
  if (!force) refuseUnreadable(config, present, successor, at);
}

/** The facts that the first step needs. */
interface Start {
  readonly state: RotationState;
  /** Keys that must acknowledge the successor, and that the successor must acknowledge. */
  readonly rivals: readonly Rival[];
  /** Whether the key bundle must be written even if nothing else changes. */
  readonly isBundleOld: boolean;
}

/**
 * Checks whether the first step may be taken, without opening a secret key.
 * @throws FeedkeyError `expired`, `revoked`, `weak_algorithm`, `bad_config` or `not_found`: when the step may not be taken
 */
export async function checkStart(
  archive: Archive,
  { to, force }: { readonly to: Fingerprint | undefined; readonly force: boolean },
): Promise<Start> {
  const { store, at } = archive;
  refuseInGnupg(archive);
  const state = await readRotation(archive);
  refuseIssuer(state, at);
  const isBundleOld = await requireBundle(archive);
  const present = state.present.raw.fingerprint;
  const chosen = state.successor?.raw.fingerprint ?? to;
  if (state.successor === undefined) await store.privateKey(present);
  if (chosen !== undefined) checkSuccessor(archive, state.present, await ownCertificate(store, chosen), force);
  return { state, isBundleOld, rivals: await findRivals(archive, present, chosen) };
}

/**
 * Refuses a successor whose secret key is not in this key store, because feedkey could not sign with the successor.
 * @throws FeedkeyError `not_found`: when the secret key is missing
 */
async function refuseWithoutSecret({ store }: Archive, successor: Fingerprint): Promise<void> {
  if (await store.hasPrivate(successor)) return;
  throw new FeedkeyError("not_found", `the secret key of the successor ${successor} is not in this key store`, {
    details: { successor },
    hint: "restore the key from a backup: feedkey key restore DIR; if you have no copy of the key, withdraw the successor: feedkey rotate --abandon",
  });
}

/** The facts that the second step needs. */
interface Finish {
  readonly state: RotationState;
  /** The key that signed until now. */
  readonly from: OwnCertificate;
  /** The key that signs from now on. */
  readonly to: OwnCertificate;
  /** Whether an interrupted run has already written the new key into archive.ini. */
  readonly isSwitched: boolean;
}

/**
 * Checks whether the second step may be taken.
 * @throws FeedkeyError `usage`: when the overlap has not ended, or no rotation is in progress; `not_found`: when the successor's
 * secret is missing
 */
export async function checkFinish(archive: Archive, force: boolean): Promise<Finish> {
  const { at } = archive;
  const state = await readRotation(archive);
  const { present, successor, predecessor } = state;
  await requireBundle(archive);
  if (successor === undefined) {
    if (predecessor === undefined) throw notUnderWay(present.raw.fingerprint);
    return { state, from: predecessor, to: present, isSwitched: true };
  }
  const name = successor.raw.fingerprint;
  await refuseWithoutSecret(archive, name);
  const ends = state.overlapEnds ?? at;
  if (at < ends && !force) {
    throw new FeedkeyError(
      "usage",
      `the overlap lasts until ${iso(ends)}: stock clients may not have the new key yet${cutOff(archive)}`,
      {
        details: { overlapEnds: iso(ends), successor: name },
        hint: ["wait until then, or use --force", ...needsOfFeeds(archive.config.feeds)].join("; "),
      },
    );
  }
  return { state, from: present, to: successor, isSwitched: false };
}

/** Returns words that name the feeds that can't have signatures by two keys; empty if there is no such feed. */
function cutOff({ config }: Archive): string {
  const names = config.feeds.filter((feed) => severalOf(feed) === "one").map(({ name }) => `"${name}"`);
  if (names.length === 0) return "";
  return `, and ${names.length === 1 ? "feed" : "feeds"} ${names.join(", ")} can have only one signature`;
}

/** Returns the archive with another key as the key in its configuration. */
export function switchedTo(archive: Archive, fingerprint: Fingerprint): Archive {
  return { ...archive, config: { ...archive.config, key: { where: "store", fingerprint } } };
}

/** Publishes the feeds with signatures by the configured key, and publishes the bundle. */
export async function publishWithPresent(
  archive: Archive,
  predecessor: OwnCertificate | undefined,
  dryRun: boolean,
): Promise<Published> {
  const source = latestIndexes(predecessor === undefined ? [] : [predecessor]);
  return await publishFeeds({
    ...publicationOf(archive),
    ...{ feeds: archive.config.feeds, source, withBundle: true, dryRun },
  });
}

/**
 * Checks whether the index of each feed can get its new signature. This check runs before the archive changes to another key.
 * @throws FeedkeyError `would_break`: when a signature file that feedkey did not make is in the way
 */
export function refuseForeignFiles({ left }: Published): void {
  const found = left.find(({ code }) => code === "would_break");
  if (found === undefined) return;
  const message = found.cause instanceof FeedkeyError ? found.cause.message : found.message;
  throw new FeedkeyError("would_break", `can't rotate: ${message}`, {
    ...(found.details === undefined ? {} : { details: found.details }),
    hint: "replace that file with feedkey publish --force or feedkey sign --force, or set signatures = asc in archive.ini to write only .asc files",
  });
}

/** Returns the error (`usage`) for a step that needs a rotation when no rotation is in progress. */
export function notUnderWay(present: Fingerprint): FeedkeyError {
  return new FeedkeyError("usage", `no rotation of ${present} is in progress`, {
    details: { present },
    hint: 'start a rotation with "feedkey rotate --config archive.ini --backup DIR"',
  });
}
