/** Runs NetBSD's pkg_admin. It verifies signed packages, not indexes, so its verdict on one package counts for the whole feed. */
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onRefusal } from "../error.ts";
import { findProgram, runProgram } from "../files/programs.ts";
import { isPackageName } from "../packages/file-names.ts";
import { isSignedPackage } from "../packages/pkgsrc-package.ts";
import { withPackage } from "../packages/source.ts";
import { lastLine, type StockClient, verdictOf } from "./stock-client.ts";

/** NetBSD's pkg_admin as a stock client. */
export const pkgAdmin: StockClient = {
  name: "pkg_admin",
  exported: "pkg_install",
  // One key that is not RSA makes pkg_admin's whole keyring unreadable. So users do not give it the bundle, but what `export` writes.
  takesBundle: false,
  reads: (format) => format === "pkgsrc",
  async equip(program, keyring, folder) {
    const [ring, config] = [join(folder, "keyring.gpg"), join(folder, "pkg_install.conf")];
    await writeFile(ring, keyring.bytes);
    const gpg = findProgram("gpg");
    const lines = ["VERIFIED_INSTALLATION=always", `GPG_KEYRING_VERIFY=${ring}`];
    // Builds of pkg_admin without a verifier of their own run gpg; other builds ignore this line.
    if (gpg !== undefined) lines.push(`GPG=${gpg}`);
    await writeFile(config, `${lines.join("\n")}\n`);
    return async (target) => {
      const file = await firstSigned(target.packages);
      if (file === undefined)
        return { word: "fails", reason: "the feed has no signed package that pkg_admin could check" };
      const ran = await runProgram(program, ["-C", config, "check-signature", file], { home: folder });
      return verdictOf(ran, ran.status === 0 ? "" : lastLine(`${ran.stdout}${ran.stderr}`));
    };
  },
};

async function firstSigned(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names.filter((one) => isPackageName(one, "pkgsrc")).sort()) {
    const file = join(folder, name);
    const isSigned = await onRefusal(
      () => withPackage(file, async (source) => isSignedPackage(source)),
      () => false,
    );
    if (isSigned) return file;
  }
  return undefined;
}
