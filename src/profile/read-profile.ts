/** Reads a client's profile: which archive to use, which keys to trust, what to download. */

import { basename, dirname, resolve } from "node:path";
import { type FeedFormat, formatNames, formatOf, maxIndexBytes } from "../formats/formats.ts";
import { type ErrorAt, errorsOf } from "./config-error.ts";
import { readIni } from "./ini.ts";
import type { Section } from "./section.ts";
import { needSection, sortSections } from "./sections.ts";
import { readSuiteWord, readSuiteWords } from "./suite-settings.ts";
import { trustDefaults } from "./trust-defaults.ts";
import type { Feed, Identity, Profile } from "./types.ts";
import { readArchiveUrl, readFingerprint, readFolder, readKeyservers, refuseOddName } from "./values.ts";
import { fillIn, readVariables, type Variables } from "./variables.ts";

const archiveKeys = ["name", "url", "mirrors", "ca", "credentials", "redirects", "user-id", "user-email", "verify"];
const trustKeys = [
  "keyring",
  "seeds",
  "keyservers",
  "keyserver-ca",
  "wkd",
  "revocation-check",
  "grace",
  "retired-issuers",
  "threshold",
  "max-index-age",
  "require-feed-name",
  "require-expiry",
];
const feedKeys = ["format", "path", "index", "packages", "max-index-size", "suite", "components", "architectures"];

/**
 * Reads and checks a profile.
 * @param file the absolute path of the file; errors name it, and relative paths in the text start at its folder
 * @throws FeedkeyError `bad_profile`, with the file and the line
 */
export function readProfile(text: string, file: string): Profile {
  const errorAt = errorsOf("bad_profile", file);
  const sections = sortSections(readIni(text, errorAt), ["archive", "trust", "variables"], feedKeys, errorAt);
  const variables = readVariables(sections.get("variables"), errorAt);
  return {
    name: basename(file, ".ini"),
    file,
    archive: readArchive(needSection(sections, "archive", archiveKeys, errorAt), dirname(file), variables, errorAt),
    trust: readTrust(needSection(sections, "trust", trustKeys, errorAt), dirname(file), errorAt),
    feeds: sections.feeds.map(({ name, section }) => readFeed(name, section, variables, errorAt)),
    variables: Object.fromEntries(variables),
  };
}

function readArchive(section: Section, folder: string, variables: Variables, errorAt: ErrorAt): Profile["archive"] {
  const ca = section.optional("ca")?.text;
  const credentials = section.optional("credentials")?.text;
  const url = readArchiveUrl(fillIn(section.required("url"), variables, errorAt), errorAt);
  const mirrors: string[] = [];
  for (const value of section.list("mirrors")) {
    const mirror = readArchiveUrl(fillIn(value, variables, errorAt), errorAt);
    if (mirror === url || mirrors.includes(mirror)) throw errorAt(value.line, `mirror ${mirror} appears twice`);
    mirrors.push(mirror);
  }
  return {
    name: section.required("name").text,
    url,
    mirrors,
    ca: ca === undefined ? undefined : resolve(folder, ca),
    ...(credentials === undefined ? {} : { credentials: resolve(folder, credentials) }),
    redirects: section.choice("redirects", ["any", "same-origin"]),
    identity: readIdentity(section, errorAt),
    verify: section.choice("verify", ["required", "off"]),
  };
}

/** Reads the archive's identity (T1): the section must have either `user-id` or `user-email`. */
function readIdentity(section: Section, errorAt: ErrorAt): Identity {
  const userId = section.optional("user-id");
  const email = section.optional("user-email");
  if (userId !== undefined && email !== undefined) {
    const line = Math.max(userId.line, email.line);
    throw errorAt(
      line,
      'section [archive] has both "user-id" and "user-email"',
      "keep only the line that stays true for all future keys",
    );
  }
  if (userId !== undefined) return { kind: "user-id", userId: userId.text };
  if (email === undefined)
    throw section.missing(
      "user-id",
      'write the user ID of the archive\'s keys as "user-id", or only their address as "user-email" if the name changes',
    );
  if (!/^[^\s<>@,]+@[^\s<>@,]+$/.test(email.text)) {
    throw errorAt(email.line, `"user-email" must be one bare address, not "${email.text}"`, "leave out the < and >");
  }
  return { kind: "user-email", email: email.text };
}

function readTrust(section: Section, folder: string, errorAt: ErrorAt): Profile["trust"] {
  const keyring = section.required("keyring").text;
  const keyserverCa = section.optional("keyserver-ca")?.text;
  section.required("keyservers");
  const check = section.raw("revocation-check")?.text;
  return {
    keyring: resolve(folder, keyring),
    seeds: readSeeds(section, errorAt),
    keyservers: readKeyservers(section.list("keyservers"), errorAt),
    keyserverCa: keyserverCa === undefined ? undefined : resolve(folder, keyserverCa),
    wkd: section.yesNo("wkd"),
    revocationCheck: check === "always" ? check : (section.duration("revocation-check") ?? "always"),
    grace: section.duration("grace", "or zero") ?? trustDefaults.grace,
    retiredIssuers: section.choice("retired-issuers", ["refuse", "accept"]),
    threshold: section.count("threshold") ?? 1,
    maxIndexAge: section.duration("max-index-age"),
    requireFeedName: section.yesNo("require-feed-name"),
    requireExpiry: section.yesNo("require-expiry"),
  };
}

function readSeeds(section: Section, errorAt: ErrorAt): string[] {
  const seeds: string[] = [];
  for (const value of section.list("seeds")) {
    const seed = readFingerprint(value, errorAt);
    if (seeds.includes(seed)) throw errorAt(value.line, `seed ${seed} appears twice`);
    seeds.push(seed);
  }
  return seeds;
}

function readFeed(name: string, section: Section, variables: Variables, errorAt: ErrorAt): Feed {
  const index = section.optional("index");
  if (index !== undefined) refuseOddName(index, errorAt);
  const maxIndexSize = section.size("max-index-size", maxIndexBytes);
  const format = section.choice("format", formatNames, "required");
  return {
    name,
    format,
    path: readFolder("path", fillIn(section.required("path"), variables, errorAt), errorAt),
    index: index?.text,
    packages: section.choice("packages", [".", "/"]) === "/" ? "archive" : "feed",
    ...(maxIndexSize === undefined ? {} : { maxIndexSize }),
    ...readSuite(format, section, variables, errorAt),
  };
}

/** The keys in a feed's section that select a part of a repository, for each way in which a format divides repositories. */
const divisions = { suites: ["suite", "components", "architectures"], architectures: ["architectures"] };

function readSuite(format: FeedFormat, section: Section, variables: Variables, errorAt: ErrorAt): Partial<Feed> {
  const { divided } = formatOf(format);
  const known = divided === undefined ? [] : divisions[divided];
  for (const key of divisions.suites.filter((one) => !known.includes(one))) {
    const stray = section.raw(key);
    if (stray !== undefined) throw errorAt(stray.line, `"${key}" can't be used with format = ${format}`);
  }
  const words = (key: string) => readSuiteWords(section, key, errorAt);
  if (divided !== "suites")
    return section.optional("architectures") === undefined ? {} : { architectures: words("architectures") };
  const suite = fillIn(section.required("suite"), variables, errorAt);
  return {
    suite: readSuiteWord(suite, errorAt),
    components: words("components"),
    architectures: words("architectures"),
  };
}
