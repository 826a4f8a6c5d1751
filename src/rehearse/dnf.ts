/** dnf, in a root of its own. It has a ring of keys for each repository, and answers yes when asked about a key of its file. */
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureFolder } from "../files/folder.ts";
import { runProgram } from "../files/programs.ts";
import { laidOut } from "./laid-out.ts";
import { lastLine, rememberingVerdict, type StockClient } from "./stock-client.ts";

function configuration(root: string, repository: string, keyring: string): string {
  const main = { reposdir: "none", cachedir: "cache", persistdir: "persist", logdir: "log" };
  return [
    "[main]",
    ...Object.entries(main).map(([name, folder]) => `${name}=${join(root, folder)}`),
    "plugins=0",
    "[feed]",
    "name=feed",
    `baseurl=${pathToFileURL(repository).href}`,
    "repo_gpgcheck=1",
    `gpgkey=${pathToFileURL(keyring).href}`,
    "",
  ].join("\n");
}

export const dnf: StockClient = {
  name: "dnf",
  takesBundle: true,
  needs: "any",
  remembers: true,
  reads: (format) => format === "rpm-md",
  async equip(program, keyring, folder) {
    const ring = join(folder, "keyring.gpg");
    await writeFile(ring, keyring.bytes);
    return async (target) => {
      const root = join(folder, target.feed.name);
      const [installed, config] = [join(root, "root"), join(root, "dnf.conf")];
      await ensureFolder(installed, 0o700);
      await writeFile(config, configuration(root, await laidOut(target, join(root, "feed")), ring));
      const terms = ["-c", config, `--installroot=${installed}`, "--releasever=1", "-q", "-y"];
      const ran = await runProgram(program, [...terms, "makecache", "--refresh"], { home: folder });
      // The folder of the cache lies below the root that packages would be installed to.
      const cache = join(installed, root, "cache");
      const holds = async () => (await readdir(cache).catch((): string[] => [])).includes("feed.solv");
      return await rememberingVerdict(ran, lastLine(ran.stderr).replace(/^.* for repo 'feed': /, ""), holds);
    };
  },
};
