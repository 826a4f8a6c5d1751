/** Finds the state of a profile (T5): another profile with the same name must not use its accepted keys and dates. */
import { FeedkeyError } from "../error.ts";
import { parseLedger } from "./ledger.ts";
import { fileNameFor, namesIn, readStateFile } from "./state-file.ts";
import { type StatePlaces, statePlaces } from "./state-places.ts";

/** Separates a profile's name from the seed in the name of its folder, if two profiles have one name; no name contains it. */
const separator = "~";

/**
 * Whether a state is that of a profile with these seeds: one of them was a seed of the profile that wrote it last, or was
 * accepted as a key of its chain. So seeds may be added and dropped, and a seed may be replaced by its successor.
 * @returns undefined if there is no state yet, or one that can't be read: opening it gives the error
 */
async function isBoundTo(places: StatePlaces, seeds: readonly string[]): Promise<boolean | undefined> {
  try {
    const bytes = await readStateFile(places.ledger);
    if (bytes === undefined) return undefined;
    const ledger = parseLedger(bytes, places.ledger, places.profile);
    const chain = [...ledger.keys].filter(([, { role }]) => role !== "delegate").map(([fingerprint]) => fingerprint);
    const known = new Set([...(ledger.seeds ?? []), ...chain]);
    return known.size === 0 ? undefined : seeds.some((seed) => known.has(seed));
  } catch (error) {
    if (error instanceof FeedkeyError) return undefined;
    throw error;
  }
}

/**
 * The folder of a profile's state: that of its name, unless it is bound to seeds of which this profile has none. Then the
 * profile has a separate folder beside it.
 * @param seeds fingerprints that the profile lists
 * @throws FeedkeyError `bad_profile` when the profile's name cannot be the name of a folder; `bad_state`
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
