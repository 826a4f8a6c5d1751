/** Finds the state of a profile (T5). If another profile has the same name, it must not use this profile's accepted keys and dates. */
import { FeedkeyError, orRefusal } from "../error.ts";
import { parseLedger } from "./ledger.ts";
import { fileNameFor, namesIn, readStateFile } from "./state-file.ts";
import { type StatePlaces, statePlaces } from "./state-places.ts";

/**
 * Separates the profile's name from the seed in the name of a second folder, for two profiles with the same name. No encoded name contains
 * this character.
 */
const separator = "~";

/**
 * Whether a state belongs to a profile with these seeds: at the last write, one of the seeds was a seed of the profile or an accepted key
 * of its chain. So keepers may add and drop seeds in a profile, and replace a seed by its successor.
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
 * Returns the paths of a profile's state. The folder has the profile's name, unless the state in this folder is bound to other seeds. Then
 * the profile has a separate folder beside it.
 * @param seeds the fingerprints of the seeds that the profile lists
 * @throws FeedkeyError `bad_profile` if the profile's name can't be the name of a folder; `bad_state` if the ledger can't be read
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
