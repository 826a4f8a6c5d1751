// Attack: what feedkey would refuse, but a stock program takes, because of what `export` gave it.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { addKey, hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";

async function keeper(archive: TestArchive, ...args: string[]): Promise<void> {
  const ended = await runHere(archive.keeperArgs(published + hour, ...args));
  expect(ended.status, ended.stdout).to.equal(0);
}

async function delegated(archive: TestArchive, feeds: string): Promise<string> {
  const machines = join(archive.folder, "machines");
  const machine = await addKey(machines, { userId: "Machine <machine@build.example.org>", at: day(1) });
  const request = join(archive.folder, "request.asc");
  await fs.writeFile(request, await (await KeyStore.open(machines)).certificate(machine));
  await keeper(archive, "delegate", request, "--key", archive.key, "--feeds", feeds, "--expires", "90d");
  await archive.publish(published + hour);
  return machine;
}

async function keysOf(path: string): Promise<string[]> {
  return readKeys(await fs.readFile(path)).certificates.map(({ fingerprint }) => fingerprint);
}

describe("attack: export", () => {
  const at = published + 2 * hour;

  it("leaves out a delegate of some feeds: gpgv would take its signature on all", async () => {
    await inArchive(
      async (archive) => {
        const machine = await delegated(archive, "test");
        const keyring = join(archive.folder, "exported.pgp");
        const { left } = await archive.accept(at, "export", keyring, "--for", "gpgv");
        expect(await keysOf(keyring)).to.deep.equal([archive.key]);
        expect((left as { fingerprint: string }[]).map(({ fingerprint }) => fingerprint)).to.deep.equal([machine]);
      },
      { feeds: ["base", "test"] },
    );
  });

  it("takes in a delegate of every feed", async () => {
    await inArchive(async (archive) => {
      const machine = await delegated(archive, "*");
      const keyring = join(archive.folder, "exported.pgp");
      await archive.accept(at, "export", keyring, "--for", "gpgv");
      expect(await keysOf(keyring)).to.have.members([archive.key, machine]);
    });
  });

  it("removes a revoked key although nobody can be asked about the others", async () => {
    await inArchive(async (archive) => {
      const second = await addKey(archive.home);
      await archive.writeProfile({ seeds: [archive.key, second] });
      const keyring = join(archive.folder, "exported.pgp");
      await archive.accept(at, "export", keyring, "--for", "gpgv");
      expect(await keysOf(keyring)).to.have.members([archive.key, second]);
      await keeper(archive, "revoke", archive.key, "--reason", "compromised", "--force");
      // No answer at this port: whoever stands between cuts the client off for good.
      const profile = (await fs.readFile(archive.profile, "utf8")).replace("= none", "= hkps://127.0.0.1:9");
      await fs.writeFile(archive.profile, profile);
      const ended = await runHere(archive.clientArgs(at + hour, "export", keyring, "--for", "gpgv"));
      expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([1, "unchecked_revocation"]);
      expect(await keysOf(keyring)).to.deep.equal([second]);
      // Without anything to remove all stays as it is.
      const before = await fs.readFile(keyring);
      const again = await runHere(archive.clientArgs(at + hour, "export", keyring, "--for", "gpgv"));
      expect(documentOf(again).error?.code).to.equal("unchecked_revocation");
      expect((await fs.readFile(keyring)).equals(before)).to.equal(true);
    });
  });
});
