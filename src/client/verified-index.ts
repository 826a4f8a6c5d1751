/**
 * Reads the packages that a verified root lists. `fetch` requires a `Choice`, and only this file can make one, from a verified index.
 */

import { bytesOf } from "../content.ts";
import { FeedkeyError, orRefusal } from "../error.ts";
import type { DigestedEntry } from "../formats/entry-source.ts";
import type { RootContent } from "../formats/format.ts";
import { formatOf, maxIndexBytes } from "../formats/formats.ts";
import type { Packages } from "../formats/package-index.ts";
import type { Related } from "../formats/relations.ts";
import { UnitedPackages } from "../formats/united-packages.ts";
import type { PartSource } from "../packages/part-text.ts";
import type { Feed } from "../profile/types.ts";
import { iso } from "../time.ts";
import { refuseContent, refuseEmptied, refuseOtherIdentity } from "../trust/freshness.ts";
import type { Signer } from "../trust/index-signature.ts";
import type { Candidate } from "./candidate.ts";
import { indexLimit, indexText, largerIndexHint } from "./index-files.ts";
import { type VerifiedPart, verifyPart } from "./verified-part.ts";
import { type RootTerms, refusalError, type VerifiedRoot, verifyRoot } from "./verified-root.ts";

const key = Symbol("made by the verifier");

/** An index with a good signature, an acceptable age and valid syntax. Only {@link verifyIndex} can make a `VerifiedIndex`. */
export class VerifiedIndex {
  readonly root: VerifiedRoot;
  /** The lists of packages, if the root names such lists; empty if the root itself lists the packages. */
  readonly parts: readonly VerifiedPart[];
  /** The number of packages, including repeated entries. */
  readonly count: number;
  readonly #read: () => Packages;
  #packages: Packages | undefined;

  /**
   * @param count the number of packages, if feedkey has read the same text before; feedkey then reads the text only when a
   *   caller needs the packages
   */
  constructor(
    proof: typeof key,
    root: VerifiedRoot,
    parts: readonly VerifiedPart[],
    read: () => Packages,
    count?: number,
  ) {
    if (proof !== key) throw new FeedkeyError("internal", "a verified index can only come from the verifier");
    this.root = root;
    this.parts = parts;
    this.#read = read;
    this.count = count ?? this.packages.count;
  }

  get packages(): Packages {
    this.#packages ??= this.#read();
    return this.#packages;
  }

  get feed(): Feed {
    return this.root.feed;
  }

  get signers(): readonly Signer[] {
    return this.root.signers;
  }

  get createdAt(): number {
    return this.root.createdAt;
  }

  get sha256(): string {
    return this.root.sha256;
  }

  /** Returns the packages with the given name, and the given version if there is one, in the order of the index. */
  find(name: string, version: string | undefined): Choice[] {
    return this.packages.find(name, version).map((entry) => new Choice(key, this, entry));
  }

  /**
   * Returns what each package needs and provides, from the verified texts.
   * @throws FeedkeyError `usage` if the format has no dependencies
   */
  async related(): Promise<Related[]> {
    const { format, name } = this.feed;
    const { relations } = formatOf(format);
    if (relations === undefined) {
      throw new FeedkeyError("usage", `feed "${name}" lists files, not packages that depend on each other`, {
        details: { feed: name, format },
        hint: "leave out --with-depends",
      });
    }
    const texts =
      this.parts.length > 0
        ? this.parts.map(({ text }) => bytesOf(text))
        : [bytesOf(await indexText(format, this.root.signed, maxIndexBytes))];
    return texts.flatMap((text) => [...relations.read(text)]);
  }

  /** Yields the wanted entries, by default all entries, including repeated entries. */
  *choices(isWanted: (entry: DigestedEntry) => boolean = () => true): Generator<Choice, void> {
    for (const entry of this.packages) if (isWanted(entry)) yield new Choice(key, this, entry);
  }
}

/** A package in a verified index, which feedkey can fetch. Only a {@link VerifiedIndex} can make a `Choice`. */
export class Choice {
  readonly index: VerifiedIndex;
  readonly entry: DigestedEntry;

  constructor(proof: typeof key, index: VerifiedIndex, entry: DigestedEntry) {
    if (proof !== key) throw new FeedkeyError("internal", "a package can only be chosen from a verified index");
    this.index = index;
    this.entry = entry;
  }
}

/** The changes in an index that the user has agreed to. */
export interface Consent {
  /** Whether the index may list no packages although the last accepted index listed packages. */
  readonly allowEmpty: boolean;
  /** Whether the names in the root (Origin, Label, Codename) may differ from those in the last accepted root. */
  readonly allowReleaseinfoChange?: boolean;
}

/** How feedkey reads the lists that a root names. */
interface Reading {
  readonly parts: PartSource;
  /** Whether to read every list from the source, even a list that the client has accepted before. */
  readonly ignoreKept?: boolean;
  /** The digest of feedkey's version and the feed's settings (`readingOf`); undefined if feedkey must read every text again. */
  readonly readAs?: string | undefined;
}

