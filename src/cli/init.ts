/** Runs `feedkey init`: asks the user the questions for a first run, and writes the files. */
import { join, resolve } from "node:path";
import { fullFingerprint, initProfile, singleNames } from "../client/profiles/init-profile.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { profileSearchPath } from "../files/paths.ts";
import { initArchive, isSuite, publishedNames } from "../keeper/init-archive.ts";
import { openArchive } from "../keeper/open-archive.ts";
import { type Person, personHere } from "./asking/ask.ts";
import { newPassphrase } from "./asking/passphrase.ts";
import type { Context } from "./context.ts";
import type { Outcome } from "./run.ts";

type Ask = <T>(question: string, read: (text: string) => T, fallback?: string) => Promise<T>;

/** Returns a function that repeats a question until `read` accepts the answer. An empty line stands for the answer `fallback`. */
function asking({ reporter }: Context, person: Person): Ask {
  return async (question, read, fallback = "") => {
    for (;;) {
      const text = (await person.ask(`${question}${fallback === "" ? "" : ` [${fallback}]`}: `)).trim() || fallback;
      try {
        return read(text);
      } catch (error) {
        if (!(error instanceof FeedkeyError)) throw error;
        reporter.line("error", error.message);
      }
    }
  };
}

const needed = (text: string) => {
  if (text !== "") return text;
  throw new FeedkeyError("usage", "an answer is needed");
};

function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new FeedkeyError("usage", `"${text}" is not one of ${words.join(", ")}`);
  };
}

async function initKeeper(context: Context, person: Person, ask: Ask, folder: string): Promise<Outcome> {
  const userId = await ask("name of the archive with an address, as Example Archive <archive@example.org>", needed);
  const root = await ask("folder that is published", needed, "archive");
  const name = await ask("name of the first feed", needed, "base");
  const format = await ask(`format of this feed, ${publishedNames.join(" or ")}`, oneOf(publishedNames), "opkg");
  const architectures = isSuite(format)
    ? {
        architectures: await ask("architectures of the packages, separated by spaces", needed, "amd64"),
      }
    : {};
  const file = join(folder, "archive.ini");
  const { home, at, reporter } = context;
  const passphrase = await newPassphrase({}, person);
  const keeper = await openArchive({ home, at, reporter });
  const { fingerprint, feedFolder } = await initArchive(keeper, {
    ...{ file, root: resolve(folder, root), userId, feed: { name, format, ...architectures }, passphrase },
  });
  const text = [
    `made key ${fingerprint} and archive.ini`,
    `next: copy ${keeper.store.folder}/revocations/ to a safe place,`,
    `      put packages into ${escapeText(feedFolder)}, then: feedkey publish --config archive.ini`,
  ];
  return { text: text.join("\n"), json: { file, fingerprint, feedFolder } };
}

async function initClient(context: Context, ask: Ask): Promise<Outcome> {
  const url = await ask("the archive's URL", needed);
  const fingerprint = await ask(
    "fingerprint of the archive's key, which you got from its keepers and not from the archive",
    fullFingerprint,
  );
  const name = await ask("name of the profile", needed, "default");
  const feed = await ask("name of a feed", needed, "base");
  const path = await ask("folder of this feed below the URL", needed, feed);
  const format = await ask(`format of this feed, ${singleNames.join(" or ")}`, oneOf(singleNames), "opkg");
  const servers = await ask("key servers, hkps://HOST, comma-separated, or none", needed, "none");
  const { at, reporter } = context;
  const keyservers = servers === "none" ? [] : servers.split(/\s*,\s*/);
  const [folder = "."] = profileSearchPath();
  const { file, seeds } = await initProfile(url, {
    ...{ fingerprints: [fingerprint], folder, name, feeds: [{ name: feed, path }], format, keyservers },
    ...{ at, offline: context.options.offline, reporter },
  });
  const option = name === "default" ? "" : `--profile ${name} `;
  const text = [`wrote ${escapeText(file)}`, `next: feedkey ${option}update`];
  return { text: text.join("\n"), json: { file, seeds } };
}

/**
 * Asks whether the user wants to publish or to follow an archive, then asks the questions for this role.
 * @param folder the folder for archive.ini and the published folder
 * @throws FeedkeyError `usage` if there is no terminal; and as `initArchive` and `initProfile`
 */
export async function init(context: Context, person = personHere(), folder = "."): Promise<Outcome> {
  if (person === undefined) {
    throw new FeedkeyError("usage", "there is no terminal to ask questions on", {
      hint:
        'to publish, run "feedkey keygen", write archive.ini (man feedkey-archive), run "feedkey publish --config archive.ini"; ' +
        'to follow an archive, run "feedkey profile init URL --fingerprint FPR"',
    });
  }
  const ask = asking(context, person);
  const role = await ask("publish an archive, or follow one? publish or follow", oneOf(["publish", "follow"]));
  return role === "publish" ? await initKeeper(context, person, ask, folder) : await initClient(context, ask);
}
