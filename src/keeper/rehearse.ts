/** Takes a planned step on a copy of an archive, to see which clients would still accept the feeds. */
import { type Rehearsal, rehearse as rehearseStep } from "../rehearse/rehearsal.ts";
import type { Delegation } from "../rehearse/republish.ts";
import type { Keeper } from "./open-archive.ts";

/** The copy on which the rehearsal takes a step. The copy's configuration names no key server. */
export interface RehearsalCopy {
  /** Path of the copy's `archive.ini`. */
  readonly config: string;
  /** The folder of the copy's key store. */
  readonly home: string;
  /** A folder for backups that the step makes. */
  readonly safe: string;
}

export interface RehearsalStep<Result> {
  /** Takes the step, on an archive opened with the copy's configuration and key store. */
  take(copy: RehearsalCopy): Promise<Result>;
  /** Fingerprint of the key to put into archive.ini after the step, before the feeds are published again. */
  readonly publishWith?: string | undefined;
  /** Returns the delegation that the step made, if any, from the step's result. */
  readonly delegation?: ((result: Result) => Delegation | undefined) | undefined;
}

/**
 * Rehearses a step. Changes only a private copy of the archive, and removes the copy afterwards.
 * @throws FeedkeyError the step's own errors; `usage`, `not_found` if nothing is published, `output`
 */
export async function rehearse<Result>(
  keeper: Keeper,
  { take, publishWith, delegation }: RehearsalStep<Result>,
): Promise<Rehearsal<Result>> {
  const archive = await keeper.archive();
  return await rehearseStep(archive, {
    take: ({ archive: copy, safe }) => take({ config: copy.config.file, home: copy.store.folder, safe }),
    publishWith: publishWith === undefined ? undefined : await archive.store.resolve(publishWith),
    delegation: (result) => delegation?.(result),
  });
}
