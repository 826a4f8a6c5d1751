import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { ClientState } from "../../src/store/client-state.ts";
import { ClientStateView } from "../../src/store/client-state-view.ts";
import { asNobody, fingerprintA, inScratch, refusal } from "../testkit/scratch.ts";
import { sampleIndex, sampleLedger } from "./sample-state.ts";

interface Places {
  readonly root: string;
  readonly folder: string;
  readonly ledger: string;
  readonly feed: string;
  readonly certificate: string;
}

/** A state in use: a ledger, a certificate and an accepted index. */
async function inUsedState(action: (places: Places) => Promise<void>): Promise<void> {
  await inScratch(async (scratch) => {
    const root = join(scratch, "state");
    const folder = join(root, "proteanos");
    const state = await ClientState.open(root, "proteanos");
    await state.saveLedger(sampleLedger);
    await state.putCertificates(new Map([[fingerprintA, Buffer.from("certificate")]]));
    await state.acceptIndex("base", sampleIndex(1));
    await state.acceptIndex("base", sampleIndex(2));
    await state.close();
    await action({
      root,
      folder,
      ledger: join(folder, "ledger.json"),
      feed: join(folder, "feeds", "base"),
      certificate: join(folder, "certs", `${fingerprintA}.pgp`),
    });
  });
}

const damages: Record<string, (places: Places) => Promise<void>> = {
  "the profile's folder is deleted": ({ folder }) => fs.rm(folder, { recursive: true }),
  "the ledger is deleted": ({ ledger }) => fs.rm(ledger),
  "the ledger and the marker are deleted": async ({ root, ledger }) => {
    await fs.rm(ledger);
    await fs.rm(join(root, ".initialised"), { recursive: true });
  },
  "ledger, marker and feeds are deleted": async ({ root, folder, ledger }) => {
    await fs.rm(ledger);
    await fs.rm(join(root, ".initialised"), { recursive: true });
    await fs.rm(join(folder, "feeds"), { recursive: true });
  },
  "ledger, marker and certificates are deleted": async ({ root, folder, ledger }) => {
    await fs.rm(ledger);
    await fs.rm(join(root, ".initialised"), { recursive: true });
    await fs.rm(join(folder, "certs"), { recursive: true });
  },
  "the ledger is empty": ({ ledger }) => fs.truncate(ledger),
  "the ledger is a folder": async ({ ledger }) => {
    await fs.rm(ledger);
    await fs.mkdir(ledger);
  },
  "a certificate is deleted": ({ certificate }) => fs.rm(certificate),
  "all certificates are deleted": ({ folder }) => fs.rm(join(folder, "certs"), { recursive: true }),
  "a certificate is cut off": ({ certificate }) => fs.truncate(certificate, 4),
  "a certificate is another one": ({ certificate }) => fs.writeFile(certificate, "CERTIFICATE"),
  "the feed's link is deleted": ({ feed }) => fs.rm(feed),
  "all feeds are deleted": ({ folder }) => fs.rm(join(folder, "feeds"), { recursive: true }),
  "the feed's link leads nowhere": ({ folder }) => fs.rm(join(folder, "feeds", ".base.2"), { recursive: true }),
  "the feed's link leads elsewhere": async ({ folder, feed }) => {
    await fs.cp(`${feed}/`, join(folder, "outside.2"), { recursive: true });
    await fs.rm(feed);
    await fs.symlink("../outside.2", feed);
  },
  "the feed is a folder, not a link": async ({ feed }) => {
    await fs.rename(join(feed, "..", ".base.2"), `${feed}.moved`);
    await fs.rm(feed);
    await fs.rename(`${feed}.moved`, feed);
  },
  "the feed is another one": async ({ folder, feed }) => {
    await fs.rename(feed, join(folder, "feeds", "other"));
  },
  "the index is deleted": ({ feed }) => fs.rm(join(feed, "index")),
  "the index is cut off": ({ feed }) => fs.truncate(join(feed, "index"), 3),
  "the index is a link": async ({ feed }) => {
    await fs.rename(join(feed, "index"), join(feed, "moved"));
    await fs.symlink("moved", join(feed, "index"));
  },
  "the signature is deleted": ({ feed }) => fs.rm(join(feed, "signature")),
  "meta.json is deleted": ({ feed }) => fs.rm(join(feed, "meta.json")),
  "meta.json is newer than the program": async ({ feed }) => {
    const meta = JSON.parse(await fs.readFile(join(feed, "meta.json"), "utf8"));
    await fs.writeFile(join(feed, "meta.json"), JSON.stringify({ ...meta, version: 2 }));
  },
  "meta.json tells another date": async ({ feed }) => {
    const meta = await fs.readFile(join(feed, "meta.json"), "utf8");
    await fs.writeFile(join(feed, "meta.json"), meta.replace('"createdAt": "2026-02-02', '"createdAt": "2026-02-01'));
  },
  "meta.json tells another digest": async ({ feed }) => {
    const meta = JSON.parse(await fs.readFile(join(feed, "meta.json"), "utf8"));
    await fs.writeFile(join(feed, "meta.json"), JSON.stringify({ ...meta, sha256: "a".repeat(64) }));
  },
};

