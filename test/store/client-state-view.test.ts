import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { ClientStateView } from "../../src/store/client-state-view.ts";
import { replacing } from "../testkit/programs/crash.ts";
import { asNobody, fingerprintA, inScratch } from "../testkit/scratch.ts";
import { inState, once, sampleIndex } from "./sample-state.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

describe("store/client-state-view", () => {
  it("creates nothing and sees an empty state where there is none", () =>
    inScratch(async (scratch) => {
      const view = await ClientStateView.openReadOnly(join(scratch, "state"), "proteanos");
      expect(view.initialised).to.equal(false);
      expect(await view.lastIndex("base")).to.equal(undefined);
      expect(await fs.readdir(scratch)).to.deep.equal([]);
    }));

  it("reads while another run holds the lock, changes nothing, and needs no right to write", () =>
    inState(async (root, folder) => {
      await fs.chmod(join(root, ".."), 0o755);
      await once(root, async (state) => {
        await state.putCertificates(new Map([[fingerprintA, bytes("a")]]));
        await state.acceptIndex("base", sampleIndex(1));
        const before = await fs.readdir(folder, { recursive: true });
        await asNobody(async () => {
          const view = await ClientStateView.openReadOnly(root, "proteanos");
          expect((await view.lastIndex("base"))?.meta.entries).to.equal(1);
          expect(view.certificates().size).to.equal(1);
        });
        expect(await fs.readdir(folder, { recursive: true })).to.deep.equal(before);
      });
    }));

  it("looks again when another run changed the state between two of its reads", () =>
    inState(async (root) => {
      await once(root, async (state) => {
        await state.putCertificates(new Map([[fingerprintA, bytes("old")]]));
        let meanwhile: (() => Promise<void>) | undefined = () =>
          state.putCertificates(new Map([[fingerprintA, bytes("new")]]));
        const afterLedger = async (readFile: () => Promise<unknown>, path: string) => {
          const read = await readFile();
          const change = path.endsWith("ledger.json") ? meanwhile : undefined;
          meanwhile = change === undefined ? meanwhile : undefined;
          await change?.();
          return read;
        };
        await replacing("readFile", afterLedger, async () => {
          const view = await ClientStateView.openReadOnly(root, "proteanos");
          expect(Buffer.from(view.certificates().get(fingerprintA) ?? []).toString()).to.equal("new");
        });
        expect(meanwhile).to.equal(undefined);
      });
    }));

  it("sees a whole state at any moment of another run's writing", () =>
    inState(async (root) => {
      await once(root, async (state) => {
        let writing = true;
        const write = async () => {
          for (let n = 1; n <= 15; n += 1) {
            await state.acceptIndex("base", sampleIndex(n));
            await state.putCertificates(new Map([[fingerprintA, bytes(`certificate ${n}`)]]));
          }
          writing = false;
        };
        const read = async () => {
          for (let seen = 0; writing; ) {
            const view = await ClientStateView.openReadOnly(root, "proteanos");
            const entries = (await view.lastIndex("base"))?.meta.entries ?? 0;
            expect(entries).to.be.at.least(seen);
            seen = entries;
          }
        };
        await Promise.all([write(), read()]);
      });
    }));
});
