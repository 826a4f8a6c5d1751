// Delegation, through the command line: build machines that sign for a while.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Instant, iso } from "../../src/time.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";
import { authority, withEmbedded } from "../testkit/servers/key-servers.ts";

const refused = (code: string) => ({ code, status: 1 });

/** A machine with a key store of its own. */
class Machine {
  readonly home: string;
  readonly key: string;
  readonly certificate: string;

  private constructor(home: string, key: string, certificate: string) {
    this.home = home;
    this.key = key;
    this.certificate = certificate;
  }

  static async make({ archive }: Life, name: string, userId = `${name} <${name}@build.example.org>`): Promise<Machine> {
    const home = join(archive.folder, name);
    const args = ["--home", home, "--json", "--at", iso(day(0)), "keygen", "--user-id", userId, "--expires", "5y"];
    const key = String(documentOf(await runHere(args)).fingerprint);
    return new Machine(home, key, join(home, "certs", `${key}.asc`));
  }

  async run(at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const document = documentOf(await runHere(["--home", this.home, "--json", "--at", iso(at), ...args]));
    expect(document.error).to.equal(undefined);
    return document;
  }

  /** Signs the published index of feed `base`, and the mirror syncs. */
  async sign(life: Life, at: Instant): Promise<void> {
    const index = life.archive.file("Packages");
    await this.run(at, "sign", index, "--key", this.key, "--feed", "base", "--valid-for", "5y");
    await life.sync();
  }
}

/** The archive's key delegates to a machine. */
async function delegate(life: Life, machine: Machine, ...terms: readonly string[]): Promise<void> {
  const { archive, first } = life;
  const command = ["delegate", machine.certificate, "--key", first, "--config", archive.config, "--expires", "90d"];
  await life.keep(day(1), ...command, ...terms);
}

/** A second machine, to which the first one delegates; what it makes is brought to the archive. */
async function delegateOn(life: Life, from: Machine, to: Machine, at = day(2)): Promise<void> {
  const brought = join(life.archive.folder, "brought.asc");
  await life.keep(at, "key", "export", from.key).then(({ armored }) => fs.writeFile(brought, String(armored)));
  await from.run(at, "key", "import", brought);
  await from.run(at, "delegate", to.certificate, "--key", from.key, "--expires", "60d", "-o", brought);
  await life.keep(at, "key", "import", brought);
  await life.publish(at);
}

