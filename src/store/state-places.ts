import { join, resolve } from "node:path";
import { fileNameFor } from "./state-file.ts";

/** The files and folders of one profile's state. */
export interface StatePlaces {
  readonly profile: string;
  /** `<state>`, absolute. */
  readonly root: string;
  /** `<state>/<profile>`. */
  readonly folder: string;
  readonly ledger: string;
  readonly certificates: string;
  /** Revocations and the like (T4), as a keyring. */
  readonly revocations: string;
  readonly feeds: string;
  /** Copies of key bundles, which may be lost. */
  readonly bundles: string;
  /** An empty file beside the profile's folder: it shows that there was a state, even if the whole folder is gone. */
  readonly marker: string;
}

/**
 * @param name of the profile's folder
 * @throws FeedkeyError `bad_profile` when the profile's name cannot be the name of a folder
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
    // fileNameFor never returns a leading dot, so this is not a profile's folder.
    marker: join(root, ".initialised", name),
  };
}
