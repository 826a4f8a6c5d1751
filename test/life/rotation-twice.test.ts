// T6: a key is rotated again before the overlap of the last rotation is over.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { ownCertificates } from "../../src/signing/signing-key.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";

const fork = { code: "fork", status: 1 };

/** Rotates and finishes the day after, long before the overlap is over. */
async function rotated(life: Life, days: number): Promise<string> {
  const successor = await life.rotate(day(days));
  await life.rotate(day(days + 1), "--finish", "--force");
  return successor;
}

/** What fresh clients of each generation accept: those whose only seed is one of these keys. */
async function accepted(life: Life, seeds: readonly string[], days: number): Promise<string[][]> {
  const found: string[][] = [];
  for (const seed of seeds) {
    const client = await life.client(`seeded-${seed.slice(0, 8)}-${days}`, { seeds: [seed] });
    found.push(await client.update(day(days)));
  }
  return found;
}

const secretOf = ({ archive }: Life, key: string) => join(archive.home, "private", `${key}.asc`);

describe("rotation: again, within one overlap", () => {
  it("clients of every generation follow, before and after each step", async () => {
    await inLife(async (life) => {
      const second = await rotated(life, 2);
      const third = await life.rotate(day(4));
      const began = [life.first, second, third];
      expect(await accepted(life, began, 5)).to.deep.equal(began.map(() => [second]));
      await life.rotate(day(6), "--finish", "--force");
      expect(await accepted(life, began, 7)).to.deep.equal(began.map(() => [third]));
      const fourth = await rotated(life, 8);
      const all = [...began, fourth];
      expect(await accepted(life, all, 10)).to.deep.equal(all.map(() => [fourth]));
      expect(await accepted(life, all, 60)).to.deep.equal(all.map(() => [fourth]));
    });
  });

  it("follow too where a key between them has expired meanwhile", async () => {
    await inLife(async (life) => {
      const second = await life.rotate(day(2), "--expires", "6d");
      await life.rotate(day(3), "--finish", "--force");
      const third = await rotated(life, 4);
      const fourth = await rotated(life, 9);
      const all = [life.first, second, third, fourth];
      expect(await accepted(life, all, 11)).to.deep.equal(all.map(() => [fourth]));
      expect(await accepted(life, all, 60)).to.deep.equal(all.map(() => [fourth]));
    });
  });

  it("says so in the plan, and does nothing twice", async () => {
    await inLife(async (life) => {
      await rotated(life, 2);
      const { steps } = await life.keep(day(4), "rotate", "--config", life.archive.config, "--dry-run");
      expect(steps).to.include(`let ${life.first} and a new ed25519 key acknowledge each other`);
      const third = await life.rotate(day(4));
      const before = await life.archive.everything();
      expect(await life.rotate(day(5))).to.equal(third);
      expect(await life.archive.everything()).to.deep.equal(before);
    });
  });

  it("who asks in the second of a rotation hears what everybody hears later", async () => {
    await inLife(async (life) => {
      const second = await life.rotate(day(2), "--at-once");
      const third = await life.rotate(day(4), "--at-once", "--retire", "--force");
      const own = await ownCertificates(await KeyStore.open(life.archive.home));
      const retired = own.get(second)?.facts.revocations.map(({ createdAt }) => createdAt);
      expect(retired, "not ahead of the clock").to.deep.equal([day(4)]);
      for (const seed of [life.first, second, third]) {
        const said: number[] = [];
        for (const after of [0, 1000, 2000]) {
          const client = await life.client(`${seed.slice(0, 8)}-${after}`, { seeds: [seed] });
          said.push((await client.run(day(4) + after, "update")).status ?? -1);
        }
        // The second key passes nothing on any more, and nothing is to hang on what the first acknowledged the third with.
        expect(said, seed).to.deep.equal(Array(3).fill(seed === third ? 0 : 1));
      }
    });
  });

  it("refused while the first key can't acknowledge the third, until its overlap is over", async () => {
    await inLife(async (life) => {
      const second = await rotated(life, 2);
      await fs.rename(secretOf(life, life.first), join(life.archive.folder, "elsewhere.asc"));
      const rotate = ["rotate", "--config", life.archive.config, "--backup", life.safe, "--expires", "10y"];
      const { error } = await life.archive.refuseKeeper(fork, day(4), ...rotate);
      expect(error?.details).to.deep.equal({ present: second, rival: life.first, until: "2026-02-02T12:00:00Z" });
      const third = await life.rotate(day(33), "--at-once");
      const all = [life.first, second, third];
      expect(await accepted(life, all, 34)).to.deep.equal(all.map(() => [third]));
    });
  });

  it("--force goes on, and leaves behind whom it says", async () => {
    await inLife(async (life) => {
      const second = await rotated(life, 2);
      await fs.rename(secretOf(life, life.first), join(life.archive.folder, "elsewhere.asc"));
      const third = await life.rotate(day(4), "--at-once", "--force");
      expect(await accepted(life, [life.first, third], 5)).to.deep.equal([[third], [third]]);
      await (await life.client("young", { seeds: [second] })).refuse(fork, day(5), "update");
      expect(await accepted(life, [second], 33)).to.deep.equal([[third]]);
    });
  });

  it("a first key that is revoked, or whose overlap is over, is asked for nothing", async () => {
    await inLife(async (life) => {
      await rotated(life, 2);
      await life.revoke(day(4), life.first, "retired", "--force");
      await fs.rm(secretOf(life, life.first));
      const third = await life.rotate(day(5), "--at-once");
      expect(await accepted(life, [third], 6)).to.deep.equal([[third]]);
    });
  });
});