describe("cases: chain, delegates", () => {
  it("a machine signs what it may, and clients find it in the bundle", async () => {
    await inLife(async (life) => {
      const machine = await Machine.make(life, "machine");
      const client = await life.client("one");
      await delegate(life, machine, "--feeds", "ba*");
      await machine.sign(life, day(5));
      expect(await client.update(day(6))).to.deep.equal([machine.key]);
      const key = (await client.chain(day(6))).trusted.get(machine.key);
      expect(key).to.deep.include({ role: "delegate", via: [life.first], feeds: [[["ba*"]]] });
    });
  });

  it("the same on a key server alone, after a rotation too", async () => {
    await withEmbedded(async ({ url }) => {
      await inLife(
        async (life) => {
          const machine = await Machine.make(life, "machine");
          const client = await life.client("one");
          await delegate(life, machine, "--feeds", "base");
          await machine.sign(life, day(5));
          life.archive.mirror.drop("keys/archive-keyring.pgp");
          expect(await client.update(day(6))).to.deep.equal([machine.key]);
          // An index of the delegate's stays the delegate's.
          await life.rotate(day(10), "--at-once");
          expect(await client.update(day(11))).to.deep.equal([machine.key]);
          await machine.sign(life, day(12));
          expect(await client.update(day(13))).to.deep.equal([machine.key]);
        },
        { servers: [url] },
      );
    });
  });

  it("the whole path on a key server alone, and its renewal after the old one ended", async () => {
    await withEmbedded(async ({ url }) => {
      await inLife(
        async (life) => {
          const [person, machine] = [await Machine.make(life, "person"), await Machine.make(life, "machine")];
          const client = await life.client("one");
          await delegate(life, person, "--depth", "1");
          await delegateOn(life, person, machine);
          await machine.sign(life, day(5));
          life.archive.mirror.drop("keys/archive-keyring.pgp");
          const { error } = await client.refuse(refused("untrusted_signer"), day(6), "update");
          expect(error?.message).to.contain("no certificate of that key is available");
          await life.keep(day(6), "send", machine.key, person.key, "--config", life.archive.config);
          expect(await client.update(day(7))).to.deep.equal([machine.key]);
          expect((await client.chain(day(7))).trusted.get(machine.key)?.via).to.deep.equal([life.first, person.key]);
          await client.refuse(refused("untrusted_signer"), day(100), "update");
          await delegate(life, person, "--depth", "1", "--expires", "200d");
          await client.refuse(refused("untrusted_signer"), day(101), "update");
          await delegateOn(life, person, machine, day(100));
          await life.keep(day(101), "send", machine.key, person.key, "--config", life.archive.config);
          await machine.sign(life, day(102));
          life.archive.mirror.drop("keys/archive-keyring.pgp");
          expect(await client.update(day(103))).to.deep.equal([machine.key]);
        },
        { servers: [url] },
      );
    });
  });

  it("signs a feed outside its scope: refused", async () => {
    await inLife(async (life) => {
      const machine = await Machine.make(life, "machine");
      await delegate(life, machine, "--feeds", "other,bas");
      await machine.sign(life, day(5));
      const { error } = await (await life.client("one")).refuse(refused("untrusted_signer"), day(6), "update");
      expect(error?.message).to.contain("base");
    });
  });

  it("an expired delegation: refused", async () => {
    await inLife(async (life) => {
      const machine = await Machine.make(life, "machine");
      await delegate(life, machine);
      await machine.sign(life, day(5));
      const client = await life.client("one");
      expect(await client.update(day(90))).to.deep.equal([machine.key]);
      await client.refuse(refused("untrusted_signer"), day(92), "update");
    });
  });

  it("a delegation taken back: refused", async () => {
    await inLife(async (life) => {
      const machine = await Machine.make(life, "machine");
      await delegate(life, machine);
      await machine.sign(life, day(5));
      const client = await life.client("one");
      expect(await client.update(day(6))).to.deep.equal([machine.key]);
      const { archive, first } = life;
      await life.keep(day(7), "delegate", machine.key, "--key", first, "--config", archive.config, "--withdraw");
      await life.sync();
      await client.refuse(refused("untrusted_signer"), day(8), "update");
    });
  });

  for (const [what, depth, accepted] of [
    ["of depth 0 delegates: refused", "0", false],
    ["of depth 1 delegates: accepted", "1", true],
  ] as const) {
    it(`a delegate ${what}`, async () => {
      await inLife(async (life) => {
        const [person, machine] = [await Machine.make(life, "person"), await Machine.make(life, "machine")];
        await delegate(life, person, "--depth", depth);
        await delegateOn(life, person, machine);
        await machine.sign(life, day(5));
        const client = await life.client("one");
        if (accepted) expect(await client.update(day(6))).to.deep.equal([machine.key]);
        else await client.refuse(refused("untrusted_signer"), day(6), "update");
      });
    });
  }

  it("the person above a machine is revoked: the machine is refused", async () => {
    await inLife(async (life) => {
      const [person, machine] = [await Machine.make(life, "person"), await Machine.make(life, "machine")];
      await delegate(life, person, "--depth", "1");
      await delegateOn(life, person, machine);
      await machine.sign(life, day(5));
      const client = await life.client("one");
      expect(await client.update(day(6))).to.deep.equal([machine.key]);
      const safe = join(person.home, "revocations", `${person.key}-compromised.asc`);
      await fs.copyFile(safe, join(life.archive.home, "revocations", `${person.key}-compromised.asc`));
      await life.revoke(day(7), person.key, "compromised", "--force");
      await life.sync();
      await client.refuse(refused("untrusted_signer"), day(8), "update");
    });
  });

  it("the same, told by a key server alone: everybody on the path is asked about", async () => {
    await withEmbedded(async ({ url }) => {
      await inLife(
        async (life) => {
          const [person, machine] = [await Machine.make(life, "person"), await Machine.make(life, "machine")];
          await delegate(life, person, "--depth", "1");
          await delegateOn(life, person, machine);
          await machine.sign(life, day(5));
          const client = await life.client("one");
          expect(await client.update(day(6))).to.deep.equal([machine.key]);
          await person.run(day(7), "revoke", person.key, "--reason", "compromised", "--force");
          await person.run(day(7), "send", person.key, "--keyserver", url, "--keyserver-ca", authority);
          await client.refuse(refused("untrusted_signer"), day(8), "update");
          expect((await client.chain(day(8))).rejected.get(person.key)?.code).to.equal("revoked");
        },
        { servers: [url] },
      );
    });
  });

  it("a delegate that claims the archive's user ID: refused", async () => {
    await inLife(async (life) => {
      const machine = await Machine.make(life, "machine", archiveUserId);
      const command = ["delegate", machine.certificate, "--key", life.first, "--expires", "90d"];
      await life.archive.refuseKeeper({ code: "bad_certificate", status: 65 }, day(1), ...command);
      await machine.sign(life, day(5));
      await (await life.client("one")).refuse(refused("untrusted_signer"), day(6), "update");
    });
  });
});
