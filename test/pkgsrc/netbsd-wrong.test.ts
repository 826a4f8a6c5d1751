// A fork, from the thief's key store to the client of an archive like NetBSD's.
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { Home } from "../testkit/archives/homes.ts";
import { day } from "../testkit/dates.ts";
import { archiveId, Machine, NetbsdArchive, type NetbsdClient } from "./netbsd-archive.ts";

const [feed, other, beyond] = ["10-x86_64", "10-aarch64", "9-x86_64"] as const;

/** Alice may delegate release 10, her machine may sign one feed of it; the client has seen an index of each feed. */
interface Cast {
  readonly archive: NetbsdArchive;
  readonly alice: Home;
  readonly machine: Machine;
  readonly client: NetbsdClient;
}

async function withCast(action: (cast: Cast) => Promise<void>): Promise<void> {
  const archive = await NetbsdArchive.make([feed, other, beyond]);
  try {
    const { master, folder } = archive;
    const alice = await Home.make(folder, "alice");
    await archive.handOn(day(2), await master.delegateTo(alice, day(2), "--depth", "1", "--feeds", "10-*"));
    const machine = await Machine.make(archive, "builder", feed);
    await archive.handOn(day(2), await alice.delegateTo(machine.home, day(2), "--feeds", feed, "--expires", "30d"));
    await machine.build(["tiny-1.0"]);
    await machine.publish(day(3), archive);
    const client = await archive.client("client");
    expect(await client.update(day(4), feed)).to.deep.equal({ [feed]: machine.key });
    await action({ archive, alice, machine, client });
  } finally {
    await archive.remove();
  }
}

/** Puts another summary into a feed's place, signed by whoever that is. */
async function forge(archive: NetbsdArchive, by: Home, at: number, into: string): Promise<void> {
  const index = archive.file(into, "pkg_summary.gz");
  await fs.copyFile(archive.file(feed, "pkg_summary.gz"), index).catch(() => undefined);
  await by.do(day(at), "sign", index, "--key", by.key, "--feed", into);
}

/** The client refuses the feed, says why, and what it had of it stays. */
async function refuses({ client, machine }: Cast, at: number, into: string, why: string): Promise<void> {
  expect(await client.refuses("untrusted_signer", day(at), "update", into)).to.contain(why);
  const { feeds } = await client.do(day(4), "status");
  const signers = (feeds as { name: string; signers: string[] }[]).find(({ name }) => name === feed)?.signers;
  expect(signers, "of the last good index").to.deep.equal([machine.key]);
}

describe("an archive like NetBSD's, and who must not sign for it", function () {
  this.timeout(60_000);

  it("a delegate of depth 0 delegates", async () => {
    await withCast(async (cast) => {
      const { archive, machine } = cast;
      const thief = await Home.thiefOf(archive.folder, machine.home);
      const rogue = await Home.make(archive.folder, "rogue");
      await archive.handOn(day(5), await thief.delegateTo(rogue, day(5), "--feeds", feed));
      await forge(archive, rogue, 5, feed);
      await refuses(cast, 6, feed, "its issuer may not delegate further");
    });
  });

  it("a delegate signs a feed outside its scope", async () => {
    await withCast(async (cast) => {
      const { archive, machine } = cast;
      const thief = await Home.thiefOf(archive.folder, machine.home);
      await forge(archive, thief, 5, other);
      await refuses(cast, 6, other, `its delegation is for ${feed} (as far as 10-* allows), not for "${other}"`);
    });
  });

  it("a delegate delegates a feed outside its own scope", async () => {
    await withCast(async (cast) => {
      const { archive, alice } = cast;
      const thief = await Home.thiefOf(archive.folder, alice);
      const rogue = await Home.make(archive.folder, "rogue");
      await archive.handOn(day(5), await thief.delegateTo(rogue, day(5), "--feeds", "9-*"));
      await forge(archive, rogue, 5, beyond);
      await refuses(cast, 6, beyond, `not for "${beyond}"`);
    });
  });

  it("a delegation has expired", async () => {
    await withCast(async (cast) => {
      const { archive, machine } = cast;
      const thief = await Home.thiefOf(archive.folder, machine.home);
      await forge(archive, thief, 40, feed);
      await refuses(cast, 41, feed, "it has expired");
    });
  });

  it("a delegate claims the archive's user ID", async () => {
    await withCast(async (cast) => {
      const { archive, alice } = cast;
      const thief = await Home.thiefOf(archive.folder, alice);
      const rogue = await Home.make(archive.folder, "rogue", "--user-id", archiveId);
      await archive.handOn(day(5), await thief.delegateTo(rogue, day(5), "--feeds", feed));
      await forge(archive, rogue, 5, feed);
      await refuses(cast, 6, feed, "it is a delegation, which makes no key a successor");
    });
  });
});
