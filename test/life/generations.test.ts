// T3, T5: clients that stay behind, keys that fall, and who recovers.
import { expect } from "chai";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import { withEmbedded } from "../testkit/servers/key-servers.ts";

const refused = (code: string) => ({ code, status: 1 });

/** The same story with key servers and with the archive's bundle alone. */
function told(what: string, story: (life: Life) => Promise<void>, keygen?: readonly string[]): void {
  const options = keygen === undefined ? {} : { keygen };
  it(`${what}: by key servers`, () => withEmbedded(({ url }) => inLife(story, { ...options, servers: [url] })));
  it(`${what}: by the bundle alone`, () => inLife(story, options));
}

describe("generations: clients that stay behind", () => {
  told(
    "three rotations behind and a year offline: one update catches up",
    async (life) => {
      const client = await life.client("sleeper");
      expect(await client.update(day(1))).to.deep.equal([life.first]);
      // Each key lives for 150 days; when the client wakes up, the first three are expired.
      const keys = [life.first];
      for (const days of [100, 200, 300]) keys.push(await life.rotate(day(days), "--at-once", "--expires", "150d"));
      await life.publish(day(360));
      const [first = "", second = "", third = "", fourth = ""] = keys;
      expect(await client.update(day(366))).to.deep.equal([fourth]);
      const { trusted } = await client.chain(day(366));
      expect(trusted.get(fourth)?.via).to.deep.equal([first, second, third]);
      expect([first, fourth].map((key) => trusted.get(key)?.issuer)).to.deep.equal([null, third]);
      expect([first, second, third].map((key) => trusted.get(key)?.maySign)).to.deep.equal([false, false, false]);
      await client.accept(day(366), "fetch", "alpha", "-o", life.archive.out);
      await life.archive.expectOut("alpha_1.0-1_all.ipk");
    },
    ["--expires", "150d"],
  );
});

describe("generations: an ancestor falls", () => {
  told("retired: who pinned its successor, or followed in time, goes on", async (life) => {
    const followed = await life.client("followed");
    await followed.update(day(1));
    const second = await life.rotate(day(10), "--at-once");
    await followed.update(day(11));
    const third = await life.rotate(day(20), "--at-once");
    const pinned = await life.client("pinned", { seeds: [second] });
    await followed.update(day(21));
    await life.revoke(day(30), life.first, "retired", "--force");
    await life.publish(day(31));
    for (const client of [followed, pinned]) {
      expect(await client.update(day(32))).to.deep.equal([third]);
      expect((await client.chain(day(32))).trusted.get(life.first)?.maySign).to.equal(false);
    }
    await (await life.client("late")).refuse(refused("untrusted_signer"), day(32), "update");
  });

  told("compromised: what hangs on it is dropped, loudly; a second seed brings the client back", async (life) => {
    const { first } = life;
    const recovery = await addKey(life.archive.home, { at: day(0) });
    const client = await life.client("one", { seeds: [first, recovery] });
    const second = await life.rotate(day(10), "--at-once");
    expect(await client.update(day(11))).to.deep.equal([second]);

    await life.revoke(day(20), first, "compromised", "--force");
    await life.sync();
    const { warnings = [] } = await client.refuse(refused("untrusted_signer"), day(21), "update");
    for (const key of [first, second]) {
      expect(
        warnings.filter((warning) => warning.includes(`${key} is dropped, although it was accepted before`)),
      ).to.have.length(1);
    }
    expect(await client.remembers()).to.deep.equal([recovery]);

    await life.configure(recovery);
    await life.publish(day(22));
    const third = await life.rotate(day(23), "--at-once");
    expect(await client.update(day(24))).to.deep.equal([third]);
    expect((await client.chain(day(24))).trusted.get(third)?.via).to.deep.equal([recovery]);
  });

  told("compromised: what another path leads to stays", async (life) => {
    const { first } = life;
    const recovery = await addKey(life.archive.home, { at: day(0) });
    const client = await life.client("one", { seeds: [first, recovery] });
    const second = await life.rotate(day(10), "--at-once");
    await life.configure(recovery);
    await life.rotate(day(11), "--to", second);
    await life.configure(second);
    expect(await client.update(day(12))).to.deep.equal([second]);
    await life.revoke(day(20), first, "compromised", "--force");
    await life.sync();
    expect(await client.update(day(21))).to.deep.equal([second]);
    expect((await client.chain(day(21))).trusted.get(second)?.via).to.deep.equal([recovery]);
    await (await life.client("other")).refuse(refused("untrusted_signer"), day(21), "update");
  });

  it("a seed that the profile no longer lists: what hangs on it is dropped", async () => {
    await inLife(async (life) => {
      const recovery = await addKey(life.archive.home, { at: day(0) });
      const client = await life.client("one", { seeds: [life.first, recovery] });
      const second = await life.rotate(day(10), "--at-once");
      expect(await client.update(day(11))).to.deep.equal([second]);
      await client.reprofile((text) => text.replace(`${life.first}, `, ""));
      const { warnings = [] } = await client.refuse(refused("untrusted_signer"), day(12), "update");
      expect(warnings.join("\n")).to.contain(`${second} is dropped, although it was accepted before`);
      expect(await client.remembers()).to.deep.equal([recovery]);
    });
  });
});
