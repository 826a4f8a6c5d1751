/** Use case: a rotation's steps as its keepers ask for them, what each would do, and the old key retired at the end. */
import { FeedkeyError } from "../error.ts";
import type { Algorithm } from "../openpgp/secret/generate.ts";
import { type Archive, knownCertificates, refreshBundle } from "../publish/archive.ts";
import { successorAlgorithm } from "../signing/successor-algorithm.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { describeGenerations } from "./cut-off-clients.ts";
import { applyRevocation, planRevocation, refuseOrphans } from "./revoke.ts";
import { findRivals } from "./rivals.ts";
import {
  finishRotation,
  type RotationStep,
  readRotation,
  type StartOptions,
  startRotation,
  wasCutOffFinishing,
} from "./rotate.ts";

/** Where a rotation stands. */
export interface RotationStatus {
  /** The key that signs. */
  readonly present: Fingerprint;
  /** The key that is to follow it. */
  readonly successor: Fingerprint | undefined;
  /** Whether the key store has the successor's secret: without it the rotation can't be finished from here. */
  readonly successorHere: boolean;
  /** The key that it followed. */
  readonly predecessor: Fingerprint | undefined;
  /** When the rotation may be finished. */
  readonly overlapEnds: Instant | undefined;
}

/** Where the rotation of the archive's key stands. @throws FeedkeyError `not_found` */
export async function rotationStatus(archive: Archive): Promise<RotationStatus> {
  const { present, successor, predecessor, overlapEnds } = await readRotation(archive);
  return {
    present: present.raw.fingerprint,
    successor: successor?.raw.fingerprint,
    successorHere: successor !== undefined && (await archive.store.hasPrivate(successor.raw.fingerprint)),
    predecessor: predecessor?.raw.fingerprint,
    overlapEnds,
  };
}

/** What the next steps would do. */
export interface RotationPlan extends RotationStatus {
  /** Keys that the successor and they have to acknowledge each other. */
  readonly rivals: readonly Fingerprint[];
  /** Of a successor that would be made. */
  readonly algorithm: Algorithm;
}

/** What the caller of a rotation chooses. */
export interface RotationChoice {
  /** The key that is to follow. */
  readonly to?: Fingerprint | undefined;
  /** Of the key that is to be made. */
  readonly algorithm?: Algorithm | undefined;
  readonly force?: boolean | undefined;
}

/** Works out what is left to do; nothing is changed. @throws FeedkeyError `usage`: stock clients could not read the successor */
export async function planRotation(archive: Archive, choice: RotationChoice): Promise<RotationPlan> {
  const { to, force = false } = choice;
  const status = await rotationStatus(archive);
  const { present } = await readRotation(archive);
  const algorithm = successorAlgorithm(
    archive.config,
    present,
    archive.at,
    choice.algorithm,
    force || to !== undefined,
  );
  const rivals = await findRivals(archive, status.present, status.successor ?? to);
  return { ...status, algorithm, rivals: rivals.map(({ certificate }) => certificate.raw.fingerprint) };
}

/** Which steps are to be taken. */
export interface StepsWanted {
  /** `begin` makes and certifies the successor, `finish` lets it sign; `at-once` is both. */
  readonly step: "begin" | "finish" | "at-once";
  /** For a step that begins. */
  readonly start: () => Promise<StartOptions>;
  /** Afterwards revoke the old key as superseded. */
  readonly retire: boolean;
  /** Finish before the overlap ends; retire although clients lose their chain. */
  readonly force: boolean;
}

export interface StepsTaken extends Omit<RotationStep, "left"> {
  readonly finished: boolean;
  /** Feeds that did not get the new signature, and why the old key was not retired. */
  readonly errors: readonly FeedkeyError[];
}

/**
 * Takes the steps that are left of those that are wanted.
 * @throws FeedkeyError as `startRotation` and `finishRotation`
 */
export async function takeRotation(archive: Archive, wanted: StepsWanted): Promise<StepsTaken> {
  const atOnce = wanted.step === "at-once";
  const finished = wanted.step !== "begin";
  const isBegun = wanted.step === "finish" || (atOnce && (await wasCutOffFinishing(archive)));
  const begun = isBegun ? undefined : await startRotation(archive, await wanted.start());
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

/**
 * Retiring comes last and only if nobody is orphaned: the chain of fresh clients runs through the old key. What the
 * rotation did before stands, and the key servers must hear of it, whatever is said against this.
 */
async function retire(archive: Archive, step: RotationStep, force: boolean) {
  if (step.left.length > 0) {
    return { done: [`${step.present} was not revoked: feeds are left that its successor did not sign`], errors: [] };
  }
  const { store, config, at, passphrase } = archive;
  const key = { where: "store", fingerprint: step.successor } as const;
  const finished = { ...archive, config: { ...config, key } };
  try {
    const { certificates: known } = await knownCertificates(finished);
    const terms = {
      fingerprint: step.present,
      reason: "superseded",
      userId: config.userId,
      at,
      passphrase,
      known,
    } as const;
    const revocation = await planRevocation(store, terms);
    refuseOrphans(revocation, force);
    const done = [...(await applyRevocation(revocation, store)), ...(await refreshBundle(finished))];
    return { done: [...describeGenerations(revocation.generations), ...done], errors: [] };
  } catch (error) {
    if (error instanceof FeedkeyError) return { done: [], errors: [error] };
    throw error;
  }
}
