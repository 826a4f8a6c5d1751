/** opkg, in a root of its own: it updates from the copy, and keeps what it accepts there. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findProgram, runProgram } from "../files/programs.ts";
import { fillHome } from "./gnupg.ts";
import { lastLine, type StockClient, verdictOf } from "./stock-client.ts";

/** The configuration of a client that checks signatures, of one feed. */
function configuration(feed: string, home: string): string {
  return [
    `src feed ${pathToFileURL(feed).href}`,
    "dest root /",
    "arch all 1",
    "option check_signature 1",
    "option signature_type gpg-asc",
    `option gpg_dir ${home}`,
    "option gpg_trust_level TrustOnly",
    "",
  ].join("\n");
}

export const opkg: StockClient = {
  name: "opkg",
  reads: (format) => format === "opkg",
  async equip(program, keyring, folder) {
    const gpg = findProgram("gpg");
    if (gpg === undefined) return async () => ({ word: "fails", reason: "gpg is needed to make its keyring" });
    const home = join(folder, "gpg");
    await mkdir(home, { mode: 0o700 });
    await fillHome(gpg, keyring, home);
    let updates = 0;
    return async (target) => {
      // A root for each update: it keeps lists, and a list from before would be taken for one of now.
      updates += 1;
      const root = join(folder, `root-${updates}`);
      await mkdir(root);
      const file = join(folder, `opkg-${updates}.conf`);
      await writeFile(file, configuration(target.folder, home));
      const ran = await runProgram(program, ["--conf", file, "--offline-root", root, "update"], { home: folder });
      return verdictOf(ran, ran.status === 0 ? "" : lastLine(ran.stderr));
    };
  },
};
