// T5: the state of a profile is bound to its seeds: another profile of the same name can't use or poison it.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { addKey, hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { snapshot } from "../testkit/snapshot.ts";

const at = published + 2 * hour;

interface Ledger {
  readonly digest?: string;
  seeds?: string[];
  keys: Record<string, unknown>;
}

const ledgerFile = (archive: TestArchive) => join(archive.state, "example", "ledger.json");

async function ledger(archive: TestArchive): Promise<Ledger> {
  return JSON.parse(await fs.readFile(ledgerFile(archive), "utf8"));
}

/** Runs an action with an archive in use, and a key of the same name that is a thief's. */
async function withThief(action: (archive: TestArchive, thief: string) => Promise<void>): Promise<void> {
  await inArchive(async (archive) => {
    const thief = await addKey(archive.home);
    await archive.accept(published + hour, "update");
    await action(archive, thief);
  });
}

async function code(archive: TestArchive, ...args: string[]): Promise<string | undefined> {
  return documentOf(await runHere(archive.clientArgs(at, ...args))).error?.code;
}

describe("cases: the state of another archive", () => {
  it("is neither used nor written by any command", async () => {
    await withThief(async (archive, thief) => {
      const before = await snapshot(join(archive.state, "example"));
      await archive.writeProfile({ seeds: [thief] });
      const index = archive.file("Packages");
      for (const command of [["update"], ["verify", index]]) {
        expect(await code(archive, ...command)).to.equal("untrusted_signer");
      }
      expect(await code(archive, "fetch", "alpha", "-o", archive.out)).to.equal("not_found");
      for (const command of [["refresh"], ["chain"], ["status"], ["refresh", "--reset-state"]]) {
        expect(await code(archive, ...command)).to.equal(undefined);
      }
      expect(await snapshot(join(archive.state, "example"))).to.deep.equal(before);
      const own = JSON.parse(await fs.readFile(join(archive.state, `example~${thief}`, "ledger.json"), "utf8"));
      expect(own.seeds).to.deep.equal([thief]);
      expect(Object.keys(own.keys)).to.deep.equal([thief]);
      await archive.writeProfile();
      await archive.accept(at, "update");
    });
  });

  it("does no harm where it came first", async () => {
    await inArchive(async (archive) => {
      const thief = await addKey(archive.home);
      await archive.writeProfile({ seeds: [thief] });
      expect(await code(archive, "refresh")).to.equal(undefined);
      await archive.writeProfile();
      await archive.accept(at, "update");
      await archive.accept(at, "update");
      await archive.writeProfile({ seeds: [thief] });
      expect(Object.keys((await ledger(archive)).keys)).to.deep.equal([thief]);
    });
  });

  it("control: seeds are added and dropped, one at a time", async () => {
    await withThief(async (archive, other) => {
      for (const seeds of [[archive.key, other], [other], [other, archive.key], [archive.key]]) {
        await archive.writeProfile({ seeds });
        expect(await code(archive, "refresh")).to.equal(undefined);
        expect((await ledger(archive)).seeds).to.deep.equal(seeds);
        expect(Object.keys((await ledger(archive)).keys).sort()).to.deep.equal([...seeds].sort());
      }
    });
  });

  it("control: a seed gives way to a successor that this client accepted", async () => {
    await inArchive(async (archive) => {
      const rotate = archive.keeperArgs(
        published + hour,
        "rotate",
        "--config",
        archive.config,
        "--backup",
        join(archive.folder, "safe"),
      );
      expect((await runHere(rotate)).status).to.equal(0);
      await archive.mirror.sync(archive.site);
      await archive.accept(at, "update");
      const successor = Object.keys((await ledger(archive)).keys).find((key) => key !== archive.key) ?? "";
      await archive.writeProfile({ seeds: [successor] });
      await archive.accept(at, "update");
      expect((await ledger(archive)).seeds).to.deep.equal([successor]);
    });
  });

  it("one of an older version, without the seeds: bound by its accepted keys, and by the first run", async () => {
    await withThief(async (archive, thief) => {
      const { seeds: _seeds, digest: _digest, ...old } = await ledger(archive);
      await fs.writeFile(ledgerFile(archive), JSON.stringify(old));
      const before = await fs.readFile(ledgerFile(archive), "utf8");
      await archive.writeProfile({ seeds: [thief] });
      expect(await code(archive, "refresh")).to.equal(undefined);
      expect(await fs.readFile(ledgerFile(archive), "utf8")).to.equal(before);
      await archive.writeProfile();
      await archive.accept(at, "update");
      expect((await ledger(archive)).seeds).to.deep.equal([archive.key]);
    });
  });
});
