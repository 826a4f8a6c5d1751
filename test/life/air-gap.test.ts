// Delegation where nobody has a network but the publisher: files are carried from machine to machine, and nothing else.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { delegationsOf, Home, type Homes, makeHomes } from "../testkit/archives/homes.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import type { JsonDocument } from "../testkit/programs/command-line.ts";

/** With the publisher, who has certificates and no secret at all. */
interface Cast extends Homes {
  readonly life: Life;
}

/** A life whose archive is published by nobody's secret key: what there is of it is signed by the machine. */
async function withCast(action: (cast: Cast) => Promise<void>): Promise<void> {
  await inLife(async (life) => {
    const { folder, home } = life.archive;
    const homes = await makeHomes(folder);
    // The publisher starts with the master's certificate alone.
    await fs.rm(home, { recursive: true });
    await fs.rm(join(life.archive.site, "keys"), { recursive: true });
    await life.configure(homes.master.key);
    await publish(life, await homes.master.request(day(0)), 0);
    await action({ life, ...homes });
  });
}

/** The publisher takes in a file that was brought, and the mirror syncs. */
async function publish(life: Life, file: string, at: number): Promise<JsonDocument> {
  const document = await life.keep(day(at), "key", "import", file, "--config", life.archive.config);
  await life.sync();
  return document;
}

async function sign({ life, machine }: Cast, at: number): Promise<void> {
  await machine.do(day(at), "sign", life.archive.file("Packages"), "--key", machine.key, "--feed", "base");
  await life.sync();
}

/** Master -> person -> machine, the machine's certificate with its path at the publisher's, and an index that it signed. */
async function delegated(cast: Cast): Promise<void> {
  const { life, master, person, machine } = cast;
  await master.delegateTo(person, day(1), "--depth", "1", "--feeds", "ba*");
  await publish(life, await person.delegateTo(machine, day(2), "--expires", "60d"), 2);
  await sign(cast, 3);
}

const refused = (code: string) => ({ code, status: 1 });

