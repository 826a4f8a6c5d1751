/** Moves a profile and the files that it names to another place. */
import { FeedkeyError } from "../error.ts";
import { errorsOf } from "./config-error.ts";
import { encodeValue, readIni } from "./ini.ts";
import { readProfile } from "./read-profile.ts";
import type { Profile } from "./types.ts";

/** The paths of a profile's files after the move, relative to the profile; undefined for a file that the profile does not name. */
interface ProfilePlaces {
  readonly keyring: string;
  readonly ca: string | undefined;
  readonly keyserverCa: string | undefined;
}

/** Returns the settings that the move must not change. */
function essence({ archive, trust, feeds, variables }: Profile): string {
  const places = { keyring: "", ca: "", keyserverCa: "" };
  return JSON.stringify([{ ...archive, ...places }, { ...trust, ...places }, feeds, variables]);
}

/**
 * Returns the text of a profile whose files have moved. Only the lines that name these files change.
 * @param file the path of the file with the text, for messages
 * @throws FeedkeyError `bad_profile` if the text is not a valid profile
 */
export function relocateProfile(text: string, file: string, places: ProfilePlaces): string {
  const sections = readIni(text, errorsOf("bad_profile", file));
  const lines = text.split("\n");
  for (const [section, key, value] of [
    ["archive", "ca", places.ca],
    ["trust", "keyring", places.keyring],
    ["trust", "keyserver-ca", places.keyserverCa],
  ] as const) {
    const line = sections.find(({ name }) => name === section)?.values.get(key)?.line;
    if (line === undefined || value === undefined) continue;
    const end = lines[line - 1]?.endsWith("\r") === true ? "\r" : "";
    lines[line - 1] = `${key} = ${encodeValue(value)}${end}`;
  }
  const moved = lines.join("\n");
  if (essence(readProfile(moved, file)) !== essence(readProfile(text, file))) {
    throw new FeedkeyError("internal", `${file} can't be moved without changing its meaning`);
  }
  return moved;
}
