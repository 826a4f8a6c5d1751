/**
 * Runs zypper with a root of its own. zypper trusts the keys in this root's rpm database, and refuses others, because `-n` answers its
 * questions.
 */
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

/** Returns zypper's message about the signature or the key. */
function reasonOf({ stdout, stderr }: Ran): string {
  const said = /^(?:Warning: )?(File .*|Signature verification failed .*|The gpg key .*)$/m.exec(
    stdout.toString(),
  )?.[1];
  return said === undefined ? lastLine(`${stdout}${stderr}`) : escapeText(said.replace(/\.$/, ""));
}

/**
 * Puts a keyring into the rpm database below a root. A key that rpm can't store is missing for this client.
 * @param home the client's home, with rpm's settings
 * @returns a message about the missing keys, from rpm or from feedkey's timer; undefined if no key is missing
 */
async function importKeys({ bytes, byTimer }: Keyring, root: string, home: string): Promise<string | undefined> {
  if (byTimer !== undefined) return (await writeRpmDatabase({ root, home }, byTimer.certificates, byTimer.barred))[0];
  const ring = join(home, "keyring.asc");
  const blocks = readKeys(bytes).certificates.map((one) => armorCertificates([one]));
  await writeFile(ring, blocks.join("\n"));
  const { status, stderr } = await runProgram("rpm", ["--root", root, "--import", ring], { home });
  return status === 0 ? undefined : `rpm did not take a key: ${lastLine(stderr).replace(/^error: \S+: /, "")}`;
}

/** zypper's exit status if it is not run by root: ZYPPER_EXIT_ERR_PRIVILEGES, zypper(8). */
const needsRoot = 5;

export const zypper: StockClient = {
  name: "zypper",
  exported: "zypper",
  needs: "last",
  remembers: true,
  reads: (format) => format === "rpm-md",
  async equip(program, keyring, folder) {
    if (findProgram("rpm") === undefined)
      return async () => ({ word: "fails", reason: "rpm is needed to import keys for zypper" });
    // With this setting, Debian's rpm does not put its database into the user's home.
    await writeFile(join(folder, ".rpmmacros"), "%_dbpath /var/lib/rpm\n");
    return async (target) => {
      const root = join(folder, target.feed.name);
      const repositories = join(root, "etc/zypp/repos.d");
      await ensureFolder(repositories, 0o700);
      const lacking = await importKeys(keyring, root, folder);
      await writeFile(join(repositories, "feed.repo"), repository(await laidOut(target, join(root, "feed"))));
      const ran = await runProgram(program, ["--root", root, "-n", "refresh", "--force"], { home: folder });
      if (ran.status === needsRoot) return { word: "fails", reason: "zypper must be run by root" };
      const holds = async () => existsSync(join(root, "var/cache/zypp/raw/feed/repodata/repomd.xml"));
      return await rememberingVerdict(ran, lacking ?? reasonOf(ran), holds);
    };
  },
};
