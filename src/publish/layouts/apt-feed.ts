/** A suite of apt's repositories: `Release`, which is signed, and the lists of packages that it names by digest. */
import { posix } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { type Release, readRelease } from "../../formats/apt/release.ts";
import { releaseText } from "../../formats/apt/release-text.ts";
import { contentOf } from "../../formats/apt/suite.ts";
import { unframe } from "../../formats/cleartext.ts";
import { formats } from "../../formats/formats.ts";
import { fileFields, stanzaParts } from "../../formats/opkg/package-stanza.ts";
import type { ArchiveFeed, SuiteSettings } from "../../profile/types.ts";
import type { FolderView } from "../../signing/published-tree.ts";
import { iso } from "../../time.ts";
import { skew } from "../../trust/policy.ts";
import type { FeedLayout, FileWrite, ToLayOut } from "../feed-layout.ts";
import { byHashFolder, formsOf, listsOf, publishedLists } from "./apt-lists.ts";

const format = formats.apt;

export const aptFeed: FeedLayout = {
  signed: format.published,

  baseOf,

  stanzaOf({ own, architecture, size, md5, sha256 }, path, feed) {
    const { architectures, components } = suiteOf(feed);
    if (architecture !== "all" && !architectures.includes(architecture)) {
      throw misfit(`is for the architecture "${architecture}"`, "architectures", architectures);
    }
    if (componentOf(feed, path) === undefined)
      throw misfit("is not in the folder of a component", "components", components);
    return stanzaParts(own, fileFields({ filename: path, size, md5, sha256 }, { SHA256: "sha256" }));
  },

  lacking: () => [],

  compareVersions: format.compareVersions,

  textOf: async (signed, folder) => await publishedLists(readRelease(signed), folder),

  read: format.read,

  async files(given) {
    const { feed, folder, listed, before } = given;
    // A feed that is signed as it is.
    if (listed === undefined)
      return { signed: [{ name: format.published, bytes: before ?? given.text }], writes: [], removes: [] };
    const known = await ownRelease(given);
    const suite = suiteOf(feed);
    const files = new Map<string, { readonly size: number; readonly sha256: string }>();
    const byHash: FileWrite[] = [];
    const byName: FileWrite[] = [];
    for (const [path, text] of listsOf(suite, listed, (one) => componentOf(feed, one.path))) {
      for (const { name, bytes, sha256 } of await formsOf(path, text, folder, known?.files)) {
        files.set(name, { size: bytes.length, sha256 });
        await addMissing(byHash, folder, { name: `${byHashFolder(name)}/${sha256}`, data: bytes });
        await addMissing(byName, folder, { name, data: bytes });
      }
    }
    const bytes = dated(known, files, suite, given);
    // What clients would refuse is never published.
    contentOf(readRelease(bytes), { ...suite, suite: suite.suite ?? suite.codename ?? "", index: undefined });
    const isNew = bytes !== before;
    const writes = [...byHash, ...byName, ...(isNew ? [{ name: format.published, data: bytes }] : [])];
    const removes = isNew ? await outdated(folder, files, before) : [];
    return { signed: [{ name: format.published, bytes }], writes, removes };
  },
};

/** The URL in a line of sources.list: the folder that contains `dists/`. */
function baseOf({ path }: Pick<ArchiveFeed, "path">): string {
  return /^(?:(.*)\/)?dists\//.exec(path)?.[1] ?? "";
}

function suiteOf({ name, suite }: ArchiveFeed): SuiteSettings {
  if (suite === undefined) throw new FeedkeyError("internal", `feed "${name}" has no components`);
  return suite;
}

function misfit(problem: string, key: string, words: readonly string[]): FeedkeyError {
  return new FeedkeyError("bad_package", escapeText(`${problem}: archive.ini has ${key} = ${words.join(", ")}`), {
    details: { [key]: words },
    hint: `name it in ${key}, or keep the package in a folder that this feed does not publish`,
  });
}

/** The component: with several, the first folder below that of the packages. @param path as in the index */
function componentOf(feed: ArchiveFeed, path: string): string | undefined {
  const { components } = suiteOf(feed);
  if (components.length === 1) return components[0];
  const pool = posix.relative(baseOf(feed), feed.packages ?? "");
  const below = pool === "" ? path : path.slice(pool.length + 1);
  return components.find((component) => below.startsWith(`${component}/`));
}

/** The published Release file, if it is the archive's: dates and compressed forms of others are not reused. */
async function ownRelease({ before, isOwn }: ToLayOut): Promise<Release | undefined> {
  if (before === undefined || !(await isOwn({ name: format.published, bytes: before }))) return undefined;
  return tryRead(before);
}

function tryRead(release: Uint8Array): Release | undefined {
  try {
    return readRelease(release);
  } catch (error) {
    if (error instanceof FeedkeyError) return undefined;
    throw error;
  }
}

async function addMissing(writes: FileWrite[], folder: FolderView, file: FileWrite): Promise<void> {
  const there = await folder.read(file.name);
  if (there === undefined || Buffer.compare(there, file.data) !== 0) writes.push(file);
}

type Files = ReadonlyMap<string, { readonly size: number; readonly sha256: string }>;

/** The Release file: the published one if it is still right and valid for long enough, else a new one. */
function dated(
  known: Release | undefined,
  files: Files,
  { signedBy, ...suite }: SuiteSettings,
  { feed, before, at, validFor, signers }: ToLayOut,
): Uint8Array {
  const content = { ...suite, files, signedBy: signedBy ? signers : [] };
  if (known?.validUntil !== undefined && before !== undefined) {
    const same = releaseText({ ...content, date: known.date, validUntil: known.validUntil });
    const left = known.validUntil - Math.max(at, known.date);
    if (Buffer.compare(same, before) === 0 && left * 2 >= validFor && left <= validFor) return before;
  }
  const date = Math.max(Math.floor(at / 1000) * 1000, (known?.date ?? 0) + 1000);
  if (date <= at + skew) return releaseText({ ...content, date, validUntil: date + validFor });
  throw new FeedkeyError(
    "not_yet_valid",
    `the ${format.published} of feed "${feed.name}" is dated ${iso(date - 1000)}, after the present time ${iso(at)}: clients that accepted it would refuse an earlier date`,
    {
      details: { feed: feed.name, date: iso(date - 1000), at: iso(at) },
      hint: `set this machine's clock; if it was wrong when that was published, remove ${format.published}, InRelease and Release.gpg there, then run this again`,
    },
  );
}

/** Lists by digest that can be removed, because neither the new nor a published Release file names them. */
async function outdated(folder: FolderView, files: Files, before: Uint8Array | undefined): Promise<string[]> {
  const texts = before === undefined ? [] : [before];
  const framed = await folder.read("InRelease").catch(() => undefined);
  try {
    // After an interrupted run, it is older.
    if (framed !== undefined) texts.push(unframe(framed, "InRelease").signed);
  } catch (error) {
    if (!(error instanceof FeedkeyError)) throw error;
  }
  const named = [files, ...texts.flatMap((text) => tryRead(text)?.files ?? [])];
  const kept = new Set(named.flatMap((one) => [...one.values()].map(({ sha256 }) => sha256)));
  const found: string[] = [];
  for (const place of new Set([...files.keys()].map(byHashFolder))) {
    for (const name of await folder.names(place)) {
      if (/^[0-9a-f]{64}$/.test(name) && !kept.has(name)) found.push(`${place}/${name}`);
    }
  }
  return found;
}
