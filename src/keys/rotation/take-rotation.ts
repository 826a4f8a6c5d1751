/** Use case: take the steps of a rotation, show the state of a rotation, and revoke the old key at the end. */
import { type FeedkeyError, onRefusal } from "../../error.ts";
import { type Archive, knownCertificates, refreshBundle } from "../../publish/archive.ts";
import type { OwnCertificate } from "../../signing/signing-key.ts";
import type { Instant } from "../../time.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { effectiveRevocation, endOfLife } from "../../trust/key-state.ts";
import { describeGenerations } from "../cut-off-clients.ts";
import { applyRevocation, planRevocation, refuseOrphans } from "../revoke.ts";
import { finishRotation, type RotationStep, type StartOptions, startRotation, wasCutOffFinishing } from "../rotate.ts";
import { checkStart, publishWithPresent, readRotation, refuseForeignFiles, switchedTo } from "./rotation-checks.ts";
import { type FeedOutlook, feedOutlooks, signShared } from "./shared-feeds.ts";

/** The state of a rotation. */
export interface RotationStatus {
  /** The key that signs now. */
  readonly present: Fingerprint;
  /** The key that will sign next. */
  readonly successor: Fingerprint | undefined;
  /** Whether the key store has the successor's secret. Without this secret, the rotation can't be finished on this machine. */
  readonly successorHere: boolean;
  /** The key whose successor the present key is. */
  readonly predecessor: Fingerprint | undefined;
  /** When the second step may be taken. */
  readonly overlapEnds: Instant | undefined;
  /** The predecessor, the present key and the successor with their dates, the oldest first. */
  readonly keys: readonly DatedKey[];
  readonly feeds: readonly FeedOutlook[];
}

/** A key, and the dates of its creation, expiry and revocation. */
interface DatedKey {
  readonly fingerprint: Fingerprint;
  readonly userId: string;
  readonly createdAt: Instant;
  /** When the key expires; undefined if it never expires. */
  readonly expiresAt: Instant | undefined;
  /** When the key was revoked; undefined if it is not revoked. */
  readonly revokedAt: Instant | undefined;
}

function dated({ facts }: OwnCertificate, { at, config }: Archive): DatedKey {
  return {
    fingerprint: facts.primary.fingerprint,
    userId: config.userId,
    createdAt: facts.primary.createdAt,
    expiresAt: endOfLife(facts, at),
    revokedAt: effectiveRevocation(facts.revocations, at)?.createdAt,
  };
}

/**
 * Returns the state of the rotation of the archive's key.
 * @throws FeedkeyError `not_found`: when the key store does not have the key's certificate
 */
export async function rotationStatus(archive: Archive): Promise<RotationStatus> {
  const { present, successor, predecessor, overlapEnds } = await readRotation(archive);
  return {
    present: present.raw.fingerprint,
    successor: successor?.raw.fingerprint,
    successorHere: successor !== undefined && (await archive.store.hasPrivate(successor.raw.fingerprint)),
    predecessor: predecessor?.raw.fingerprint,
    overlapEnds,
    keys: [predecessor, present, successor]
      .flatMap((one) => (one === undefined ? [] : [dated(one, archive)]))
      .sort((a, b) => a.createdAt - b.createdAt),
    feeds: await feedOutlooks(archive),
  };
}

/** The steps that the caller wants to take. */
interface StepsWanted {
  /** `begin` makes and certifies the successor. `finish` lets the successor sign. `at-once` does both steps. */
  readonly step: "begin" | "finish" | "at-once";
  /** Returns the options for a step that begins a rotation. */
  readonly start: () => Promise<StartOptions>;
  /** Whether to revoke the old key as superseded afterwards. */
  readonly retire: boolean;
  /**
   * Whether to finish before the overlap ends. Also whether to revoke the old key although some clients would accept no key any
   * more.
   */
  readonly force: boolean;
}

