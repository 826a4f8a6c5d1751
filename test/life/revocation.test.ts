// T5, through the command line: who loses their chain, and that it takes consent.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import type { Client } from "./client.ts";

const usage = { code: "usage", status: 2 };
const refused = (code: string) => ({ code, status: 1 });

interface Generation {
  readonly seed: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly orphaned: boolean;
}

/** Two rotations: each key certified by the one before it. */
async function threeKeys(life: Life): Promise<[string, string, string]> {
  const second = await life.rotate(day(2), "--at-once", "--overlap", "1d");
  const third = await life.rotate(day(10), "--at-once", "--overlap", "1d");
  return [life.first, second, third];
}

async function dryRun(life: Life, key: string, reason: string): Promise<Map<string, Generation>> {
  const before = await life.archive.everything();
  const { generations, dryRun } = await life.revoke(day(20), key, reason, "--dry-run");
  expect(dryRun).to.equal(true);
  expect(await life.archive.everything()).to.deep.equal(before);
  return new Map((generations as Generation[]).map((one) => [one.seed, one]));
}

const orphans = (generations: ReadonlyMap<string, Generation>) => {
  return [...generations.values()].filter(({ orphaned }) => orphaned).map(({ seed }) => seed);
};

describe("revocation: --dry-run", () => {
  it("the middle key: those seeded with it or before it lose their chain", async () => {
    await inLife(async (life) => {
      const [first, second, third] = await threeKeys(life);
      const found = await dryRun(life, second, "compromised");
      expect(found.get(first)?.before).to.have.members([first, second, third]);
      expect(found.get(first)?.after).to.deep.equal([first]);
      expect(found.get(third)?.after).to.deep.equal([third]);
      expect(orphans(found)).to.deep.equal([second]);
    });
  });

  it("the last key: only those seeded with it", async () => {
    await inLife(async (life) => {
      const [, , third] = await threeKeys(life);
      expect(orphans(await dryRun(life, third, "superseded"))).to.deep.equal([third]);
    });
  });

  it("tells people the same", async () => {
    await inLife(async (life) => {
      const [first, second] = await threeKeys(life);
      const args = ["--home", life.archive.home, "--at", "2026-01-21T12:00:00Z", "revoke", second];
      const ended = await runHere([...args, "--reason", "retired", "--dry-run", "--config", life.archive.config]);
      expect(ended.status).to.equal(0);
      expect(ended.stdout).to.contain(`would revoke ${second} as retired`);
      expect(ended.stdout).to.match(new RegExp(`seeded with ${second} LOSE THEIR CHAIN`));
      expect(ended.stdout).to.match(new RegExp(`seeded with ${first} no longer accept`));
    });
  });
});

