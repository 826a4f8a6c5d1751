/** Publishes a suite in an apt repository as a feed: the signed `Release` file, and the package lists, which `Release` names by digest. */
import { posix } from "node:path";
import { FeedkeyError, unlessRefused } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { type Release, readRelease } from "../../formats/apt/release.ts";
import { releaseText } from "../../formats/apt/release-text.ts";
import { contentOf } from "../../formats/apt/suite.ts";
import { unframe } from "../../formats/cleartext.ts";
import { formats } from "../../formats/formats.ts";
import { fileFields, stanzaParts } from "../../formats/opkg/package-stanza.ts";
import { checkPackages } from "../../formats/opkg/packages-text.ts";
import { HashedDocument } from "../../openpgp/packet/hashed-document.ts";
import type { ArchiveFeed, SuiteSettings } from "../../profile/types.ts";
import type { FolderView } from "../../signing/published-tree.ts";
import { iso, wholeSecond } from "../../time.ts";
import { skew } from "../../trust/policy.ts";
import type { FeedLayout, SignedFile, ToLayOut } from "../feed-layout.ts";
import { changedFiles } from "../index-text/index-forms.ts";
import { byHashFolder, listsOf, publishedLists, readListed } from "./apt-lists.ts";

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

  compareVersions: format.compareVersions,

  listsOf: (feed) => listsOf(suiteOf(feed)),

  listedIn: ({ architecture }, path, feed) => listsOf(suiteOf(feed), componentOf(feed, path), architecture),

  textsOf: async (signed, folder) => await publishedLists(readRelease(signed.bytes), folder),

  read: format.read,

  check: checkPackages,

  async files(given) {
    const { feed, folder, index, before } = given;
    const known = await ownRelease(given);
    const suite = suiteOf(feed);
    const forms: SignedFile[] = [];
    for (const list of listsOf(suite)) {
      const plain = await index.plain(list);
      forms.push({ name: list, document: plain });
      for (const form of ["gz", "xz"] as const) {
        const name = `${list}.${form}`;
        // If the list has not changed, feedkey reuses the published compressed form, which the archive made earlier.
        const isSame = known?.files.get(list)?.sha256 === plain.sha256;
        const there = async () => (isSame ? await readListed(folder, name, known?.files.get(name)) : undefined);
        forms.push({ name, document: await index.compressed(list, form, there) });
      }
    }
    const byHash = forms.map(({ name, document }) => ({ name: `${byHashFolder(name)}/${document.sha256}`, document }));
    const files = new Map(forms.map(({ name, document: { length: size, sha256 } }) => [name, { size, sha256 }]));
    const document = dated(known, files, suite, given);
    // feedkey reads the Release file like a client, because it must never publish a file that clients refuse.
    contentOf(readRelease(document.bytes), { ...suite, suite: suite.suite ?? suite.codename ?? "", index: undefined });
    const isNew = document !== before;
    const root = { name: format.published, document };
    const writes = await changedFiles(folder, [...byHash, ...forms]);
    if (isNew) writes.push({ name: root.name, data: document });
    return { signed: [root], writes, removes: isNew ? await outdated(folder, files, before) : [] };
  },
};

/** Returns the folder that contains `dists/`. The URL in sources.list points to this folder. */
function baseOf({ path }: Pick<ArchiveFeed, "path">): string {
  return /^(?:(.*)\/)?dists\//.exec(path)?.[1] ?? "";
}

function suiteOf({ name, suite }: ArchiveFeed): SuiteSettings {
  if (suite === undefined) throw new FeedkeyError("internal", `feed "${name}" has no components`);
  return suite;
}

function misfit(problem: string, key: string, words: readonly string[]): FeedkeyError {
  return new FeedkeyError("bad_package", escapeText(`${problem}, but archive.ini has ${key} = ${words.join(", ")}`), {
    details: { [key]: words },
    hint: `add the missing name to the line "${key}" in archive.ini, or move the package to a folder that this feed does not publish`,
  });
}

/**
 * Returns a package's component. If the suite has several components, the component is the name of the first folder on the path below
 * the package folder.
 * @param path the package's path in the index
 */
function componentOf(feed: ArchiveFeed, path: string): string | undefined {
  const { components } = suiteOf(feed);
  if (components.length === 1) return components[0];
  const pool = posix.relative(baseOf(feed), feed.packages ?? "");
  const below = pool === "" ? path : path.slice(pool.length + 1);
  return components.find((component) => below.startsWith(`${component}/`));
}

/**
 * Reads the published Release file; returns undefined if the archive did not write the file. feedkey does not reuse dates or compressed
 * forms from a Release file that somebody else wrote.
 */
async function ownRelease({ before, isOwn }: ToLayOut): Promise<Release | undefined> {
  if (before === undefined || !(await isOwn({ name: format.published, document: before }))) return undefined;
  return unlessRefused(() => readRelease(before.bytes));
}

type Files = ReadonlyMap<string, { readonly size: number; readonly sha256: string }>;

/** Returns the published Release file if it is still right and is valid for long enough, else a new Release file. */
function dated(
  known: Release | undefined,
  files: Files,
  { signedBy, ...suite }: SuiteSettings,
  { feed, before, at, validFor, signers }: ToLayOut,
): HashedDocument {
  const content = { ...suite, files, signedBy: signedBy ? signers : [] };
  if (known?.validUntil !== undefined && before !== undefined) {
    const same = releaseText({ ...content, date: known.date, validUntil: known.validUntil });
    const left = known.validUntil - Math.max(at, known.date);
    if (Buffer.compare(same, before.bytes) === 0 && left * 2 >= validFor && left <= validFor) return before;
  }
  const date = Math.max(wholeSecond(at), (known?.date ?? 0) + 1000);
  if (date <= at + skew) return new HashedDocument(releaseText({ ...content, date, validUntil: date + validFor }));
  throw new FeedkeyError(
    "not_yet_valid",
    `the ${format.published} of feed "${feed.name}" is dated ${iso(date - 1000)}, after the present time ${iso(at)}: clients that accepted it would refuse an earlier date`,
    {
      details: { feed: feed.name, date: iso(date - 1000), at: iso(at) },
      hint: `correct this machine's clock; if the clock was wrong when that file was published, remove ${format.published}, InRelease and Release.gpg in the file's folder, and then run the command again`,
    },
  );
}

/**
 * Returns the files under by-hash that neither the new nor the published Release file names. Files that the published Release file names
 * stay, because clients may still request them.
 */
async function outdated(folder: FolderView, files: Files, before: HashedDocument | undefined): Promise<string[]> {
  const texts = before === undefined ? [] : [before.bytes];
  const framed = await folder.read("InRelease").catch(() => undefined);
  // After an interrupted run, InRelease may be older than Release.
  const inFrame = framed && unlessRefused(() => unframe(framed, "InRelease").signed);
  if (inFrame !== undefined) texts.push(inFrame);
  const named = [files, ...texts.flatMap((text) => unlessRefused(() => readRelease(text))?.files ?? [])];
  const kept = new Set(named.flatMap((one) => [...one.values()].map(({ sha256 }) => sha256)));
  const found: string[] = [];
  for (const place of new Set([...files.keys()].map(byHashFolder))) {
    for (const name of await folder.names(place)) {
      if (/^[0-9a-f]{64}$/.test(name) && !kept.has(name)) found.push(`${place}/${name}`);
    }
  }
  return found;
}
