/** What `publish` is going to change in one feed: worked out first, shown or applied afterwards. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { fieldText, parseControl } from "../index-format/field.ts";
import { readPackages } from "../index-format/opkg.ts";
import { packageStanza } from "../index-format/package-stanza.ts";
import { compareVersions } from "../index-format/version.ts";
import { checkSignatures, readSignatureFile } from "../openpgp/detached.ts";
import { KeyIndex } from "../openpgp/key-index.ts";
import { decompress } from "../package/compression.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import type { Duration, Instant } from "../time.ts";
import type { ScannedPackage } from "./scan.ts";
import type { OwnCertificate } from "./signing-key.ts";

export interface FeedPlan {
  readonly feed: ArchiveFeed;
  /** Absolute. */
  readonly folder: string;
  readonly index: Uint8Array;
  readonly packages: number;
  /** Lines for people: packages that come, go or change. */
  readonly changes: readonly string[];
  /** Files whose contents are to change: `Packages`, `Packages.gz`. */
  readonly writes: readonly { readonly name: string; readonly data: Uint8Array }[];
  /** Why the index is to be signed anew; undefined if the signature there serves. */
  readonly sign: string | undefined;
}

/** Path of a package as the index gives it: relative to the feed if it lies in it, else to the archive. */
export function indexPath(feed: ArchiveFeed, path: string): string {
  const inRoot = feed.packages === "" ? path : `${feed.packages}/${path}`;
  if (feed.path === "") return inRoot;
  return inRoot.startsWith(`${feed.path}/`) ? inRoot.slice(feed.path.length + 1) : inRoot;
}

interface Listed {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly path: string;
  readonly stanza: Uint8Array;
}

