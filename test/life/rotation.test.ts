// Rotation, through the command line: what rotate does, shows and refuses.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { addKey, archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { rsaKey } from "../testkit/keys.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { withEmbedded } from "../testkit/servers/key-servers.ts";

const usage = { code: "usage", status: 2 };
const refused = (code: string) => ({ code, status: 1 });

const rotate = ({ archive }: Life, ...args: readonly string[]) => ["rotate", "--config", archive.config, ...args];

/** What lies in the key store, by kind. */
async function stored({ archive }: Life, part: "private" | "certs"): Promise<string[]> {
  const names = await fs.readdir(join(archive.home, part));
  return names.map((name) => name.replace(".asc", "")).sort();
}

describe("rotation: the steps", () => {
  it("tells where it stands, and what it is going to do", async () => {
    await inLife(async (life) => {
      const status = async (days: number) => await life.keep(day(days), ...rotate(life, "--status"));
      expect(await status(1)).to.include({ present: life.first, successor: null, predecessor: null });
      const plan = await life.keep(day(1), ...rotate(life, "--dry-run"));
      expect(plan.steps).to.have.length(4);
      expect(await stored(life, "certs"), "a dry run makes nothing").to.deep.equal([life.first]);
      const second = await life.rotate(day(2), "--overlap", "20d");
      expect(await status(3)).to.include({
        present: life.first,
        successor: second,
        overlapEnds: "2026-01-23T12:00:00Z",
      });
      await life.rotate(day(22), "--finish");
      expect(await status(23)).to.include({ present: second, successor: null, predecessor: life.first });
    });
  });

  it("does not offer a successor whose secret is gone, and does not switch to it", async () => {
    await inLife(async (life) => {
      const second = await life.rotate(day(2), "--overlap", "20d");
      const status = async () => await life.keep(day(3), ...rotate(life, "--status"));
      expect(await status()).to.include({ successor: second, successorHere: true });
      await fs.rm(join(life.archive.home, "private", `${second}.asc`));
      expect(await status()).to.include({ successor: second, successorHere: false });
      const missing = { code: "not_found", status: 66 };
      const { error } = await life.archive.refuseKeeper(missing, day(30), ...rotate(life, "--finish"));
      expect(error?.hint).to.include("key restore").and.include("--abandon");
    });
  });

  it("does nothing twice", async () => {
    await inLife(async (life) => {
      const second = await life.rotate(day(2));
      const before = await life.archive.everything();
      expect(await life.rotate(day(3))).to.equal(second);
      expect(await life.archive.everything(), "after the first step, repeated").to.deep.equal(before);
      await life.rotate(day(40), "--finish");
      const finished = await life.archive.everything();
      await life.rotate(day(41), "--finish");
      expect(await life.archive.everything(), "after the second step, repeated").to.deep.equal(finished);
    });
  });

  it("--at-once: both steps, for clients of every generation", async () => {
    await withEmbedded(async ({ url }) => {
      await inLife(
        async (life) => {
          const old = await life.client("old");
          expect(await old.update(day(1))).to.deep.equal([life.first]);
          const second = await life.rotate(day(2), "--at-once");
          const young = await life.client("young", { seeds: [second] });
          for (const client of [old, young]) expect(await client.update(day(3))).to.deep.equal([second]);
        },
        { servers: [url] },
      );
    });
  });

  it("--to: a key that is there already", async () => {
    await inLife(async (life) => {
      const made = await addKey(life.archive.home, { at: day(1) });
      expect(await life.rotate(day(2), "--to", made)).to.equal(made);
      await life.rotate(day(40), "--finish");
      expect(await stored(life, "private")).to.deep.equal([life.first, made].sort());
      expect(await (await life.client("old")).update(day(41))).to.deep.equal([made]);
    });
  });

  it("a locked key: the successor is locked with the same passphrase", async () => {
    const file = join(await fs.mkdtemp("/tmp/feedkey-test-"), "passphrase");
    await fs.writeFile(file, "correct horse\n", { mode: 0o600 });
    try {
      await inLife(async (life) => {
        const made = await addKey(life.archive.home, { at: day(1), passphrase: "correct horse" });
        await life.configure(made);
        const locked = { code: "bad_config", status: 78 };
        await life.archive.refuseKeeper(locked, day(2), ...rotate(life, "--force"));
        await life.keep(day(1), "publish", "--config", life.archive.config, "--passphrase-file", file);
        const second = await life.rotate(day(2), "--passphrase-file", file);
        await life.rotate(day(40), "--finish", "--passphrase-file", file);
        await life.archive.refuseKeeper(locked, day(41), "sign", life.archive.file("Packages"), "--key", second);
      });
    } finally {
      await fs.rm(join(file, ".."), { recursive: true });
    }
  });

  it("an index that somebody else put there gets no good signature", async () => {
    await inLife(async (life) => {
      await life.rotate(day(2));
      await fs.appendFile(life.archive.file("Packages"), "Package: backdoor\n\n");
      const ended = await runHere(life.archive.keeperArgs(day(40), ...rotate(life, "--finish")));
      const { error, finished } = documentOf(ended);
      const said = { status: ended.status, code: error?.code, finished };
      expect(said).to.deep.equal({ status: 1, code: "bad_signature", finished: true });
      expect(error?.message).to.contain("NOT signed");
      await life.sync();
      expect(await (await life.client("old")).update(day(41)), "the compressed form").to.deep.equal([life.first]);
      life.archive.mirror.drop("feeds/base/Packages.gz");
      await (await life.client("other")).refuse(refused("bad_signature"), day(41), "update");
    });
  });
});

