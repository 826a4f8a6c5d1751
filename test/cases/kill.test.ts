// State and archive side: kill -9 at any write leaves the old state or the new, never half. Each run dies at its n-th step
// that changes the disk, on a copy of one starting point. Real processes are killed in `test/faults/kills.test.ts`.
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { ClientStateView } from "../../src/store/client-state-view.ts";
import { hour, inArchive, inUse, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { at, freshClient, killEverywhere } from "../testkit/programs/kill.ts";
import { finalNames, leftovers } from "../testkit/snapshot.ts";

const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const read = (path: string) => fs.readFile(path).catch(() => undefined);

describe("cases: kill -9", function () {
  this.timeout(300_000);

  const bothForms = ["Packages.gz", "Packages"];

  it("publish: every client still gets a matching pair, of the old index or the new; the next run finishes", async () => {
    await inUse(async (start) => {
      const old = digestOf(await fs.readFile(start.file("Packages")));
      await start.addPackage("gamma");
      const publish = (copy: TestArchive) => copy.keeperArgs(published + hour, "publish", "--config", copy.config);
      const model = await start.copy();
      expect((await runHere(publish(model))).status).to.equal(0);
      const next = digestOf(await fs.readFile(model.file("Packages")));
      await model.removeFolder();
      const seen = new Set<string>();
      const steps = await killEverywhere({
        start,
        args: publish,
        check: async (copy) => {
          const plain = await fs.readFile(copy.file("Packages"));
          const unzipped = gunzipSync(await fs.readFile(copy.file("Packages.gz")));
          expect([digestOf(plain), digestOf(unzipped)], "whole files").to.satisfy((both: string[]) =>
            both.every((one) => one === old || one === next),
          );
          for (const index of bothForms) {
            const got = await freshClient(copy, index);
            expect(got, `a new client that asks for ${index}`).to.be.oneOf([old, next]);
            seen.add(`${index} ${got === old ? "old" : "new"}`);
          }
          await copy.accept(at, "update");
          expect(await copy.lastGood(), "a client in use").to.be.oneOf([old, next]);
          const again = await runHere(publish(copy));
          expect(again.status, again.stdout).to.equal(0);
          expect(await leftovers(copy.site)).to.deep.equal([]);
          for (const index of bothForms) expect(await freshClient(copy, index), "after the next run").to.equal(next);
        },
      });
      expect(steps).to.be.greaterThan(30);
      expect([...seen]).to.have.members(["Packages.gz old", "Packages old", "Packages new", "Packages.gz new"]);
    });
  });

  it("the first publish: a client gets the whole index or none", async () => {
    await inArchive(async (start) => {
      const next = digestOf(await fs.readFile(start.file("Packages")));
      for (const name of ["Packages", "Packages.gz", "Packages.asc", "Packages.sig"]) await fs.rm(start.file(name));
      await fs.rm(join(start.site, "keys"), { recursive: true });
      const publish = (copy: TestArchive) => copy.keeperArgs(published, "publish", "--config", copy.config);
      await killEverywhere({
        start,
        args: publish,
        check: async (copy) => {
          expect(await freshClient(copy, "Packages")).to.be.oneOf([undefined, next]);
          expect((await runHere(publish(copy))).status).to.equal(0);
          for (const index of bothForms) expect(await freshClient(copy, index)).to.equal(next);
          expect(await leftovers(copy.site)).to.deep.equal([]);
        },
      });
    });
  });

  it("sign: a signature that fits is always there", async () => {
    await inArchive(async (start) => {
      const sign = (copy: TestArchive) =>
        copy.keeperArgs(published + hour, "sign", copy.file("Packages"), "--key", copy.key, "--feed", "base");
      const index = digestOf(await fs.readFile(start.file("Packages")));
      await killEverywhere({
        start,
        args: sign,
        check: async (copy) => {
          expect(await freshClient(copy, "Packages")).to.equal(index);
          expect((await runHere(sign(copy))).status).to.equal(0);
        },
      });
    });
  });

  /** The client's last accepted index, read as another program would while the lock is still there. */
  async function remembered(copy: TestArchive): Promise<string | undefined> {
    const view = await ClientStateView.openReadOnly(copy.state, "example");
    const last = await view.lastIndex("base");
    if (last === undefined) return undefined;
    expect(digestOf(await fs.readFile(last.indexPath))).to.equal(last.meta.sha256);
    return last.meta.sha256;
  }

  it("update: the old last good index or the new one, whole; the next run goes on", async () => {
    await inUse(async (start) => {
      const old = await start.lastGood();
      await start.addPackage("gamma");
      await start.publish(published + hour);
      const next = digestOf(await fs.readFile(start.file("Packages")));
      const seen = new Set<string | undefined>();
      const steps = await killEverywhere({
        start,
        args: (copy) => copy.clientArgs(at, "update"),
        check: async (copy) => {
          const got = await remembered(copy);
          expect(got).to.be.oneOf([old, next]);
          seen.add(got);
          await copy.accept(at, "fetch", "alpha", "-o", copy.out);
          await copy.accept(at, "update");
          expect(await remembered(copy)).to.equal(next);
          const feeds = await fs.readdir(join(copy.state, "example", "feeds"));
          expect(feeds, "one generation and the link to it").to.have.length(2);
          expect(await leftovers(copy.state)).to.deep.equal([]);
        },
      });
      expect(steps).to.be.greaterThan(20);
      expect([...seen]).to.have.members([old, next]);
    });
  });

  it("the first update: nothing accepted or all of it, and never a state that needs consent", async () => {
    await inArchive(async (start) => {
      const next = digestOf(await fs.readFile(start.file("Packages")));
      await killEverywhere({
        start,
        args: (copy) => copy.clientArgs(at, "update"),
        check: async (copy) => {
          expect(await remembered(copy)).to.be.oneOf([undefined, next]);
          await copy.accept(at, "update");
          expect(await remembered(copy)).to.equal(next);
          expect(await leftovers(copy.state)).to.deep.equal([]);
        },
      });
    });
  });

  it("fetch: only whole, verified packages under final names; the next run fetches the rest", async () => {
    await inUse(async (start) => {
      const names = ["alpha_1.0-1_all.ipk", "beta_2.0-1_all.ipk"];
      const steps = await killEverywhere({
        start,
        args: (copy) => copy.clientArgs(at, "fetch", "--all", "-o", copy.out),
        check: async (copy) => {
          for (const name of await finalNames(copy.out)) {
            const [got, original] = [await read(join(copy.out, name)), await read(copy.file(name))];
            expect(original?.equals(got ?? new Uint8Array()), name).to.equal(true);
          }
          expect(await remembered(copy)).to.equal(await start.lastGood());
          await copy.accept(at, "fetch", "--all", "-o", copy.out);
          expect(await finalNames(copy.out)).to.deep.equal(names);
        },
      });
      expect(steps).to.be.greaterThan(10);
    });
  });
});