describe("revocation: consent", () => {
  for (const reason of ["compromised", "superseded", "retired", "unspecified"]) {
    it(`${reason}: orphaning needs --force`, async () => {
      await inLife(async (life) => {
        const [, second] = await threeKeys(life);
        const command = ["revoke", second, "--reason", reason, "--config", life.archive.config];
        const refusal = await life.archive.refuseKeeper(usage, day(20), ...command);
        expect(refusal.error?.details.orphaned).to.deep.equal([second]);
        await life.revoke(day(20), second, reason, "--force");
        await life.sync();
        const client = await life.client("seeded", { seeds: [second] });
        const { error } = await client.refuse(refused("untrusted_signer"), day(21), "update");
        expect(error?.message).to.contain(`by ${second} does not count: its issuer is revoked`);
      });
    });
  }

  it("a key that nobody was seeded with alone and no path needs: no force", async () => {
    await inLife(async (life) => {
      const wrong = await life.rotate(day(2));
      await life.keep(day(3), "rotate", "--config", life.archive.config, "--abandon");
      const { done } = await life.revoke(day(4), wrong, "compromised");
      expect(done).to.not.deep.equal([]);
    });
  });

  for (const reason of ["compromised", "superseded"]) {
    it(`${reason}, repeated: changes nothing`, async () => {
      await inLife(async (life) => {
        await life.revoke(day(5), life.first, reason, "--force");
        const before = await life.archive.everything();
        await life.revoke(day(6), life.first, reason, "--force");
        expect(await life.archive.everything()).to.deep.equal(before);
      });
    });
  }

  it("softly first, then for good", async () => {
    await inLife(async (life) => {
      await life.revoke(day(5), life.first, "retired", "--force");
      await life.revoke(day(6), life.first, "compromised", "--force");
      await life.sync();
      const { error } = await (await life.client("old")).refuse(refused("revoked"), day(7), "update");
      expect(error?.message).to.contain("compromised");
    });
  });

  it("with the certificate from the safe, where the secret key is lost", async () => {
    await inLife(async (life) => {
      const second = await life.rotate(day(2), "--at-once");
      const client = await life.client("old");
      expect(await client.update(day(3))).to.deep.equal([second]);
      const lost = join(life.archive.home, "private", `${second}.asc`);
      await fs.rm(lost);
      const unspecified = ["revoke", second, "--reason", "unspecified", "--force"];
      await life.archive.refuseKeeper({ code: "not_found", status: 66 }, day(4), ...unspecified);
      await life.revoke(day(4), second, "compromised", "--force");
      await life.sync();
      await client.refuse(refused("revoked"), day(5), "update");
    });
  });

  it("another key's revocation certificate in the safe: refused, nothing changes", async () => {
    await inLife(async (life) => {
      const second = await life.rotate(day(2));
      const safe = (key: string) => join(life.archive.home, "revocations", `${key}-compromised.asc`);
      await fs.copyFile(safe(life.first), safe(second));
      const command = ["revoke", second, "--reason", "compromised", "--force", "--config", life.archive.config];
      await life.archive.refuseKeeper({ code: "bad_certificate", status: 65 }, day(4), ...command);
    });
  });
});

describe("revocation: --retire", () => {
  it("is refused while clients are seeded with the old key, before anything is done", async () => {
    await inLife(async (life) => {
      const { archive, first } = life;
      const client = await life.client("old");
      const second = await life.rotate(day(2));
      expect(await client.update(day(3))).to.deep.equal([first]);
      const finish = ["rotate", "--config", archive.config, "--finish", "--retire"];
      const document = documentOf(await runHere(archive.keeperArgs(day(40), ...finish)));
      expect(document.error?.code).to.equal("usage");
      expect(document.error?.details.orphaned).to.deep.equal([first]);
      expect(await life.present(), "nothing was done").to.equal(first);
      const ended = await runHere(archive.keeperArgs(day(40), ...finish.slice(0, -1)));
      expect(ended.status, ended.stdout).to.equal(0);
      expect(await life.present()).to.equal(second);
      await life.sync();
      expect(await client.update(day(41))).to.deep.equal([second]);
    });
  });

  it("with --force: who followed before goes on, who has only the old seed is told", async () => {
    await inLife(async (life) => {
      const followed = await life.client("followed");
      const second = await life.rotate(day(2));
      await followed.update(day(3));
      await life.rotate(day(40), "--finish", "--retire", "--force");
      const update = async (client: Client) => await client.update(day(41));
      expect(await update(followed)).to.deep.equal([second]);
      expect(await update(await life.client("seeded", { seeds: [second] }))).to.deep.equal([second]);
      const trust = ["retired-issuers = accept"];
      expect(await update(await life.client("lenient", { trust }))).to.deep.equal([second]);
      const { error } = await (await life.client("late")).refuse(refused("untrusted_signer"), day(41), "update");
      expect(error?.message).to.contain("superseded");
    });
  });

  it("in one breath with --at-once: the successor was certified before, so that lenient clients follow", async () => {
    await inLife(async (life) => {
      const second = await life.rotate(day(2), "--at-once", "--retire", "--force");
      const lenient = await life.client("lenient", { trust: ["retired-issuers = accept"] });
      expect(await lenient.update(day(3))).to.deep.equal([second]);
    });
  });
});
