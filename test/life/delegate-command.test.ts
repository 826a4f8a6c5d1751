// `feedkey delegate`: what it refuses because clients would, what it shows, and what it lists.
import { join } from "node:path";
import { expect } from "chai";
import { delegationsOf, Home, withHomes } from "../testkit/archives/homes.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import type { JsonDocument } from "../testkit/programs/command-line.ts";
import { snapshot } from "../testkit/snapshot.ts";

describe("delegation that clients would refuse", () => {
  it("is refused at the command: by a delegate of depth 0, for a feed beyond its own, past its end", async () => {
    await withHomes(async ({ master, person, machine }) => {
      const request = await machine.request(day(1));
      const command = ["delegate", request, "--key", person.key, "--expires", "60d"];
      await master.delegateTo(person, day(1), "--feeds", "base,net-*");
      expect(await person.refuses("untrusted_signer", day(2), ...command)).to.contain("depth 0");
      await master.delegateTo(person, day(3), "--feeds", "base,net-*", "--depth", "1", "--expires", "30d");
      expect(await person.refuses("untrusted_signer", day(4), ...command, "--feeds", "net-www,games")).to.contain(
        "games",
      );
      const { warnings = [] } = await person.do(day(4), ...command, "--feeds", "net-www", "--depth", "1");
      expect(warnings.join("\n"))
        .to.contain("use depth 0 for this delegation")
        .and.to.contain("will end sooner, on 2026-02-03");
      expect(await person.refuses("untrusted_signer", day(40), ...command)).to.contain("it has expired");
    });
  });

  it("shows with --dry-run who would get or lose what, and changes nothing", async () => {
    await withHomes(async ({ master, person, machine }) => {
      await master.delegateTo(person, day(1), "--depth", "1");
      await person.delegateTo(machine, day(2));
      await master.do(day(2), "key", "import", join(machine.folder, "by-person.asc"));
      const before = await snapshot(master.folder);
      const give = [
        "delegate",
        await machine.request(day(3)),
        "--key",
        master.key,
        "--expires",
        "9d",
        "--feeds",
        "base",
      ];
      expect(await master.do(day(3), ...give, "--dry-run")).to.include({
        ...{ delegate: machine.key, terms: "depth=0; feeds=base", expiresAt: "2026-01-13T12:00:00Z", dryRun: true },
      });
      const take = ["delegate", person.key, "--key", master.key, "--withdraw"];
      const { withdrawn, below } = await master.do(day(3), ...take, "--dry-run");
      expect([withdrawn, below]).to.deep.equal([person.key, [machine.key]]);
      expect(await snapshot(master.folder)).to.deep.equal(before);
    });
  });

  it("to the archive's name or address, to a revoked key, and without an end", async () => {
    await withHomes(async ({ folder, master, person, machine }) => {
      const command = ["--key", master.key, "--expires", "60d"];
      const names = [archiveUserId, `Somebody Else ${/<.*>/.exec(archiveUserId)?.[0]}`];
      for (const [nth, userId] of names.entries()) {
        const namesake = await Home.make(folder, `namesake-${nth}`, "--user-id", userId);
        await master.refuses("bad_certificate", day(1), "delegate", await namesake.request(day(1)), ...command);
      }
      await master.refuses("usage", day(1), "delegate", await person.request(day(1)), "--key", master.key);
      // The request leaves the revocation out, but the master has heard of it.
      const request = await machine.request(day(1));
      await machine.do(day(2), "revoke", machine.key, "--reason", "retired", "--force");
      await master.do(day(3), "key", "import", join(machine.folder, "certs", `${machine.key}.asc`));
      expect(await master.refuses("revoked", day(3), "delegate", request, ...command)).to.contain("revoked as retired");
    });
  });

  it("within one second twice: the later command counts", async () => {
    await withHomes(async ({ master, person, machine }) => {
      await master.delegateTo(person, day(1), "--depth", "1");
      await person.delegateTo(machine, day(2), "--feeds", "one");
      await person.delegateTo(machine, day(2), "--feeds", "two");
      const [last] = delegationsOf(await machine.do(day(3), "delegate", "--status", machine.key));
      expect(last?.feeds).to.deep.equal([["two"]]);
      const message = await person.refuses(
        "not_yet_valid",
        day(1),
        ...["delegate", machine.key, "--key", person.key, "--expires", "9d"],
      );
      expect(message).to.contain("2026-01-03");
    });
  });

  it("tells when a key that was withdrawn is still somebody else's delegate", async () => {
    await withHomes(async ({ folder, master, person, machine }) => {
      const other = await Home.make(folder, "other");
      for (const one of [person, other]) await master.delegateTo(one, day(1), "--depth", "1");
      for (const one of [person, other]) await one.delegateTo(machine, day(2));
      const withdraw = ["delegate", await machine.request(day(3)), "--withdraw", "--key", person.key];
      await person.do(day(3), "key", "import", join(machine.folder, "by-other.asc"));
      const { warnings = [] } = await person.do(day(3), ...withdraw);
      expect(warnings.join("\n")).to.contain(`is still a delegate of ${other.key}`);
    });
  });
});

describe("feedkey delegate --status", () => {
  it("lists every delegate with its terms, by whom and until when, and warns in time", async () => {
    await withHomes(async ({ master, person, machine }) => {
      const empty = await person.do(day(1), "delegate", "--status");
      expect(empty.delegations).to.deep.equal([]);
      await master.delegateTo(person, day(1), "--depth", "1");
      await person.delegateTo(machine, day(2), "--expires", "30d", "--feeds", "base,net-*");
      const quiet = await person.do(day(20), "delegate", "--status");
      expect(quiet.warnings).to.equal(undefined);
      expect(delegationsOf(quiet)[0]).to.deep.include({
        ...{ delegate: machine.key, issuer: person.key, depth: 0, state: "in force" },
        ...{ feeds: [["base", "net-*"]], expiresAt: "2026-02-02T12:00:00Z" },
      });
      const near = await person.do(day(23), "delegate", "--status");
      expect(near.warnings).to.have.length(1);
      expect(near.warnings?.[0]).to.contain("in 9 days").and.to.contain(machine.key).and.to.contain(person.key);
      const above = (await person.do(day(80), "delegate", "--status")).warnings?.join("\n");
      expect(above).to.contain(`the delegation of ${person.key}`);
      const { warnings, ...after } = await person.do(day(33), "delegate", "--status");
      expect(warnings).to.equal(undefined);
      expect(delegationsOf(after as JsonDocument)[0]?.state).to.equal("it has expired");
      await person.do(day(34), "delegate", machine.key, "--withdraw", "--key", person.key);
      const states = delegationsOf(await person.do(day(35), "delegate", "--status")).map(({ state }) => state);
      expect(states).to.deep.equal(["its issuer has withdrawn it", "in force"]);
    });
  });
});