describe("delegation on files alone", () => {
  it("leads from an offline master over a person to a machine, and to a client that knows the master alone", async () => {
    await withCast(async (cast) => {
      const { life, master, person, machine } = cast;
      await delegated(cast);
      const client = await life.client("one", { seeds: [master.key] });
      expect(await client.update(day(4))).to.deep.equal([machine.key]);
      const { trusted } = await client.chain(day(4));
      expect(trusted.get(machine.key)?.via).to.deep.equal([master.key, person.key]);
      expect(trusted.get(master.key)?.maySign, "the master may sign").to.equal(false);
      // What was brought home is enough to show by whose leave it signs.
      const [above, last, ...others] = delegationsOf(await machine.do(day(4), "delegate", "--status")).toReversed();
      expect(others).to.deep.equal([]);
      expect(above).to.include({ issuer: master.key, delegate: person.key, depth: 1, state: "in force" });
      expect(last).to.include({ issuer: person.key, delegate: machine.key, depth: 0, state: "in force" });
    });
  });

  it("lets the master only certify", async () => {
    await withCast(async ({ life, master }) => {
      const index = life.archive.file("Packages");
      expect(await master.refuses("bad_config", day(1), "sign", index, "--key", master.key)).to.contain("may sign");
    });
  });

  it("a master is followed by a master", async () => {
    await withCast(async ({ life, master }) => {
      const rotate = ["rotate", "--config", life.archive.config, "--backup", join(master.folder, "safe")];
      const { successor } = (await master.do(day(1), ...rotate)) as JsonDocument & { readonly successor: string };
      await life.sync();
      const { trusted } = await (await life.client("one", { seeds: [master.key] })).chain(day(2));
      expect(trusted.get(successor)?.role).to.equal("successor");
      expect(trusted.get(successor)?.maySign, "it may sign").to.equal(false);
    });
  });

  it("a machine publishes a folder or its feeds of the archive by its delegation, and none beyond it", async () => {
    await withCast(async (cast) => {
      const { life, master, machine } = cast;
      await delegated(cast);
      const client = await life.client("one", { seeds: [master.key] });
      const config = join(machine.folder, "archive.ini");
      const text = await fs.readFile(life.archive.config, "utf8");
      await fs.writeFile(config, text.replace(/^key = .*$/m, `key = ${machine.key}`));
      await life.archive.addPackage("more");
      await machine.do(day(4), "publish", "--config", config);
      await life.sync();
      expect(await client.update(day(5))).to.deep.equal([machine.key]);
      expect((await client.chain(day(5))).trusted.size).to.equal(3);
      await fs.writeFile(config, (await fs.readFile(config, "utf8")).replace("[feed base]", "[feed other]"));
      const message = await machine.refuses("untrusted_signer", day(5), "publish", "--config", config);
      expect(message).to.contain('may not sign feed "other"').and.to.contain("ba*");
      const sign = ["sign", life.archive.file("Packages"), "--key", machine.key, "--feed"];
      await machine.refuses("untrusted_signer", day(5), ...sign, "other");
      await machine.refuses("untrusted_signer", day(63), ...sign, "base");
    });
  });

  it("a stranger's certificate in the archive's place publishes nothing", async () => {
    await withCast(async ({ life, machine }) => {
      const config = join(machine.folder, "archive.ini");
      const text = await fs.readFile(life.archive.config, "utf8");
      await fs.writeFile(config, text.replace(/^key = .*$/m, `key = ${machine.key}`));
      expect(await machine.refuses("bad_config", day(4), "publish", "--config", config)).to.contain(
        "not a key of the archive",
      );
    });
  });

  it("is renewed before it ends, by its fingerprint alone, and narrowed at once", async () => {
    await withCast(async (cast) => {
      const { life, master, person, machine } = cast;
      await delegated(cast);
      const client = await life.client("one", { seeds: [master.key] });
      const file = join(person.folder, "renewed.asc");
      const again = ["delegate", machine.key, "--key", person.key, "--expires", "80d", "-o", file];
      const { expiresAt } = await person.do(day(50), ...again);
      expect(expiresAt).to.equal("2026-05-11T12:00:00Z");
      await sign(cast, 51);
      expect(await client.update(day(55))).to.deep.equal([machine.key]);
      await client.refuse(refused("untrusted_signer"), day(63), "update");
      await publish(life, file, 63);
      await machine.do(day(63), "key", "import", file);
      await sign(cast, 63);
      expect(await client.update(day(64))).to.deep.equal([machine.key]);
      await person.do(day(70), ...again.toSpliced(-2), "--feeds", "bar", "-o", file);
      expect(await client.update(day(71))).to.deep.equal([machine.key]);
      await publish(life, file, 71);
      const { error } = await client.refuse(refused("untrusted_signer"), day(72), "update");
      expect(error?.message).to.contain("not for");
    });
  });

  it("one machine is withdrawn by its person, for good", async () => {
    await withCast(async (cast) => {
      const { life, master, person, machine } = cast;
      await delegated(cast);
      const client = await life.client("one", { seeds: [master.key] });
      expect(await client.update(day(4))).to.deep.equal([machine.key]);
      const file = join(person.folder, "withdrawn.asc");
      await person.do(day(5), "delegate", machine.key, "--key", person.key, "--withdraw", "-o", file);
      await publish(life, file, 5);
      const { error } = await client.refuse(refused("untrusted_signer"), day(6), "update");
      expect(error?.message).to.contain("its issuer has withdrawn it");
      const again = ["delegate", await machine.request(day(7)), "--key", person.key, "--expires", "90d"];
      const message = await person.refuses("revoked", day(7), ...again);
      expect(message).to.contain("withdrawn").and.to.contain("new key");
      // An old copy that somebody carries in takes nothing of it back.
      await publish(life, join(machine.folder, "by-person.asc"), 8);
      await client.refuse(refused("untrusted_signer"), day(8), "update");
    });
  });

  it("the person is withdrawn by the master, and with her the machine", async () => {
    await withCast(async (cast) => {
      const { life, master, person, machine } = cast;
      await delegated(cast);
      const client = await life.client("one", { seeds: [master.key] });
      expect(await client.update(day(4))).to.deep.equal([machine.key]);
      const file = join(master.folder, "withdrawn.asc");
      await master.do(day(5), "delegate", await person.request(day(5)), "--key", master.key, "--withdraw", "-o", file);
      await publish(life, file, 5);
      const { error } = await client.refuse(refused("untrusted_signer"), day(6), "update");
      expect(error?.message).to.contain("its issuer is not a delegate: its issuer has withdrawn it");
    });
  });

  for (const [how, command] of [
    ["by herself", (person: Home) => ["revoke", person.key, "--reason", "compromised"]],
    ["by the paper in the safe", undefined],
  ] as const) {
    it(`the person's key is revoked ${how}, and with her the machine`, async () => {
      await withCast(async (cast) => {
        const { life, master, person, machine } = cast;
        await delegated(cast);
        const client = await life.client("one", { seeds: [master.key] });
        expect(await client.update(day(4))).to.deep.equal([machine.key]);
        let file = join(person.folder, "revocations", `${person.key}-compromised.asc`);
        if (command !== undefined) {
          const plan = await person.do(day(5), ...command(person));
          expect(JSON.stringify(plan.generations)).to.contain(machine.key);
          file = await person.request(day(5));
        }
        const { imported } = await publish(life, file, 5);
        expect(imported).to.deep.equal([{ fingerprint: person.key, secret: false, news: true }]);
        const { error } = await client.refuse(refused("untrusted_signer"), day(6), "update");
        expect(error?.message).to.contain("revoked as compromised");
        expect((await client.chain(day(6))).rejected.get(person.key)?.code).to.equal("revoked");
      });
    });
  }

  it("who has no paper to revoke a key by is told what to do with one", async () => {
    await withCast(async ({ master, person }) => {
      await master.do(day(1), "key", "import", await person.request(day(1)));
      const { status, document } = await master.run(day(2), "revoke", person.key, "--reason", "compromised");
      expect({ status, code: document.error?.code }).to.deep.equal({ status: 66, code: "not_found" });
      expect(document.error?.hint).to.contain("feedkey key import FILE");
    });
  });

  it("a revocation of a key that is not here, or that does not fit, is no key", async () => {
    await withCast(async ({ life, person }) => {
      const file = join(person.folder, "revocations", `${person.key}-compromised.asc`);
      const message = await life.archive.refuseKeeper(
        { code: "bad_certificate", status: 65 },
        day(5),
        "key",
        "import",
        file,
      );
      expect(message.error?.message).to.contain("no revocation of a key in the key store");
    });
  });

  it("what one machine publishes takes nothing from another's bundle", async () => {
    await withCast(async (cast) => {
      const { life, master, person, machine } = cast;
      await delegated(cast);
      const other = await Home.make(life.archive.folder, "other");
      await master.delegateTo(other, day(4), "--feeds", "base");
      const file = join(person.folder, "withdrawn.asc");
      await person.do(day(5), "delegate", machine.key, "--key", person.key, "--withdraw", "-o", file);
      await publish(life, file, 5);
      // The other machine has never heard of the person nor of the withdrawal.
      const config = join(other.folder, "archive.ini");
      const text = await fs.readFile(life.archive.config, "utf8");
      await fs.writeFile(config, text.replace(/^key = .*$/m, `key = ${other.key}`));
      await life.archive.addPackage("more");
      await other.do(day(6), "publish", "--config", config);
      await life.sync();
      const client = await life.client("one", { seeds: [master.key] });
      expect(await client.update(day(7))).to.deep.equal([other.key]);
      const { trusted, rejected } = await client.chain(day(7));
      expect([...trusted.keys()]).to.have.members([master.key, person.key, other.key]);
      expect(rejected.get(machine.key)?.reason).to.contain("withdrawn");
    });
  });
});
