/** An archive as a library: what it throws and reports, and that each call goes by the configuration as it is by then. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { FeedkeyError, type Keeper, openArchive } from "../../src/index.ts";
import { published, TestArchive } from "../testkit/archives/opkg-archive.ts";

async function codeOf(action: Promise<unknown>): Promise<string> {
  const outcome = await action.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof FeedkeyError) return outcome.code;
  throw new Error("it was not refused", { cause: outcome });
}

describe("an archive as a library", () => {
  let archive: TestArchive;
  let keeper: Keeper;

  beforeEach(async () => {
    archive = await TestArchive.make();
    const { config, home } = archive;
    keeper = await openArchive({ config, home, at: published });
  });

  afterEach(() => archive.remove());

  it("publishes nothing if a package is damaged; or the rest, with an error for it", async () => {
    await archive.addPackage("gamma", "1.0-1");
    await fs.writeFile(archive.file("bad_1.0_all.ipk"), "!<arch>\n");
    expect(await codeOf(keeper.publish())).to.equal("bad_package");
    const { plans, errors } = await keeper.publish({ skipBad: true, partial: true });
    expect(plans[0]?.packages).to.equal(3);
    expect(errors.map(({ code }) => code)).to.deep.equal(["not_listed"]);
  });

  it("publishes with the successor once a rotation has ended, though it was opened before", async () => {
    const { successor } = await keeper.rotate({ step: "at-once", backup: join(archive.folder, "safe"), partial: true });
    expect((await keeper.status()).present).to.equal(successor);
    await archive.addPackage("gamma", "1.0-1");
    await keeper.publish();
    const { store } = keeper;
    expect(await store.hasPrivate(successor)).to.equal(true);
    expect((await keeper.archive()).config.key.fingerprint).to.equal(successor);
  });

  it("shows who would lose their chain, and revokes nothing then", async () => {
    const { generations } = await keeper.planRevocation(archive.key, { reason: "compromised" });
    expect(generations.filter(({ orphaned }) => orphaned).map(({ seed }) => seed)).to.deep.equal([archive.key]);
    expect(await codeOf(keeper.revoke(archive.key, { reason: "compromised" }))).to.equal("usage");
    expect(await codeOf(keeper.planWithdrawal(archive.key, { key: archive.key }))).to.equal("not_found");
  });

  it("signs nothing that clients of the profile named would refuse", async () => {
    const { config, home, profile } = archive;
    await archive.writeProfile({ seeds: ["0".repeat(40)] });
    const strict = await openArchive({ config, home, profile, at: published });
    const sign = { key: archive.key, validFor: undefined };
    expect(await codeOf(strict.sign([archive.file("Packages")], sign))).to.equal("bad_profile");
    expect((await keeper.sign([archive.file("Packages")], sign)).key).to.equal(archive.key);
  });

  it("says at once what is wrong with a configuration, and needs none for a key store alone", async () => {
    const { home } = archive;
    expect(await codeOf(openArchive({ config: join(archive.folder, "none.ini"), home }))).to.equal("not_found");
    const alone = await openArchive({ home, at: published });
    expect((await alone.delegations()).delegations).to.deep.equal([]);
    expect(await codeOf(alone.publish())).to.equal("usage");
    expect(await codeOf(alone.send([archive.key]))).to.equal("usage");
  });
});
