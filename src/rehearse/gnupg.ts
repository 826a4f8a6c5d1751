/** GnuPG's two verifiers: gpgv with a keyring file, and gpg with a home of its own, in which every key has ultimate ownertrust. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { escapeText } from "../escape.ts";
import { type Ran, runGpg, runProgram } from "../files/programs.ts";
import type { FeedFormat } from "../formats/formats.ts";
import { filesOf } from "../publish/feed-layouts.ts";
import { type Keyring, lastLine, type StockClient, type Target, verdictOf } from "./stock-client.ts";

/** GnuPG's most informative status keywords (doc/DETAILS in GnuPG), each in words. */
const words: Readonly<Record<string, string>> = {
  NO_PUBKEY: "it lacks the key",
  BADSIG: "the signature does not match",
  EXPSIG: "the signature has expired",
  EXPKEYSIG: "the key has expired",
  REVKEYSIG: "the key is revoked",
};

/** Returns what GnuPG reports about the signatures; empty if GnuPG reports no problem. */
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

/** The formats whose clients have no complete client in the rehearsal: only a verifier checks their indexes. */
export const verifiedAlone: readonly FeedFormat[] = ["opkg", "pkgsrc", "sums"];

/** Returns the paths of the signature file and the signed file, in the order in which the verifiers take them. */
export function signedPair({ feed, folder, index }: Target): readonly [string, string] {
  return [join(folder, filesOf(feed).at(-1) ?? ""), join(folder, index)];
}

export const gpgv: StockClient = {
  name: "gpgv",
  exported: "gpgv",
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

/** Imports a keyring into a GnuPG home. As with a real user, keys that gpg can't read are missing afterwards. */
export async function fillHome(program: string, { bytes, keys }: Keyring, folder: string): Promise<void> {
  const [ring, trust] = [join(folder, "import.pgp"), join(folder, "ownertrust")];
  await writeFile(ring, bytes);
  // gpg gets the ownertrust in a file, because it waits for ever if the ownertrust comes through a pipe.
  await writeFile(trust, keys.map((key) => `${key}:6:\n`).join(""));
  await runGpg(["--import", ring], { program, home: folder });
  await runGpg(["--import-ownertrust", trust], { program, home: folder });
}

export const gpg: StockClient = {
  name: "gpg",
  exported: "gpgv",
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
