/** `feedkey key extend`: a key of the key store holds longer. */
import { extendKey } from "../../keys/extend-key.ts";
import { KeyStore } from "../../store/key-store.ts";
import { iso } from "../../time.ts";
import type { Context } from "../context.ts";
import { type PassphraseOptions, passphraseSource } from "../passphrase.ts";
import type { Outcome } from "../run.ts";
import { keeperOf, type ServerOptions } from "./archive-terms.ts";
import { duration } from "./keygen.ts";

export interface ExtendOptions extends PassphraseOptions, ServerOptions {
  readonly expires: string;
}

/**
 * Extends a key; with a configuration, whoever publishes the archive hands it on.
 * @throws FeedkeyError `usage`, `not_found`, `revoked`, `bad_config`, and as `handOn`
 */
export async function extend(context: Context, fingerprint: string, options: ExtendOptions): Promise<Outcome> {
  const lifetime = duration(options.expires, "--expires");
  const store = await KeyStore.open(context.home);
  const passphrase = passphraseSource(options);
  const extended = await extendKey(store, { fingerprint, lifetime, at: context.at, passphrase });
  const keeper = await keeperOf(context, options);
  const { done: lines, errors } = await keeper.handOn([extended.fingerprint], { partial: true });
  const { before, expiresAt } = extended;
  const ended = before > context.at ? `would have ended on ${iso(before)}` : `had ended on ${iso(before)}`;
  const text = [`${extended.fingerprint}  holds until ${iso(expiresAt)} (it ${ended})`, ...lines];
  if (options.config === undefined && options.keyserver === undefined) {
    text.push("clients do not know yet: publish, and send it to the key servers");
  }
  return {
    text: text.join("\n"),
    json: { fingerprint: extended.fingerprint, before: iso(before), expiresAt: iso(expiresAt) },
    errors,
  };
}
