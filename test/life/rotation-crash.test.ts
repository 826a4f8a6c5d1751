// Every step of a key's life can be repeated after a crash and does nothing twice.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { bundlePath } from "../../src/profile/layout.ts";
import type { Instant } from "../../src/time.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import { factsOf } from "../testkit/judging.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { diesAt, forgetLocks } from "../testkit/programs/crash.ts";
import { leftovers } from "../testkit/snapshot.ts";

interface Story {
  /** What happened before. */
  readonly prepare?: (life: Life) => Promise<unknown>;
  readonly at: Instant;
  readonly args: (life: Life) => readonly string[];
  /** Signatures of one key over another, by kind, that there must be in the end: no more and no less. */
  readonly signatures: Record<string, number>;
}

/** Counts what the keys of the bundle say of each other and of themselves. */
async function signaturesIn({ archive, first }: Life): Promise<Record<string, number>> {
  const bundle = readKeys(await fs.readFile(join(archive.site, bundlePath)));
  const all = bundle.certificates.map((certificate) => ({ bytes: writeCertificate(certificate) }));
  const count: Record<string, number> = { certificates: all.length };
  const note = (what: string) => {
    count[what] = (count[what] ?? 0) + 1;
  };
  for (const one of all) {
    const facts = await factsOf(one, ...all.filter((other) => other !== one));
    const whose = facts.primary.fingerprint === first ? "first" : "second";
    for (const _ of facts.revocations) note(`${whose} revoked`);
    for (const { certifications, withdrawals } of facts.userIds) {
      for (const _ of certifications) note(`${whose} certified`);
      for (const _ of withdrawals) note(`${whose} withdrawn`);
    }
  }
  return count;
}

/** Kills a command at each of its steps, on the same starting point, and repeats it. @returns how many steps it has */
async function killEverywhere(life: Life, { at, args, signatures }: Story): Promise<number> {
  const { folder, home, site, config } = life.archive;
  const parts = [home, site, config];
  for (const part of parts) await fs.cp(part, `${part}.before`, { recursive: true });
  const command = life.archive.keeperArgs(at, ...args(life));
  for (let step = 0; ; step += 1) {
    for (const part of [...parts, life.safe]) await fs.rm(part, { recursive: true, force: true });
    for (const part of parts) await fs.cp(`${part}.before`, part, { recursive: true });
    const ended = await diesAt(step, () => runHere(command));
    await forgetLocks(folder);
    const again = await runHere(command);
    expect(again.status, `repeated after step ${step}: ${again.stdout}`).to.equal(0);
    expect(await signaturesIn(life), `after step ${step}`).to.deep.equal(signatures);
    // Of what is published and of the keys; records of the program's own do not count.
    const kept = ["private", "certs", "revocations"].map((part) => join(home, part));
    for (const part of [site, ...kept]) expect(await leftovers(part), `after step ${step}`).to.deep.equal([]);
    if (ended !== undefined) return step;
  }
}

const overlap = ["--overlap", "10d"];
const rotated = { certificates: 2, "second certified": 1, "first certified": 1 };
const soft = ["--reason", "superseded", "--force"];

const stories: Readonly<Record<string, Story>> = {
  rotate: {
    at: day(2),
    args: (life) => ["rotate", "--config", life.archive.config, "--backup", life.safe, ...overlap],
    signatures: rotated,
  },
  "rotate --finish --retire": {
    prepare: (life) => life.rotate(day(2), ...overlap),
    at: day(20),
    args: (life) => ["rotate", "--config", life.archive.config, "--finish", "--retire", "--force"],
    signatures: { ...rotated, "first revoked": 1 },
  },
  "rotate --abandon": {
    prepare: (life) => life.rotate(day(2), ...overlap),
    at: day(5),
    args: (life) => ["rotate", "--config", life.archive.config, "--abandon"],
    signatures: { ...rotated, "second withdrawn": 1, "second revoked": 1 },
  },
  "revoke, softly": {
    prepare: (life) => life.rotate(day(2), "--at-once", ...overlap),
    at: day(20),
    args: (life) => ["revoke", life.first, "--config", life.archive.config, ...soft],
    signatures: { ...rotated, "first revoked": 1 },
  },
};

describe("rotation: interrupted at every step", function () {
  this.timeout(120_000);
  for (const [name, story] of Object.entries(stories)) {
    it(`${name}: repeated, it does the rest and nothing twice`, async () => {
      await inLife(async (life) => {
        await story.prepare?.(life);
        const steps = await killEverywhere(life, story);
        expect(steps).to.be.greaterThan(8);
        const before = await life.archive.everything();
        const { status } = await runHere(life.archive.keeperArgs(story.at + 3_600_000, ...story.args(life)));
        expect(status).to.equal(0);
        expect(await life.archive.everything(), "once more").to.deep.equal(before);
      });
    });
  }
});
