/** Runs `feedkey key subkey add`: makes a new signing subkey. The key store must have the secret of the primary key. */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { keeperOf, type ServerOptions } from "./archive-terms.ts";
import { algorithmOf, duration } from "./keygen.ts";

interface SubkeyOptions extends PassphraseOptions, ServerOptions {
  readonly algorithm: string;
  readonly expires: string;
  readonly output: string;
}

/** Makes a subkey. @throws FeedkeyError `usage`, `not_found`, `bad_config`, `output` */
export async function subkey(
  context: Context,
  action: string,
  fingerprint: string,
  options: SubkeyOptions,
): Promise<Outcome> {
  if (action !== "add") {
    throw new FeedkeyError("usage", `there is no command "key subkey ${escapeText(action)}"`, {
      hint: "write feedkey key subkey add FINGERPRINT; to revoke a subkey: feedkey revoke SUBKEY-FINGERPRINT",
    });
  }
  const lifetime = options.expires === "never" ? undefined : duration(options.expires, "--expires");
  const terms = { algorithm: algorithmOf(options.algorithm), lifetime, output: options.output, partial: true };
  const {
    subkey: made,
    fingerprint: name,
    done,
    errors,
  } = await (await keeperOf(context, options)).keys.addSubkey(fingerprint, terms);
  return {
    text: done.join("\n"),
    quiet: made,
    json: { fingerprint: name, subkey: made, output: options.output, done },
    errors,
  };
}
