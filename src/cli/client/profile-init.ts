/**
 * Runs `feedkey profile init`: writes a profile. The user gives the seed's fingerprint; the seed's certificate comes from the
 * archive's bundle.
 */

import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { initProfile, singleNames } from "../../client/profiles/init-profile.ts";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { readError } from "../../files/system-error.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { oneOf } from "../usage-error.ts";
import type { ProfileInitOptions } from "./profile.ts";

function feedsOf(texts: readonly string[]) {
  return texts.map((text) => {
    const [name = "", path = ""] = [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)];
    if (text.includes("=") && name !== "" && path !== "") return { name, path };
    throw new FeedkeyError("usage", `"${text}" is not a feed for --feed`, {
      hint: "write --feed NAME=PATH, where PATH is the feed's folder below the URL",
    });
  });
}

/** Reads the file with the [feed] sections. @throws FeedkeyError `not_found` if it can't be read */
async function sectionsIn(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await (file === "-" ? text(process.stdin) : readFile(file, "utf8"));
  } catch (error) {
    throw readError(error, file);
  }
}

function keyserversOf(text: string | undefined): readonly string[] | undefined {
  return text === "none" ? [] : text?.split(/\s*,\s*/);
}

/** Writes the profile and its keyring; after an error, neither. @throws FeedkeyError as `initProfile` does */
export async function init(context: Context, address: string, options: ProfileInitOptions): Promise<Outcome> {
  const { fingerprint: fingerprints, output: folder, name, ca, keyserverCa, force } = options;
  const { at, reporter } = context;
  const { file, seeds, identity, keyring } = await initProfile(address, {
    ...{ fingerprints, folder, name, ca, keyserverCa, force, at, offline: context.options.offline, reporter },
    feeds: feedsOf(options.feed ?? []),
    sections: await sectionsIn(options.feeds),
    format: oneOf(options.format, singleNames, "format"),
    keyservers: keyserversOf(options.keyservers),
  });
  const called = identity.kind === "user-id" ? identity.userId : `<${identity.email}>`;
  const lines = [
    `wrote ${escapeText(file)} with seed ${seeds.join(", ")} (${escapeText(called)})`,
    `key servers: ${options.keyservers ?? "none"}`,
    `next: feedkey --profile ${file} update`,
  ];
  const named = identity.kind === "user-id" ? { userId: identity.userId } : { userEmail: identity.email };
  return { text: lines.join("\n"), json: { file, seeds, ...named, keyring } };
}