function list(feed: ArchiveFeed, scanned: ScannedPackage): Listed {
  const control = parseControl(scanned.control);
  const path = indexPath(feed, scanned.path);
  const { size, md5, sha256 } = scanned;
  return {
    name: fieldText(control, "Package") ?? "",
    version: fieldText(control, "Version") ?? "",
    architecture: fieldText(control, "Architecture") ?? "",
    path,
    stanza: packageStanza({ control, filename: path, size, md5, sha256 }),
  };
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The index of the packages found: sorted by name, version, architecture and path, so that the same packages give
 * the same bytes.
 * @returns the bytes, and the packages whose control data can't stand in an index
 */
export function makeIndex(
  feed: ArchiveFeed,
  scanned: readonly ScannedPackage[],
): { readonly index: Uint8Array; readonly bad: readonly FeedkeyError[] } {
  const listed: Listed[] = [];
  const bad: FeedkeyError[] = [];
  for (const one of scanned) {
    try {
      listed.push(list(feed, one));
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      const message = `package ${escapeText(one.path)}: ${error.message}`;
      bad.push(new FeedkeyError(error.code, message, { details: { ...error.details, path: one.path }, cause: error }));
    }
  }
  listed.sort((a, b) => {
    return (
      byText(a.name, b.name) ||
      compareVersions(a.version, b.version) ||
      byText(a.version, b.version) ||
      byText(a.architecture, b.architecture) ||
      byText(a.path, b.path)
    );
  });
  refuseTwins(listed);
  const newline = Buffer.from("\n");
  return { index: Buffer.concat(listed.flatMap(({ stanza }) => [stanza, newline])), bad };
}

/** Two files of one name, version and architecture: clients could get either (T13). */
function refuseTwins(listed: readonly Listed[]): void {
  for (const [i, one] of listed.entries()) {
    const next = listed[i + 1];
    if (next?.name !== one.name || next.version !== one.version || next.architecture !== one.architecture) continue;
    const what = `${one.name} ${one.version} ${one.architecture}`;
    throw new FeedkeyError(
      "bad_package",
      `two packages are both ${escapeText(what)}: ${escapeText(one.path)} and ${escapeText(next.path)}`,
      {
        details: { paths: [one.path, next.path] },
        hint: "remove one of them: clients must never have to guess",
      },
    );
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await fs.readFile(path);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw new FeedkeyError("output", `${escapeText(path)} can't be read`, { cause, details: { path } });
  }
}

/** What differs between the published index and the next one, a line a package. */
function describeChanges(before: Uint8Array | undefined, after: Uint8Array): string[] {
  const digests = (bytes: Uint8Array | undefined): Map<string, string> => {
    if (bytes === undefined) return new Map();
    try {
      return new Map(
        [...readPackages(bytes)].map((e) => [`${e.name} ${e.version} ${e.architecture}`.trimEnd(), e.sha256 ?? ""]),
      );
    } catch {
      // Whatever lies there is going to be replaced.
      return new Map();
    }
  };
  const [old, next] = [digests(before), digests(after)];
  const added = [...next.keys()].filter((name) => !old.has(name)).map((name) => `+ ${name}`);
  const removed = [...old.keys()].filter((name) => !next.has(name)).map((name) => `- ${name}`);
  const changed = [...next]
    .filter(([name, digest]) => old.has(name) && old.get(name) !== digest)
    .map(([name]) => `~ ${name}`);
  return [...added, ...removed, ...changed].map(escapeText);
}

async function gzipServes(path: string, index: Uint8Array): Promise<boolean> {
  const there = await readIfThere(path);
  if (there === undefined) return false;
  const content = await decompress(there, "gzip", index.length + 1).catch(() => undefined);
  return content !== undefined && Buffer.compare(content, index) === 0;
}

/** Why the signature files there do not serve; undefined if they do. */
async function whySign(
  folder: string,
  index: Uint8Array,
  key: OwnCertificate,
  feed: ArchiveFeed,
  terms: { readonly at: Instant; readonly validFor: Duration },
): Promise<string | undefined> {
  const keys = await KeyIndex.of([key.raw]);
  for (const name of ["Packages.asc", "Packages.sig"]) {
    const bytes = await readIfThere(join(folder, name));
    if (bytes === undefined) return `${name} is missing`;
    const signatures = await Promise.resolve(bytes)
      .then((file) => checkSignatures(readSignatureFile(file, name), index, keys))
      .catch(() => []);
    const [only, ...others] = signatures;
    if (only?.status !== "good" || others.length > 0) return `${name} does not fit`;
    const [facts] = only.makers;
    if (!facts?.notations.some(({ name: n, value }) => n.startsWith("feed@") && value === feed.name)) {
      return `${name} does not name the feed`;
    }
    const left = (facts.expiresAt ?? 0) - terms.at;
    if (left > terms.validFor) return `${name} holds longer than it should`;
    // Signed anew well before clients begin to refuse it.
    if (left * 2 < terms.validFor) return `${name} has less than half of its time left`;
  }
  return undefined;
}

const compress = promisify(gzip);

/**
 * Plans one feed.
 * @param key the certificate that is going to sign
 * @throws FeedkeyError `bad_package`; `not_found` if all packages vanished and that was not allowed
 */
export async function planFeed(
  root: string,
  feed: ArchiveFeed,
  index: Uint8Array,
  packages: number,
  key: OwnCertificate,
  terms: { readonly at: Instant; readonly validFor: Duration; readonly allowEmpty: boolean },
): Promise<FeedPlan> {
  const folder = join(root, feed.path);
  const before = await readIfThere(join(folder, "Packages"));
  if (packages === 0 && before !== undefined && before.length > 0 && !terms.allowEmpty) {
    throw new FeedkeyError(
      "not_found",
      `no package is left for feed "${feed.name}", whose published index lists some`,
      {
        details: { feed: feed.name, folder: join(root, feed.packages) },
        hint: "is the folder mounted? if the feed is really meant to be empty, use --allow-empty",
      },
    );
  }
  const same = before !== undefined && Buffer.compare(before, index) === 0;
  const writes: { name: string; data: Uint8Array }[] = same ? [] : [{ name: "Packages", data: index }];
  if (!same || !(await gzipServes(join(folder, "Packages.gz"), index))) {
    writes.push({ name: "Packages.gz", data: await compress(index, { level: 9 }) });
  }
  const sign = same ? await whySign(folder, index, key, feed, terms) : "the index changes";
  return { feed, folder, index, packages, changes: same ? [] : describeChanges(before, index), writes, sign };
}
