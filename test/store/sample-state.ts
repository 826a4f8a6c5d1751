import { join } from "node:path";
import { ClientState } from "../../src/store/client-state.ts";
import type { AcceptedIndex } from "../../src/store/feed-meta.ts";
import type { LedgerFile } from "../../src/store/ledger.ts";
import { sha256 } from "../../src/store/state-file.ts";
import { fingerprintA, fingerprintB, inScratch } from "../testkit/scratch.ts";

const day = 86_400_000;
export const start = Date.UTC(2026, 0, 31, 12);

/** Date of the n-th index. */
export function dated(n: number): number {
  return start + n * day;
}

export interface SampleIndex {
  readonly index: Uint8Array;
  readonly signature: Uint8Array;
  readonly meta: AcceptedIndex;
}

/** The n-th index of a feed, ready for `acceptIndex`. */
export function sampleIndex(n: number, text = `index ${n}`): SampleIndex {
  const index = Buffer.from(text);
  return {
    index,
    signature: Buffer.from(`signature ${n}`),
    meta: {
      createdAt: dated(n),
      sha256: sha256(index),
      acceptedAt: dated(n) + 60_000,
      signers: [{ certificate: fingerprintA, signingKey: fingerprintB, createdAt: dated(n) }],
      source: "https://files.example.org/base/Packages",
      entries: n,
    },
  };
}

/** A ledger with something of everything. */
export const sampleLedger: LedgerFile = {
  keys: new Map([
    [
      fingerprintA,
      { acceptedAt: start, role: "seed" as const, from: undefined, wasLive: true, end: undefined, passed: [] },
    ],
    [
      fingerprintB,
      {
        acceptedAt: start + day,
        role: "successor" as const,
        from: fingerprintA,
        wasLive: true,
        end: start + 365 * day,
        passed: [start],
      },
    ],
  ]),
  checks: new Map([
    [fingerprintA, { lastGoodAt: start, outcome: "found" as const, everFound: true }],
    [fingerprintB, { lastGoodAt: start, outcome: "absent" as const, everFound: false }],
  ]),
  feeds: new Map([["base", { createdAt: start, sha256: sha256("index") }]]),
  certificates: new Map([
    [fingerprintA, { sha256: sha256("a") }],
    [fingerprintB, { sha256: sha256("b"), previous: null }],
  ]),
};

/** A folder for states that does not exist yet, and that of one profile in it. */
export async function inState(action: (root: string, folder: string) => Promise<void>): Promise<void> {
  await inScratch((scratch) => action(join(scratch, "state"), join(scratch, "state", "proteanos")));
}

/** Opens, acts and closes, as one run does. */
export async function once<T>(
  root: string,
  action: (state: ClientState) => Promise<T>,
  profile = "proteanos",
): Promise<T> {
  const state = await ClientState.open(root, profile);
  try {
    return await action(state);
  } finally {
    await state.close();
  }
}
