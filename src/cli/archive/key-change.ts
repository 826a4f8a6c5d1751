/** Runs `feedkey key passwd|delete`: changes the passphrase of a key, or deletes a key. */

import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { DeleteKeyOptions, DeletionPlan } from "../../index.ts";
import { newPassphrase, type PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { keeperOf } from "./archive-terms.ts";

interface PasswdOptions extends PassphraseOptions {
  readonly newPassphraseFile?: string;
  readonly newPassphraseFd?: string;
}

/**
 * Changes a key's passphrase.
 * @throws FeedkeyError `usage` if no new passphrase is given; `not_found`, `bad_config`, `output`
 */
export async function passwd(context: Context, named: string, options: PasswdOptions): Promise<Outcome> {
  const { newPassphraseFile, newPassphraseFd } = options;
  const wanted = {
    ...(newPassphraseFile === undefined ? {} : { passphraseFile: newPassphraseFile }),
    ...(newPassphraseFd === undefined ? {} : { passphraseFd: newPassphraseFd }),
  };
  if (newPassphraseFd !== undefined && Number(newPassphraseFd) === Number(options.passphraseFd)) {
    throw new FeedkeyError("usage", "the present passphrase and the new one can't come from the same file descriptor", {
      hint: "give --passphrase-fd and --new-passphrase-fd different numbers",
    });
  }
  if (Object.keys(wanted).length === 0 && !process.stdin.isTTY) {
    throw new FeedkeyError("usage", "there is no terminal to ask for the new passphrase", {
      hint: "give --new-passphrase-file FILE or --new-passphrase-fd N; an empty line takes the passphrase away",
    });
  }
  let isLocked = false;
  const fingerprint = await (await keeperOf(context, options)).keys.changePassphrase(named, async () => {
    const next = await newPassphrase(wanted);
    isLocked = next !== undefined;
    return next;
  });
  const lines = [
    isLocked ? `${fingerprint} is locked with the new passphrase` : `${fingerprint} has no passphrase any more`,
    "copies made before, such as backups, still have the old passphrase: make a new copy with feedkey key backup",
  ];
  return { text: lines.join("\n"), json: { fingerprint, locked: isLocked } };
}

interface DeleteOptions extends DeleteKeyOptions {
  readonly config?: string;
  readonly dryRun?: boolean;
}

function linesOf({ fingerprint, secret, certificate, staysFor, against }: DeletionPlan, dryRun: boolean): string[] {
  const deleted = dryRun ? "would delete" : "deleted";
  const gone = [
    ...(secret === "goes" ? [`${deleted} the secret key ${fingerprint}`] : []),
    ...(certificate === "goes" ? [`${deleted} the certificate ${fingerprint}`] : []),
  ];
  const stays = staysFor === undefined ? [] : [`its certificate stays: ${staysFor}`];
  const revocations =
    "its revocation certificates stay: you need them if somebody else turns out to have a copy of the key";
  return [
    ...gone,
    ...stays,
    revocations,
    ...(dryRun ? against.map((one) => `reason not to delete it: ${escapeText(one)}`) : []),
  ];
}

/** Deletes a key. @throws FeedkeyError `usage` if the key is still needed; `not_found`, `output` */
export async function remove(context: Context, named: string, options: DeleteOptions): Promise<Outcome> {
  const { backup, force, dryRun = false } = options;
  const { keys } = await keeperOf(context, options.config === undefined ? {} : { config: options.config });
  const plan = await (dryRun ? keys.planDeletion(named, { backup, force }) : keys.delete(named, { backup, force }));
  const { fingerprint, secret, certificate, connected, against } = plan;
  return {
    text: linesOf(plan, dryRun).join("\n"),
    json: { fingerprint, secret, certificate, connected, against, dryRun },
  };
}
