// State: damaged, newer, deleted; two runs at once; a full disk on the client's side.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { acquireLock } from "../../src/files/lock.ts";
import { hour, inArchive, inUse, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere, runProcess } from "../testkit/programs/command-line.ts";
import { leftovers, snapshot } from "../testkit/snapshot.ts";
import { cramped } from "./cramped.ts";

const at = published + 2 * hour;
const badState = { code: "bad_state", status: 74 };

const commands = (archive: TestArchive) => [
  ["update"],
  ["fetch", "alpha", "-o", archive.out],
  ["verify", archive.file("Packages")],
];

/** The files of the state that hold something; links lead to some of them. */
async function stateFiles(archive: TestArchive): Promise<string[]> {
  const found = await snapshot(join(archive.state, "example"));
  return Object.entries(found)
    .filter(([, what]) => what.startsWith("file"))
    .map(([path]) => path);
}

/** Whatever happened to the state: it is refused, nothing is healed in silence, and consent starts from the seeds. */
async function refusedUntilReset(archive: TestArchive): Promise<void> {
  for (const command of commands(archive)) {
    const { error } = await archive.refuse(badState, at, ...command);
    expect(error?.hint).to.contain("--reset-state");
  }
  await archive.accept(at, "update", "--reset-state");
  await archive.accept(at, "fetch", "alpha", "-o", archive.out);
}

describe("cases: state, damaged", function () {
  this.timeout(60_000);

  for (const [how, damage] of [
    ["cut", (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ["emptied", () => Buffer.alloc(0)],
    [
      "one bit changed",
      (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte))),
    ],
    ["longer", (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("x")])],
  ] as const) {
    it(`any file ${how}: bad_state, until --reset-state`, async () => {
      await inUse(async (archive) => {
        const files = await stateFiles(archive);
        expect(files.length).to.be.greaterThan(4);
        for (const file of files) {
          const before = await fs.readFile(file);
          await fs.writeFile(file, damage(before));
          for (const command of commands(archive).slice(0, 2)) await archive.refuse(badState, at, ...command);
          await fs.writeFile(file, before);
          await archive.accept(at, "update");
        }
        const [file = ""] = files;
        await fs.writeFile(file, damage(await fs.readFile(file)));
        await refusedUntilReset(archive);
      });
    });
  }

  it("any file deleted: bad_state, until --reset-state", async () => {
    await inUse(async (archive) => {
      for (const file of await stateFiles(archive)) {
        const before = await fs.readFile(file);
        await fs.rm(file);
        await archive.refuse(badState, at, "update");
        await fs.writeFile(file, before);
      }
      await fs.rm(join(archive.state, "example", "ledger.json"));
      await refusedUntilReset(archive);
    });
  });

  it("the whole folder of the profile deleted: bad_state, until --reset-state", async () => {
    await inUse(async (archive) => {
      await fs.rm(join(archive.state, "example"), { recursive: true });
      const ended = await runHere(archive.clientArgs(at, "update"));
      expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([74, "bad_state"]);
      await archive.accept(at, "update", "--reset-state");
    });
  });

  it("an older generation put back: bad_state", async () => {
    await inUse(async (archive) => {
      const link = join(archive.state, "example", "feeds", "base");
      const old = join(archive.folder, "old");
      await fs.cp(await fs.realpath(link), old, { recursive: true });
      await archive.addPackage("gamma");
      await archive.publish(published + hour);
      await archive.accept(at, "update");
      for (const name of await fs.readdir(old)) await fs.copyFile(join(old, name), join(link, name));
      await archive.refuse(badState, at, "update");
    });
  });

  it("newer than the program: bad_state that says so", async () => {
    await inUse(async (archive) => {
      for (const file of (await stateFiles(archive)).filter((name) => name.endsWith(".json"))) {
        const before = await fs.readFile(file, "utf8");
        await fs.writeFile(file, before.replace(/"version": \d+/, '"version": 99'));
        const { error } = await archive.refuse(badState, at, "update");
        expect(error?.message).to.contain("newer");
        await fs.writeFile(file, before);
      }
    });
  });

  it("a folder that others can write to: bad_state", async () => {
    await inUse(async (archive) => {
      await fs.chmod(join(archive.state, "example"), 0o777);
      await archive.refuse(badState, at, "update");
    });
  });

  it("an audit (verify --no-state) changes nothing and compares with nothing", async () => {
    await inArchive(async (archive) => {
      const before = await archive.everything();
      await archive.accept(at, "verify", "--no-state", archive.file("Packages"));
      expect(await archive.everything()).to.deep.equal(before);
    });
  });
});

