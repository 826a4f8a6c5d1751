// Who signs a feed during a rotation: both keys where stock clients need to know one of them, else the present key alone.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { unframe } from "../../src/formats/cleartext.ts";
import { readSignatureFile } from "../../src/openpgp/check/detached.ts";
import { inOrder, severalOf } from "../../src/publish/feed-signers.ts";
import { iso } from "../../src/time.ts";
import { type Keeper, withArchive } from "../apt/archive.ts";
import type { Suite } from "../apt/suite.ts";
import { withRepository } from "../rpm-md/repository.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";

interface Outlook {
  readonly name: string;
  readonly several: string;
  readonly signedBy: readonly string[];
}

const issuers = (bytes: Uint8Array) =>
  readSignatureFile(bytes, "").map((one) => ("raw" in one ? one.raw.issuer.fingerprint : undefined));

/** Who signed the suite, by its two files, which must agree; and a file of checksums. */
async function signers(suite: Suite) {
  const inline = unframe(await fs.readFile(suite.path("InRelease")), "InRelease").signatures;
  const detached = await fs.readFile(suite.path("Release.gpg"));
  expect(detached.toString().match(/BEGIN/g), "one armor").to.have.length(1);
  const apt = issuers(inline);
  expect(issuers(detached)).to.deep.equal(apt);
  return { apt, sums: issuers(await fs.readFile(join(suite.folder, "site/v1/SHA256SUMS.sig"))) };
}

const outlooks = async (keeper: Keeper, at: number) =>
  ((await keeper.done(at, "rotate", "--status")).feeds as Outlook[]).map(({ name, several, signedBy }) => ({
    ...{ name, several, signedBy },
  }));

const changed = (document: JsonDocument) => (document.feeds as { changed: boolean }[]).map((one) => one.changed);

/** A client that has one of the keys for its only seed, and a state of its own. */
async function acceptedBy(suite: Suite, seed: string, at: number): Promise<void> {
  const profile = join(suite.folder, "example.ini");
  const text = await fs.readFile(profile, "utf8");
  const certs = join(suite.folder, `seed-${seed}`);
  await fs.mkdir(certs, { recursive: true });
  await fs.copyFile(join(suite.folder, "home/certs", `${seed}.asc`), join(certs, `${seed}.asc`));
  await fs.writeFile(
    profile,
    text.replace(/^seeds = .*$/m, `seeds = ${seed}`).replace(/^keyring = .*$/m, `keyring = ${certs}`),
  );
  await fs.rm(join(suite.folder, "state"), { recursive: true, force: true });
  await suite.accept(at, "update");
  await fs.writeFile(profile, text);
}

