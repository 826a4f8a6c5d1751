/** Machines with real package managers, as their users run them: over HTTP, with their whole lists, each in a root of its own. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { armor } from "../../src/openpgp/packet/armor.ts";
import { runProgram } from "../testkit/programs/command-line.ts";

/** A machine that was given a keyring file, binary, and updates from the archive at a URL. */
interface Machine {
  readonly root: string;
  readonly keyring: string;
  readonly url: string;
}

async function write(path: string, ...lines: readonly string[]): Promise<string> {
  await fs.mkdir(join(path, ".."), { recursive: true });
  await fs.writeFile(path, `${lines.join("\n")}\n`);
  return path;
}

async function run(
  env: Readonly<Record<string, string>>,
  program: string,
  ...args: readonly string[]
): Promise<boolean> {
  const { status } = await runProgram(program, args, { env: { LC_ALL: "C", ...env } });
  return status === 0;
}

async function apt({ root, keyring, url }: Machine): Promise<boolean> {
  for (const folder of ["var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "etc/apt/apt.conf.d", "none"]) {
    await fs.mkdir(join(root, folder), { recursive: true });
  }
  await fs.copyFile(keyring, join(root, "archive.gpg"));
  const list = await write(
    join(root, "sources.list"),
    `deb [signed-by=${root}/archive.gpg arch=amd64] ${url} stable main`,
  );
  const status = join(root, "status");
  await fs.writeFile(status, "");
  const config = await write(
    join(root, "apt.conf"),
    `Dir "${root}"; Dir::State::status "${status}"; Dir::Etc::sourcelist "${list}"; Dir::Etc::sourceparts "${root}/none";`,
    'APT::Architecture "amd64"; APT::Architectures { "amd64" }; Acquire::Languages "none"; Acquire::http::Proxy "DIRECT";',
    'APT::Sandbox::User "root"; APT::Update::Error-Mode "any";',
  );
  return await run({ APT_CONFIG: config }, "apt-get", "update");
}

async function dnf({ root, keyring, url }: Machine): Promise<boolean> {
  await fs.mkdir(join(root, "root"), { recursive: true });
  await fs.copyFile(keyring, join(root, "archive.gpg"));
  const main = ["[main]", `reposdir=${root}/none`, `cachedir=${root}/cache`, `persistdir=${root}/persist`];
  const feed = ["[core]", "name=core", `baseurl=${url}rpm`, "repo_gpgcheck=1", `gpgkey=file://${root}/archive.gpg`];
  const config = await write(join(root, "dnf.conf"), ...main, `logdir=${root}/log`, "proxy=", ...feed);
  const terms = ["-c", config, `--installroot=${root}/root`, "--releasever=1", "-y"];
  return await run({ HOME: root }, "dnf", ...terms, "makecache", "--refresh");
}

async function zypper({ root, keyring, url }: Machine): Promise<boolean> {
  const env = { HOME: root };
  await write(join(root, ".rpmmacros"), "%_dbpath /var/lib/rpm");
  await write(join(root, "archive.asc"), armor(await fs.readFile(keyring), "PUBLIC KEY BLOCK"));
  await run(env, "rpm", "--root", root, "--import", join(root, "archive.asc"));
  const feed = ["[core]", "name=core", "enabled=1", "autorefresh=0", `baseurl=${url}rpm`, "repo_gpgcheck=1"];
  await write(join(root, "etc/zypp/repos.d/core.repo"), ...feed);
  return await run(env, "zypper", "--root", root, "-n", "refresh", "--force");
}

async function pacman({ root, keyring, url }: Machine): Promise<boolean> {
  for (const folder of ["root", "db", "cache", "gnupg"])
    await fs.mkdir(join(root, folder), { recursive: true, mode: 0o700 });
  const env = { HOME: root, GNUPGHOME: join(root, "gnupg") };
  const gpg = ["--batch", "--quiet", "--no-autostart"];
  await run(env, "gpg", ...gpg, "--import", keyring);
  const { stdout } = await runProgram("gpg", ["--show-keys", "--with-colons", keyring], { env });
  const primaries = [...stdout.matchAll(/^pub:.*\nfpr:+([0-9A-F]+):/gm)].map(([, key = ""]) => `${key}:6:`);
  await run(env, "gpg", ...gpg, "--import-ownertrust", await write(join(root, "trust"), ...primaries));
  const folders = [
    `RootDir = ${root}/root`,
    `DBPath = ${root}/db`,
    `CacheDir = ${root}/cache`,
    `LogFile = ${root}/log`,
  ];
  const feed = ["SigLevel = Required TrustedOnly", "[extra]", `Server = ${url}arch`];
  const config = await write(join(root, "pacman.conf"), "[options]", ...folders, `GPGDir = ${root}/gnupg`, ...feed);
  return await run(env, "pacman", "--config", config, "--noconfirm", "-Syy");
}

export const machines: Readonly<Record<string, (machine: Machine) => Promise<boolean>>> = {
  "apt-get": apt,
  dnf,
  zypper,
  pacman,
};
