/** Reads the files that contain user names, passwords and tokens for private archives. */

import * as fs from "node:fs/promises";
import { FeedkeyError } from "../../error.ts";
import { credentialFiles } from "../../files/paths.ts";
import { readError } from "../../files/system-error.ts";
import { readTrustedFile } from "../../files/trusted-file.ts";
import { type FindCredentials, findCredentials, parseCredentials } from "../../net/credentials.ts";

const use = { what: "the file of credentials", code: "bad_config", isSecret: true } as const;

/**
 * Returns the function with which a transport finds the credentials for a URL: in the file that the profile names, or, if the
 * profile names no file, in the user's and the system's files. The function reads a file only before the first request.
 */
export function credentialsFor(file: string | undefined): FindCredentials {
  let finders: Promise<readonly FindCredentials[]> | undefined;
  return async (url) => {
    finders ??= file === undefined ? Promise.all(credentialFiles().map(fromUsualFile)) : fromNamedFile(file);
    for (const find of await finders) {
      const found = await find(url);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/**
 * Reads the file of credentials that a profile names.
 * @throws FeedkeyError `bad_config` if feedkey can't read the file, other users can, or its syntax is wrong
 */
async function fromNamedFile(file: string): Promise<readonly FindCredentials[]> {
  const text = await readTrustedFile(file, use).catch((cause: unknown) => {
    const hint = 'check the line "credentials" of the profile';
    throw readError(cause, file, { code: "bad_config", what: `the file of credentials "${file}"`, hint });
  });
  const entries = parseCredentials(text.toString("utf8"), (line, problem) => {
    throw new FeedkeyError("bad_config", `the file of credentials "${file}", line ${line}: ${problem}`, {
      details: { path: file, line },
      hint: "write each entry as machine HOST/FOLDER login NAME password WORD, or machine HOST/FOLDER token WORD",
    });
  });
  return [async (url) => findCredentials(entries, url)];
}

/**
 * Reads a credentials file that other programs use too, such as ~/.netrc, and ignores entries that feedkey does not understand.
 * @returns a function that finds credentials, and throws `bad_config` if the file has an entry for the URL but other users can
 *   read the file
 */
async function fromUsualFile(file: string): Promise<FindCredentials> {
  let refusal: FeedkeyError | undefined;
  const text = await readTrustedFile(file, use).catch(async (error: unknown) => {
    if (!(error instanceof FeedkeyError)) return Buffer.alloc(0);
    refusal = error;
    return await readAnyway(file);
  });
  const entries = parseCredentials(text.toString("utf8"), () => undefined);
  return async (url) => {
    const found = findCredentials(entries, url);
    if (found !== undefined && refusal !== undefined) throw refusal;
    return found;
  };
}

async function readAnyway(file: string): Promise<Buffer> {
  const isFile = await fs.stat(file).then(
    (stat) => stat.isFile(),
    () => false,
  );
  return isFile ? await fs.readFile(file).catch(() => Buffer.alloc(0)) : Buffer.alloc(0);
}
