/** Takes a planned step (such as a rotation) on a copy of an archive, to see which clients would still accept the feeds. */
import { type Rehearsal, rehearse as rehearseStep } from "../rehearse/rehearsal.ts";
import type { Delegation } from "../rehearse/republish.ts";
import type { Keeper } from "./open-archive.ts";

/** The copy of the archive on which the rehearsal takes the step. Its configuration names no key servers. */
export interface RehearsalCopy {
  /** The path of the copy's `archive.ini`. */
  readonly config: string;
  /** The folder of the copy's key store. */
  readonly home: string;
  /** The folder for backups that the step makes. */
  readonly safe: string;
}

export interface RehearsalStep<Result> {
  /** Takes the step. The callback must open the archive with the copy's configuration and key store. */
  take(copy: RehearsalCopy): Promise<Result>;
  /** The fingerprint of the key that archive.ini names after the step, when the rehearsal publishes the feeds again. */
  readonly publishWith?: string | undefined;
  /** Returns the delegation that the step made, if any, from the step's result. */
  readonly delegation?: ((result: Result) => Delegation | undefined) | undefined;
}

/**
 * Rehearses a step on a private copy of the archive, and removes the copy afterwards. The archive itself stays unchanged.
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
