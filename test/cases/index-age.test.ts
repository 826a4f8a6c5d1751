// Index: age, rollback, feed, pairs that do not fit.
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { hour, inArchive, inUse, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { plain } from "../testkit/servers/misbehaving-server.ts";

const refused = (code: string) => ({ code, status: 1 });
const fetchAlpha = (archive: TestArchive) => ["fetch", "alpha", "-o", archive.out];

/** The files of one feed as they are now, to be put back later. */
async function kept(archive: TestArchive): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const name of ["Packages", "Packages.gz", "Packages.asc", "Packages.sig"]) {
    files.set(name, await fs.readFile(archive.file(name)));
  }
  return files;
}

function putBack(archive: TestArchive, files: ReadonlyMap<string, Buffer>, feed = "base"): void {
  for (const [name, bytes] of files) archive.mirror.put(`feeds/${feed}/${name}`, bytes);
}

describe("cases: index, its age", () => {
  it("older than the last accepted: rollback, and the last good one still serves", async () => {
    await inUse(async (archive) => {
      const old = await kept(archive);
      await archive.addPackage("gamma");
      await archive.publish(published + day(1) - day(0));
      const at = published + 2 * (day(1) - day(0));
      await archive.accept(at, "update");
      const good = await archive.lastGood();
      putBack(archive, old);
      const { error } = await archive.refuse(refused("rollback"), at, "update");
      expect(error?.message).to.contain("2026-01-11T12:00:00Z").and.to.contain("2026-01-12T12:00:00Z");
      expect(await archive.lastGood()).to.equal(good);
      await archive.accept(at, "fetch", "gamma", "-o", archive.out);
      await archive.expectOut("gamma_1.0-1_all.ipk");
    });
  });

  it("the same date but other bytes: rollback", async () => {
    await inUse(async (archive) => {
      await archive.addPackage("gamma");
      // With them there, the new signature would be dated after them.
      for (const name of ["Packages.asc", "Packages.sig"]) await fs.rm(archive.file(name));
      await archive.publish(published);
      await archive.refuse(refused("rollback"), published + hour, "update");
      await archive.refuse(refused("rollback"), published + hour, "verify", archive.file("Packages"));
      await archive.accept(published + hour, "verify", "--no-state", archive.file("Packages"));
    });
  });

  it("signature expired: stale, for update, verify, fetch from the accepted one, and a new client", async () => {
    await inArchive(async (archive) => {
      const late = day(10 + 15);
      await archive.refuse(refused("stale"), late, "verify", "--no-state", archive.file("Packages"));
      await archive.accept(published + hour, "update");
      await archive.refuse(refused("stale"), late, "update");
      await archive.refuse(refused("stale"), late, ...fetchAlpha(archive));
      await archive.expectOut();
    });
  });

  it("dated beyond the skew: not_yet_valid; within it: accepted", async () => {
    await inArchive(async (archive) => {
      await archive.accept(published - hour, "profile", "check", archive.profile);
      await archive.refuse(
        refused("not_yet_valid"),
        published - 6 * 60_000,
        "verify",
        "--no-state",
        archive.file("Packages"),
      );
      await archive.accept(published - 4 * 60_000, "update");
      await archive.publish(published + hour);
      await archive.addPackage("gamma");
      await archive.publish(published + 2 * hour);
      await archive.refuse(refused("not_yet_valid"), published + hour, "update");
    });
  });

  it("no expiry while the profile requires one: stale", async () => {
    await inUse(async (archive) => {
      await archive.signText(await fs.readFile(archive.file("Packages")), published + hour, "--valid-for", "never");
      await archive.writeProfile({ trust: ["require-expiry = yes"] });
      await archive.refuse(refused("stale"), published + 2 * hour, "update");
      await archive.writeProfile();
      await archive.accept(published + 2 * hour, "update");
    });
  });

  it("older than the profile allows: stale", async () => {
    await inUse(async (archive) => {
      await archive.writeProfile({ trust: ["max-index-age = 3d"] });
      await archive.accept(day(13), "update");
      await archive.refuse(refused("stale"), day(13) + hour, "update");
    });
  });

  it("signed for another feed: wrong_feed", async () => {
    await inUse(
      async (archive) => {
        await archive.addPackage("gamma", "1.0-1", "extra");
        await archive.publish(published + hour);
        const base = await kept(archive);
        putBack(archive, base, "extra");
        const { feeds } = await archive.refuse(refused("wrong_feed"), published + 2 * hour, "update", "extra");
        expect(feeds).to.have.length(1);
        await archive.refuse(
          refused("wrong_feed"),
          published + 2 * hour,
          "verify",
          archive.file("Packages"),
          "--feed",
          "extra",
        );
      },
      { feeds: ["base", "extra"] },
    );
  });

  it("no feed named while the profile asks for it: wrong_feed", async () => {
    await inUse(async (archive) => {
      const args = archive.keeperArgs(published + hour, "sign", archive.file("Packages"), "--key", archive.key);
      expect((await runHere(args)).status).to.equal(0);
      await archive.mirror.sync(archive.site);
      await archive.writeProfile({ trust: ["require-feed-name = yes"] });
      await archive.refuse(refused("wrong_feed"), published + 2 * hour, "update");
      await archive.writeProfile();
      await archive.accept(published + 2 * hour, "update");
    });
  });

  it("clock behind the last accepted index: not_yet_valid, and it names the clock", async () => {
    await inArchive(async (archive) => {
      const old = await kept(archive);
      await archive.addPackage("gamma");
      await archive.publish(published + 24 * hour);
      await archive.accept(published + 25 * hour, "update");
      const behind = published + 2 * hour;
      const { error } = await archive.refuse(refused("not_yet_valid"), behind, "update");
      expect(error?.hint).to.contain("clock");
      await archive.refuse(refused("not_yet_valid"), behind, ...fetchAlpha(archive));
      // An older index, which that clock would find in order.
      putBack(archive, old);
      const replayed = await archive.refuse(refused("not_yet_valid"), behind, "update");
      expect(replayed.error?.message).to.contain("the clock says 2026-01-11T14:00:00Z");
      await archive.expectOut();
    });
  });

  it("one feed of two refused: the other is updated, exit 1", async () => {
    await inUse(
      async (archive) => {
        await archive.addPackage("gamma", "1.0-1", "base");
        await archive.addPackage("gamma", "1.0-1", "extra");
        await archive.publish(published + hour);
        const before = { base: await archive.lastGood("base"), extra: await archive.lastGood("extra") };
        for (const name of ["Packages.asc", "Packages.sig"]) archive.mirror.drop(`feeds/base/${name}`);
        const ended = await runHere(archive.clientArgs(published + 2 * hour, "update"));
        expect(ended.status).to.equal(1);
        const { ok, error, feeds } = documentOf(ended);
        expect({ ok, code: error?.code }).to.deep.equal({ ok: false, code: "no_signature" });
        expect(feeds).to.have.length(2);
        expect(await archive.lastGood("base")).to.equal(before.base);
        expect(await archive.lastGood("extra")).to.not.equal(before.extra);
      },
      { feeds: ["base", "extra"] },
    );
  });
});

