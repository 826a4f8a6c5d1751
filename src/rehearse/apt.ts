/** Runs apt with a root of its own. apt updates from the copy of the archive, and stores what it accepts in this root. */
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { escapeText } from "../escape.ts";
import { ensureFolder } from "../files/folder.ts";
import { type Ran, runProgram } from "../files/programs.ts";
import { lastLine, rememberingVerdict, type StockClient, type Target } from "./stock-client.ts";

/** The path, below the root, of the folder in which apt stores what it downloaded. */
const lists = "var/lib/apt/lists";

/**
 * Returns a configuration that apt reads instead of this machine's. If apt accepted a Release file before and refuses the new one, it warns
 * but exits with success by default. With `Error-Mode`, it exits with an error (measured with apt 2.6).
 */
function configuration(root: string): string {
  const settings = {
    Dir: root,
    "Dir::State::status": join(root, "status"),
    "Dir::Etc::sourcelist": join(root, "sources.list"),
    "Dir::Etc::sourceparts": join(root, "none"),
    // apt's sandbox user could not enter the private folder.
    "APT::Sandbox::User": "root",
    "APT::Update::Error-Mode": "any",
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} "${value}";\n`)
    .join("");
}

/** Returns the feed as a line of sources.list. With `target=None`, apt requests no package lists, so it reads only the Release file. */
function source({ folder }: Target, keyring: string): string {
  const [, base = folder, suite] = /^(.*)\/dists\/(.+)$/.exec(folder) ?? [];
  const where = `${pathToFileURL(base).href} ${suite === undefined ? "./" : `${suite} main`}`;
  return `deb [signed-by=${keyring} target=None] ${where}\n`;
}

/** Returns apt's reason for a refusal, from the line after the one that names the file. */
function reasonOf({ stdout, stderr }: Ran): string {
  const said = /^Err:.*\n {2}(.*)$/m.exec(stdout.toString())?.[1];
  return said === undefined ? lastLine(stderr) : escapeText(said.trim());
}

export const apt: StockClient = {
  name: "apt-get",
  exported: "apt",
  needs: "any",
  remembers: true,
  reads: (format) => format === "apt",
  async equip(program, keyring, folder) {
    const ring = join(folder, "keyring.gpg");
    await writeFile(ring, keyring.bytes);
    return async (target) => {
      const root = join(folder, target.feed.name);
      for (const path of [`${lists}/partial`, "var/cache/apt/archives/partial", "etc/apt/preferences.d"]) {
        await ensureFolder(join(root, path), 0o700);
      }
      const config = join(root, "apt.conf");
      await writeFile(config, configuration(root));
      await writeFile(join(root, "status"), "");
      await writeFile(join(root, "sources.list"), source(target, ring));
      const ran = await runProgram(program, ["-q", "update"], { home: folder, environment: { APT_CONFIG: config } });
      const holds = async () => (await readdir(join(root, lists))).some((name) => name.endsWith("Release"));
      return await rememberingVerdict(ran, reasonOf(ran), holds);
    };
  },
};
