import { join, resolve } from "node:path";
import { fileNameFor } from "./state-file.ts";

/** The paths of the files and folders of one profile's state. */
export interface StatePlaces {
  readonly profile: string;
  /** The absolute path of the state folder. */
  readonly root: string;
  /** The profile's own folder, below `root`. */
  readonly folder: string;
  readonly ledger: string;
  readonly certificates: string;
  /** The file of revocations and related packets (T4), in the form of a keyring. */
  readonly revocations: string;
  readonly feeds: string;
  /** The folder for copies of key bundles. These copies may be lost without harm. */
  readonly bundles: string;
  /** An empty file outside the profile's folder. It shows that a state existed, even if the whole folder is gone. */
  readonly marker: string;
}

/**
 * Returns the paths of a profile's state.
 * @param name the name of the profile's folder
 * @throws FeedkeyError `bad_profile` if the profile's name can't be the name of a folder
 */
export function statePlaces(stateFolder: string, profile: string, name = fileNameFor(profile)): StatePlaces {
  const root = resolve(stateFolder);
  const folder = join(root, name);
  return {
    profile,
    root,
    folder,
    ledger: join(folder, "ledger.json"),
    certificates: join(folder, "certs"),
    revocations: join(folder, "revocations.pgp"),
    feeds: join(folder, "feeds"),
    bundles: join(folder, "bundles"),
    // An encoded name never begins with a dot, so `.initialised` can't be a profile's folder.
    marker: join(root, ".initialised", name),
  };
}
