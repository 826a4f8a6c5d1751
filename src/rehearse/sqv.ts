/** Runs sqv, Sequoia's verifier. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { escapeText } from "../escape.ts";
import { runProgram } from "../files/programs.ts";
import { signedPair, verifiedAlone } from "./gnupg.ts";
import { type StockClient, verdictOf } from "./stock-client.ts";

/** Returns sqv's whole output, without the line that counts the valid signatures. */
function reasonOf(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  return escapeText(lines.filter((line) => line !== "" && !/ signatures? are valid /.test(line)).join(" "));
}

/** sqv as a stock client. */
export const sqv: StockClient = {
  name: "sqv",
  exported: "gpgv",
  needs: "any",
  reads: (format) => verifiedAlone.includes(format),
  async equip(program, keyring, folder) {
    const file = join(folder, "keyring.pgp");
    await writeFile(file, keyring.bytes);
    return async (target) => {
      const args = ["--verbose", "--keyring", file, ...signedPair(target)];
      const ran = await runProgram(program, args, { home: folder });
      return verdictOf(ran, ran.status === 0 ? "" : reasonOf(ran.stderr));
    };
  },
};
