/** zypper, in a root of its own: it believes the keys in that root's rpm database, and takes no others without asking. */
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { escapeText } from "../escape.ts";
import { ensureFolder } from "../files/folder.ts";
import { findProgram, type Ran, runProgram } from "../files/programs.ts";
import { writeCertificate } from "../openpgp/certificate/certificate.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { armor } from "../openpgp/packet/armor.ts";
import { laidOut } from "./laid-out.ts";
import { lastLine, rememberingVerdict, type StockClient } from "./stock-client.ts";

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

/** What it said of the signature, before it gave up. */
function reasonOf({ stdout, stderr }: Ran): string {
  const said = /^(?:Warning: )?(File .*|Signature verification failed .*|The gpg key .*)$/m.exec(
    stdout.toString(),
  )?.[1];
  return said === undefined ? lastLine(`${stdout}${stderr}`) : escapeText(said.replace(/\.$/, ""));
}

/** rpm's words, without the file's path. */
function refusedKey({ stderr }: Ran): string {
  return `rpm did not take a key: ${lastLine(stderr).replace(/^error: \S+: /, "")}`;
}

/** ZYPPER_EXIT_ERR_PRIVILEGES (zypper(8)). */
const needsRoot = 5;

export const zypper: StockClient = {
  name: "zypper",
  takesBundle: true,
  needs: "last",
  remembers: true,
  reads: (format) => format === "rpm-md",
  async equip(program, keyring, folder) {
    const rpm = findProgram("rpm");
    if (rpm === undefined) return async () => ({ word: "fails", reason: "rpm is needed to give it keys" });
    // Debian's rpm would have its database in the user's home.
    await writeFile(join(folder, ".rpmmacros"), "%_dbpath /var/lib/rpm\n");
    const ring = join(folder, "keyring.asc");
    const blocks = [...readKeys(keyring.bytes).certificates].map(writeCertificate);
    await writeFile(ring, blocks.map((block) => armor(block, "PUBLIC KEY BLOCK")).join("\n"));
    return async (target) => {
      const root = join(folder, target.feed.name);
      const repositories = join(root, "etc/zypp/repos.d");
      await ensureFolder(repositories, 0o700);
      // A key that rpm can't read is one that this client lacks.
      const imported = await runProgram(rpm, ["--root", root, "--import", ring], { home: folder });
      await writeFile(join(repositories, "feed.repo"), repository(await laidOut(target, join(root, "feed"))));
      const ran = await runProgram(program, ["--root", root, "-n", "refresh", "--force"], { home: folder });
      if (ran.status === needsRoot) return { word: "fails", reason: "it needs root" };
      const holds = () => isThere(join(root, "var/cache/zypp/raw/feed/repodata/repomd.xml"));
      return await rememberingVerdict(ran, imported.status === 0 ? reasonOf(ran) : refusedKey(imported), holds);
    };
  },
};

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