describe("rotation: --finish --retire", () => {
  const keys = async (life: Life, at: number) => {
    return (await life.keep(at, "key", "list")).keys as { fingerprint: string; state: string }[];
  };

  it("refused for the clients that it orphans, before anything is signed; without --retire the step is taken", async () => {
    await inLife(async (life) => {
      const second = await life.rotate(day(2));
      const usage = { code: "usage", status: 2 };
      const { error } = await life.archive.refuseKeeper(usage, day(40), ...rotate(life, "--finish", "--retire"));
      expect(error?.details.orphaned).to.deep.equal([life.first]);
      await life.keep(day(40), ...rotate(life, "--finish"));
      expect((await keys(life, day(40))).map(({ state }) => state)).to.deep.equal(["in force", "in force"]);
      await life.sync();
      expect(await (await life.client("old")).update(day(41))).to.deep.equal([second]);
    });
  });

  it("revokes nothing while a feed is left without the new signature", async () => {
    await inLife(async (life) => {
      await life.rotate(day(2));
      await fs.appendFile(life.archive.file("Packages"), "Package: backdoor\n\n");
      const finish = rotate(life, "--finish", "--retire", "--force");
      const first = await runHere(life.archive.keeperArgs(day(40), ...finish));
      expect({ status: first.status, code: documentOf(first).error?.code }).to.deep.equal({
        status: 1,
        code: "bad_signature",
      });
      expect(documentOf(first).done).to.include(`${life.first} was not revoked: its successor did not sign all feeds`);
      await life.publish(day(41));
      await life.keep(day(42), ...finish);
      const state = (await keys(life, day(42))).find(({ fingerprint }) => fingerprint === life.first)?.state;
      expect(state).to.equal("the key is revoked as superseded");
    });
  });

  it("leaves a feed that a delegate signs to the delegate", async () => {
    await inLife(async (life) => {
      const machine = await addKey(life.archive.home, { userId: "Machine <machine@example.org>", at: day(0) });
      const request = join(life.archive.folder, "request.asc");
      await fs.copyFile(join(life.archive.home, "certs", `${machine}.asc`), request);
      const terms = ["--key", life.first, "--feeds", "base", "--expires", "90d", "--config", life.archive.config];
      await life.keep(day(1), "delegate", request, ...terms);
      const sign = ["sign", life.archive.file("Packages"), "--feed", "base", "--valid-for", "90d"];
      await life.keep(day(1), ...sign, "--key", machine);
      await life.rotate(day(2));
      const { done } = await life.keep(day(40), ...rotate(life, "--finish"));
      expect(done).to.include(`feed "base" stays signed by its delegate ${machine}: delegate again`);
      await life.sync();
      expect(await (await life.client("old")).update(day(41))).to.deep.equal([machine]);
    });
  });
});

