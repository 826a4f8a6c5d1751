/** GnuPG's two verifiers: gpgv with a plain keyring, gpg with its own home, in which every key has ultimate ownertrust. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { escapeText } from "../escape.ts";
import { type Ran, runGpg, runProgram } from "../files/programs.ts";
import type { FeedFormat } from "../formats/formats.ts";
import { filesOf } from "../publish/feed-layouts.ts";
import { type Keyring, lastLine, type StockClient, type Target, verdictOf } from "./stock-client.ts";

/** The most informative status lines, in words (GnuPG's doc/DETAILS). */
const words: Readonly<Record<string, string>> = {
  NO_PUBKEY: "it lacks the key",
  BADSIG: "the signature does not match",
  EXPSIG: "the signature has expired",
  EXPKEYSIG: "the key has expired",
  REVKEYSIG: "the key is revoked",
};

/** GnuPG's report about the signers; empty if there is no problem. */
function reasonOf({ stdout, stderr, status }: Ran): string {
  const found = [...stdout.toString().matchAll(/^\[GNUPG:\] ([A-Z_]+) ([0-9A-F]+)?/gm)].flatMap(
    ([, keyword = "", key]) => {
      const said = words[keyword];
      return said === undefined ? [] : [keyword === "NO_PUBKEY" ? `${said} ${key ?? ""}` : said];
    },
  );
  if (found.length > 0) return escapeText(`${status === 0 ? "although " : ""}${[...new Set(found)].join(", ")}`);
  return status === 0 ? "" : lastLine(stderr);
}

/** The formats whose indexes are checked only with a verifier. */
export const verifiedAlone: readonly FeedFormat[] = ["opkg", "pkgsrc", "sums"];

/** The signature and the signed file, in the form that these programs need. */
export function signedPair({ feed, folder, index }: Target): readonly [string, string] {
  return [join(folder, filesOf(feed).at(-1) ?? ""), join(folder, index)];
}

export const gpgv: StockClient = {
  name: "gpgv",
  exported: "gpgv",
  takesBundle: true,
  needs: "all",
  reads: (format) => verifiedAlone.includes(format),
  async equip(program, keyring, folder) {
    const file = join(folder, "keyring.gpg");
    await writeFile(file, keyring.bytes);
    return async (target) => {
      const args = ["--homedir", folder, "--status-fd", "1", "--keyring", file, ...signedPair(target)];
      const ran = await runProgram(program, args, { home: folder });
      return verdictOf(ran, reasonOf(ran));
    };
  },
};

/** Imports a keyring into a GnuPG home. Keys that gpg can't read are missing afterwards, as for a user. */
export async function fillHome(program: string, { bytes, keys }: Keyring, folder: string): Promise<void> {
  const [ring, trust] = [join(folder, "import.pgp"), join(folder, "ownertrust")];
  await writeFile(ring, bytes);
  // From a file, because gpg waits for ever if this comes through a pipe.
  await writeFile(trust, keys.map((key) => `${key}:6:\n`).join(""));
  await runGpg(["--import", ring], { program, home: folder });
  await runGpg(["--import-ownertrust", trust], { program, home: folder });
}

export const gpg: StockClient = {
  name: "gpg",
  exported: "gpgv",
  takesBundle: true,
  needs: "all",
  reads: (format) => verifiedAlone.includes(format),
  async equip(program, keyring, folder) {
    await fillHome(program, keyring, folder);
    return async (target) => {
      const ran = await runGpg(["--status-fd", "1", "--verify", ...signedPair(target)], { program, home: folder });
      return verdictOf(ran, reasonOf(ran));
    };
  },
};
