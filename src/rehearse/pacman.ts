/**
 * pacman, in its own root, whose GnuPG home has the keys as after `pacman-key --populate`: all are trusted. Keys that feedkey's
 * timer removes are missing.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { escapeText } from "../escape.ts";
import { ensureFolder } from "../files/folder.ts";
import { findProgram, type Ran, runGpg, runProgram } from "../files/programs.ts";
import { fillHome } from "./gnupg.ts";
import { lastLine, rememberingVerdict, type StockClient, type Target } from "./stock-client.ts";

/** pacman's name of the feed: the file name without its extension. */
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

/** Its message about the database, not the general failure. */
function reasonOf({ stderr }: Ran): string {
  const said = /^error: [^:\n]+: ((?:key|signature) .*)$/m.exec(stderr)?.[1];
  return said === undefined ? lastLine(stderr) : escapeText(said);
}

export const pacman: StockClient = {
  name: "pacman",
  exported: "pacman",
  takesBundle: true,
  needs: "all",
  remembers: true,
  reads: (format) => format === "pacman",
  async equip(program, keyring, folder) {
    const gpg = findProgram("gpg");
    if (gpg === undefined) return async () => ({ word: "fails", reason: "gpg is needed to make its keyring" });
    if (process.geteuid?.() !== 0) return async () => ({ word: "fails", reason: "it needs root" });
    const home = join(folder, "gnupg");
    await ensureFolder(home, 0o700);
    await writeFile(join(home, "gpg.conf"), "no-autostart\n");
    await fillHome(gpg, keyring, home);
    const barred = [...(keyring.byTimer?.barred ?? [])];
    // It fails if there is none.
    for (const key of barred) await runGpg(["--yes", "--delete-keys", key], { program: gpg, home });
    return async (target) => {
      const root = join(folder, target.feed.name);
      for (const path of ["root", "db", "cache"]) await ensureFolder(join(root, path), 0o700);
      const config = join(root, "pacman.conf");
      await writeFile(config, configuration(root, home, target));
      const run = (...args: string[]) => runProgram(program, ["--config", config, "--noconfirm", ...args], { home });
      const ran = await run("-Syy");
      // It checks a stored database again whenever it reads it.
      const holds = async () => (await run("-Sl", nameOf(target))).status === 0;
      return await rememberingVerdict(ran, reasonOf(ran), holds);
    };
  },
};
