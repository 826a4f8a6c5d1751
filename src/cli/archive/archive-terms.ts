/** The options that the commands for keepers share: configuration, key store, key servers. */
import { FeedkeyError } from "../../error.ts";
import { type Keeper, openArchive } from "../../keeper/open-archive.ts";
import { type Duration, parseDuration } from "../../time.ts";
import { type PassphraseOptions, passphraseSource } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";

export interface WarnOptions {
  readonly warnWithin?: string;
}

/**
 * Returns how long before a key or delegation ends the command warns; undefined for the default.
 * @throws FeedkeyError `usage` if the text is not a length of time
 */
export function warningTime({ warnWithin: text }: WarnOptions): Duration | undefined {
  const length = text === undefined ? undefined : parseDuration(text);
  if (text === undefined || length !== undefined) return length;
  throw new FeedkeyError("usage", `"${text}" is not a length of time for --warn-within`, {
    hint: "write a length of time such as 30d, 2w or 1y, or 0 for no warnings",
  });
}

export interface ServerOptions {
  readonly config?: string;
  readonly keyserver?: string[];
  readonly keyserverCa?: string;
  readonly profile?: string;
}

/**
 * Opens the archive that the options name, or only the key store. Does not open a secret key.
 * @throws FeedkeyError as `openArchive` does
 */
export async function keeperOf(context: Context, options: ServerOptions & PassphraseOptions): Promise<Keeper> {
  const { home, at, reporter } = context;
  const { offline, profile } = context.options;
  const { config, keyserver: keyservers, keyserverCa } = options;
  const passphrase = passphraseSource(options);
  return await openArchive({ config, home, at, offline, profile, keyservers, keyserverCa, passphrase, reporter });
}
