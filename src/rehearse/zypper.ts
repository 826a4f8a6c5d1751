/** zypper, in its own root: it trusts the keys in that root's rpm database, and asks about others. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { escapeText } from "../escape.ts";
import { ensureFolder } from "../files/folder.ts";
import { findProgram, type Ran, runProgram } from "../files/programs.ts";
import { armorCertificates } from "../openpgp/certificate/certificate.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { writeRpmDatabase } from "../stock/rpm-database.ts";
import { laidOut } from "./laid-out.ts";
import { type Keyring, lastLine, rememberingVerdict, type StockClient } from "./stock-client.ts";

function repository(folder: string): string {
  return [
    "[feed]",
    "name=feed",
    "enabled=1",
    "autorefresh=0",
    "type=rpm-md",
    `baseurl=dir:${folder}`,
    "repo_gpgcheck=1",
    "",
  ].join("\n");
}

/** Its message about the signature. */
function reasonOf({ stdout, stderr }: Ran): string {
  const said = /^(?:Warning: )?(File .*|Signature verification failed .*|The gpg key .*)$/m.exec(
    stdout.toString(),
  )?.[1];
  return said === undefined ? lastLine(`${stdout}${stderr}`) : escapeText(said.replace(/\.$/, ""));
}

/**
 * Puts a keyring into the rpm database of a root. A key that rpm can't store is missing for this client.
 * @param home of the client, with rpm's settings
 * @returns the missing keys, in rpm's words without the file's path, or in those of feedkey's timer
 */
async function importKeys({ bytes, byTimer }: Keyring, root: string, home: string): Promise<string | undefined> {
  if (byTimer !== undefined) return (await writeRpmDatabase({ root, home }, byTimer.certificates, byTimer.barred))[0];
  const ring = join(home, "keyring.asc");
  const blocks = readKeys(bytes).certificates.map((one) => armorCertificates([one]));
  await writeFile(ring, blocks.join("\n"));
  const { status, stderr } = await runProgram("rpm", ["--root", root, "--import", ring], { home });
  return status === 0 ? undefined : `rpm did not take a key: ${lastLine(stderr).replace(/^error: \S+: /, "")}`;
}

/** ZYPPER_EXIT_ERR_PRIVILEGES (zypper(8)). */
const needsRoot = 5;

export const zypper: StockClient = {
  name: "zypper",
  exported: "zypper",
  takesBundle: true,
  needs: "last",
  remembers: true,
  reads: (format) => format === "rpm-md",
  async equip(program, keyring, folder) {
    if (findProgram("rpm") === undefined)
      return async () => ({ word: "fails", reason: "rpm is needed to give it keys" });
    // Debian's rpm would put its database into the user's home.
    await writeFile(join(folder, ".rpmmacros"), "%_dbpath /var/lib/rpm\n");
    return async (target) => {
      const root = join(folder, target.feed.name);
      const repositories = join(root, "etc/zypp/repos.d");
      await ensureFolder(repositories, 0o700);
      const lacking = await importKeys(keyring, root, folder);
      await writeFile(join(repositories, "feed.repo"), repository(await laidOut(target, join(root, "feed"))));
      const ran = await runProgram(program, ["--root", root, "-n", "refresh", "--force"], { home: folder });
      if (ran.status === needsRoot) return { word: "fails", reason: "it needs root" };
      const holds = async () => existsSync(join(root, "var/cache/zypp/raw/feed/repodata/repomd.xml"));
      return await rememberingVerdict(ran, lacking ?? reasonOf(ran), holds);
    };
  },
};
