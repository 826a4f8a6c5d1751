/**
 * Runs dnf with a root of its own. dnf keeps a keyring for each repository; with `-y`, it accepts the keys in the repository's key file
 * without asking.
 */
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureFolder } from "../files/folder.ts";
import { runProgram } from "../files/programs.ts";
import { dnfCache, dnfKeyFolder, dnfRepositories, followDnf } from "../stock/dnf-rings.ts";
import { laidOut } from "./laid-out.ts";
import { lastLine, rememberingVerdict, type StockClient } from "./stock-client.ts";

/** The path of the key file, below dnf's root. */
const keyFile = `${dnfKeyFolder}/RPM-GPG-KEY-feed`;

function main(root: string): string {
  const folders = { reposdir: "none", persistdir: "persist", logdir: "log" };
  const own = Object.entries(folders).map(([name, folder]) => `${name}=${join(root, folder)}\n`);
  return `[main]\n${own.join("")}cachedir=/${dnfCache}\nplugins=0\n`;
}

/**
 * Returns the repository's section in dnf's configuration.
 * @param system the root in which `gpgkey` is looked up: dnf reads the key file by its path on this machine, not below its own root
 */
function repositoryOf(folder: string, system: string): string {
  const settings = {
    name: "feed",
    baseurl: pathToFileURL(folder).href,
    repo_gpgcheck: "1",
    gpgkey: pathToFileURL(join(system, keyFile)).href,
  };
  return ["[feed]", ...Object.entries(settings).map(([name, value]) => `${name}=${value}`), ""].join("\n");
}

export const dnf: StockClient = {
  name: "dnf",
  exported: "dnf",
  needs: "any",
  remembers: true,
  reads: (format) => format === "rpm-md",
  async equip(program, keyring, folder) {
    return async (target) => {
      const root = join(folder, target.feed.name);
      const [system, config] = [join(root, "root"), join(root, "dnf.conf")];
      for (const path of [dnfKeyFolder, dnfRepositories]) await ensureFolder(join(system, path), 0o700);
      const feed = await laidOut(target, join(root, "feed"));
      await writeFile(join(system, keyFile), keyring.bytes);
      await writeFile(join(system, dnfRepositories, "feed.repo"), repositoryOf(feed, "/"));
      await writeFile(config, main(root) + repositoryOf(feed, system));
      if (keyring.byTimer !== undefined) await followDnf({ path: join(system, keyFile), ...keyring.byTimer });
      const terms = ["-c", config, `--installroot=${system}`, "--releasever=1", "-q", "-y"];
      const ran = await runProgram(program, [...terms, "makecache", "--refresh"], { home: folder });
      const cache = join(system, dnfCache);
      const holds = async () => (await readdir(cache).catch((): string[] => [])).includes("feed.solv");
      return await rememberingVerdict(ran, lastLine(ran.stderr).replace(/^.* for repo 'feed': /, ""), holds);
    };
  },
};
