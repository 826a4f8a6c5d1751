// The whole life of a key, from keygen to its revocation, against each kind of key server.
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { kinds, useKeyServer } from "../testkit/servers/key-servers.ts";

const length = 86_400_000;
const hour = 3_600_000;
const refused = (code: string) => ({ code, status: 1 });

/** Real servers judge dates by their own clock, so that this life lies in the past. */
const begins = Math.floor(Date.now() / 1000) * 1000 - 200 * length;
const on = (days: number) => begins + days * length;

for (const kind of kinds) {
  describe(`life of a key: ${kind}`, function () {
    this.timeout(60_000);
    const server = useKeyServer(kind);
    const live = (action: (life: Life) => Promise<void>) => inLife(action, { servers: [server()], begins });

    it("is made, sent, rotated, finished, retired and revoked, and clients hear of it", async () => {
      await live(async (life) => {
        const { archive, first } = life;
        const sent = await life.keep(on(0), "send", first, "--config", archive.config);
        expect(sent.sent).to.deep.equal([{ server: server(), fingerprint: first, ok: true }]);
        const old = await life.client("old");
        expect(await old.update(on(1))).to.deep.equal([first]);

        const second = await life.rotate(on(20));
        expect(await old.update(on(21))).to.deep.equal([first]);
        const { trusted } = await old.chain(on(21));
        expect(trusted.get(second)).to.include({ role: "successor", maySign: true });
        expect(trusted.get(second)?.via).to.deep.equal([first]);
        const young = await life.client("young", { seeds: [second] });
        expect(await young.update(on(21)), "indexes are still the predecessor's").to.deep.equal([first]);

        const early = ["rotate", "--finish", "--config", archive.config];
        await archive.refuseKeeper({ code: "usage", status: 2 }, on(30), ...early);
        await life.rotate(on(51), "--finish");
        expect(await life.present()).to.equal(second);
        for (const client of [old, young]) expect(await client.update(on(52))).to.deep.equal([second]);
        await fs.access(`${life.safe}/${second}-compromised.asc`);

        // The mirror stays as it is: from here on clients hear by the key servers alone.
        const orphaning = ["revoke", first, "--reason", "superseded", "--config", archive.config];
        await archive.refuseKeeper({ code: "usage", status: 2 }, on(60), ...orphaning);
        await life.revoke(on(60), first, "superseded", "--force");
        expect(await old.update(on(61)), "what was accepted before stays (T5)").to.deep.equal([second]);
        const late = await life.client("late");
        await late.refuse(refused("untrusted_signer"), on(61), "update");
        const lenient = await life.client("lenient", { trust: ["retired-issuers = accept"] });
        expect(await lenient.update(on(61))).to.deep.equal([second]);

        const packages = archive.mirror.asked.length;
        await life.revoke(on(70), second, "compromised", "--force");
        for (const client of [old, young, lenient]) await client.refuse(refused("revoked"), on(71), "update");
        await old.refuse(refused("revoked"), on(71), "fetch", "alpha", "-o", archive.out);
        await archive.expectOut();
        expect(archive.mirror.asked.slice(packages).filter((path) => path.endsWith(".ipk"))).to.deep.equal([]);
        await young.refuse(refused("revoked"), on(70) + hour, "verify", archive.file("Packages"));
      });
    });
  });
}
