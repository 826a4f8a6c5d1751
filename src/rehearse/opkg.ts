/** Runs opkg with a root of its own. opkg updates from the copy of the archive, and stores what it accepts in this root. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { escapeText } from "../escape.ts";
import { findProgram, runProgram } from "../files/programs.ts";
import { fillHome } from "./gnupg.ts";
import { lastLine, type StockClient, verdictOf } from "./stock-client.ts";

/**
 * Returns the configuration of a client that checks signatures, for one feed. opkg looks for gpg_dir below the offline root (measured with
 * 0.8.0 and 0.9.0). The GnuPG home is beside this root, so the path begins with `/..`.
 */
function configuration(feed: string): string {
  return [
    `src feed ${pathToFileURL(feed).href}`,
    "dest root /",
    "arch all 1",
    "option check_signature 1",
    "option signature_type gpg-asc",
    `option gpg_dir /../${homeName}`,
    "option gpg_trust_level TrustOnly",
    "",
  ].join("\n");
}

const homeName = "gpg";

/** Returns opkg's reason for a refusal. It is not in the last line, which only names the feed. */
function reasonOf(stderr: string): string {
  const said = /^.*Signature status returned error: (.*)$/m.exec(stderr)?.[1];
  return said === undefined ? lastLine(stderr) : escapeText(said.replace(/\.$/, "").toLowerCase());
}

export const opkg: StockClient = {
  name: "opkg",
  exported: "gpgv",
  needs: "first",
  reads: (format) => format === "opkg",
  async equip(program, keyring, folder) {
    const gpg = findProgram("gpg");
    if (gpg === undefined) return async () => ({ word: "fails", reason: "gpg is needed to make a keyring for opkg" });
    const home = join(folder, homeName);
    await mkdir(home, { mode: 0o700 });
    // Without this option, gpg would start a dirmngr, which can run for a minute longer than this folder exists.
    await writeFile(join(home, "gpg.conf"), "no-autostart\n");
    await fillHome(gpg, keyring, home);
    let updates = 0;
    return async (target) => {
      // Each update gets a new root, because a list from an earlier update would look like a new list.
      updates += 1;
      const root = join(folder, `root-${updates}`);
      await mkdir(root);
      const file = join(folder, `opkg-${updates}.conf`);
      await writeFile(file, configuration(target.folder));
      const ran = await runProgram(program, ["--conf", file, "--offline-root", root, "update"], { home: folder });
      return verdictOf(ran, ran.status === 0 ? "" : reasonOf(ran.stderr));
    };
  },
};