describe("store/client-state: damage", () => {
  for (const [what, damage] of Object.entries(damages)) {
    it(`is loud when ${what}, and starts again only with consent`, () =>
      inUsedState(async (places) => {
        await damage(places);
        const error = await refusal(ClientState.open(places.root, "proteanos"));
        expect(error.code).to.equal("bad_state");
        expect(error.message).to.include(places.folder);
        expect(error.hint).to.include("--reset-state");
        // It is not a matter of the first look.
        expect((await refusal(ClientState.open(places.root, "proteanos"))).message).to.equal(error.message);
        expect((await refusal(ClientStateView.openReadOnly(places.root, "proteanos"))).code).to.equal("bad_state");
        const state = await ClientState.open(places.root, "proteanos", { reset: true });
        expect(state.initialised).to.equal(false);
        expect(state.certificates().size).to.equal(0);
        await state.acceptIndex("base", sampleIndex(1));
        await state.close();
        const next = await ClientState.open(places.root, "proteanos");
        expect((await next.lastIndex("base"))?.meta.entries).to.equal(1);
        await next.close();
      }));
  }

  for (const file of ["index", "signature"]) {
    it(`is loud about another byte in the ${file} when that is asked for`, () =>
      inUsedState(async ({ root, feed }) => {
        const text = await fs.readFile(join(feed, file), "utf8");
        await fs.writeFile(join(feed, file), text.replace("2", "3"));
        const state = await ClientState.open(root, "proteanos");
        const error = await refusal(state.lastIndex("base"));
        await state.close();
        expect(error.code).to.equal("bad_state");
        expect(error.message).to.match(/does not match the digest that was recorded when it was accepted$/);
      }));
  }

  it("is loud when an older feed folder is put back whole", () =>
    inUsedState(async ({ root, folder, feed }) => {
      const kept = join(folder, "kept");
      await fs.cp(`${feed}/`, kept, { recursive: true });
      const state = await ClientState.open(root, "proteanos");
      await state.acceptIndex("base", sampleIndex(3));
      await state.close();
      await fs.rm(join(folder, "feeds", ".base.3"), { recursive: true });
      await fs.rename(kept, join(folder, "feeds", ".base.3"));
      const error = await refusal(ClientState.open(root, "proteanos"));
      expect(error.message).to.include("is older than the ledger says: somebody may have restored an old copy");
    }));

  it("puts back a marker that a killed first run did not come to write", () =>
    inUsedState(async ({ root, folder }) => {
      await fs.rm(join(root, ".initialised"), { recursive: true });
      await (await ClientState.open(root, "proteanos")).close();
      await fs.rm(folder, { recursive: true });
      expect((await refusal(ClientState.open(root, "proteanos"))).code).to.equal("bad_state");
    }));

  it("passes over certificates that it did not put there", () =>
    inUsedState(async ({ root, folder }) => {
      await fs.writeFile(join(folder, "certs", `${"B".repeat(40)}.pgp`), "a gift");
      const state = await ClientState.open(root, "proteanos");
      await state.close();
      expect([...state.certificates().keys()]).to.deep.equal([fingerprintA]);
    }));

  it("resets one profile and leaves the others", () =>
    inUsedState(async ({ root }) => {
      const other = await ClientState.open(root, "debian");
      await other.acceptIndex("base", sampleIndex(1));
      await other.close();
      await (await ClientState.open(root, "proteanos", { reset: true })).close();
      const view = await ClientStateView.openReadOnly(root, "debian");
      expect((await view.lastIndex("base"))?.meta.entries).to.equal(1);
    }));

  for (const mode of [0o775, 0o757, 0o1777]) {
    it(`refuses a folder of mode ${mode.toString(8)}, which others can write to`, () =>
      inUsedState(async ({ root, folder }) => {
        for (const path of [root, folder]) {
          await fs.chmod(path, mode);
          for (const open of [
            () => ClientState.open(root, "proteanos", { reset: true }),
            () => ClientStateView.openReadOnly(root, "proteanos"),
          ]) {
            const error = await refusal(open());
            expect(error.code).to.equal("bad_state");
            expect(error.message).to.include(`other users can write to the folder "${path}"`);
            expect(error.hint).to.include(`chmod go-w '${path}'`);
          }
          await fs.chmod(path, 0o755);
        }
      }));
  }

  it("says that it may not read it, and does not call for a reset then", () =>
    inUsedState(async ({ root, ledger }) => {
      await fs.chmod(join(root, ".."), 0o755);
      await fs.chmod(ledger, 0o000);
      const error = await asNobody(() => refusal(ClientStateView.openReadOnly(root, "proteanos")));
      expect(error.code).to.equal("bad_state");
      expect(error.message).to.include("cannot be read: permission denied");
      expect(error.hint).to.not.include("--reset-state");
    }));
});
