// What a web server or another program reads is readable whatever the keeper's umask is; what is secret stays so.
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { hour, inArchive, published } from "../testkit/archives/opkg-archive.ts";

const modeOf = async (path: string) => (await fs.stat(path)).mode & 0o777;

describe("publish, umask 077", () => {
  it("published files are 0644 and their folders 0755, an exported keyring's too; secret things stay 0600 and 0700", async () => {
    await inArchive(async (archive) => {
      await fs.rm(join(archive.site, "keys"), { recursive: true });
      for (const file of await fs.readdir(dirname(archive.file("x")))) {
        if (file.startsWith("Packages")) await fs.rm(archive.file(file));
      }
      const umask = process.umask(0o077);
      const keyring = join(archive.folder, "etc", "keyrings", "x.gpg");
      try {
        await archive.publish(published + hour);
        await archive.accept(published + hour, "update");
        await archive.accept(published + hour, "export", "--for", "apt", keyring);
      } finally {
        process.umask(umask);
      }
      const bundle = join(archive.site, "keys", "archive-keyring.pgp");
      for (const file of [
        archive.file("Packages"),
        archive.file("Packages.gz"),
        archive.file("Packages.sig"),
        bundle,
        keyring,
      ]) {
        expect(await modeOf(file), file).to.equal(0o644);
      }
      for (const folder of [dirname(bundle), dirname(keyring), dirname(dirname(keyring))]) {
        expect(await modeOf(folder), folder).to.equal(0o755);
      }
      expect(await modeOf(join(archive.home, "private"))).to.equal(0o700);
      expect(await modeOf(join(archive.home, "private", `${archive.key}.asc`))).to.equal(0o600);
    });
  });
});
