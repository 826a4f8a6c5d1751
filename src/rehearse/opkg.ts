/** opkg, in its own root: it updates from the copy, and stores there what it accepts. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { escapeText } from "../escape.ts";
import { findProgram, runProgram } from "../files/programs.ts";
import { fillHome } from "./gnupg.ts";
import { lastLine, type StockClient, verdictOf } from "./stock-client.ts";

/**
 * The configuration of a client that checks signatures, for one feed. opkg looks for gpg_dir below the offline root (measured
 * with 0.8.0 and 0.9.0), so the path leads from there back to the home beside it.
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

/** The reason for the refusal: the last line only names the feed. */
function reasonOf(stderr: string): string {
  const said = /^.*Signature status returned error: (.*)$/m.exec(stderr)?.[1];
  return said === undefined ? lastLine(stderr) : escapeText(said.replace(/\.$/, "").toLowerCase());
}

export const opkg: StockClient = {
  name: "opkg",
  exported: "gpgv",
  takesBundle: true,
  needs: "first",
  reads: (format) => format === "opkg",
  async equip(program, keyring, folder) {
    const gpg = findProgram("gpg");
    if (gpg === undefined) return async () => ({ word: "fails", reason: "gpg is needed to make its keyring" });
    const home = join(folder, homeName);
    await mkdir(home, { mode: 0o700 });
    // opkg would let gpg start a dirmngr, which outlives this folder by up to a minute.
    await writeFile(join(home, "gpg.conf"), "no-autostart\n");
    await fillHome(gpg, keyring, home);
    let updates = 0;
    return async (target) => {
      // A new root for each update, because an old list would look like a new one.
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
