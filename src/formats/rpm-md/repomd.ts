/**
 * Reads `repomd.xml`, which lists a repository's files by size and digest. The reader is strict (T13). dnf and zypper are not: they
 * accept a package list with only an MD5 checksum, or with no checksum, and do not check the size.
 */
import { type FileDigests, isPlainPath } from "../digests.ts";
import { readSize } from "../entry-values.ts";
import { type CompressedForm, compressionOf, formOf, type Part, type PartForm, type RootContent } from "../format.ts";
import { badText } from "../line-cursor.ts";
import { type Checksum, readChecksum } from "./checksum.ts";
import { collectOnce, type DocumentKind, type Element, readElements } from "./elements.ts";

const repomd: DocumentKind = {
  text: { name: "repomd.xml", code: "bad_index" },
  root: "repomd",
  namespace: "http://linux.duke.edu/metadata/repo",
};

/** Matches a date that is written as one number: year, month, day, and a two-digit count. */
const dateLike = /^20\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d\d$/;

/** The folder of repomd.xml, below the repository's folder. */
const folder = "repodata/";

interface Values {
  checksum?: Checksum;
  "open-checksum"?: Checksum;
  size?: number;
  "open-size"?: number;
  location?: string;
  timestamp?: number;
}

/**
 * Reads repomd.xml. The root's date is the newest time among the timestamps of the listed files and the revision. The revision
 * counts only if it is a time.
 * @throws FeedkeyError `bad_index`, with the line, if the file is malformed
 */
export function readRepomd(bytes: Uint8Array): RootContent {
  /** The newest timestamp, in seconds. */
  let newest = 0;
  let revision = 0;
  const files = new Map<string, Part | undefined>();
  const beside: PartForm[] = [];
  const identity: Record<string, string | undefined> = { repo: undefined, distro: undefined };
  const { once, take } = collectOnce<Values>();
  const named = (name: string) => (element: Element) => {
    identity[name] = [identity[name], element.attributes.cpeid, element.text].filter(Boolean).join(" ");
  };
  readElements(bytes, repomd, {
    // Keepers may choose any word or number as the revision.
    "repomd/revision": ({ text }) => {
      if (/^\d{9,10}$/.test(text)) revision = Number(text);
    },
    "repomd/tags/repo": named("repo"),
    "repomd/tags/distro": named("distro"),
    "repomd/data/checksum": once("checksum", readChecksum),
    "repomd/data/open-checksum": once("open-checksum", readChecksum),
    "repomd/data/size": once("size", sizeOf),
    "repomd/data/open-size": once("open-size", sizeOf),
    "repomd/data/location": once("location", locationOf),
    "repomd/data/timestamp": once("timestamp", timeOf),
    "repomd/data": (element) => {
      const { type = "" } = element.attributes;
      if (files.has(type)) throw element.error(`begins a second list "${type}"`);
      const values = take();
      newest = Math.max(newest, values.timestamp ?? 0);
      files.set(type, type === "primary" ? partOf(values, element) : undefined);
      const file = digestsOf(values.size, values.checksum);
      if (type !== "primary" && file !== undefined && values.location !== undefined)
        beside.push({ form: undefined, file, places: [values.location] });
    },
  });
  const primary = files.get("primary");
  if (primary === undefined) throw badText(repomd.text, 1, 'begins a text without a list of packages, "primary"');
  // A revision such as 2026113001 is a date that is written as a number, not a time in seconds. As a time, the date would be years after
  // the files' timestamps. Without timestamps, the digits show the difference: no time in seconds before 2033 looks like a date.
  const isTime = newest === 0 ? !dateLike.test(String(revision)) : revision < newest + 86_400;
  return {
    madeAt: Math.max(newest, isTime ? revision : 0) * 1000,
    validUntil: undefined,
    identity,
    parts: [primary],
    beside,
  };
}

function sizeOf({ text, error }: Element): number {
  const size = readSize(text);
  if (size === undefined) throw error("has no readable size");
  return size;
}

/** Reads a timestamp in seconds. The timestamp may have a fraction, because older programs write fractions. */
function timeOf({ text, error }: Element): number {
  if (!/^\d{1,10}(\.\d{1,9})?$/.test(text)) throw error("has no readable timestamp");
  return Number(text);
}

/** Reads a file's location. @returns the file's path below the folder of repomd.xml */
function locationOf({ attributes, error }: Element): string {
  const { href = "", "xml:base": base } = attributes;
  if (base !== undefined) throw error("has an xml:base, which leads out of the repository");
  if (!isPlainPath(href) || !href.startsWith(folder))
    throw error(`has a location that is not a plain path in ${folder}`);
  return href.slice(folder.length);
}

function partOf(values: Values, { error }: Element): Part {
  const { location, size, checksum } = values;
  if (location === undefined) throw error("begins a list without a location");
  const file = digestsOf(size, checksum);
  if (file === undefined) throw error("begins a list without its size and a checksum by SHA-256 or SHA-512");
  const form = formOf(Object.keys(compressionOf) as CompressedForm[], location);
  const open = form === undefined ? file : digestsOf(values["open-size"], values["open-checksum"]);
  if (open === undefined)
    throw error("begins a compressed list without open-size and an open-checksum by SHA-256 or SHA-512");
  return { path: location, open, forms: [{ form, file, places: [location] }] };
}

function digestsOf(size: number | undefined, checksum: Checksum | undefined): FileDigests | undefined {
  if (size === undefined || checksum === undefined) return undefined;
  const { type, hex } = checksum;
  return type === "sha256" || type === "sha512" ? { size, [type]: hex } : undefined;
}
