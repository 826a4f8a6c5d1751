/**
 * Which archive a state is about (T5): another profile that only has the same name must neither use what was learned for
 * this one, its accepted keys and dates of indexes, nor write into it.
 */
import { FeedkeyError } from "../error.ts";
import type { LedgerFile } from "./ledger.ts";

/**
 * A profile goes on with a state if one of its seeds was a seed of the profile that wrote it last, or was accepted as a key
 * of its chain: so seeds may be added and dropped, and a seed may give way to its successor. A state that has neither
 * is nobody's yet.
 * @param folder of the state, for messages
 * @param seeds of the profile that the state is opened for
 * @throws FeedkeyError `bad_state`
 */
export function refuseOtherSeeds(folder: string, ledger: LedgerFile, seeds: readonly string[]): void {
  const chain = [...ledger.keys].filter(([, { role }]) => role !== "delegate").map(([fingerprint]) => fingerprint);
  const known = new Set([...(ledger.seeds ?? []), ...chain]);
  if (known.size === 0 || seeds.some((seed) => known.has(seed))) return;
  const before = ledger.seeds ?? chain;
  throw new FeedkeyError(
    "bad_state",
    `the client state "${folder}" belongs to another archive: it was made with ${before.join(", ")}, of which this profile has no seed`,
    {
      details: { path: folder, seeds, before },
      hint: "two profiles have one name: give this one another, or a state of its own with --state; if the archive's keepers have replaced all its seeds, start again from them with --reset-state",
    },
  );
}
