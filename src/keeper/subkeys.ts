/** Makes and revokes signing subkeys, for a key whose primary key is offline most of the time. */

import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import { addSigningSubkey, revokeSubkey } from "../keys/revoke-subkey.ts";
import type { Reporter } from "../refresh/session.ts";
import { ownCertificates, ownerOf } from "../signing/signing-key.ts";
import { hexDigits } from "../store/fingerprint.ts";
import type { AddSubkeyOptions, RevokeOptions } from "./keeper-options.ts";
import type { Opened } from "./opened.ts";

/** Revokes a signing subkey and publishes the revocation. @throws FeedkeyError `not_found`, and as `revokeSubkey` */
export async function takeBackSubkey(
  opened: Opened,
  text: string,
  { reason }: Pick<RevokeOptions, "reason">,
  reporter: Reporter,
) {
  const { store, at, passphrase } = opened;
  const subkey = hexDigits(text);
  const fingerprint = ownerOf(await ownCertificates(store), subkey);
  if (fingerprint === undefined) {
    throw new FeedkeyError("not_found", `no key in the key store has the subkey ${escapeText(text)}`);
  }
  const made = await revokeSubkey(store, fingerprint, text, { reason, at, passphrase });
  const words = made ? `revoked the subkey ${subkey} of ${fingerprint}` : `${subkey} is already revoked`;
  const handed = await opened.handOn([fingerprint], reporter);
  reporter.warn("clients refuse what this subkey signed: sign every index again, with another subkey or key");
  return { fingerprint, subkey, done: [words, ...handed.done], errors: handed.errors };
}

/**
 * Makes a signing subkey, writes it to a file for another machine, and publishes it.
 * @throws FeedkeyError as `addSigningSubkey` does; `output`
 */
export async function giveSubkey(
  opened: Opened,
  fingerprint: string,
  { algorithm = "ed25519", lifetime, output }: AddSubkeyOptions,
  reporter: Reporter,
) {
  const { store, at, passphrase } = opened;
  const added = await addSigningSubkey(store, fingerprint, { algorithm, lifetime, at, passphrase });
  await writeFileAtomic(output, added.staying, { mode: 0o600 });
  const handed = await opened.handOn([added.fingerprint], reporter);
  const done = [
    `made the signing subkey ${added.subkey} of ${added.fingerprint}`,
    `wrote ${escapeText(output)}: copy it to the machine that signs, and run feedkey key import there`,
  ];
  return { ...added, done: [...done, ...handed.done], errors: handed.errors };
}
