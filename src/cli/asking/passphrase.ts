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
 * Returns the first line, as gpg does.
 * @throws FeedkeyError `usage` if the text is empty, for example because the program that should write the passphrase failed
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
 * Returns the passphrase that the options give; undefined if they give none.
 * @throws FeedkeyError `not_found`; `bad_config` if others can read the file; `usage`, also if the input is empty
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

/** Returns a function that gets the passphrase of a key: from the options, else from a prompt on a terminal. */
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
 * Returns the passphrase for a new key: from the options, else from two prompts on a terminal. Undefined if the passphrase is
 * empty, or if there is neither option nor terminal.
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
