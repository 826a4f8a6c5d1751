/** An archive that other programs sign: feedkey looks after its keys, gpg signs, and archive.ini lists no feed. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { openArchive, openClient } from "../../src/index.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { inGnupgHome } from "../testkit/programs/gnupg.ts";
import { needing } from "../testkit/programs/programs.ts";
import { refusalOf } from "../testkit/refusal.ts";
import { inScratch } from "../testkit/scratch.ts";

const days = 86_400_000;

describe("an archive that is signed elsewhere", function () {
  this.timeout(60_000);
  before(needing("gpg"));

  it("takes gpg's key over, rotates it, and gives gpg the successor; clients and apt's keyring follow", async () => {
    await inScratch(async (folder) => {
      await inGnupgHome(async (gpg) => {
        const first = await gpg.generate(archiveUserId, ["ed25519", "cert,sign", "2y"]);
        const [file, home, root] = [join(folder, "secret.asc"), join(folder, "home"), join(folder, "site")];
        const config = join(folder, "archive.ini");
        await gpg.run("--armor", "--output", file, "--export-secret-keys", first);
        await fs.mkdir(root);
        const lines = ["[archive]", `root = ${root}`, `user-id = ${archiveUserId}`, `key = ${first}`];
        await fs.writeFile(config, `${lines.join("\n")}\n`);
        const keeper = await openArchive({ config, home });
        await keeper.keys.import([file]);
        // Without a feed there is the bundle alone.
        expect((await keeper.publish()).plans).to.deep.equal([]);
        expect(await fs.readdir(root)).to.deep.equal(["keys"]);

        const { successor } = await keeper.rotate({
          step: "begin",
          backup: join(folder, "safe"),
          lifetime: 700 * days,
        });
        const output = join(folder, "successor.asc");
        await keeper.keys.exportSecret(successor, { for: "gpg", output });
        await gpg.run("--import", output);
        const listed = await gpg.run("--with-colons", "--list-secret-keys", successor);
        expect(listed).to.match(/^sec:/m);
        // gpg learns by whom it was certified, and signs with it.
        expect(await gpg.run("--with-colons", "--check-sigs", successor)).to.match(
          new RegExp(`^sig:!:[^\\n]*:${first.slice(-16)}:`, "m"),
        );
        await fs.writeFile(join(folder, "Release"), "Origin: Example\n");
        await gpg.run("--local-user", successor, "--detach-sign", join(folder, "Release"));
        const finished = await keeper.rotate({ step: "finish", force: true });
        expect(finished.done.join("\n")).to.include(`sign with ${successor} where the indexes are made`);
        expect((await keeper.archive()).config.key.fingerprint).to.equal(successor);
        expect((await keeper.endsAhead()).ends).to.deep.equal([]);

        // A profile of the first key, without a feed: the keyring that apt reads follows the chain.
        const profile = join(folder, "example.ini");
        await fs.writeFile(join(folder, "seed.asc"), await gpg.run("--armor", "--export", first));
        const said = ["[archive]", "name = Example", `url = file://${root}/`, `user-id = ${archiveUserId}`];
        said.push("[trust]", `keyring = ${join(folder, "seed.asc")}`, `seeds = ${first}`, "keyservers = none");
        await fs.writeFile(profile, `${said.join("\n")}\n`);
        await using client = await openClient({ profile, stateFolder: join(folder, "state") });
        const { keys } = await client.exportKeys(join(folder, "apt.gpg"), { for: "apt" });
        expect(keys).to.include.members([first, successor]);
      });
    });
  });

  it("can't rehearse what nobody signs here", async () => {
    await inScratch(async (folder) => {
      const config = join(folder, "archive.ini");
      const home = join(folder, "home");
      const { fingerprint } = await (await openArchive({ home })).keys.make({ userId: archiveUserId });
      const lines = ["[archive]", "root = site", `user-id = ${archiveUserId}`, `key = ${fingerprint}`];
      await fs.mkdir(join(folder, "site"));
      await fs.writeFile(config, `${lines.join("\n")}\n`);
      const { rehearse } = await import("../../src/rehearse/rehearsal.ts");
      const archive = await (await openArchive({ config, home })).archive();
      const step = {
        take: async () => expect.fail("it was taken"),
        publishWith: undefined,
        delegation: () => undefined,
      };
      expect((await refusalOf(() => rehearse(archive, step))).code).to.equal("usage");
    });
  });
});
