// `feedkey status` of a client whose feed a delegate signs: what ends when, whose it is, and which feed it will break.
import { expect } from "chai";
import { Home } from "../testkit/archives/homes.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { inLife } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import type { JsonDocument } from "../testkit/programs/command-line.ts";

interface Said {
  readonly feeds: readonly {
    readonly name: string;
    readonly breaksAt: string | null;
    readonly breaksBecause: string | null;
  }[];
  readonly keys: readonly {
    readonly fingerprint: string;
    readonly state: string;
    readonly delegations: readonly { readonly via: string[]; readonly feeds: string[][]; readonly expiresAt: string }[];
  }[];
}

const isAboutKeys = (text: string) => !text.startsWith("keyservers = none");

describe("feedkey status, delegates", () => {
  it("tells whose delegation ends, when, and which feed that breaks, two weeks before", async () => {
    await inLife(async (life) => {
      const { folder, config } = life.archive;
      const person = await Home.make(folder, "person");
      const machine = await Home.make(folder, "machine");
      const toPerson = [
        "delegate",
        await person.request(day(1)),
        "--key",
        life.first,
        "--depth",
        "1",
        "--expires",
        "60d",
      ];
      await life.keep(day(1), ...toPerson);
      const file = await person.delegateTo(machine, day(2), "--expires", "90d", "--feeds", "base");
      await life.keep(day(2), "key", "import", file, "--config", config);
      await machine.do(
        day(3),
        "sign",
        life.archive.file("Packages"),
        "--key",
        machine.key,
        "--feed",
        "base",
        "--valid-for",
        "1y",
      );
      await life.sync();
      const client = await life.client("one");
      expect(await client.update(day(4))).to.deep.equal([machine.key]);
      const status = async (at: number): Promise<Said & JsonDocument> => {
        return (await client.accept(day(at), "status")) as Said & JsonDocument;
      };
      const { feeds, keys, warnings = [] } = await status(46);
      const because = `the delegation of ${person.key} by ${life.first} ends`;
      expect(feeds).to.have.length(1);
      expect(feeds[0]).to.include({ name: "base", breaksAt: "2026-03-03T12:00:00Z", breaksBecause: because });
      expect(warnings.filter(isAboutKeys)).to.deep.equal([]);
      const [said] = keys.filter(({ fingerprint }) => fingerprint === machine.key);
      expect(said?.delegations[0]).to.deep.include({
        via: [life.first, person.key],
        feeds: [["*"], ["base"]],
        expiresAt: "2026-03-03T12:00:00Z",
      });
      const near = (await status(48)).warnings?.filter(isAboutKeys) ?? [];
      expect(near).to.have.length(1);
      expect(near[0]).to.contain('feed "base": in 13 days').and.to.contain(because);
      const after = await status(62);
      expect(after.feeds[0]).to.include({ breaksAt: null, breaksBecause: null });
      expect(after.warnings?.join("\n")).to.contain(
        `${machine.key}, which signed the last accepted index, may no longer sign`,
      );
    });
  });

  it("says of a master's key that it certifies, and warns of the last that signs", async () => {
    await inLife(async (life) => {
      const { folder, config } = life.archive;
      const master = await Home.make(folder, "master", "--user-id", archiveUserId, "--certify-only");
      const machine = await Home.make(folder, "machine");
      const file = await master.delegateTo(machine, day(1), "--expires", "60d");
      await life.configure(master.key);
      await life.keep(day(2), "key", "import", file, "--config", config);
      await machine.do(
        day(3),
        "sign",
        life.archive.file("Packages"),
        "--key",
        machine.key,
        "--feed",
        "base",
        "--valid-for",
        "1y",
      );
      await life.sync();
      const client = await life.client("one", { seeds: [master.key] });
      expect(await client.update(day(4))).to.deep.equal([machine.key]);
      const { keys, warnings } = (await client.accept(day(50), "status")) as Said & JsonDocument;
      expect(keys.map(({ fingerprint, state }) => [fingerprint, state])).to.have.deep.members([
        [master.key, "may certify"],
        [machine.key, "may sign"],
      ]);
      expect(warnings?.join("\n")).to.contain("no known key may sign any more");
    });
  });
});
