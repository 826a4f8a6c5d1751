/** Runs `feedkey keygen`: makes a key in the key store, with its certificate and its revocation certificates. */

import { didYouMean } from "../../did-you-mean.ts";
import { FeedkeyError } from "../../error.ts";
import type { MakeKeyOptions } from "../../index.ts";
import { type Algorithm, algorithms } from "../../keeper/words.ts";
import { type Duration, iso, parseDuration } from "../../time.ts";
import { newPassphrase, type PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { oneOf } from "../usage-error.ts";
import { keeperOf } from "./archive-terms.ts";

interface KeygenOptions extends PassphraseOptions, Pick<MakeKeyOptions, "userId" | "offlinePrimary" | "certifyOnly"> {
  readonly algorithm: string;
  readonly expires: string;
}

/** Reads a length of time. @throws FeedkeyError `usage` if the text is not a length of time above zero */
export function duration(text: string, option: string): Duration {
  const length = parseDuration(text);
  if (length !== undefined && length > 0) return length;
  throw new FeedkeyError("usage", `"${text}" is not a length of time for ${option}`, {
    hint: "write a length of time above zero, such as 90s, 15m, 12h, 14d, 2w or 2y",
  });
}

/** Reads the name of an algorithm. @throws FeedkeyError `usage` if feedkey does not make keys with this algorithm */
export function algorithmOf(text: string): Algorithm {
  return oneOf(text, algorithms, "algorithm", didYouMean(text, algorithms, `choose one of ${algorithms.join(", ")}`));
}

/** Returns extra lines about a key with an offline primary key, or about a key that only certifies. */
function notes({ offlinePrimary, certifyOnly }: KeygenOptions): string[] {
  if (certifyOnly === true) {
    return ["use          this key only certifies: run feedkey delegate to let other keys sign"];
  }
  if (offlinePrimary === undefined) return [];
  return [
    `primary key  ${offlinePrimary}: carry it away; only a signing subkey stays here`,
    `             to rotate or revoke, bring it back and use --home ${offlinePrimary}`,
  ];
}

/** Makes a key. @throws FeedkeyError `usage`, `output`, `bad_config` */
export async function keygen(context: Context, options: KeygenOptions): Promise<Outcome> {
  const lifetime = options.expires === "never" ? undefined : duration(options.expires, "--expires");
  const { userId, offlinePrimary, certifyOnly } = options;
  const algorithm = algorithmOf(options.algorithm);
  const { store, keys } = await keeperOf(context, options);
  const passphrase = await newPassphrase(options);
  const made = await keys.make({ userId, algorithm, lifetime, passphrase, offlinePrimary, certifyOnly });
  const { fingerprint, isLocked } = made;
  const expiresAt = made.expiresAt === undefined ? null : iso(made.expiresAt);
  const protection = isLocked ? "locked with the passphrase" : "no passphrase";
  const text = [
    `fingerprint  ${fingerprint}`,
    `user ID      ${userId}`,
    `algorithm    ${algorithm}`,
    `expires      ${expiresAt ?? "never"}`,
    `secret key   ${store.folder}/private/${fingerprint}.asc (${protection})`,
    `revocations  ${store.folder}/revocations/${fingerprint}-{compromised,superseded,retired}.asc`,
    ...notes(options),
    "",
    "Copy the revocation certificates to a safe place now: without them a stolen key can't be revoked.",
  ];
  return {
    text: text.join("\n"),
    quiet: fingerprint,
    json: { fingerprint, userId, algorithm, expiresAt, home: store.folder },
  };
}