describe("rotation: --abandon", () => {
  it("takes the successor back; clients that knew it drop it and say so; another can follow", async () => {
    await withEmbedded(async ({ url }) => {
      await inLife(
        async (life) => {
          const wrong = await life.rotate(day(2));
          const old = await life.client("old");
          await old.update(day(3));
          expect(await old.remembers()).to.have.members([life.first, wrong]);
          const { abandoned } = await life.keep(day(4), ...rotate(life, "--abandon"));
          expect(abandoned).to.equal(wrong);
          // The bundle of the mirror is the old one: the key servers tell.
          const { warnings } = await old.accept(day(5), "update");
          expect(warnings?.join()).to.contain(wrong).and.contain("dropped");
          expect(await old.remembers()).to.deep.equal([life.first]);
          const right = await life.rotate(day(6), "--at-once");
          expect(right).to.not.equal(wrong);
          for (const client of [old, await life.client("new")]) {
            expect(await client.update(day(7))).to.deep.equal([right]);
          }
        },
        { servers: [url] },
      );
    });
  });

  it("refused when no rotation is under way, and after it was finished", async () => {
    await inLife(async (life) => {
      await life.archive.refuseKeeper(usage, day(1), ...rotate(life, "--abandon"));
      await life.rotate(day(2), "--at-once");
      await life.archive.refuseKeeper(usage, day(3), ...rotate(life, "--abandon"));
    });
  });
});

describe("rotation: what is refused", () => {
  it("without a backup of the new key's revocation certificates", async () => {
    await inLife(async (life) => {
      await life.archive.refuseKeeper(usage, day(2), ...rotate(life));
      expect(await stored(life, "private")).to.deep.equal([life.first]);
      await life.keep(day(2), ...rotate(life, "--force"));
      expect(await stored(life, "private")).to.have.length(2);
    });
  });

  it("a successor weaker than its issuer", async () => {
    await inLife(async (life) => {
      const weak = await addWeak(life);
      await life.archive.refuseKeeper(refused("weak_algorithm"), day(2), ...rotate(life, "--force", "--to", weak));
    });
  });

  it("a successor that is expired or revoked", async () => {
    await inLife(async (life) => {
      const home = life.archive.home;
      const expired = await addKey(home, { at: day(0), lifetime: 5 * 86_400_000 });
      await life.archive.refuseKeeper(refused("expired"), day(6), ...rotate(life, "--force", "--to", expired));
      const gone = await addKey(home, { at: day(0) });
      await life.revoke(day(5), gone, "retired", "--force");
      await life.archive.refuseKeeper(refused("revoked"), day(6), ...rotate(life, "--force", "--to", gone));
    });
  });

  it("an issuer that is expired", async () => {
    await inLife(
      async (life) => {
        await life.archive.refuseKeeper(refused("expired"), day(11), ...rotate(life, "--force"));
        await life.archive.refuseKeeper(refused("expired"), day(11), ...rotate(life, "--force", "--at-once"));
      },
      { keygen: ["--expires", "10d"] },
    );
  });

  for (const reason of ["compromised", "retired"]) {
    it(`an issuer that is revoked as ${reason}`, async () => {
      await inLife(async (life) => {
        await life.revoke(day(5), life.first, reason, "--force");
        await life.archive.refuseKeeper(refused("revoked"), day(6), ...rotate(life, "--force"));
      });
    });
  }

  it("finishing when nothing was begun, or too early", async () => {
    await inLife(async (life) => {
      await life.archive.refuseKeeper(usage, day(1), ...rotate(life, "--finish"));
      await life.rotate(day(2));
      await life.archive.refuseKeeper(usage, day(31), ...rotate(life, "--finish"));
      await life.rotate(day(31), "--finish", "--force");
      expect(await life.present()).to.not.equal(life.first);
    });
  });

  it("two steps in one breath that exclude each other", async () => {
    await inLife(async (life) => {
      await life.archive.refuseKeeper(usage, day(1), ...rotate(life, "--finish", "--abandon"));
      await life.archive.refuseKeeper(usage, day(1), ...rotate(life, "--status", "--at-once"));
    });
  });
});

/** Puts a key of RSA-2048 into the key store: less than the Ed25519 key that should certify it. */
async function addWeak(life: Life): Promise<string> {
  const made = certificate({ key: rsaKey("rsa-a"), userIds: [archiveUserId] });
  const file = join(life.archive.folder, "weak.asc");
  await fs.writeFile(file, secretKeyBlock(made), { mode: 0o600 });
  await life.keep(day(1), "key", "import", file);
  return made.fingerprint;
}
