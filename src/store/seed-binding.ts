/** Finds the state of a profile (T5): another profile with the same name must not use the profile's accepted keys and dates. */
import { FeedkeyError, orRefusal } from "../error.ts";
import { parseLedger } from "./ledger.ts";
import { fileNameFor, namesIn, readStateFile } from "./state-file.ts";
import { type StatePlaces, statePlaces } from "./state-places.ts";

/**
 * If two profiles have the same name, separates the name from the seed in the name of the second folder. No encoded name
 * contains this character.
 */
const separator = "~";

/**
 * Whether a state belongs to a profile with these seeds: one of the seeds was a seed of the profile at the last write, or
 * was accepted as a key of its chain. So a profile may add and drop seeds, and replace a seed by its successor.
 * @returns undefined if no state exists yet, or the state can't be read: opening the state then reports the error
 */
async function isBoundTo(places: StatePlaces, seeds: readonly string[]): Promise<boolean | undefined> {
  const ledger = await orRefusal(async () => {
    const bytes = await readStateFile(places.ledger);
    return bytes && parseLedger(bytes, places.ledger, places.profile);
  });
  if (ledger === undefined || ledger instanceof FeedkeyError) return undefined;
  const chain = [...ledger.keys].filter(([, { role }]) => role !== "delegate").map(([fingerprint]) => fingerprint);
  const known = new Set([...(ledger.seeds ?? []), ...chain]);
  return known.size === 0 ? undefined : seeds.some((seed) => known.has(seed));
}

/**
 * Returns the places of a profile's state. The folder has the profile's name, unless the state in that folder is bound to
 * other seeds; then the profile has a separate folder beside it.
 * @param seeds the fingerprints of the seeds that the profile lists
 * @throws FeedkeyError `bad_profile` if the profile's name can't be the name of a folder; `bad_state`
 */
export async function boundPlaces(
  stateFolder: string,
  profile: string,
  seeds: readonly string[] | undefined,
): Promise<StatePlaces> {
  const usual = statePlaces(stateFolder, profile);
  if (seeds === undefined || seeds.length === 0 || (await isBoundTo(usual, seeds)) !== false) return usual;
  const prefix = `${fileNameFor(profile)}${separator}`;
  for (const name of await namesIn(usual.root)) {
    const places = name.startsWith(prefix) ? statePlaces(stateFolder, profile, name) : undefined;
    if (places !== undefined && (await isBoundTo(places, seeds)) === true) return places;
  }
  return statePlaces(stateFolder, profile, `${prefix}${[...seeds].sort()[0]}`);
}
