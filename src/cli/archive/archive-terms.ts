/** What the commands about an archive's keys have in common: configuration, key store, key servers. */
import { open } from "node:fs/promises";
import { FeedkeyError, systemCode } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { readUpTo } from "../../files/plain-file.ts";
import { type Keeper, openArchive } from "../../keeper/open-archive.ts";
import { limits } from "../../openpgp/packet/limits.ts";
import { type Duration, parseDuration } from "../../time.ts";
import type { Context } from "../context.ts";
import { type PassphraseOptions, passphraseSource } from "../passphrase.ts";

export interface WarnOptions {
  readonly warnWithin?: string;
}

/** How far ahead a command warns; undefined: as usual. @throws FeedkeyError `usage` */
export function warningTime({ warnWithin: text }: WarnOptions): Duration | undefined {
  const length = text === undefined ? undefined : parseDuration(text);
  if (text === undefined || length !== undefined) return length;
  throw new FeedkeyError("usage", `--warn-within does not understand "${text}"`, {
    hint: "write a length of time as 30d, 2w or 1y, or 0 for no warnings",
  });
}

export interface ServerOptions {
  readonly config?: string;
  readonly keyserver?: string[];
  readonly keyserverCa?: string;
  readonly profile?: string;
}

/**
 * The archive that the options name, or the key store alone; no key is opened yet.
 * @throws FeedkeyError as `openArchive`
 */
export async function keeperOf(context: Context, options: ServerOptions & PassphraseOptions): Promise<Keeper> {
  const { home, at, reporter } = context;
  const { offline, profile } = context.options;
  const { config, keyserver: keyservers, keyserverCa } = options;
  const passphrase = passphraseSource(options);
  return await openArchive({ config, home, at, offline, profile, keyservers, keyserverCa, passphrase, reporter });
}

/** More than anything reads that somebody brings: an armored keyring. */
const maxInputBytes = 2 * limits.keyringBytes;

/** A file that somebody brought, or what comes out of a pipe. @throws FeedkeyError `not_found`, `usage` if it has no end */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    const handle = await open(path);
    try {
      const bytes = await readUpTo(handle, maxInputBytes + 1);
      if (bytes.length <= maxInputBytes) return bytes;
    } finally {
      await handle.close();
    }
    throw new FeedkeyError("usage", `${escapeText(path)} has more than ${maxInputBytes} bytes`, {
      details: { path, most: maxInputBytes },
      hint: "give a file with the certificates that you mean, and nothing else",
    });
  } catch (cause) {
    if (cause instanceof FeedkeyError) throw cause;
    throw new FeedkeyError("not_found", `${escapeText(path)} can't be read`, {
      cause,
      details: { path, reason: systemCode(cause) },
    });
  }
}
