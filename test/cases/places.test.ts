// Options that name a place: a file where a folder is due, below a file, or where the system lets nobody write. Always `output`, and no hanging.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { addKey, archiveUserId, hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { PkgsrcArchive } from "../testkit/archives/pkgsrc-archive.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";

describe("options that name a place", function () {
  this.timeout(60_000);
  let archive: TestArchive;
  let packages: PkgsrcArchive;
  let file: string;
  let folder: string;
  const at = published + hour;

  before(async () => {
    archive = await TestArchive.make();
    await archive.writeProfile({ url: `file://${archive.site}/` });
    await archive.accept(at, "update");
    file = join(archive.folder, "a-file");
    folder = join(archive.folder, "a-folder");
    await fs.writeFile(file, "");
    await fs.mkdir(join(folder, "in-it"), { recursive: true });
    const home = join(archive.folder, "machine");
    const key = await addKey(home, { userId: "Machine <machine@example.org>" });
    await fs.copyFile(join(home, "certs", `${key}.asc`), join(archive.folder, "machine.asc"));
    packages = await PkgsrcArchive.make("rsa3072");
    await packages.addPackage({ name: "a-1.0" });
    await packages.addPackage({ name: "b-1.0" });
    const signed = await packages.keeper(at, "sign-package", packages.file("a-1.0.tgz"), "--key", packages.key);
    expect(signed.status, signed.stdout).to.equal(0);
  });

  after(async () => {
    await archive.remove();
    await packages.remove();
  });

  async function refuses(args: readonly string[]): Promise<void> {
    const ended = await runHere(args);
    const { error } = documentOf(ended);
    expect({ code: error?.code, status: ended.status }, `${args.join(" ")}: ${error?.message}`).to.deep.equal({
      code: "output",
      status: 73,
    });
  }

  const noFolders = () => [file, join(file, "below"), join(file, "below", "deeper"), "/proc/x", "/proc/x/y"];
  const noFiles = () => [folder, join(file, "below"), join(file, "below", "deeper"), "/proc/x", "/proc/x/y"];

  const keeper = (...args: readonly string[]) => archive.keeperArgs(at, ...args);
  const client = (...args: readonly string[]) => archive.clientArgs(at, ...args);
  const keygen = (...args: readonly string[]) => ["--json", "keygen", "--user-id", archiveUserId, ...args];

  const folders: Readonly<Record<string, (place: string) => readonly string[]>> = {
    "fetch -o": (place) => client("fetch", "alpha", "-o", place),
    "profile init -o": (place) => [
      ...["--json", "--at", new Date(at).toISOString(), "--state", archive.state, "profile", "init"],
      ...[`file://${archive.site}/`, "--fingerprint", archive.key, "--name", "example", "-o", place],
    ],
    "--state": (place) => [
      ...client("update").filter((word) => word !== archive.state && word !== "--state"),
      "--state",
      place,
    ],
    "--home": (place) => ["--home", place, ...keygen()],
    "rotate --backup": (place) => keeper("rotate", "--config", archive.config, "--backup", place),
    "key backup": (place) => keeper("key", "backup", place),
    "keygen --offline-primary": (place) => keeper(...keygen("--offline-primary", place).slice(1)),
    "export --for opkg": (place) => client("export", "--for", "opkg", place),
    "sign-package -o": (place) => [
      ...["--home", packages.home, "--json", "sign-package", packages.file("b-1.0.tgz")],
      ...["--key", packages.key, "-o", place],
    ],
  };
  const files: Readonly<Record<string, (place: string) => readonly string[]>> = {
    "export --for gpgv": (place) => client("export", "--for", "gpgv", place),
    "export --for apt": (place) => client("export", "--for", "apt", place),
    "export --for pkg_install": (place) => client("export", "--for", "pkg_install", place),
    "delegate -o": (place) => {
      const request = join(archive.folder, "machine.asc");
      return keeper("delegate", request, "--key", archive.key, "--feeds", "base", "--expires", "9d", "-o", place);
    },
    "key subkey add -o": (place) => keeper("key", "subkey", "add", archive.key, "-o", place),
    "verify-package -o": (place) => [
      ...["--profile", join(packages.folder, "example.ini"), "--state", join(packages.folder, "state"), "--json"],
      ...["--at", new Date(at).toISOString(), "verify-package", packages.file("a-1.0.tgz"), "-o", place],
    ],
  };

  for (const [option, args] of Object.entries(folders)) {
    it(`${option}: no folder`, async () => {
      for (const place of noFolders()) await refuses(args(place));
    });
  }
  for (const [option, args] of Object.entries(files)) {
    it(`${option}: no file`, async () => {
      for (const place of noFiles()) await refuses(args(place));
    });
  }
});
