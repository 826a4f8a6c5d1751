/** Runs `feedkey key extend`: extends the validity period of a key in the key store. */
import { iso } from "../../time.ts";
import type { PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { keeperOf, type ServerOptions } from "./archive-terms.ts";
import { duration } from "./keygen.ts";

interface ExtendOptions extends PassphraseOptions, ServerOptions {
  readonly expires: string;
}

/**
 * Extends a key's validity period; with a configuration, also publishes the key in the bundle and on the key servers.
 * @throws FeedkeyError `usage`, `not_found`, `revoked`, `bad_config`, and as `handOn`
 */
export async function extend(context: Context, named: string, options: ExtendOptions): Promise<Outcome> {
  const lifetime = duration(options.expires, "--expires");
  const extended = await (await keeperOf(context, options)).keys.extend(named, { lifetime, partial: true });
  const { fingerprint, before, expiresAt, done, errors, isHandedOn } = extended;
  const ended = before > context.at ? `would have ended on ${iso(before)}` : `had ended on ${iso(before)}`;
  const text = [`${fingerprint}  holds until ${iso(expiresAt)} (it ${ended})`, ...done];
  if (!isHandedOn) text.push("clients do not know this yet: publish, and send the key to the key servers");
  return { text: text.join("\n"), json: { fingerprint, before: iso(before), expiresAt: iso(expiresAt) }, errors };
}
