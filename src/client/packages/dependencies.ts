/** Finds the dependencies of chosen packages, with the dependency fields and the version order of each package's format. */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { Format } from "../../formats/format.ts";
import { type FeedFormat, formatOf } from "../../formats/formats.ts";
import type { Capability, Related, Requirement } from "../../formats/relations.ts";
import { append } from "../../grouped.ts";
import type { Choice, VerifiedIndex } from "../verified-index.ts";

/**
 * Maximum number of comparisons between dependencies and packages in one run. This is more than any distribution needs, and
 * takes only a few seconds.
 */
const maxComparisons = 20_000_000;

/** A package in one of the feeds, with its dependencies. */
interface Candidate {
  readonly index: VerifiedIndex;
  readonly related: Related;
}

interface Offer {
  readonly candidate: Candidate;
  readonly capability: Capability;
}

const keyOf = (feed: string, { name, version, architecture }: Omit<Related, "offers" | "needs">) =>
  [feed, name, version, architecture].join("\0");

/** All packages in the feeds of one format, and which of these packages were chosen. */
class Relationships {
  readonly #format: Format;
  readonly #byKey = new Map<string, Candidate>();
  readonly #byName = new Map<string, Offer[]>();
  readonly #chosen = new Set<Candidate>();
  /** The package that meets each dependency, for each architecture; undefined if no package does. */
  readonly #met = new Map<string, Candidate | undefined>();
  #comparisons = 0;

  private constructor(format: FeedFormat) {
    this.#format = formatOf(format);
  }

  static async of(format: FeedFormat, indexes: readonly VerifiedIndex[]): Promise<Relationships> {
    const made = new Relationships(format);
    for (const index of indexes) for (const related of await index.related()) made.#add({ index, related });
    return made;
  }