describe("cases: state, two runs at once", function () {
  this.timeout(60_000);

  it("two updates and two fetches: all wait for each other and succeed, and the state is whole", async () => {
    await inArchive(async (archive) => {
      const updates = await Promise.all([1, 2].map(() => runProcess(archive.clientArgs(at, "update"))));
      expect(updates.map(({ status }) => status)).to.deep.equal([0, 0]);
      const fetches = await Promise.all(
        [1, 2].map(() => runProcess(archive.clientArgs(at, "fetch", "--all", "-o", archive.out))),
      );
      expect(fetches.map(({ status }) => status)).to.deep.equal([0, 0]);
      await archive.expectOut("alpha_1.0-1_all.ipk", "beta_2.0-1_all.ipk");
      await archive.accept(at, "update");
    });
  });

  it("two publishes: the feed is whole, and signed once for what it holds", async () => {
    await inArchive(async (archive) => {
      await archive.addPackage("gamma");
      const args = archive.keeperArgs(published + hour, "publish", "--config", archive.config);
      const both = await Promise.all([1, 2].map(() => runProcess(args)));
      expect(both.map(({ status }) => status)).to.deep.equal([0, 0]);
      expect(await leftovers(archive.site)).to.deep.equal([]);
      await archive.mirror.sync(archive.site);
      await archive.accept(at, "update");
      await archive.accept(at, "fetch", "gamma", "-o", archive.out);
      const changed = both.map((ended) => (documentOf(ended).feeds as { changed: boolean }[])[0]?.changed);
      expect(changed.sort()).to.deep.equal([false, true]);
    });
  });

  it("a run that never ends: locked, for both sides; the lock of a killed run goes stale by itself", async () => {
    await inUse(async (archive) => {
      await archive.addPackage("gamma");
      await archive.publish(published + hour);
      const killed = await archive.copy();
      const records = join(archive.home, "archives");
      const [record = ""] = await fs.readdir(records);
      const held = [await acquireLock(join(archive.state, "example")), await acquireLock(join(records, record))];
      try {
        const node = ["--import", new URL("../testkit/programs/kill-preload.js", import.meta.url).href];
        const first = await runProcess(killed.clientArgs(at, "update"), { node, env: { FEEDKEY_KILL_AT: "12" } });
        expect(first.signal).to.equal("SIGKILL");
        const before = await snapshot(archive.site, join(archive.state, "example", "feeds"));
        const [update, publish, afterKill] = await Promise.all([
          runProcess(archive.clientArgs(at, "update")),
          runProcess(archive.keeperArgs(at, "publish", "--config", archive.config)),
          runProcess(killed.clientArgs(at, "update")),
        ]);
        for (const ended of [update, publish]) {
          expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([75, "locked"]);
        }
        expect(await snapshot(archive.site, join(archive.state, "example", "feeds"))).to.deep.equal(before);
        expect(afterKill.status, afterKill.stdout).to.equal(0);
      } finally {
        for (const lock of held) await lock.release();
        await killed.removeFolder();
      }
      await archive.accept(at, "update");
    });
  });
});

describe("cases: state, the disk is full", function () {
  this.timeout(60_000);

  it("update: output, the last good one stays, and the next run recovers", async () => {
    await inUse(async (archive) => {
      for (let i = 0; i < 60; i++) await archive.addPackage(`more-${i}`);
      await archive.publish(published + hour);
      const good = await archive.lastGood();
      const ended = await cramped(8, archive.clientArgs(at, "update"));
      expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([73, "output"]);
      expect(await archive.lastGood()).to.equal(good);
      expect(await leftovers(archive.state)).to.deep.equal([]);
      await archive.accept(at, "fetch", "alpha", "-o", archive.out);
      await archive.accept(at, "update");
      expect(await archive.lastGood()).to.not.equal(good);
    });
  });

  it("fetch: output, and nothing of the package is left", async () => {
    await inUse(async (archive) => {
      await archive.addPackage("large", "1.0-1", "base", `X-Padding: ${randomText(50_000)}`);
      await archive.publish(published + hour);
      await archive.accept(at, "update");
      const state = await snapshot(archive.state);
      const ended = await cramped(12, archive.clientArgs(at, "fetch", "large", "-o", archive.out));
      expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([73, "output"]);
      await archive.expectOut();
      expect(await snapshot(archive.state)).to.deep.equal(state);
    });
  });
});

/** Text that does not compress. */
function randomText(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = Math.imul(state, 1_103_515_245) + 12_345;
    return String.fromCharCode(0x21 + ((state >>> 16) % 90));
  }).join("");
}
