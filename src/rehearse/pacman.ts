/**
 * Runs pacman with a root of its own. As after `pacman-key --populate`, its GnuPG home has all the keys, and trusts them. Keys that
 * feedkey's timer removes are missing.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { escapeText } from "../escape.ts";
import { ensureFolder } from "../files/folder.ts";
import { findProgram, type Ran, runGpg, runProgram } from "../files/programs.ts";
import { fillHome } from "./gnupg.ts";
import { lastLine, rememberingVerdict, type StockClient, type Target } from "./stock-client.ts";

/** Returns pacman's name for the feed: the name of its database file without the extension. */
const nameOf = ({ index }: Target) => index.replace(/\.db$/, "");

function configuration(root: string, home: string, target: Target): string {
  const folders = { RootDir: "root", DBPath: "db", CacheDir: "cache", LogFile: "log", HookDir: "hooks" };
  return [
    "[options]",
    ...Object.entries(folders).map(([name, folder]) => `${name} = ${join(root, folder)}`),
    `GPGDir = ${home}`,
    "SigLevel = Required TrustedOnly",
    `[${nameOf(target)}]`,
    `Server = ${pathToFileURL(target.folder).href}`,
    "",
  ].join("\n");
}

/** Returns pacman's message about the signature or the key; the last line has only a general message. */
function reasonOf({ stderr }: Ran): string {
  const said = /^error: [^:\n]+: ((?:key|signature) .*)$/m.exec(stderr)?.[1];
  return said === undefined ? lastLine(stderr) : escapeText(said);
}

export const pacman: StockClient = {
  name: "pacman",
  exported: "pacman",
  needs: "all",
  remembers: true,
  reads: (format) => format === "pacman",
  async equip(program, keyring, folder) {
    const gpg = findProgram("gpg");
    if (gpg === undefined) return async () => ({ word: "fails", reason: "gpg is needed to make a keyring for pacman" });
    if (process.geteuid?.() !== 0) return async () => ({ word: "fails", reason: "pacman must be run by root" });
    const home = join(folder, "gnupg");
    await ensureFolder(home, 0o700);
    await writeFile(join(home, "gpg.conf"), "no-autostart\n");
    await fillHome(gpg, keyring, home);
    const barred = [...(keyring.byTimer?.barred ?? [])];
    // gpg fails if the home does not have the key; this failure does not matter.
    for (const key of barred) await runGpg(["--yes", "--delete-keys", key], { program: gpg, home });
    return async (target) => {
      const root = join(folder, target.feed.name);
      for (const path of ["root", "db", "cache"]) await ensureFolder(join(root, path), 0o700);
      const config = join(root, "pacman.conf");
      await writeFile(config, configuration(root, home, target));
      const run = (...args: string[]) => runProgram(program, ["--config", config, "--noconfirm", ...args], { home });
      const ran = await run("-Syy");
      // pacman checks the signature of a stored database again whenever it reads the database.
      const holds = async () => (await run("-Sl", nameOf(target))).status === 0;
      return await rememberingVerdict(ran, reasonOf(ran), holds);
    };
  },
};