describe("both keys of a rotation", function () {
  this.timeout(60_000);

  it("sign what needs one of them to be known, until the old one is retired; checksum files have one signature", async () => {
    await withArchive(async (suite, keeper) => {
      const old = suite.key;
      await keeper.done(day(10), "publish");
      const plan = (await keeper.done(day(11), "rotate", "--force", "--dry-run")).steps as string[];
      expect(plan.at(-1)).to.contain(`sign feed "stable" with ${old} and a new ed25519 key`).and.not.contain("v1");
      const begun = await keeper.done(day(11), "rotate", "--force", "--overlap", "5d");
      const next = String(begun.successor);
      expect(begun.done).to.include(`signed feed "stable" with ${old} and ${next}`);
      expect(await signers(suite)).to.deep.equal({ apt: [old, next], sums: [old] });
      for (const seed of [old, next]) await acceptedBy(suite, seed, day(11));
      expect(changed(await keeper.done(day(11), "publish"))).to.deep.equal([false, false, false]);
      expect(await outlooks(keeper, day(12))).to.deep.equal([
        { name: "stable", several: "any", signedBy: [old, next] },
        { name: "v1", several: "one", signedBy: [old] },
        { name: "tools", several: "one", signedBy: [old] },
      ]);

      const early = await keeper(day(12), "rotate", "--finish");
      expect(early.error?.code).to.equal("usage");
      expect(early.error?.message).to.contain('feeds "v1", "tools" can have only one signature');

      await suite.release({ at: day(13) });
      await keeper.done(day(13), "publish");
      expect(await signers(suite)).to.deep.equal({ apt: [old, next], sums: [old] });

      const foreseen = (await keeper.done(day(17), "rotate", "--finish", "--dry-run")).steps as string[];
      expect(String(foreseen), "both sign the suite already").to.contain(`sign feed "v1" with ${next}`);
      expect(String(foreseen)).to.not.contain('"stable"');
      await keeper.done(day(17), "rotate", "--finish");
      expect(await signers(suite)).to.deep.equal({ apt: [old, next], sums: [next] });
      for (const seed of [old, next]) await acceptedBy(suite, seed, day(17));
      expect(changed(await keeper.done(day(17), "publish"))).to.deep.equal([false, false, false]);

      const gone = await keeper.done(day(18), "revoke", old, "--reason", "superseded", "--force");
      expect(gone.done).to.include(`signed feed "stable" with ${next}`);
      expect(await signers(suite)).to.deep.equal({ apt: [next], sums: [next] });
      await acceptedBy(suite, next, day(18));
      expect(changed(await keeper.done(day(18), "publish"))).to.deep.equal([false, false, false]);
    });
  });

  it("sign repomd.xml too, the one last that signs alone in the end", async () => {
    await withRepository(async (repository) => {
      const config = join(repository.folder, "archive.ini");
      const lines = ["[archive]", "root = site", `user-id = ${archiveUserId}`, `key = ${repository.key}`];
      lines.push("[feed stable]", "format = rpm-md", "path = repo");
      await fs.writeFile(config, `${lines.join("\n")}\n`);
      const keep = async (...args: readonly string[]) => {
        const home = ["--home", join(repository.folder, "home"), "--json", "--at", iso(day(11))];
        const document = documentOf(await runHere([...home, ...args, "--config", config]));
        expect(document.error, JSON.stringify(document)).to.equal(undefined);
        return document;
      };
      const signedBy = async () => issuers(await fs.readFile(repository.path("repodata/repomd.xml.asc")));
      await repository.list();
      await keep("publish");
      const next = String((await keep("rotate", "--force")).successor);
      expect(await signedBy()).to.deep.equal([next, repository.key]);
      await repository.accept(day(11), "update");
      await keep("rotate", "--finish", "--force");
      expect(await signedBy()).to.deep.equal([repository.key, next]);
      await repository.accept(day(11), "update");
      // By hand: the key that is given first is the last in the file.
      const file = repository.path("repodata/repomd.xml");
      await repository.accept(day(11), "sign", file, "--key", repository.key, "--also-key", next, "--feed", "stable");
      expect(await signedBy()).to.deep.equal([next, repository.key]);
    });
  });

  it("never with what the published bundle revokes, though this key store does not know it", async () => {
    await withArchive(async (suite, keeper) => {
      const home = join(suite.folder, "home");
      /** Revokes on another machine, which publishes the bundle: this one's key store stays as it was. */
      const elsewhere = async (at: number, key: string) => {
        await fs.cp(home, `${home}-kept`, { recursive: true });
        await keeper.done(at, "revoke", key, "--reason", "compromised", "--force");
        await fs.rm(home, { recursive: true });
        await fs.rename(`${home}-kept`, home);
      };
      const release = suite.path("Release");
      const inline = async () => issuers(unframe(await fs.readFile(suite.path("InRelease")), "InRelease").signatures);
      const old = suite.key;
      await keeper.done(day(10), "publish");
      const next = String((await keeper.done(day(11), "rotate", "--force")).successor);
      await keeper.done(day(12), "rotate", "--finish", "--force");
      await keeper.done(day(12), "sign", release);
      expect(await inline()).to.deep.equal([old, next]);
      await elsewhere(day(13), old);
      await keeper.done(day(14), "sign", release);
      expect(await inline()).to.deep.equal([next]);

      const added = await keeper.done(day(14), "key", "subkey", "add", next, "-o", `${home}.key`);
      const subkey = String(added.subkey);
      await keeper.done(day(14), "key", "import", `${home}.key`);
      await suite.release({ at: day(15) });
      await keeper.done(day(15), "publish");
      expect(await inline()).to.deep.equal([subkey]);
      await elsewhere(day(16), subkey);
      await suite.release({ at: day(17) });
      await keeper(day(17), "publish");
      expect(await inline()).to.not.include(subkey);
    });
  });

  it("stand in the order that clients need: zypper looks at the last, apt 2.6 stops at the first that is bad", () => {
    const during = { key: "present", before: [], after: ["next"] };
    const after = { key: "present", before: ["old"], after: [] };
    expect(inOrder("any", during)).to.deep.equal(["present", "next"]);
    expect(inOrder("any", after)).to.deep.equal(["old", "present"]);
    expect(inOrder("last", during)).to.deep.equal(["next", "present"]);
    expect(inOrder("last", after)).to.deep.equal(["old", "present"]);
    for (const keys of [during, after]) expect(inOrder("one", keys)).to.deep.equal(["present"]);
    expect(severalOf({ format: "rpm-md" })).to.equal("last");
    expect(severalOf({ format: "pacman" })).to.equal("one");
  });

  it("are one again once the successor is abandoned or revoked, or the old key retired in the same run", async () => {
    await withArchive(async (suite, keeper) => {
      const old = suite.key;
      await keeper.done(day(10), "publish");
      await keeper.done(day(11), "rotate", "--force");
      expect((await signers(suite)).apt).to.have.length(2);
      await keeper.done(day(12), "rotate", "--abandon");
      expect((await signers(suite)).apt).to.deep.equal([old]);
      const second = String((await keeper.done(day(13), "rotate", "--force")).successor);
      await keeper.done(day(14), "revoke", second, "--reason", "compromised", "--force");
      expect((await signers(suite)).apt).to.deep.equal([old]);
      const third = String((await keeper.done(day(15), "rotate", "--force")).successor);
      const steps = (await keeper.done(day(15), "rotate", "--finish", "--retire", "--force", "--dry-run")).steps;
      expect(steps).to.include.members([`revoke ${old} as superseded`, `sign feed "stable" with ${third} alone`]);
      await keeper.done(day(15), "rotate", "--finish", "--retire", "--force");
      expect((await signers(suite)).apt).to.deep.equal([third]);
    });
  });

  it("are said to be one where the other's secret is not here, has expired, or is of version 6", async () => {
    await withArchive(async (suite, keeper) => {
      const old = suite.key;
      const secret = (key: string) => join(suite.folder, "home/private", `${key}.asc`);
      await keeper.done(day(10), "publish");
      const next = String((await keeper.done(day(11), "rotate", "--force", "--expires", "60d")).successor);
      await fs.rename(secret(next), join(suite.folder, "away"));
      const alone = await keeper.done(day(12), "publish");
      expect((await signers(suite)).apt).to.deep.equal([old]);
      expect(alone.warnings).to.include(
        `feed "stable" is not signed by both keys of the rotation: the secret key of ${next} is not in this key store`,
      );
      expect(String(alone.warnings), "checksum files never are").to.not.contain("v1");
      await fs.rename(join(suite.folder, "away"), secret(next));
      expect(changed(await keeper.done(day(13), "publish"))).to.deep.equal([true, false, false]);
      expect((await signers(suite)).apt).to.deep.equal([old, next]);
      await keeper.done(day(80), "publish");
      expect((await signers(suite)).apt, "it has expired").to.deep.equal([old]);
    });
    await withArchive(async (suite, keeper) => {
      await keeper.done(day(10), "publish");
      const args = ["--force", "--algorithm", "ed25519-v6"];
      const plan = await keeper.done(day(11), "rotate", ...args, "--dry-run");
      expect(String(plan.steps)).to.not.contain("sign feed");
      const { successor } = await keeper.done(day(11), "rotate", ...args);
      expect(String((await keeper.done(day(11), "publish")).warnings)).to.contain("version 6");
      expect((await signers(suite)).apt).to.deep.equal([suite.key]);
      await keeper.done(day(12), "rotate", "--finish", "--force");
      expect((await signers(suite)).apt).to.deep.equal([successor]);
    });
  });
});
