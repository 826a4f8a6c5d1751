/** An archive of today with a feed of each format; where other programs write the indexes, those wrote them. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hash, releaseDate, stanza } from "../apt/suite.ts";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { pkgsrcPackage } from "../testkit/packages/pkgsrc-package.ts";
import { runProgram } from "../testkit/programs/command-line.ts";

async function succeed(program: string, ...args: readonly string[]): Promise<void> {
  const { status, stderr, stdout } = await runProgram(program, args);
  expect(status, `${program} ${args.join(" ")}\n${stdout}${stderr}`).to.equal(0);
}

async function writeSuite(folder: string): Promise<void> {
  await fs.mkdir(join(folder, "main/binary-amd64"), { recursive: true });
  const packages = stanza("alpha");
  await fs.writeFile(join(folder, "main/binary-amd64/Packages"), packages);
  const fields = [
    "Suite: stable",
    "Components: main",
    "Architectures: amd64",
    `Date: ${releaseDate(Date.now() - 5000)}`,
  ];
  const list = ` ${hash(packages)} ${packages.length} main/binary-amd64/Packages`;
  await fs.writeFile(join(folder, "Release"), [...fields, "SHA256:", list, ""].join("\n"));
}

async function writeDatabase(folder: string): Promise<void> {
  const entry = join(folder, "db/tool-1.0-1");
  await fs.mkdir(entry, { recursive: true });
  const fields = { FILENAME: "tool-1.0-1-any.pkg.tar.zst", NAME: "tool", VERSION: "1.0-1", ARCH: "any", CSIZE: "4" };
  const lines = Object.entries({ ...fields, SHA256SUM: hash("tool") }).map(
    ([name, value]) => `%${name}%\n${value}\n\n`,
  );
  await fs.writeFile(join(entry, "desc"), lines.join(""));
  await succeed("tar", "-czf", join(folder, "extra.db"), "-C", join(folder, "db"), "tool-1.0-1");
  await fs.rm(join(folder, "db"), { recursive: true });
}

/** A feed: its section of archive.ini, and how its index or its packages are made in its folder. */
interface FormatFeed {
  readonly name: string;
  readonly format: string;
  readonly path: string;
  readonly lines?: readonly string[];
  /** @param key the archive's key */
  write(archive: LiveArchive, key: string): Promise<void>;
}

export const feeds: readonly FormatFeed[] = [
  {
    name: "stable",
    format: "apt",
    path: "dists/stable",
    write: ({ site }) => writeSuite(join(site, "dists/stable")),
  },
  {
    name: "release",
    format: "sums",
    path: "v1",
    async write({ site }) {
      await fs.mkdir(join(site, "v1"));
      await fs.writeFile(join(site, "v1/SHA256SUMS"), `${hash("tool")}  tool\n`);
    },
  },
  {
    name: "core",
    format: "rpm-md",
    path: "rpm",
    async write({ site }) {
      await fs.mkdir(join(site, "rpm"));
      await succeed("createrepo_c", "--quiet", join(site, "rpm"));
    },
  },
  {
    name: "extra",
    format: "pacman",
    path: "arch",
    write: ({ site }) => writeDatabase(join(site, "arch")),
  },
];

/** A feed for pkg_admin, with a signed package. */
const pkgsrc: FormatFeed = {
  name: "pkgsrc",
  format: "pkgsrc",
  path: "All",
  async write(archive, key) {
    const file = join(archive.site, "All/tiny-1.0.tgz");
    await fs.mkdir(join(archive.site, "All"));
    await fs.writeFile(file, pkgsrcPackage({ name: "tiny-1.0" }));
    await archive.keep("sign-package", file, "--key", key);
  },
};

/**
 * An archive with one key, that has published all of them.
 * @param isForPkgAdmin whether it has a feed for pkg_admin too, and so an RSA key: pkg_admin can read no other
 */
export async function archiveOfAll(
  isForPkgAdmin = false,
): Promise<{ readonly archive: LiveArchive; readonly first: string }> {
  const archive = await LiveArchive.make();
  const first = await archive.keygen("--algorithm", isForPkgAdmin ? "rsa3072" : "ed25519");
  await archive.writeConfig(first);
  for (const { name, format, path, lines = [], write } of isForPkgAdmin ? [...feeds, pkgsrc] : feeds) {
    await write(archive, first);
    const section = [`[feed ${name}]`, `format = ${format}`, `path = ${path}`, ...lines, ""];
    await fs.appendFile(archive.config, section.join("\n"));
  }
  await archive.keep("publish", "--config", archive.config);
  return { archive, first };
}