/**
 * Verifies an index: first the signature and age of the root, then the digests of the lists that the root names, and last the
 * syntax (T13). Parses nothing before it has found a good signature.
 * @throws FeedkeyError with the code of the rule that refuses the index
 */
export async function verifyIndex(
  candidate: Candidate,
  feed: Feed,
  terms: RootTerms & Consent & Reading,
): Promise<VerifiedIndex> {
  const root = await verifyRoot(candidate, feed, terms);
  const limit = indexLimit(feed, terms.last?.meta);
  const parts = await verifiedParts(root, terms);
  const read = parts === undefined ? await signedReader(root, limit) : () => readParts(parts);
  const index = new VerifiedIndex(key, root, parts ?? [], read, knownCount(root, terms));
  const emptied = refuseEmptied(index.count, terms.last?.meta, terms.allowEmpty);
  if (emptied !== undefined) throw refusalError(candidate.name, feed.name, emptied);
  return index;
}

/**
 * Returns the number of packages in the last accepted index, if the same version of feedkey has read the same text with the
 * same settings: a second reading would give the same result. Otherwise returns undefined.
 */
function knownCount({ sha256 }: VerifiedRoot, { last, readAs }: RootTerms & Reading): number | undefined {
  const isSame = last?.meta.sha256 === sha256 && last.meta.readAs === readAs && readAs !== undefined;
  return isSame ? last.meta.entries : undefined;
}

/** Returns the lists that the root names and the profile requests; undefined if the root itself lists its packages. */
async function verifiedParts(
  root: VerifiedRoot,
  { judged, last, parts: source, ignoreKept, allowReleaseinfoChange }: RootTerms & Consent & Reading,
): Promise<readonly VerifiedPart[] | undefined> {
  const { feed } = root;
  const { content: read } = formatOf(feed.format);
  if (read === undefined) return undefined;
  const content = inWords(root, () => read(bytesOf(root.signed), feed));
  // Requests no lists in the last accepted root, because an earlier profile may have requested other lists.
  const before = await lastContent(last, (signed) => read(signed, { ...feed, components: [], architectures: [] }));
  const known = allowReleaseinfoChange === true ? undefined : before?.identity;
  const refused =
    refuseContent(content, before?.madeAt, judged.trust.at) ?? refuseOtherIdentity(content.identity, known);
  if (refused !== undefined) throw refusalError(root.name, feed.name, refused);
  const parts: VerifiedPart[] = [];
  for (const part of content.parts) parts.push(await verifyPart(root, part, ignoreKept ? undefined : last, source));
  return parts;
}

/** Returns the contents of the last accepted root; undefined if the profile now requests another format or suite. */
async function lastContent(
  last: RootTerms["last"],
  read: (signed: Uint8Array) => RootContent,
): Promise<RootContent | undefined> {
  const content = last && (await orRefusal(() => read(bytesOf(last.index))));
  // A refusal means that an earlier profile requested another format or suite, so the two roots can't be compared.
  return content instanceof FeedkeyError ? undefined : content;
}

function readParts(parts: readonly VerifiedPart[]): Packages {
  const lists = parts.map(({ root, part, text }) => {
    const name = part.path;
    return { name, packages: inWords(root, () => formatOf(root.feed.format).read(text, root.feed), name) };
  });
  const [only, ...others] = lists;
  return only !== undefined && others.length === 0 ? only.packages : new UnitedPackages(lists);
}

async function signedReader(root: VerifiedRoot, limit: number): Promise<() => Packages> {
  const { feed, signed } = root;
  const text = await indexText(feed.format, signed, limit).catch((error: unknown) => {
    throw inContext(root, error);
  });
  return () => inWords(root, () => formatOf(feed.format).read(text, feed));
}

/** Calls a function that reads signed text. @throws the function's error, with the index's name before its message */
function inWords<Found>(root: VerifiedRoot, read: () => Found, part = ""): Found {
  try {
    return read();
  } catch (error) {
    throw inContext(root, error, part);
  }
}

function inContext({ feed, name, createdAt }: VerifiedRoot, error: unknown, part = ""): unknown {
  if (!(error instanceof FeedkeyError)) return error;
  const what = part === "" ? "" : `${part}: `;
  const problem = `index "${name}" of feed "${feed.name}", signed on ${iso(createdAt)}: ${what}${error.message}`;
  return new FeedkeyError(error.code, problem, {
    details: { ...error.details, feed: feed.name },
    hint:
      error.code === "wrong_feed"
        ? (error.hint ?? "")
        : error.details.reason === "limits"
          ? largerIndexHint
          : "the signature is good, so the archive itself made this error: tell the archive's keepers; the last good index stays in use",
    cause: error,
  });
}
