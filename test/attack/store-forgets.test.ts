// Attack: an old backup, or a key file made before, brought back into a key store that knows better by now.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { backupStore, restoreStore } from "../../src/keys/backup.ts";
import { importKey } from "../../src/keys/import-key.ts";
import { ownCertificates } from "../../src/signing/signing-key.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { addKey, hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { runHere } from "../testkit/programs/command-line.ts";

async function revocations(store: KeyStore, fingerprint: string): Promise<number | undefined> {
  return (await ownCertificates(store)).get(fingerprint)?.facts.revocations.length;
}

/** Revokes the archive's key and takes its secret away, as one does. */
async function revokeAndRemove(archive: TestArchive): Promise<void> {
  const revoke = ["revoke", archive.key, "--reason", "compromised", "--force"];
  expect((await runHere(archive.keeperArgs(published + hour, ...revoke))).status).to.equal(0);
  await fs.rm(join(archive.home, "private", `${archive.key}.asc`));
}

const noPassphrase = () => Promise.resolve("");

describe("attack: old copies brought back into the key store", () => {
  it("an old backup does not take a revocation back", async () => {
    await inArchive(async (archive) => {
      const store = await KeyStore.open(archive.home);
      const backup = join(archive.folder, "backup");
      await backupStore(store, backup);
      await revokeAndRemove(archive);
      await restoreStore(store, backup);
      expect(await store.hasPrivate(archive.key)).to.equal(true);
      expect(await revocations(store, archive.key)).to.equal(1);
      const publish = ["publish", "--config", archive.config];
      await archive.refuseKeeper({ code: "revoked", status: 1 }, published + 2 * hour, ...publish);
    });
  });

  it("nor does the import of the secret key", async () => {
    await inArchive(async (archive) => {
      const store = await KeyStore.open(archive.home);
      const secret = Buffer.from(await store.privateKey(archive.key));
      await revokeAndRemove(archive);
      await importKey(store, secret, published + hour, noPassphrase);
      expect(await revocations(store, archive.key)).to.equal(1);
    });
  });

  it("an old backup does not take the withdrawal of a delegation back", async () => {
    await inArchive(async (archive) => {
      const machines = join(archive.folder, "machines");
      const machine = await addKey(machines, { userId: "Machine <machine@build.example.org>", at: day(1) });
      const request = join(archive.folder, "request.asc");
      await fs.writeFile(request, await (await KeyStore.open(machines)).certificate(machine));
      const run = async (...args: string[]) => {
        const ended = await runHere(archive.keeperArgs(published + hour, ...args));
        expect(ended.status, ended.stdout).to.equal(0);
      };
      await run("delegate", request, "--key", archive.key, "--feeds", "base", "--expires", "90d");
      const store = await KeyStore.open(archive.home);
      const backup = join(archive.folder, "backup");
      await backupStore(store, backup);
      await run("delegate", machine, "--withdraw", "--key", archive.key);
      await restoreStore(store, backup);
      const facts = (await ownCertificates(store)).get(machine)?.facts;
      expect(facts?.userIds[0]?.withdrawals).to.have.length(1);
    });
  });

  it("a backup whose certificate is another key's, or holds a secret, brings neither", async () => {
    await inArchive(async (archive) => {
      const store = await KeyStore.open(archive.home);
      const backup = join(archive.folder, "backup");
      const other = await addKey(archive.home, { userId: "Other <other@example.org>" });
      await backupStore(store, backup);
      const fresh = await KeyStore.open(join(archive.folder, "fresh"));
      const file = join(backup, "certs", `${other}.asc`);
      await fs.appendFile(file, await store.privateKey(other));
      await restoreStore(fresh, backup);
      expect(await fresh.certificate(other)).not.to.include("PRIVATE");
      await fs.copyFile(join(backup, "certs", `${archive.key}.asc`), file);
      const another = await KeyStore.open(join(archive.folder, "another"));
      const error = await restoreStore(another, backup).then(
        () => undefined,
        (thrown: { code?: string }) => thrown.code,
      );
      expect(error).to.equal("bad_certificate");
    });
  });
});
