import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { FeedkeyError } from "../../src/error.ts";
import { ClientState } from "../../src/store/client-state.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { diesAt, forgetLocks } from "../testkit/programs/crash.ts";
import { fingerprintA, inScratch, refusal } from "../testkit/scratch.ts";
import { sampleIndex, sampleLedger } from "./sample-state.ts";

/** What a state remembers, in one line: index, certificate, number of keys. */
async function memory(root: string): Promise<string> {
  const state = await ClientState.open(root, "proteanos");
  try {
    const last = await state.lastIndex("base");
    const index = last === undefined ? "-" : await fs.readFile(last.indexPath, "utf8");
    const signature = last === undefined ? "-" : await fs.readFile(last.signaturePath, "utf8");
    const certificate = state.certificates().get(fingerprintA);
    const recorded = state.ledger.feeds.get("base")?.createdAt;
    expect(recorded, "the memory against rollback").to.equal(last?.meta.createdAt);
    return [index, signature, certificate ?? "-", `${state.ledger.keys.size} keys`].map(String).join(", ");
  } finally {
    await state.close();
  }
}

async function oneRun(root: string, n: number): Promise<void> {
  const state = await ClientState.open(root, "proteanos");
  await state.putCertificates(new Map([[fingerprintA, Buffer.from(`certificate ${n}`)]]));
  await state.acceptIndex("base", sampleIndex(n));
  await state.saveLedger(sampleLedger);
  await state.close();
}

/** Kills an action at each of its calls in turn, each time on a new folder, until it gets to its end. */
async function killEverywhere(
  prepare: (folder: string) => Promise<void>,
  action: (folder: string) => Promise<unknown>,
  check: (folder: string) => Promise<void>,
): Promise<number> {
  for (let n = 0; ; n += 1) {
    let died = false;
    await inScratch(async (scratch) => {
      const folder = join(scratch, "store");
      await prepare(folder);
      died = (await diesAt(n, () => action(folder))) === undefined;
      await forgetLocks(folder);
      await check(folder);
    });
    if (!died) return n;
  }
}

describe("store: killed at any write", () => {
  it("leaves the old client state or the new one, and the next run goes on", async () => {
    const seen = new Set<string>();
    const calls = await killEverywhere(
      (root) => oneRun(root, 1),
      (root) => oneRun(root, 2),
      async (root) => {
        seen.add(await memory(root));
        const feeds = (await fs.readdir(join(root, "proteanos", "feeds"))).sort();
        expect(feeds, "strays").to.have.length(2);
        expect(feeds[1]).to.equal("base");
        expect(await fs.readdir(join(root, "proteanos", "certs"))).to.deep.equal([`${fingerprintA}.pgp`]);
        await oneRun(root, 2);
        expect(await memory(root)).to.equal("index 2, signature 2, certificate 2, 2 keys");
      },
    );
    expect(calls).to.be.greaterThan(20);
    expect([...seen]).to.deep.equal([
      "index 1, signature 1, certificate 1, 2 keys",
      "index 1, signature 1, certificate 2, 2 keys",
      "index 2, signature 2, certificate 2, 2 keys",
    ]);
  });

  it("leaves no state or the new one when it is the first run", async () => {
    const seen = new Set<string>();
    await killEverywhere(
      async () => undefined,
      (root) => oneRun(root, 1),
      async (root) => {
        seen.add(await memory(root));
        await oneRun(root, 1);
        expect(await memory(root)).to.equal("index 1, signature 1, certificate 1, 2 keys");
      },
    );
    expect([...seen]).to.deep.equal([
      "-, -, -, 0 keys",
      "-, -, certificate 1, 0 keys",
      "index 1, signature 1, certificate 1, 0 keys",
      "index 1, signature 1, certificate 1, 2 keys",
    ]);
  });

  it("never forgets an accepted index, when that is all that was ever saved", async () => {
    const accept = async (root: string) => {
      const state = await ClientState.open(root, "proteanos");
      await state.acceptIndex("base", sampleIndex(2));
      await state.close();
    };
    await killEverywhere(
      async () => undefined,
      accept,
      async (root) => {
        if ((await memory(root)).startsWith("-")) return;
        // It was the run before this one that healed the ledger: now the feed's own files may go, it is remembered.
        await fs.rm(join(root, "proteanos", "feeds"), { recursive: true });
        expect((await refusal(ClientState.open(root, "proteanos"))).code).to.equal("bad_state");
      },
    );
  });

  it("resets wholly, or is loudly gone, or has not begun", async () => {
    const seen = new Set<string>();
    await killEverywhere(
      (root) => oneRun(root, 1),
      async (root) => (await ClientState.open(root, "proteanos", { reset: true })).close(),
      async (root) => {
        seen.add(await memory(root).catch((error: unknown) => (error instanceof FeedkeyError ? error.code : "?")));
        await (await ClientState.open(root, "proteanos", { reset: true })).close();
        expect(await memory(root)).to.equal("-, -, -, 0 keys");
      },
    );
    expect([...seen]).to.deep.equal(["index 1, signature 1, certificate 1, 2 keys", "bad_state", "-, -, -, 0 keys"]);
  });

  it("leaves no secret key without its certificate and revocations", async () => {
    const key = {
      fingerprint: fingerprintA,
      privateKey: "secret",
      certificate: "certificate",
      revocations: { compromised: "c", superseded: "s", retired: "r" },
    };
    const outcomes = new Set<boolean>();
    await killEverywhere(
      async () => undefined,
      async (folder) => (await KeyStore.open(folder)).add(key),
      async (folder) => {
        const store = await KeyStore.open(folder);
        const whole = await store.hasPrivate(fingerprintA);
        outcomes.add(whole);
        if (!whole) await store.add(key);
        expect(await store.privateKey(fingerprintA)).to.equal("secret");
        expect(await store.certificate(fingerprintA)).to.equal("certificate");
        expect(await store.revocation(fingerprintA, "compromised")).to.equal("c");
        await store.exclusive(async () => undefined);
        expect(await fs.readdir(join(folder, "private"))).to.deep.equal([`${fingerprintA}.asc`]);
      },
    );
    expect([...outcomes]).to.deep.equal([false, true]);
  });
});
