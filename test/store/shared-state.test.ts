import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { bytesOf } from "../../src/content.ts";
import { acquireLock } from "../../src/files/lock.ts";
import { SharedState } from "../../src/store/shared-state.ts";
import { fingerprintA, fingerprintB, refusal } from "../testkit/scratch.ts";
import { inState, once, sampleIndex, sampleLedger } from "./sample-state.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const open = (root: string) => SharedState.open(root, "proteanos", [fingerprintA]);

describe("store/shared-state", () => {
  it("creates nothing until something is written, and holds no lock before, between and after writes", () =>
    inState(async (root, folder) => {
      const shared = await open(root);
      expect(await fs.readdir(join(root, "..")), "nothing was made").to.deep.equal([]);
      for (const n of [1, 2]) {
        expect(await shared.write((state) => state.putCertificates(new Map([[fingerprintA, bytes(`${n}`)]])))).to.equal(
          true,
        );
        await (await acquireLock(folder, { waitMs: 0 })).release();
      }
      expect((await open(root)).certificates().get(fingerprintA)).to.deep.equal(bytes("2"));
    }));

  it("reads while another run holds the lock", () =>
    inState(async (root) => {
      await once(root, async (state) => {
        await state.putCertificates(new Map([[fingerprintA, bytes("a")]]));
        expect((await open(root)).certificates().size).to.equal(1);
      });
    }));

  it("lets no other run in while it writes", () =>
    inState(async (root, folder) => {
      const shared = await open(root);
      await shared.write(async () => {
        expect((await refusal(acquireLock(folder, { waitMs: 0 }))).code).to.equal("locked");
      });
    }));

  // What another run writes after this one has read.
  for (const [what, meanwhile] of [
    [
      "a new certificate",
      (other: SharedState) => other.write((state) => state.putCertificates(new Map([[fingerprintB, bytes("b")]]))),
    ],
    [
      "more about a certificate",
      (other: SharedState) =>
        other.write((state) => state.putCertificates(new Map([[fingerprintA, bytes("a, revoked")]]))),
    ],
    ["accepted keys", (other: SharedState) => other.write((state) => state.saveLedger(sampleLedger))],
    [
      "a newer index of the feed",
      (other: SharedState) => other.write((state) => state.acceptIndex("base", sampleIndex(2))),
    ],
  ] as const) {
    it(`writes nothing over ${what}, but reads it and then goes on`, () =>
      inState(async (root) => {
        await once(root, (state) => state.putCertificates(new Map([[fingerprintA, bytes("a")]])));
        const shared = await open(root);
        expect(await meanwhile(await open(root))).to.equal(true);
        let ran = false;
        const write = () =>
          shared.write(async (state) => {
            ran = true;
            await state.putCertificates(new Map([["C".repeat(40), bytes("c")]]));
          }, "base");
        expect([await write(), ran]).to.deep.equal([false, false]);
        expect(shared.snapshot).to.deep.equal((await open(root)).snapshot);
        expect([await write(), ran]).to.deep.equal([true, true]);
        const now = await open(root);
        expect(now.certificates().size).to.equal(what === "a new certificate" ? 3 : 2);
        expect(now.ledger.feeds.size).to.equal(what === "a newer index of the feed" ? 1 : 0);
        expect(now.ledger.keys.size).to.equal(what === "accepted keys" ? 2 : 0);
      }));
  }

  it("is not stopped by checks, nor by another feed's index, and loses neither", () =>
    inState(async (root) => {
      await once(root, (state) => state.saveLedger({ keys: sampleLedger.keys, checks: new Map() }));
      const shared = await open(root);
      const other = await open(root);
      await other.write((state) => state.saveLedger(sampleLedger));
      await other.write((state) => state.acceptIndex("other", sampleIndex(1)));
      expect(await shared.write((state) => state.acceptIndex("base", sampleIndex(1)), "base")).to.equal(true);
      const { ledger } = await open(root);
      expect([...ledger.feeds.keys()].sort()).to.deep.equal(["base", "other"]);
      expect(ledger.checks).to.deep.equal(sampleLedger.checks);
    }));

  it("never goes back, whatever it read before", () =>
    inState(async (root) => {
      const shared = await open(root);
      await once(root, (state) => state.acceptIndex("base", sampleIndex(2)));
      const error = await refusal(shared.write((state) => state.acceptIndex("base", sampleIndex(1))));
      expect(error.code).to.equal("rollback");
      expect((await shared.lastIndex("base"))?.meta.entries).to.equal(2);
    }));

  it("gives up as locked when others keep writing", () =>
    inState(async (root) => {
      const shared = await open(root);
      const outcomes = [];
      for (let n = 0; n < 10; n++) {
        await once(root, (state) => state.putCertificates(new Map([[fingerprintA, bytes(`${n}`)]])));
        outcomes.push(await shared.write(async () => undefined).catch((error: { code: string }) => error.code));
      }
      expect(outcomes).to.deep.equal([...Array<boolean>(9).fill(false), "locked"]);
    }));

  it("notices damage, when it reads and before it writes", () =>
    inState(async (root, folder) => {
      await once(root, (state) => state.putCertificates(new Map([[fingerprintA, bytes("a")]])));
      const shared = await open(root);
      await fs.rm(join(folder, "ledger.json"));
      expect((await refusal(open(root))).code).to.equal("bad_state");
      expect((await refusal(shared.write(async () => undefined))).code).to.equal("bad_state");
      expect((await SharedState.open(root, "proteanos", [fingerprintA], true)).initialised).to.equal(false);
    }));

  it("hands over an index with its signature while another run replaces both", () =>
    inState(async (root) => {
      await once(root, (state) => state.acceptIndex("base", sampleIndex(1)));
      const shared = await open(root);
      await once(root, async (state) => {
        let writing = true;
        const write = async () => {
          for (let n = 2; n <= 10; n += 1) await state.acceptIndex("base", sampleIndex(n));
          writing = false;
        };
        const read = async () => {
          while (writing) {
            const last = await shared.lastIndex("base");
            const n = last?.meta.entries;
            expect(
              [last && bytesOf(last.index), last?.signature].map((one) => Buffer.from(one ?? []).toString()),
            ).to.deep.equal([`index ${n}`, `signature ${n}`]);
          }
        };
        await Promise.all([write(), read()]);
      });
      expect(await shared.lastIndex("other")).to.equal(undefined);
    }));
});