describe("cases: index, the pair of index and signature", () => {
  it("Packages.gz other than Packages: what was signed is used, the other is bad_index", async () => {
    await inUse(async (archive) => {
      const old = await kept(archive);
      await archive.addPackage("gamma");
      await archive.publish(published + hour);
      const at = published + 2 * hour;
      await fs.writeFile(archive.file("Packages.gz"), old.get("Packages.gz") ?? "");
      await archive.refuse({ code: "bad_index", status: 65 }, at, "verify", archive.file("Packages.gz"));
      await archive.mirror.sync(archive.site);
      const { warnings } = await archive.accept(at, "update");
      expect(warnings?.join()).to.contain("Packages.gz is not what was signed (bad_index)");
      await archive.accept(at, "fetch", "gamma", "-o", archive.out);
      await archive.expectOut("gamma_1.0-1_all.ipk");
    });
  });

  it("Packages other than Packages.gz: the same the other way round", async () => {
    await inUse(async (archive) => {
      await archive.addPackage("gamma");
      await archive.publish(published + hour);
      await fs.appendFile(archive.file("Packages"), "Package: evil\nVersion: 1\n\n");
      await archive.mirror.sync(archive.site);
      await archive.refuse({ code: "bad_index", status: 65 }, published + 2 * hour, "verify", archive.file("Packages"));
      await archive.accept(published + 2 * hour, "update");
      await archive.refuse({ code: "not_found", status: 66 }, published + 2 * hour, "fetch", "evil", "-o", archive.out);
    });
  });

  it("new index with old signature: one retry, then refused, and the last good one stays", async () => {
    await inUse(async (archive) => {
      const old = await kept(archive);
      await archive.addPackage("gamma");
      await archive.publish(published + hour);
      for (const name of ["Packages.asc", "Packages.sig"])
        archive.mirror.put(`feeds/base/${name}`, old.get(name) ?? "");
      const good = await archive.lastGood();
      await archive.refuse(refused("bad_signature"), published + 2 * hour, "update");
      expect(archive.mirror.asked.filter((path) => path.endsWith("/Packages.gz"))).to.have.length(2);
      expect(await archive.lastGood()).to.equal(good);
    });
  });

  it("new index with old signature for a moment: the retry accepts it", async () => {
    await inUse(async (archive) => {
      const old = await kept(archive);
      await archive.addPackage("gamma");
      await archive.publish(published + hour);
      const next = await kept(archive);
      for (const name of ["Packages.asc", "Packages.sig"]) {
        let asked = 0;
        archive.mirror.behave(`feeds/base/${name}`, (socket, request) => {
          asked += 1;
          plain(200, (asked === 1 ? old : next).get(name) ?? "")(socket, request);
        });
      }
      const good = await archive.lastGood();
      await archive.accept(published + 2 * hour, "update");
      expect(await archive.lastGood()).to.not.equal(good);
    });
  });

  it("an index that became empty: kept out until it is allowed", async () => {
    await inUse(async (archive) => {
      for (const name of ["alpha_1.0-1_all.ipk", "beta_2.0-1_all.ipk"]) await fs.rm(archive.file(name));
      const config = ["publish", "--config", archive.config];
      await archive.refuseKeeper({ code: "not_found", status: 66 }, published + hour, ...config);
      await archive.publish(published + hour, "--allow-empty");
      const good = await archive.lastGood();
      await archive.refuse(refused("stale"), published + 2 * hour, "update");
      await archive.refuse(refused("stale"), published + 2 * hour, "verify", archive.file("Packages"));
      expect(await archive.lastGood()).to.equal(good);
      await archive.accept(published + 2 * hour, "update", "--allow-empty");
      expect(await archive.lastGood()).to.not.equal(good);
    });
  });

  for (const [how, change] of [
    ["404", (archive: TestArchive, path: string) => archive.mirror.drop(path)],
    ["empty", (archive: TestArchive, path: string) => archive.mirror.put(path, "")],
  ] as const) {
    it(`was signed, now unsigned (${how}): no_signature, and the last good one stays`, async () => {
      await inUse(async (archive) => {
        await archive.addPackage("gamma");
        await archive.publish(published + hour);
        for (const name of ["Packages.asc", "Packages.sig"]) change(archive, `feeds/base/${name}`);
        await archive.refuse(refused("no_signature"), published + 2 * hour, "update");
        await archive.accept(published + 2 * hour, ...fetchAlpha(archive));
        await archive.expectOut("alpha_1.0-1_all.ipk");
      });
    });
  }
});
