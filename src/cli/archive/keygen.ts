/** `feedkey keygen`: a key in the key store, with its certificate and its revocation certificates. */

import { didYouMean } from "../../did-you-mean.ts";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { warnOfModes } from "../../files/modes.ts";
import { addSecretKey } from "../../keys/store-certificate.ts";
import { type Algorithm, algorithms, generate, type NewKey } from "../../openpgp/secret/generate.ts";
import { generateMaster, generateSplit } from "../../openpgp/secret/offline-primary.ts";
import { KeyStore } from "../../store/key-store.ts";
import { type Duration, iso, parseDuration } from "../../time.ts";
import type { Context } from "../context.ts";
import { newPassphrase, type PassphraseOptions } from "../passphrase.ts";
import type { Outcome } from "../run.ts";

export interface KeygenOptions extends PassphraseOptions {
  readonly userId: string;
  readonly algorithm: string;
  readonly expires: string;
  /** Folder of the key store that gets the whole key; this one keeps a signing subkey. */
  readonly offlinePrimary?: string;
  /** A master's key: it certifies and never signs. */
  readonly certifyOnly?: boolean;
}

type Terms = Parameters<typeof generate>[0];

/** @throws FeedkeyError `usage` */
export function duration(text: string, option: string): Duration {
  const length = parseDuration(text);
  if (length !== undefined && length > 0) return length;
  throw new FeedkeyError("usage", `${option} does not understand "${text}"`, {
    hint: "write a length of time as 90s, 15m, 12h, 14d, 2w or 2y",
  });
}

/** @throws FeedkeyError `usage` */
export function algorithmOf(text: string): Algorithm {
  const found = algorithms.find((algorithm) => algorithm === text);
  if (found !== undefined) return found;
  throw new FeedkeyError("usage", `there is no algorithm "${text}"`, {
    hint: didYouMean(text, algorithms, `choose one of ${algorithms.join(", ")}`),
  });
}

/** The whole key goes first: a crash must not leave a subkey whose primary is lost. */
async function makeSplit(terms: Terms, folder: string, { reporter }: Context): Promise<NewKey> {
  const { whole, staying } = await generateSplit(terms);
  const away = await KeyStore.open(folder);
  await addSecretKey(away, whole);
  // Read as it will be read on the day that it is needed.
  await away.privateKey(whole.fingerprint);
  const warning = await warnOfModes(away.folder);
  if (warning !== undefined) reporter.warn(escapeText(warning));
  return staying;
}

async function make(terms: Terms, { offlinePrimary, certifyOnly }: KeygenOptions, context: Context): Promise<NewKey> {
  if (certifyOnly !== true) {
    return offlinePrimary === undefined ? await generate(terms) : await makeSplit(terms, offlinePrimary, context);
  }
  if (offlinePrimary === undefined) return await generateMaster(terms);
  throw new FeedkeyError("usage", "give --certify-only or --offline-primary, not both", {
    hint: "a key that only certifies leaves nothing here that could sign: make it on the machine where it is to stay",
  });
}

/** What its keeper has to know of a key that is not like others. */
function notes({ offlinePrimary, certifyOnly }: KeygenOptions): string[] {
  if (certifyOnly === true) {
    return ["use          it certifies and never signs: let it delegate, with feedkey delegate"];
  }
  if (offlinePrimary === undefined) return [];
  return [
    `primary key  ${offlinePrimary}: carry it away; here is only a signing subkey`,
    `             to rotate or revoke, bring it back and use --home ${offlinePrimary}`,
  ];
}

/** Makes a key. @throws FeedkeyError `usage`, `output`, `bad_config` */
export async function keygen(context: Context, options: KeygenOptions): Promise<Outcome> {
  const lifetime = options.expires === "never" ? undefined : duration(options.expires, "--expires");
  const algorithm = algorithmOf(options.algorithm);
  const store = await KeyStore.open(context.home);
  const passphrase = await newPassphrase(options);
  const terms = { userId: options.userId, algorithm, at: context.at, lifetime, passphrase };
  const key = await make(terms, options, context);
  await addSecretKey(store, key);
  const created = Math.floor(context.at / 1000) * 1000;
  const expiresAt = lifetime === undefined ? undefined : iso(created + lifetime);
  const protection = passphrase === undefined ? "no passphrase" : "locked with the passphrase";
  const text = [
    `fingerprint  ${key.fingerprint}`,
    `user ID      ${options.userId}`,
    `algorithm    ${algorithm}`,
    `expires      ${expiresAt ?? "never"}`,
    `secret key   ${store.folder}/private/${key.fingerprint}.asc (${protection})`,
    `revocations  ${store.folder}/revocations/${key.fingerprint}-{compromised,superseded,retired}.asc`,
    ...notes(options),
    "",
    "Copy the revocation certificates to a safe place now: without them a stolen key can't be taken back.",
  ];
  return {
    text: text.join("\n"),
    quiet: key.fingerprint,
    json: {
      fingerprint: key.fingerprint,
      userId: options.userId,
      algorithm,
      expiresAt: expiresAt ?? null,
      home: store.folder,
    },
  };
}
