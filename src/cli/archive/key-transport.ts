/** Runs `feedkey key export|import|backup|restore`: copies keys from the key store and into it. */

import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { KeyKeeper } from "../../keeper/key-keeper.ts";
import type { PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import { counted } from "../counted.ts";
import type { Outcome } from "../run.ts";
import { guardSecretOutput } from "../secret-output.ts";
import { keeperOf, type ServerOptions } from "./archive-terms.ts";

interface ExportKeysOptions {
  readonly secret?: boolean;
  readonly secretSubkeys?: boolean;
  readonly for?: string;
  readonly output?: string;
}

/** Returns the program that `--for` names. @throws FeedkeyError `usage` if feedkey does not know the program */
function programOf({ for: program }: ExportKeysOptions): "gpg" | undefined {
  if (program === undefined || program === "gpg") return program;
  throw new FeedkeyError("usage", `there is no export of keys for "${escapeText(program)}"`, {
    hint: "--for accepts only gpg; for stock clients see feedkey export",
  });
}

async function exportSecret(
  context: Context,
  keys: KeyKeeper,
  [named, ...others]: readonly string[],
  options: ExportKeysOptions,
) {
  if (named === undefined || others.length > 0) {
    throw new FeedkeyError("usage", "secret keys are exported one at a time, each by its fingerprint", {
      hint: "write feedkey key export --secret FINGERPRINT",
    });
  }
  const { secretSubkeys: withoutPrimary, output } = options;
  if (output === undefined) guardSecretOutput(context.reporter, process.stdout);
  const terms = { for: programOf(options), withoutPrimary, output };
  const { fingerprint, armored } = await keys.exportSecret(named, terms);
  return { fingerprints: [fingerprint], armored };
}

/**
 * Prints armored certificates or an armored secret key, or writes this text to a file.
 * @throws FeedkeyError `usage`, `not_found`, `output`
 */
export async function exportKeys(
  context: Context,
  named: readonly string[],
  options: ExportKeysOptions,
): Promise<Outcome> {
  const { keys } = await keeperOf(context, {});
  const { output } = options;
  const isSecret = options.secret === true || options.secretSubkeys === true;
  const { fingerprints, armored } = isSecret
    ? await exportSecret(context, keys, named, options)
    : await keys.export(named, { for: programOf(options), output });
  if (output === undefined) return { text: armored.trimEnd(), json: { fingerprints, armored } };
  return { text: `wrote ${escapeText(output)}`, json: { fingerprints, output } };
}

interface ImportOptions extends PassphraseOptions, ServerOptions {}

/**
 * Imports keys that were made elsewhere. With a configuration, also publishes their certificates.
 * @throws FeedkeyError `not_found`, `bad_certificate`; `bad_config` if the passphrase is wrong or missing
 */
export async function importKeys(context: Context, files: readonly string[], options: ImportOptions): Promise<Outcome> {
  const { keys } = await keeperOf(context, options);
  const { imported, changes, done, errors } = await keys.import(files, { partial: true });
  const described = imported.map(({ fingerprint, secret, news, refused }) => {
    const what = secret ? "secret key and certificate" : "certificate";
    return `${fingerprint}  ${what}${news ? "" : ", nothing new"}${refused === undefined ? "" : `: ${refused}`}`;
  });
  const changed = changes.map(({ fingerprint, text }) => `${fingerprint}  ${escapeText(text)}`);
  return {
    text: [...described, ...changed, ...done].join("\n"),
    json: { imported: imported.map(({ refused: _, ...one }) => one), changes },
    errors,
  };
}

/** Copies the key store and reads the copy again. @throws FeedkeyError `output` if feedkey can't write or read the copy */
export async function backup(context: Context, to: string): Promise<Outcome> {
  const { folder, keys } = await (await keeperOf(context, {})).keys.backup(to);
  return {
    text: `copied ${counted(keys.length, "key")} to ${escapeText(folder)} and read ${keys.length === 1 ? "it" : "them"} back`,
    json: { folder, keys },
  };
}

/** Restores a backup. @throws FeedkeyError `not_found` if the folder has no backup */
export async function restore(context: Context, folder: string): Promise<Outcome> {
  const { restored, kept } = await (await keeperOf(context, {})).keys.restore(folder);
  const lines = [...restored.map((name) => `${name}  restored`), ...kept.map((name) => `${name}  already there`)];
  return { text: lines.join("\n"), json: { restored, kept } };
}
