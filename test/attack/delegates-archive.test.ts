// Attack: what a delegate, or who can write to the published tree, brings into the publisher's hands.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { Home } from "../testkit/archives/homes.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { concat, framed } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { keyRevocation } from "../testkit/signature.ts";

async function bundleOf(life: Life): Promise<string[]> {
  const bytes = await fs.readFile(join(life.archive.site, "keys", "archive-keyring.pgp"));
  return readKeys(bytes).certificates.map(({ fingerprint }) => fingerprint);
}

describe("attack: a delegate that delegates to the archive's own key", () => {
  it("keeps nobody from publishing, from delegating, or from hearing what a revocation costs", async () => {
    await inLife(async (life) => {
      const { folder, config } = life.archive;
      const machine = await Home.make(folder, "machine");
      const request = await machine.request(day(1));
      await life.keep(day(1), "delegate", request, "--key", life.first, "--expires", "90d");
      const exported = join(folder, "archive-key.asc");
      await fs.writeFile(exported, String((await life.keep(day(1), "key", "export", life.first)).armored));
      const back = join(folder, "back.asc");
      const reverse = ["delegate", exported, "--key", machine.key, "--expires", "90d", "-o", back];
      await machine.do(day(2), ...reverse);
      await life.keep(day(2), "key", "import", back, "--config", config);
      await life.publish(day(3));
      const client = await life.client("one");
      expect(await client.update(day(4))).to.deep.equal([life.first]);
      const other = await Home.make(folder, "other");
      await life.keep(day(4), "delegate", await other.request(day(4)), "--key", life.first, "--expires", "90d");
      const revoke = ["revoke", life.first, "--reason", "compromised", "--config", config];
      const { error } = await life.archive.refuseKeeper({ code: "usage", status: 2 }, day(5), ...revoke);
      expect(error?.message).to.contain("LOSE THEIR CHAIN");
      const { delegations } = await life.keep(day(5), "delegate", "--status", "--config", config);
      const states = (delegations as { issuer: string; delegate: string; state: string }[]).map((one) => [
        one.delegate,
        one.state,
      ]);
      expect(states).to.have.deep.members([
        [machine.key, "in force"],
        [other.key, "in force"],
        [life.first, "its issuer may not delegate further"],
      ]);
    });
  });
});

describe("attack: strangers in the bundle's place", () => {
  it("the next bundle has nothing of theirs", async () => {
    await inLife(async (life) => {
      const stranger = ed25519Key("bundle-stranger");
      const [known] = readKeys(await fs.readFile(join(life.archive.home, "certs", `${life.first}.asc`))).certificates;
      if (known === undefined) throw new Error("the archive's certificate can't be read");
      const path = join(life.archive.site, "keys", "archive-keyring.pgp");
      const planted = concat(
        await fs.readFile(path),
        // Someone of the archive's name, and a revocation of the archive's key that is none.
        certificate({ key: stranger, userIds: [archiveUserId] }).bytes,
        framed(keyRevocation({ by: stranger, of: { ...stranger, body: known.primary.body }, at: day(1) })),
      );
      await fs.writeFile(path, planted);
      await life.publish(day(2));
      expect(await bundleOf(life)).to.deep.equal([life.first]);
      await fs.writeFile(path, Buffer.alloc(3000, 0x99));
      await life.publish(day(3));
      expect(await bundleOf(life)).to.deep.equal([life.first]);
      expect(await (await life.client("one")).update(day(4))).to.deep.equal([life.first]);
    });
  });
});