export interface StepsTaken extends Omit<RotationStep, "left"> {
  readonly finished: boolean;
  /** Errors for feeds that did not get the new signature, and the reason why the old key was not retired. */
  readonly errors: readonly FeedkeyError[];
}

/**
 * Takes the wanted steps that have not been taken yet.
 * @throws FeedkeyError as `startRotation` does, `finishRotation` and `refuseRetiring` do
 */
export async function takeRotation(archive: Archive, wanted: StepsWanted): Promise<StepsTaken> {
  const atOnce = wanted.step === "at-once";
  const finished = wanted.step !== "begin";
  const isBegun = wanted.step === "finish" || (atOnce && (await wasCutOffFinishing(archive)));
  if (wanted.retire && finished) await refuseRetiring(archive, wanted.force);
  const start = isBegun ? undefined : await wanted.start();
  if (start !== undefined && finished) {
    const { state } = await checkStart(archive, start);
    const signer = (state.successor ?? state.present).raw.fingerprint;
    refuseForeignFiles(await publishWithPresent(switchedTo(archive, signer), state.present, true));
  }
  const begun = start === undefined ? undefined : await startRotation(archive, start);
  if (!finished && begun !== undefined) return { ...begun, finished, errors: begun.left };
  const step = await finishRotation(archive, wanted.force || atOnce);
  const retired = wanted.retire ? await retire(archive, step, wanted.force) : { done: [], errors: [] };
  return {
    ...step,
    done: [...(begun?.done ?? []), ...step.done, ...retired.done],
    finished,
    errors: [...step.left, ...retired.errors],
  };
}

/** Plans the revocation of a key that its successor replaces. */
async function planRetiring(archive: Archive, fingerprint: Fingerprint, making: "made" | "foreseen") {
  const { store, config, at, passphrase } = archive;
  const { certificates: known } = await knownCertificates(archive);
  const { userId } = config;
  return await planRevocation(store, { fingerprint, reason: "superseded", userId, at, passphrase, known }, making);
}

/**
 * Refuses to revoke the old key if some clients would accept no key any more. The rotation calls this check before it signs
 * anything. The successor need not exist yet: clients that would lose the old key could reach the successor only through the old
 * key.
 * @throws FeedkeyError `usage`: when some clients would accept no key any more, and `force` is not set
 */
export async function refuseRetiring(archive: Archive, force: boolean): Promise<void> {
  if (force) return;
  const { present, successor, predecessor } = await readRotation(archive);
  const old = successor === undefined && (await wasCutOffFinishing(archive)) ? predecessor : present;
  if (old === undefined) return;
  // The stored revocation needs no secret key. If the stored revocation is missing, a new revocation is made.
  const { fingerprint } = old.raw;
  const plan = (making: "foreseen" | "made") => planRetiring(archive, fingerprint, making);
  const foreseen = await onRefusal(
    () => plan("foreseen"),
    () => plan("made"),
  );
  refuseOrphans(foreseen, force);
}

/**
 * Revokes the old key at the end. If the revocation is refused, the rotation is still finished, and the error is returned and
 * not thrown, because the caller must still send the certificates of both keys to the key servers.
 */
async function retire(archive: Archive, step: RotationStep, force: boolean) {
  if (step.left.length > 0) {
    return { done: [`${step.present} was not revoked: its successor did not sign all feeds`], errors: [] };
  }
  const finished = switchedTo(archive, step.successor);
  const revoke = async () => {
    const revocation = await planRetiring(finished, step.present, "made");
    refuseOrphans(revocation, force);
    const done = [...(await applyRevocation(revocation, archive.store)), ...(await refreshBundle(finished))];
    const shared = await signShared(finished, []);
    const words = [...describeGenerations(revocation.generations), ...done, ...shared.done];
    return { done: words, errors: shared.left };
  };
  return await onRefusal(revoke, (error) => ({ done: [], errors: [error] }));
}
