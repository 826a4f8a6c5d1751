/** Reads `archive.ini`, the configuration of the archive's keepers: what feedkey publishes, and with which key. */
import { dirname, isAbsolute, posix, relative, resolve, sep } from "node:path";
import { archiveNames, formatOf, isPublished, type SignatureForm, signatureForms } from "../formats/formats.ts";
import { readBucket } from "./bucket.ts";
import { type ErrorAt, errorsOf } from "./config-error.ts";
import { type IniValue, readIni } from "./ini.ts";
import type { Section } from "./section.ts";
import { needSection, sortSections } from "./sections.ts";
import { readSuiteSettings } from "./suite-settings.ts";
import { readSummaryForms } from "./summary-forms.ts";
import type { ArchiveConfig, ArchiveFeed, FeedFormat } from "./types.ts";
import { readFingerprint, readFolder, readKeyservers, refuseOddName } from "./values.ts";

const archiveKeys = [
  "root",
  "root-local",
  "s3-endpoint",
  "s3-region",
  "user-id",
  "key",
  "valid-for",
  "keyservers",
  "keyserver-ca",
  "notation-domain",
  "signatures",
  "page",
];
const feedKeys = ["format", "path", "index", "packages", "compress", "signatures"];
/** The keys in a feed's section that apply only to an apt suite whose index feedkey writes. */
const suiteKeys = ["components", "architectures", "origin", "label", "suite", "codename", "description", "signed-by"];

/** The default for how long a signature over an index is valid, in milliseconds. */
export const defaultValidFor = 14 * 86_400_000;

/**
 * Reads and checks `archive.ini`.
 * @param file the absolute path of the file; errors name it, and relative paths in the text start at its folder
 * @throws FeedkeyError `bad_config`, with the file and the line
 */
export function readArchiveConfig(text: string, file: string): ArchiveConfig {
  const errorAt = errorsOf("bad_config", file);
  const sections = sortSections(readIni(text, errorAt), ["archive"], [...feedKeys, ...suiteKeys], errorAt);
  const section = needSection(sections, "archive", archiveKeys, errorAt);
  const keyserverCa = section.optional("keyserver-ca")?.text;
  section.optional("keyservers");
  const notationDomain = readDomain(section.optional("notation-domain"), errorAt);
  const config = {
    file,
    ...readPlace(section, file, errorAt),
    userId: readUserId(section.required("user-id"), notationDomain, errorAt),
    ...(notationDomain === undefined ? {} : { notationDomain }),
    key: readKey(section.required("key"), errorAt),
    validFor: section.duration("valid-for") ?? defaultValidFor,
    keyservers: readKeyservers(section.list("keyservers"), errorAt),
    keyserverCa: keyserverCa === undefined ? undefined : resolve(dirname(file), keyserverCa),
    page: section.yesNo("page"),
  };
  const signatures = section.choice("signatures", signatureForms);
  const feeds: ArchiveFeed[] = [];
  for (const { name, section: feedSection } of sections.feeds) {
    const feed = readFeed(name, feedSection, signatures, errorAt);
    const rival = feeds.find((other) => isSame(other, feed));
    if (rival !== undefined) {
      throw errorAt(
        feedSection.required("path").line,
        `feed "${name}" would overwrite the index of feed "${rival.name}"`,
      );
    }
    feeds.push(feed);
  }
  return { ...config, feeds };
}

/** Reads which folder is published and, if there is one, the object store to which feedkey uploads this folder. */
function readPlace(section: Section, file: string, errorAt: ErrorAt): Pick<ArchiveConfig, "root" | "bucket"> {
  const root = section.required("root");
  const bucket = readBucket(section, root, errorAt);
  if (bucket === undefined) return { root: readRoot(root, file, errorAt) };
  const local = section.optional("root-local");
  const hint = "write root-local = DIR: the folder with the packages, where feedkey publishes before it uploads";
  if (local === undefined) throw section.missing("root-local", hint);
  return { root: readRoot(local, file, errorAt), bucket };
}

/**
 * Reads the root. Refuses a root that contains `archive.ini`: this file has the key's fingerprint and local paths, and must not be
 * published.
 */
function readRoot({ text, line }: IniValue, file: string, errorAt: ErrorAt): string {
  const root = resolve(dirname(file), text);
  const below = relative(root, resolve(file));
  if (!below.startsWith(`..${sep}`) && !isAbsolute(below)) {
    throw errorAt(
      line,
      `this file is inside "${text}", the folder that is published`,
      "move archive.ini out of that folder",
    );
  }
  return root;
}

