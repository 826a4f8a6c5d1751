/** The keys of a key store as a library: shown, locked with another passphrase, deleted, handed out. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type KeyKeeper, openArchive } from "../../src/index.ts";
import { addKey, archiveUserId, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { refusalOf } from "../testkit/refusal.ts";
import { inScratch } from "../testkit/scratch.ts";
import { snapshot } from "../testkit/snapshot.ts";

const at = day(20);
const days = 86_400_000;

/** Gives an action the keys of an empty store. */
async function inStore(
  action: (keys: KeyKeeper, folder: string, open: (passphrase?: string) => Promise<KeyKeeper>) => Promise<void>,
): Promise<void> {
  await inScratch(async (folder) => {
    const home = join(folder, "home");
    const open = async (passphrase = "") => {
      return (await openArchive({ home, at, passphrase: async () => passphrase })).keys;
    };
    await action(await open(), folder, open);
  });
}

describe("the keys of an archive as a library", () => {
  it("shows a key with its subkeys, its secrets, and who vouches for it", async () => {
    await inStore(async (keys, folder) => {
      const stick = join(folder, "stick");
      const { fingerprint } = await keys.make({ userId: archiveUserId, lifetime: 300 * days, offlinePrimary: stick });
      const here = await keys.show(fingerprint);
      const away = await (await openArchive({ home: stick, at })).keys.show(fingerprint);
      expect([here.secrets, away.secrets]).to.deep.equal(["subkeys", "all"]);
      expect([here.isLocked, here.userIds, here.refused]).to.deep.equal([false, [archiveUserId], undefined]);
      expect(here.revocations).to.deep.equal(["compromised", "superseded", "retired"]);
      const [subkey] = here.subkeys;
      expect(subkey).to.include({ signs: true, secret: true, refused: undefined, algorithm: "ed25519" });
      // A subkey's name means its owner here, as it does for gpg.
      expect((await keys.show(String(subkey?.fingerprint))).fingerprint).to.equal(fingerprint);
      expect((await refusalOf(() => keys.show("0".repeat(40)))).code).to.equal("not_found");
      expect((await refusalOf(() => keys.show(fingerprint.slice(-16)))).code).to.equal("usage");
    });
  });

  it("gives a key another passphrase, and takes it away", async () => {
    await inStore(async (_, folder, open) => {
      const stick = join(folder, "stick");
      const made = { userId: archiveUserId, passphrase: "first", offlinePrimary: stick };
      const { fingerprint } = await (await open()).make(made);
      const before = await snapshot(folder);
      const wrong = await refusalOf(async () => {
        await (await open("wrong")).changePassphrase(fingerprint, () => expect.fail("asked for the new one"));
      });
      expect(wrong.code).to.equal("bad_config");
      expect(await snapshot(folder), "nothing changed").to.deep.equal(before);
      await (await open("first")).changePassphrase(fingerprint, async () => "second");
      const usable = async (passphrase: string) => {
        const index = join(folder, "Packages");
        const digest = "0".repeat(64);
        await fs.writeFile(index, `Package: a\nVersion: 1\nFilename: a.ipk\nSize: 1\nSHA256: ${digest}\n\n`);
        const terms = { key: fingerprint, validFor: undefined };
        const source = async () => passphrase;
        await (await openArchive({ home: join(folder, "home"), at, passphrase: source })).sign([index], terms);
      };
      expect((await refusalOf(() => usable("first"))).code).to.equal("bad_config");
      await usable("second");
      expect((await fs.stat(join(folder, "home/private", `${fingerprint}.asc`))).mode & 0o777).to.equal(0o600);
      await (await open("second")).changePassphrase(fingerprint, async () => undefined);
      expect(await (await open()).show(fingerprint)).to.include({ isLocked: false, secrets: "subkeys" });
      await usable("");
    });
  });

  it("deletes no secret key without a copy of all of it, and with one only where nobody needs it", async () => {
    await inStore(async (keys, folder) => {
      const { fingerprint } = await keys.make({ userId: archiveUserId });
      const before = await snapshot(folder);
      const refused = async (backup?: string) => {
        const { code, message } = await refusalOf(() => keys.delete(fingerprint, { backup }));
        expect(code).to.equal("usage");
        return message;
      };
      expect(await refused()).to.include("no backup of the key was given");
      expect(await refused(join(folder, "nothing"))).to.include("does not contain all secrets of the key");
      // The store itself under another name is no second copy.
      await fs.symlink(join(folder, "home"), join(folder, "alias"));
      expect(await refused(join(folder, "alias"))).to.include("does not contain all");
      await fs.rm(join(folder, "alias"));
      // A copy without the primary key's secret is not the key.
      const part = join(folder, "part");
      const split = await keys.make({ userId: archiveUserId, offlinePrimary: join(folder, "whole") });
      const whole = (await openArchive({ home: join(folder, "whole"), at })).keys;
      await keys.backup(part);
      expect((await refusalOf(() => whole.delete(split.fingerprint, { backup: part }))).message).to.include(
        "does not contain all",
      );
      await keys.delete(split.fingerprint, { backup: join(folder, "whole") });
      await keys.backup(join(folder, "safe"));
      const plan = await keys.planDeletion(fingerprint, { backup: join(folder, "safe") });
      expect(plan).to.include({ secret: "goes", certificate: "goes" });
      expect(plan.against).to.deep.equal([]);
      expect(await keys.delete(fingerprint, { backup: join(folder, "safe") })).to.deep.equal(plan);
      expect((await keys.list()).keys).to.deep.equal([]);
      // What can take a stolen copy out of service stays.
      const left = Object.keys(await snapshot(join(folder, "home"))).filter((name) => name.includes(fingerprint));
      expect(left).to.have.length(3);
      expect(Object.keys(before)).to.include.members(left);
      expect(left.every((name) => name.includes("/revocations/"))).to.equal(true);
      await keys.restore(join(folder, "safe"));
      expect((await keys.show(fingerprint)).secrets).to.equal("all");
    });
  });

  it("deletes the last copy for who insists", async () => {
    await inStore(async (keys) => {
      const { fingerprint } = await keys.make({ userId: archiveUserId });
      await keys.delete(fingerprint, { force: true });
      expect((await keys.list()).keys).to.deep.equal([]);
    });
  });

  it("deletes no key that signs, is to follow, or has delegated; of one that was followed the certificate stays", async () => {
    const archive = await TestArchive.make();
    try {
      const { config, home } = archive;
      const safe = join(archive.folder, "safe");
      const keeper = await openArchive({ config, home, at });
      const withoutConfig = await openArchive({ home, at });
      await keeper.keys.backup(safe);
      const against = async (key: string, of = keeper) =>
        (await of.keys.planDeletion(key, { backup: safe })).against.join("; ");
      expect(await against(archive.key)).to.include("the key signs for the archive");
      expect(await against(archive.key, withoutConfig)).to.include("without --config feedkey does not know");
      const { successor } = await keeper.rotate({ step: "begin", backup: safe });
      await keeper.keys.backup(safe);
      expect(await against(successor)).to.include("the successor in a rotation that is in progress");
      const builder = await addKey(home, { userId: "Builder <b@example.org>", at: day(0) });
      await keeper.delegate(builder, { key: archive.key, feeds: ["base"], expires: 90 * days });
      await keeper.rotate({ step: "finish", force: true });
      expect(await against(archive.key)).to.equal(`only this key can renew or withdraw its delegation to ${builder}`);
      await keeper.withdraw(builder, { key: archive.key });
      expect(await against(archive.key)).to.equal("");
      expect(await keeper.keys.delete(archive.key, { backup: safe })).to.include({ certificate: "stays" });
      expect((await keeper.keys.show(archive.key)).secrets).to.equal("none");
      // Nor does its certificate go, which old clients need: the bundle is made of it.
      expect((await refusalOf(() => keeper.keys.delete(archive.key))).message).to.include("certified this key");
      await keeper.publish();
      const { armored } = await keeper.keys.export();
      expect(armored).to.include("BEGIN PGP PUBLIC KEY BLOCK");
      // Who has no delegation any more goes without a word.
      await keeper.keys.backup(safe);
      expect(await keeper.keys.delete(builder, { backup: safe })).to.include({ secret: "goes" });
    } finally {
      await archive.remove();
    }
  });

  it("exports a secret key as it is locked, and without its primary key's secret", async () => {
    await inStore(async (keys, folder, open) => {
      const made = { userId: archiveUserId, passphrase: "first", offlinePrimary: join(folder, "stick") };
      const { fingerprint } = await keys.make(made);
      const stick = await openArchive({ home: join(folder, "stick"), at, passphrase: async () => "first" });
      const output = join(folder, "out.asc");
      const { warnings } = await stick.keys.exportSecret(fingerprint, { withoutPrimary: true, output });
      expect(warnings).to.deep.equal([]);
      expect((await fs.stat(output)).mode & 0o777).to.equal(0o600);
      const machine = await openArchive({ home: join(folder, "machine"), at, passphrase: async () => "first" });
      await machine.keys.import([output]);
      expect(await machine.keys.show(fingerprint)).to.include({ secrets: "subkeys", isLocked: true });
      await machine.keys.import([Buffer.from((await stick.keys.exportSecret(fingerprint)).armored)]);
      expect(await machine.keys.show(fingerprint)).to.include({ secrets: "all", isLocked: true });
      const plain = await (await open()).make({ userId: archiveUserId });
      const exported = await keys.exportSecret(plain.fingerprint);
      expect(exported.warnings.join()).to.include("no passphrase protects");
      const code = async (action: () => unknown) => (await refusalOf(action)).code;
      const alone = { withoutPrimary: true };
      expect(await code(() => keys.exportSecret(plain.fingerprint, alone)), "no subkey").to.equal("usage");
      const modern = await keys.make({ userId: archiveUserId, algorithm: "ed25519-v6" });
      expect(await code(() => keys.exportSecret(modern.fingerprint, { for: "gpg" }))).to.equal("usage");
      expect((await keys.export([], { for: "gpg" })).fingerprints).to.not.include(modern.fingerprint);
    });
  });
});
