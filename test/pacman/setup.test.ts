// What the set-up of pacman writes below a root that is not this system's, and what it refuses.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { Repository } from "./repository.ts";

const options = "[options]\nArchitecture = auto\n\n[core]\nServer = https://core.example/$repo";

describe("the set-up of pacman", function () {
  this.timeout(60_000);
  let repository: Repository;
  const path = (name: string) => join(repository.folder, "root", name);
  const text = async (name: string) => await fs.readFile(path(name), "utf8");
  const args = (...more: readonly string[]) => ["setup", "pacman", "--root", path(""), ...more];

  beforeEach(async () => {
    repository = await Repository.make();
    await fs.mkdir(path("etc"), { recursive: true });
    await fs.writeFile(path("etc/pacman.conf"), options);
  });
  afterEach(async () => await repository.remove());

  it("adds a section behind the others, does nothing twice, and takes all of it away again", async () => {
    const { warnings } = await repository.accept(day(11), ...args("--timer", "cron"));
    // The machine's own pacman takes them over at the timer's first run.
    expect(warnings?.join()).to.contain("pacman-key --populate example");
    const conf = await text("etc/pacman.conf");
    expect(conf.startsWith(`${options}\n# feedkey: begin`)).to.equal(true);
    expect(conf).to.match(/\n\[example\]\nSigLevel = DatabaseRequired .*\nServer = file:.*\/x86_64\n# feedkey: end\n$/);
    const folder = "usr/share/pacman/keyrings";
    expect(await text(`${folder}/example-trusted`)).to.equal(`${repository.key}:4:\n`);
    expect(await text(`${folder}/example-revoked`)).to.equal("");
    expect(await text("etc/cron.d/feedkey-pacman-example")).to.contain(
      `export --for pacman --no-refresh /${folder}/example.gpg`,
    );
    const again = await repository.accept(day(11), ...args("--timer", "cron"));
    expect((again.changes as { action: string }[]).map(({ action }) => action)).to.satisfy((actions: string[]) =>
      actions.every((action) => action === "keep"),
    );
    await repository.accept(day(11), ...args("--remove"));
    expect(await text("etc/pacman.conf")).to.equal(`${options}\n`);
    expect(await fs.readdir(path("usr")).catch(() => [])).to.deep.equal([]);
  });

  it("finds the folder of keyrings where that system's pacman-key looks", async () => {
    await fs.mkdir(path("usr/bin"), { recursive: true });
    await fs.writeFile(path("usr/bin/pacman-key"), "\tlocal KEYRING_IMPORT_DIR='/usr/share/keyrings'\n");
    await repository.accept(day(11), ...args("--timer", "none"));
    expect(await fs.readdir(path("usr/share/keyrings"))).to.deep.equal([
      "example-revoked",
      "example-trusted",
      "example.gpg",
    ]);
  });

  it("refuses a second section of that name, a profile without such a feed, and a keyring of another name", async () => {
    await fs.writeFile(path("etc/pacman.conf"), `${options}\n[example]\nServer = https://other.example\n`);
    await repository.refuse("bad_config", day(11), ...args());
    await fs.writeFile(path("etc/pacman.conf"), options);
    await repository.refuse("usage", day(11), "export", "--for", "pacman", path("example.pgp"));
    const profile = join(repository.folder, "example.ini");
    await fs.writeFile(profile, (await fs.readFile(profile, "utf8")).replace("format = pacman", "format = opkg"));
    await repository.refuse("bad_profile", day(11), ...args());
    expect(await text("etc/pacman.conf")).to.equal(options);
  });

  it("keeps revoked keys on its list, and no others", async () => {
    const file = path("example.gpg");
    const other = await addKey(join(repository.folder, "home"));
    await fs.writeFile(path("example-revoked"), `${other}\n`);
    await repository.accept(day(11), "export", "--for", "pacman", file);
    expect(await text("example-revoked")).to.equal(`${other}\n`);
    expect(await text("example-trusted")).to.equal(`${repository.key}:4:\n`);
  });
});