/** Reads the domain for the notation `feed@DOMAIN` in index signatures (T10). */
function readDomain(value: IniValue | undefined, errorAt: ErrorAt): string | undefined {
  if (value === undefined || /^(?=.{1,253}$)[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(value.text)) return value?.text;
  throw errorAt(value.line, `"notation-domain" is not a domain: "${value.text}"`, "write a domain such as example.org");
}

/** Reads the archive's user ID. If it has no email address, the file must have `notation-domain`. */
function readUserId({ text, line }: IniValue, notationDomain: string | undefined, errorAt: ErrorAt): string {
  if (notationDomain !== undefined && !/[<>]/.test(text)) return text;
  if (/^[^<>]*<[^\s<>@]+@[^\s<>@]+>$/.test(text)) return text;
  throw errorAt(
    line,
    `"user-id" must end in one address in < and >, not "${text}"`,
    "write NAME <address@example.org>; if the user ID of the keys has no address, also write notation-domain = example.org",
  );
}

function readKey({ text, line }: IniValue, errorAt: ErrorAt): ArchiveConfig["key"] {
  const where = text.startsWith("gpg:") ? "gpg" : "store";
  const fingerprint = where === "gpg" ? text.slice(4) : text;
  return { where, fingerprint: readFingerprint({ text: fingerprint, line }, errorAt) };
}

/** Whether two feeds have the same index file. */
function isSame(one: ArchiveFeed, other: ArchiveFeed): boolean {
  if (one.path !== other.path) return false;
  if (one.packages !== undefined || other.packages !== undefined) return one.format === other.format;
  return one.index === other.index;
}

function readFeed(name: string, section: Section, usual: SignatureForm, errorAt: ErrorAt): ArchiveFeed {
  const format = section.choice("format", archiveNames, "required");
  const path = readFolder("path", section.required("path"), errorAt);
  const packages = section.optional("packages");
  // In a profile, "." means the feed's folder, but here it would mean the archive's root. So feedkey refuses this unclear value.
  if (packages?.text === ".") {
    throw errorAt(
      packages.line,
      '"packages" is "."',
      'leave "packages" out if the packages are in the feed\'s own folder',
    );
  }
  const compress = section.optional("compress");
  if (compress !== undefined && format !== "pkgsrc") {
    throw errorAt(compress.line, '"compress" is only for format = pkgsrc', "opkg reads Packages.gz and no other form");
  }
  const isSaid = section.raw("signatures") !== undefined;
  const form = isSaid ? section.choice("signatures", signatureForms) : usual;
  const signatures = form === "both" ? {} : { signatures: form };
  const index = section.optional("index");
  const isDivided = formatOf(format).divided === "suites";
  if (!isDivided || packages === undefined) refuseKeys(section, suiteKeys, errorAt);
  // A feed without `packages` has an index that another program writes.
  if (!isPublished(format) || (isDivided && packages === undefined)) {
    if (packages !== undefined) {
      const hint = `leave "packages" out: feedkey signs the index of ${format} that another program wrote`;
      throw errorAt(packages.line, '"packages" is only for feeds whose index feedkey writes', hint);
    }
    return { name, format, ...readRootPath(name, format, path, index, errorAt), ...signatures };
  }
  if (index !== undefined) {
    const hint = 'leave "index" out: feedkey writes the index with the usual name of the format';
    throw errorAt(index.line, '"index" is only for feeds whose index another program writes', hint);
  }
  const folder = packages === undefined ? path : readFolder("packages", packages, errorAt);
  return {
    ...{ name, format, path, packages: folder },
    compress: readSummaryForms(section.list("compress"), ({ line }, problem, hint) => errorAt(line, problem, hint)),
    ...signatures,
    ...(isDivided ? { suite: readSuiteSettings(section, path, folder, errorAt) } : {}),
  };
}

/**
 * Refuses keys that are only for apt suites.
 * @throws what `errorAt` makes, if the section has one of these keys, but its feed is not a suite whose index feedkey writes
 */
function refuseKeys(section: Section, keys: readonly string[], errorAt: ErrorAt): void {
  for (const key of keys) {
    const value = section.raw(key);
    if (value === undefined) continue;
    const hint = `leave "${key}" out; or write format = apt, and write the folder of the package files as "packages"`;
    throw errorAt(value.line, `"${key}" is only for suites that feedkey writes`, hint);
  }
}

/** Returns the folder and the name of a feed's signed file. In some formats, this file is in a folder below the feed's. */
function readRootPath(feed: string, name: FeedFormat, path: string, index: IniValue | undefined, errorAt: ErrorAt) {
  const format = formatOf(name);
  if (index === undefined) {
    const place = posix.join(path, format.publishedAs?.(feed) ?? format.published);
    return { path: posix.dirname(place).replace(/^\.$/, ""), index: posix.basename(place) };
  }
  refuseOddName(index, errorAt);
  const isRoot =
    format.signing?.isRoot(index.text) === true || format.roots({ index: index.text }).includes(index.text);
  if (isRoot) return { path, index: index.text };
  throw errorAt(
    index.line,
    `no client of ${name} asks for an index "${index.text}"`,
    'leave "index" out: then the index has its usual name',
  );
}
