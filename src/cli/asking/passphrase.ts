/** Reads passphrases from a file, a file descriptor or a person at a terminal: never from arguments, never into a log. */

import { FeedkeyError, systemCode } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { readPassphraseFile } from "../../files/private-file.ts";
import type { PassphraseSource } from "../../index.ts";
import { personHere } from "./ask.ts";
import { readDescriptor } from "./read-descriptor.ts";

export interface PassphraseOptions {
  readonly passphraseFile?: string;
  readonly passphraseFd?: string;
}

/**
 * Returns the first line of a text, which gpg also takes as the passphrase.
 * @throws FeedkeyError `usage` if the text is empty: for example, the program that should have written the passphrase failed
 */
function firstLine(text: string): string {
  if (text === "") {
    throw new FeedkeyError("usage", "the given passphrase file or file descriptor has no line, not even an empty one", {
      hint: "check the program that should have written the passphrase; an empty line means no passphrase",
    });
  }
  return text.split(/\r?\n/)[0] ?? "";
}

/**
 * Returns the passphrase from the file or file descriptor in the options; undefined if the options name neither.
 * @throws FeedkeyError `not_found`; `bad_config` if other users can read the file; `usage` if the input is empty or the file
 *   descriptor is not a number
 */
export async function givenPassphrase(options: PassphraseOptions): Promise<string | undefined> {
  const { passphraseFile, passphraseFd } = options;
  try {
    if (passphraseFile !== undefined) return firstLine(await readPassphraseFile(passphraseFile));
    if (passphraseFd === undefined) return undefined;
    if (!/^\d{1,4}$/.test(passphraseFd))
      throw new FeedkeyError("usage", `"${escapeText(passphraseFd)}" is not the number of a file descriptor`);
    return firstLine(readDescriptor(Number(passphraseFd)));
  } catch (cause) {
    if (cause instanceof FeedkeyError) throw cause;
    throw new FeedkeyError("not_found", "the passphrase can't be read from the given file or file descriptor", {
      cause,
      details: { reason: systemCode(cause) },
    });
  }
}

/** Returns a function that gets a key's passphrase: from the options, or else from the person at the terminal. */
export function passphraseSource(options: PassphraseOptions): PassphraseSource {
  const asks = options.passphraseFile === undefined && options.passphraseFd === undefined;
  const source = async (fingerprint: string): Promise<string> => {
    const given = await givenPassphrase(options);
    if (given !== undefined) return given;
    const person = personHere();
    if (person === undefined) {
      throw new FeedkeyError(
        "bad_config",
        `key ${fingerprint} is locked, and there is no terminal to ask for its passphrase`,
        {
          hint: "give --passphrase-file FILE or --passphrase-fd N",
        },
      );
    }
    return await person.askHidden(`passphrase of ${escapeText(fingerprint)}: `);
  };
  return Object.assign(source, { asks });
}

/**
 * Returns the passphrase for a new key: from the options, or else from the person at the terminal, who types it twice.
 * Undefined if the passphrase is empty, or if there is neither an option nor a terminal.
 */
export async function newPassphrase(options: PassphraseOptions, person = personHere()): Promise<string | undefined> {
  const given = await givenPassphrase(options);
  if (given !== undefined) return given === "" ? undefined : given;
  if (person === undefined) return undefined;
  const first = await person.askHidden("passphrase for the new key (empty: none): ");
  if (first === "") return undefined;
  if ((await person.askHidden("the same passphrase again: ")) === first) return first;
  throw new FeedkeyError("usage", "the two passphrases differ");
}
