/** Takes a step of a rotation, writes the trust page again, and sends the keys to the key servers. */
import { abandonRotation } from "../keys/revoke.ts";
import { takeRotation } from "../keys/rotation/take-rotation.ts";
import type { Reporter } from "../refresh/session.ts";
import type { RotateOptions } from "./keeper-options.ts";
import type { Opened } from "./opened.ts";

const day = 86_400_000;

/** Takes a step of a rotation. @throws FeedkeyError as `takeRotation` does */
export async function rotate(opened: Opened, options: RotateOptions, reporter: Reporter) {
  const { step, to, force = false, retire = false, algorithm, lifetime, overlap = 30 * day } = options;
  const start = async () => ({
    ...{ algorithm, lifetime, overlap, backup: options.backup, force },
    to: to === undefined ? undefined : await opened.store.resolve(to),
    passphrase: await options.newPassphrase?.(),
  });
  const taken = await takeRotation(await opened.archive(), { step, start, retire, force });
  const page = await opened.refreshPage();
  const sent = await opened.spread([taken.present, taken.successor], reporter);
  const done = [...taken.done, ...page.done, ...sent.done];
  return { ...taken, done, errors: [...taken.errors, ...page.errors, ...sent.errors] };
}

/** Ends a rotation: withdraws and revokes the successor. @throws FeedkeyError as `abandonRotation` does */
export async function abandon(opened: Opened, reporter: Reporter) {
  const abandoned = await abandonRotation(await opened.archive());
  const page = await opened.refreshPage();
  const { done: sent, errors } = await opened.spread([abandoned.successor], reporter);
  const done = [...abandoned.done, ...page.done];
  return { ...abandoned, done, sent, errors: [...abandoned.errors, ...page.errors, ...errors] };
}
