/** Who may sign packages: keys that pkg_add reads, and delegates within their feeds. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { armor } from "../../src/openpgp/packet/armor.ts";
import { generate } from "../../src/openpgp/secret/generate.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { iso } from "../../src/time.ts";
import { done, hour, PkgsrcArchive, published, refused, userId } from "../testkit/archives/pkgsrc-archive.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { rsaKey, type TestKey } from "../testkit/keys.ts";
import { pkgsrcPackage } from "../testkit/packages/pkgsrc-package.ts";
import { runHere } from "../testkit/programs/command-line.ts";

const machineId = "Build Machine 1 <build1@example.org>";

/** A key's ID depends on its date: one in 256 dates gives such a one. */
function keyOfZeros(): TestKey {
  for (let second = 0; ; second++) {
    const key = rsaKey("rsa-a", { createdAt: day(0) + second * 1000 });
    if (key.keyId.startsWith("00")) return key;
  }
}

describe("keys that sign packages", () => {
  let archive: PkgsrcArchive;
  let path: string;
  beforeEach(async () => {
    archive = await PkgsrcArchive.make("rsa3072");
    path = join(archive.folder, "tiny-1.0.tgz");
    await fs.writeFile(path, pkgsrcPackage());
  });
  afterEach(() => archive.remove());

  it("are refused where pkg_add would never find them by their ID", async () => {
    const key = keyOfZeros();
    const own = certificate({ key });
    const store = await KeyStore.open(archive.home);
    await store.add({
      fingerprint: key.fingerprint,
      privateKey: secretKeyBlock(own),
      certificate: armor(own.bytes, "PUBLIC KEY BLOCK"),
      revocations: (await generate({ userId, algorithm: "ed25519", at: day(0) })).revocations,
    });
    const message = refused(
      await archive.keeper(published, "sign-package", path, "--key", key.fingerprint),
      "bad_config",
    );
    expect(message).to.match(/the key ID, 00[0-9A-F]{14}, begins with 00/);
    expect((await fs.readFile(path)).equals(pkgsrcPackage())).to.equal(true);
  });

  describe("of a build machine", () => {
    let machine: string;
    const home = () => join(archive.folder, "machine");
    const atMachine = (...args: readonly string[]) =>
      runHere(["--home", home(), "--json", "--at", iso(published), ...args]);
    const verify = (at: number, ...args: readonly string[]) => archive.client(at, "verify-package", path, ...args);

    beforeEach(async () => {
      const key = await generate({ userId: machineId, algorithm: "rsa3072", at: day(1) });
      await (await KeyStore.open(home())).add(key);
      machine = key.fingerprint;
      const request = join(archive.folder, "request.asc");
      await fs.writeFile(request, key.certificate);
      const terms = ["--key", archive.key, "--feeds", "All", "--expires", "30d", "--config", archive.config];
      done(await archive.keeper(published, "delegate", request, ...terms));
      await archive.mirror.sync(archive.site);
      done(await atMachine("sign-package", path, "--key", machine));
    });

    it("sign what belongs to their feeds, until their delegation ends", async () => {
      const { packages } = done(await verify(published + hour));
      expect(packages).to.have.nested.property("[0].signatures[0].certificate", machine);
      refused(await verify(published + day(31) - day(0)), "untrusted_signer");
    });

    it("sign nothing for other feeds, and nothing where it is not said for which", async () => {
      const profile = join(archive.folder, "example.ini");
      await fs.appendFile(profile, "[feed Other]\nformat = pkgsrc\npath = other\n");
      done(await verify(published + hour, "--feed", "All"));
      refused(await verify(published + hour, "--feed", "Other"), "untrusted_signer");
      refused(await verify(published + hour, "--feed", "None"), "usage");
      const ended = await verify(published + hour);
      refused(ended, "untrusted_signer");
      expect(JSON.parse(ended.stdout).error.hint).to.contain("give the feed with --feed");
    });

    it("sign nothing more once they were withdrawn", async () => {
      done(await verify(published + hour));
      const terms = ["--key", archive.key, "--withdraw", "--config", archive.config];
      done(await archive.keeper(published + hour, "delegate", machine, ...terms));
      await archive.mirror.sync(archive.site);
      refused(await verify(published + 2 * hour), "untrusted_signer");
    });
  });
});