  #add(candidate: Candidate): void {
    const key = keyOf(candidate.index.feed.name, candidate.related);
    if (this.#byKey.has(key)) return;
    this.#byKey.set(key, candidate);
    for (const capability of candidate.related.offers) append(this.#byName, capability.name, { candidate, capability });
  }

  /**
   * Finds the dependencies of packages.
   * @returns the dependencies that are not among the choices, and errors for missing dependencies
   */
  resolve(choices: readonly Choice[]): { added: Choice[]; errors: FeedkeyError[] } {
    for (const { index, entry } of choices) {
      const candidate = this.#byKey.get(keyOf(index.feed.name, entry));
      if (candidate !== undefined) this.#chosen.add(candidate);
    }
    const asked = this.#chosen.size;
    const errors: FeedkeyError[] = [];
    // The loop also visits packages that it adds to the set. It visits each package only once, so cycles of dependencies end.
    for (const candidate of this.#chosen) {
      for (const need of candidate.related.needs()) {
        if (!this.#meet(need, candidate.related.architecture)) errors.push(unmet(candidate, need, this.#listed(need)));
      }
    }
    return { added: [...this.#chosen].slice(asked).flatMap(choiceOf), errors: withoutRepeated(errors) };
  }

  /**
   * Chooses a package that meets a dependency: a package that is chosen already, or else the best package for the first
   * possible alternative.
   * @returns whether the dependency is met
   */
  #meet(need: readonly Requirement[], architecture: string): boolean {
    const key = `${architecture}\0${need.map(({ text }) => text).join("|")}`;
    if (!this.#met.has(key)) {
      const all = need.map((requirement) => this.#offers(requirement, architecture));
      const chosen = all.flat().find(({ candidate }) => this.#chosen.has(candidate));
      const best = chosen ?? all.map((offers) => this.#best(offers)).find((offer) => offer !== undefined);
      this.#met.set(key, best?.candidate);
      if (best !== undefined) this.#chosen.add(best.candidate);
    }
    return this.#met.get(key) !== undefined;
  }

  #offers({ names, isMetBy }: Requirement, architecture: string): Offer[] {
    const offers = (names ?? [...this.#byName.keys()]).flatMap((name) => this.#byName.get(name) ?? []);
    this.#comparisons += offers.length;
    if (this.#comparisons > maxComparisons) throw tooMany();
    return offers.filter(({ candidate, capability }) => {
      return this.#fits(candidate.related.architecture, architecture) && isMetBy(capability);
    });
  }

  #fits(offered: string, needed: string): boolean {
    const any = this.#format.relations?.anyMachine;
    return offered === needed || offered === any || needed === any;
  }

  /**
   * Returns the best package for a requirement: a package with the required name before a package that only provides the name,
   * then the newest version, then the first feed.
   */
  #best(offers: readonly Offer[]): Offer | undefined {
    const own = offers.filter(({ candidate, capability }) => candidate.related.name === capability.name);
    const [first, ...others] = own.length > 0 ? own : offers;
    return others.reduce((best, offer) => {
      const [one, other] = [best?.candidate.related, offer.candidate.related];
      const isNewer = one?.name === other.name && this.#format.compareVersions(other.version, one.version) > 0;
      return isNewer ? offer : best;
    }, first);
  }

  /** Returns up to ten packages that have a required name but not a fitting version or architecture, for the hint. */
  #listed(need: readonly Requirement[]): string[] {
    const offers = need.flatMap(({ names }) => names ?? []).flatMap((name) => this.#byName.get(name) ?? []);
    return [...new Set(offers.map(({ candidate: { related } }) => `${related.name} ${related.version}`))].slice(0, 10);
  }
}

function choiceOf({ index, related }: Candidate): Choice[] {
  const found = index.find(related.name, related.version);
  return found.filter(({ entry }) => entry.architecture === related.architecture).slice(0, 1);
}

function unmet({ related }: Candidate, need: readonly Requirement[], listed: readonly string[]): FeedkeyError {
  const wanted = need.map(({ text }) => text).join(" | ");
  const who = escapeText(`${related.name} ${related.version}`);
  return new FeedkeyError("not_found", `${who} needs ${escapeText(wanted)}, which none of the searched feeds has`, {
    details: { package: related.name, version: related.version, needs: wanted },
    hint:
      listed.length > 0
        ? `the feeds have only: ${escapeText(listed.join(", "))}`
        : "search more feeds with --feed, or install what is missing from another source",
  });
}

/** Keeps only the first error for each missing dependency, because every package that needs the dependency gives an error. */
function withoutRepeated(errors: readonly FeedkeyError[]): FeedkeyError[] {
  return [...new Map(errors.toReversed().map((error) => [error.details.needs, error])).values()].reverse();
}

function tooMany(): FeedkeyError {
  return new FeedkeyError(
    "bad_index",
    `to find the dependencies, feedkey would need more than ${maxComparisons} comparisons`,
    {
      hint: "normal archives need far fewer: fetch each package by its name, without --with-depends, and tell the archive's keepers",
    },
  );
}

/**
 * Adds the dependencies of the chosen packages. A package can only depend on packages in feeds of the same format.
 * @returns the chosen packages followed by their dependencies, and errors for missing dependencies
 * @throws FeedkeyError `usage` if a chosen file is not a package, so that it has no dependencies; `bad_index` if the search
 *   would take too long
 */
export async function withDependencies(
  choices: readonly Choice[],
  indexes: readonly VerifiedIndex[],
): Promise<{ choices: Choice[]; errors: FeedkeyError[] }> {
  const all = [...choices];
  const errors: FeedkeyError[] = [];
  for (const format of new Set(choices.map(({ index }) => index.feed.format))) {
    const isOfIt = ({ feed }: VerifiedIndex) => feed.format === format;
    const relationships = await Relationships.of(format, indexes.filter(isOfIt));
    const found = relationships.resolve(choices.filter(({ index }) => isOfIt(index)));
    for (const choice of found.added) all.push(choice);
    for (const error of found.errors) errors.push(error);
  }
  return { choices: all, errors };
}
