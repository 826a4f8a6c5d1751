/** Reads `primary.xml`, the packages in a repository. The reader is strict (T13). feedkey reports an unusable size or digest at fetch. */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { DigestedEntry } from "../entry-source.ts";
import { readSize, wordProblem } from "../entry-values.ts";
import { indexText } from "../line-cursor.ts";
import { ListedEntries } from "../listed-entries.ts";
import { PackageIndex } from "../package-index.ts";
import { type Checksum, readChecksum } from "./checksum.ts";
import { collectOnce, type DocumentKind, type Element, readElements } from "./elements.ts";

const primary: DocumentKind = {
  text: indexText,
  root: "metadata",
  namespace: "http://linux.duke.edu/metadata/common",
};

interface Values {
  name?: string;
  arch?: string;
  version?: string;
  checksum?: Checksum;
  /** The package's size; `bytes` is undefined if the number is unreadable. */
  size?: { readonly bytes: number | undefined };
  location?: string;
}

/**
 * Checks a whole list and returns its packages for look-ups.
 * @param architectures the wanted architectures, to which the function adds `noarch`; undefined means all architectures
 * @throws FeedkeyError `bad_index`, with the line, if the list is malformed; `wrong_feed` if the list is only for other
 *   architectures (T12)
 */
export function readPrimary(bytes: Uint8Array, architectures?: readonly string[]): PackageIndex {
  const entries: DigestedEntry[] = [];
  const isAsked = (one: string) => architectures === undefined || architectures.includes(one);
  const others = new Set<string>();
  const { once, take } = collectOnce<Values>(" of one package");
  readElements(bytes, primary, {
    "metadata/package/name": once("name", (element) => word("name", element.text, element)),
    "metadata/package/arch": once("arch", (element) => word("arch", element.text, element)),
    "metadata/package/version": once("version", versionOf),
    "metadata/package/checksum": once("checksum", (element) => {
      const { type, hex } = readChecksum(element);
      return { type, hex: own(hex) };
    }),
    "metadata/package/size": once("size", ({ attributes }) => ({ bytes: readSize(attributes.package) })),
    "metadata/package/location": once("location", locationOf),
    "metadata/package": (element) => {
      const entry = entryOf(take(), element);
      if (isAsked(entry.architecture) || entry.architecture === "noarch") entries.push(entry);
      else others.add(own(entry.architecture));
    },
  });
  if (others.size > 0 && !entries.some(({ architecture }) => isAsked(architecture))) throw otherArchitectures(others);
  return new PackageIndex(new ListedEntries(bytes.length, entries));
}

/** An `rpm:entry`: a name, and optionally a comparison with a version. */
export interface RpmEntry {
  readonly name: string;
  readonly flags: string | undefined;
  /** The version as {@link versionOf} returns it, without a release if the entry has none. */
  readonly version: string | undefined;
}

/** Returns the packages in an already checked list, with their dependencies and capabilities. */
export function readRelated(bytes: Uint8Array) {
  const found: RpmRelated[] = [];
  let [name, architecture, version] = ["", "", ""];
  let [requires, provides, files]: [RpmEntry[], RpmEntry[], string[]] = [[], [], []];
  readElements(bytes, primary, {
    "metadata/package/name": ({ text }) => {
      name = own(text);
    },
    "metadata/package/arch": ({ text }) => {
      architecture = own(text);
    },
    "metadata/package/version": (element) => {
      version = versionOf(element);
    },
    "metadata/package/format/rpm:requires/rpm:entry": ({ attributes }) => void requires.push(rpmEntryOf(attributes)),
    "metadata/package/format/rpm:provides/rpm:entry": ({ attributes }) => void provides.push(rpmEntryOf(attributes)),
    "metadata/package/format/file": ({ text }) => void files.push(own(text)),
    "metadata/package": () => {
      found.push({ name, architecture, version, requires, provides, files });
      [requires, provides, files] = [[], [], []];
    },
  });
  return found;
}

interface RpmRelated {
  readonly name: string;
  readonly architecture: string;
  readonly version: string;
  readonly requires: readonly RpmEntry[];
  readonly provides: readonly RpmEntry[];
  readonly files: readonly string[];
}

function rpmEntryOf({ name = "", flags, epoch = "0", ver, rel }: Readonly<Record<string, string>>): RpmEntry {
  if (ver === undefined) return { name: own(name), flags: undefined, version: undefined };
  const version = `${/^0*$/.test(epoch) ? "" : `${epoch}:`}${ver}${rel === undefined ? "" : `-${rel}`}`;
  return { name: own(name), flags, version: own(version) };
}

function otherArchitectures(found: ReadonlySet<string>): FeedkeyError {
  const names = escapeText([...found].sort().slice(0, 10).join(", "));
  return new FeedkeyError(
    "wrong_feed",
    `the repository lists packages for ${names}, but none for the requested architectures`,
    {
      details: { architectures: [...found].sort().slice(0, 10) },
      hint: 'check "architectures" and "path" in the profile; if both are right, the server has another repository of the archive there: ask the archive\'s keepers',
    },
  );
}

/** Copies a string, because a substring would keep the whole text in memory. */
function own(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}

function word(name: string, text: string, { error }: Pick<Element, "error">): string {
  const bytes = Buffer.from(text, "utf8");
  const problem = wordProblem(name, bytes, 0, bytes.length);
  if (problem !== undefined) throw error(problem);
  return bytes.toString("utf8");
}

/** Returns a version as rpm and dnf write it. The version contains the epoch only if the epoch is not 0. */
function versionOf({ attributes, error }: Element): string {
  const { epoch = "0", ver = "", rel = "" } = attributes;
  if (!/^\d{1,10}$/.test(epoch)) throw error("has an epoch that is not a number");
  if (/[-:]/.test(ver + rel)) throw error('has a "-" or ":" inside a version or release');
  const parts = { error };
  const version = `${word("ver", ver, parts)}-${word("rel", rel, parts)}`;
  return /^0+$/.test(epoch) ? version : `${Number(epoch)}:${version}`;
}

function locationOf({ attributes, error }: Element): string {
  if (attributes["xml:base"] !== undefined) {
    throw error("has an xml:base, which leads out of the repository");
  }
  return own(attributes.href ?? "");
}

function entryOf(values: Values, { attributes, error, line }: Element): DigestedEntry {
  const { name, arch, version, checksum, size, location } = values;
  if (attributes.type !== "rpm") throw error("begins a package whose type is not rpm");
  if (name === undefined || arch === undefined || version === undefined) {
    throw error("begins a package without name, arch or version");
  }
  const { type, hex } = checksum ?? {};
  return {
    name,
    version,
    architecture: arch,
    filename: location,
    size: size?.bytes,
    sha256: type === "sha256" ? hex : undefined,
    md5: type === "md5" ? hex : undefined,
    ...(type === undefined || type === "sha256" || type === "md5" ? {} : { otherDigest: `${type}:${hex}` }),
    line,
  };
}
