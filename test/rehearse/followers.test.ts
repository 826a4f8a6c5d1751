// What status says of stock clients: the keys with which they accept each feed as it is published now.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { LiveArchive } from "../testkit/archives/live-archive.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { archiveOfAll } from "./every-format.ts";

interface Follower {
  readonly feed: string;
  readonly client: string;
  readonly needs: string;
  readonly keys: readonly string[];
}

describe("status: which keys stock clients must know", function () {
  this.timeout(60_000);
  let archive: LiveArchive;
  let first: string;

  before(async function () {
    needing("createrepo_c").call(this);
    ({ archive, first } = await archiveOfAll());
  });

  after(() => archive?.remove());

  /** As `client of feed: needs key, key`, with names for the keys. */
  async function said(names: Readonly<Record<string, string>>): Promise<string[]> {
    const { followers } = await archive.keep("status", "--config", archive.config, "--warn-within", "0");
    return (followers as Follower[]).map(({ feed, client, needs, keys }) => {
      return `${client} of ${feed}: ${keys.length === 0 ? "none" : `${needs} of ${keys.map((key) => names[key]).join(", ")}`}`;
    });
  }

  it("the key that signs now, of every client that reads an index", async () => {
    expect(await said({ [first]: "first" })).to.have.members([
      ...["gpgv", "gpg", "opkg"].map((client) => `${client} of base: all of first`),
      ...["gpgv", "gpg"].map((client) => `${client} of release: all of first`),
      ...["base", "release"].map((feed) => `sqv of ${feed}: any of first`),
      ...["apt-get of stable: any of first", "dnf of core: any of first"],
      ...["zypper of core: all of first", "pacman of extra: all of first"],
    ]);
    const { stdout } = await runHere([
      "--home",
      archive.home,
      "status",
      "--config",
      archive.config,
      "--warn-within",
      "0",
    ]);
    expect(stdout).to.match(/^base +gpgv, gpg, sqv, opkg +[0-9A-F]{40}$/m);
    expect(stdout).to.match(/^core +dnf, zypper +[0-9A-F]{40}$/m);
  });

  it("of two signatures any, the first, the last or both, as each client takes them", async () => {
    const second = await addKey(archive.home, { at: Date.now() - 5000 });
    const folders = {
      base: "feeds/base/Packages.sig",
      core: "rpm/repodata/repomd.xml.asc",
      extra: "arch/extra.db.sig",
    };
    const files = Object.fromEntries(Object.entries(folders).map(([feed, path]) => [feed, join(archive.site, path)]));
    const signedBy: Record<string, Buffer> = {};
    for (const [feed, file] of Object.entries(files)) signedBy[feed] = await fs.readFile(file);
    const text = await fs.readFile(archive.config, "utf8");
    await fs.writeFile(archive.config, text.replace(`key = ${first}`, `key = ${second}`));
    await archive.keep("publish", "--config", archive.config);
    for (const [feed, file] of Object.entries(files)) {
      await fs.writeFile(file, Buffer.concat([signedBy[feed] ?? Buffer.alloc(0), await fs.readFile(file)]));
    }
    const names = { [first]: "first", [second]: "second" };
    const both = (await said(names)).filter((line) => !/ of (stable|release):/.test(line));
    expect(both).to.have.members([
      ...["gpgv", "gpg"].map((client) => `${client} of base: all of first, second`),
      ...["sqv of base: any of first, second", "opkg of base: all of first"],
      ...[
        "dnf of core: any of first, second",
        "zypper of core: all of second",
        "pacman of extra: all of first, second",
      ],
    ]);

    // Signatures over another index are nobody's.
    await fs.writeFile(files.extra ?? "", signedBy.base ?? "");
    expect(await said(names)).to.include("pacman of extra: none");
    await fs.rm(files.core ?? "");
    expect(await said(names)).to.include("dnf of core: none");
  });
});
